/* Calibration samples through the float graph, in parallel. */
#ifndef PARE_QUANT_OBSERVE_H
#define PARE_QUANT_OBSERVE_H

#include "graph/graph.h"

/* Fills inputs (batch 1, one per graph input) of sample i; the tensors' data are allocated by the caller of the
 * callback. */
typedef enum pare_status sample_load(void *user, struct context *ctx, size_t sample, struct tensor *inputs);

struct observation {
    size_t number; /* of the sample, in the order of the run */
    int worker;    /* < max(1, ctx->threads) */
};

/* Sees each value of each sample once; the tensor is valid during the call only. Writes to places that are the
 * sample's or the worker's. */
typedef enum pare_status sample_observer(void *user, struct context *ctx, const struct observation *o,
                                         const struct value *v, const struct tensor *t);

struct sample_source {
    sample_load *load;
    void *user;
    const size_t *samples; /* number -> sample; NULL: the number itself */
};

/* Neighbouring elements that a tensor has in one row (axis 0) of one channel (axis 1). */
size_t channel_size(const struct tensor *t);

/* Tensors for one sample of each of the graph's inputs, in `a`. */
enum pare_status observe_inputs(struct context *ctx, struct arena *a, const struct graph *g, struct tensor **out);

/* Runs samples first .. first + count - 1. */
enum pare_status observe_samples(struct context *ctx, const struct graph *g, const struct sample_source *source,
                                 size_t first, size_t count, sample_observer *observer, void *user);

#endif
