/* What `verify` tells: for every layer, whether the executors of a network agree. */
#ifndef PARE_REPORT_VERIFICATION_H
#define PARE_REPORT_VERIFICATION_H

#include "report/json.h"

enum executor_kind {
    EXECUTOR_REFERENCE, /* the runtime's kernels: what the others are compared with */
    EXECUTOR_HOST,
    EXECUTOR_STORED,  /* the hashes that quantize left */
    EXECUTOR_ONNX,    /* the rewritten ONNX, in pare's float interpreter */
    EXECUTOR_RUNTIME, /* the same in ONNX Runtime */
    EXECUTOR_COUNT
};

/* A layer's codes from one executor. */
struct verdict {
    bool compared;
    uint64_t different; /* codes; of hashes 1 */
    size_t sample;      /* the first difference ... */
    uint32_t index;     /* ... element of the value, row-major */
    int32_t code, expected;
};

struct verified_layer {
    const char *name, *op;
    uint64_t codes;       /* compared per executor */
    bool certain;         /* every float runtime must give the same */
    const char *operands; /* of the first difference, or NULL */
    struct verdict verdicts[EXECUTOR_COUNT];
};

struct verification {
    const char *folder;
    size_t samples;
    struct verified_layer *layers;
    size_t count;
    const char *absent[EXECUTOR_COUNT]; /* why an executor did not run, or NULL */
};

const char *executor_kind_name(enum executor_kind kind);
/* Layers with a difference that must not be. */
size_t verification_failures(const struct verification *v);

/* Differences of float runtimes in layers that are not certain: none that must not be, but none that is equal either.
 */
struct uncertain_differences {
    size_t layers;
    uint64_t codes;    /* in each layer of the runtime with the most */
    const char *first; /* layer, or NULL */
};

struct uncertain_differences verification_uncertain(const struct verification *v);
/* Both append to `out`. */
enum pare_status verification_text(struct context *ctx, const struct verification *v, struct buffer *out);
enum pare_status verification_json(struct context *ctx, const struct verification *v, struct buffer *out);

#endif
