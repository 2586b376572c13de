/* What `quantize` found: its table for people, and report.json (docs/report.schema.json). */
#ifndef PARE_REPORT_QUANTIZATION_H
#define PARE_REPORT_QUANTIZATION_H

#include "report/inspection.h"
#include "report/json.h"
#include "tensor/preprocess.h"

struct used_file {
    const char *path; /* as given; NULL: not given */
    uint64_t hash;
    size_t samples; /* of data */
};

struct written_file {
    const char *name; /* in the output folder; NULL: not written */
    uint64_t hash;
    size_t size;
};

struct quantization {
    const char *version;
    struct used_file model, data, calibration, test;
    const struct search_options *options;
    const struct preprocess *preprocess;
    const struct search_result *result;
    const struct inspection *layers; /* and ports, of the program */
    const char *folder;
    bool requantized;          /* the model was quantised already, and its codes were read as numbers */
    uint64_t float_parameters; /* of layers that stay in float: no cost counts them */
    size_t resumed;            /* measurements that the journal held when the search began */
    struct written_file onnx, compact;
    const char *no_compact; /* why there is no compact file, or NULL */
};

/* Both append to `out`. */
enum pare_status quantization_text(struct context *ctx, const struct quantization *q, struct buffer *out);
enum pare_status quantization_json(struct context *ctx, const struct quantization *q, struct buffer *out);

/* {"bits": [...], "confidence", "cost", "limits", "max_drop": "1%", "metric", "preprocess", "seed"} */
json_t *json_settings(struct json_builder *b, const struct search_options *o, const struct preprocess *p);
/* {"layout", "mean", "scale", "std"} */
json_t *json_preprocess(struct json_builder *b, const struct preprocess *p);
json_t *json_drop(double drop, bool relative); /* "1%" or "0.5pt"; null when infinite */
/* {"bitops_max", "flash_max", "memory_max", "ram_max"}, those that there are; bytes and operations */
json_t *json_limits(struct json_builder *b, const struct limits *l);
json_t *json_used_file(struct json_builder *b, const struct used_file *f);

#endif
