/* What `inspect` tells about a network of any kind. */
#ifndef PARE_REPORT_INSPECTION_H
#define PARE_REPORT_INSPECTION_H

#include "report/json.h"

struct inspected_layer {
    struct layer_report layer;
    const char *output_shape; /* "[N,64,8,8]" */
    uint64_t parameters;
};

struct inspected_port {
    const char *name, *type, *shape;
};

struct inspection {
    const char *file, *kind; /* "float ONNX", "rewritten ONNX", ".pare" */
    uint64_t hash;
    struct inspected_port *inputs, *outputs;
    size_t input_count, output_count;
    struct inspected_layer *layers;
    size_t layer_count;
    bool quantized;
    const char *metadata; /* JSON text, or NULL */
};

/* Both append to `out`. */
enum pare_status inspection_text(struct context *ctx, const struct inspection *i, struct buffer *out);
enum pare_status inspection_json(struct context *ctx, const struct inspection *i, struct buffer *out);

/* The layers alone, for other reports. */
enum pare_status inspected_layers_text(struct context *ctx, const struct inspection *i, struct buffer *out);
json_t *json_inspected_layers(struct json_builder *b, const struct inspection *i);

#endif
