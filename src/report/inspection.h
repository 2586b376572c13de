/* What `inspect` tells about a network of any kind. */
#ifndef PARE_REPORT_INSPECTION_H
#define PARE_REPORT_INSPECTION_H

#include "report/json.h"
#include "report/table.h"

struct inspected_shape {
    int rank; /* -1: unknown */
    const struct dim *dims;
};

struct inspected_layer {
    struct layer_report layer;
    struct inspected_shape output_shape;
    uint64_t parameters;
    bool macs_open; /* they depend on a dimension that the model leaves open */
};

struct inspected_port {
    const char *name, *type;
    struct inspected_shape shape;
    struct tensor_report codes; /* of one sample, as the integer program takes or gives them; count 0: none */
    const char *tail;           /* the operator that makes the output of these codes in float, or NULL */
};

struct inspection {
    const char *file, *kind; /* "float ONNX", "rewritten ONNX", ".pare" */
    uint64_t hash;
    struct inspected_port *inputs, *outputs;
    size_t input_count, output_count;
    struct inspected_layer *layers;
    size_t layer_count;
    bool quantized;       /* layers and ports have formats */
    uint64_t exact_bits;  /* where they have: all codes that a file must hold (fixed/exact_bits.h) */
    const char *metadata; /* JSON text, or NULL */
};

/* Both append to `out`. */
enum pare_status inspection_text(struct context *ctx, const struct inspection *i, struct buffer *out);
enum pare_status inspection_json(struct context *ctx, const struct inspection *i, struct buffer *out);

/* The parts, for other reports: a shape ("[N,64,8,8]", and numbers with the names of open dimensions), ports, layers,
 * and {"inputs", "outputs"} put into `object`. */
enum pare_status inspected_ports_text(struct context *ctx, const struct inspection *i, struct buffer *out);
enum pare_status inspected_layers_text(struct context *ctx, const struct inspection *i, struct buffer *out);
void inspected_shape_cell(struct table *t, const struct inspected_shape *s);
json_t *json_inspected_shape(struct json_builder *b, const struct inspected_shape *s);
json_t *json_inspected_layers(struct json_builder *b, const struct inspection *i);
void json_put_ports(struct json_builder *b, json_t *object, const struct inspection *i);

#endif
