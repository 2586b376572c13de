/* Scaling channels between linear operators by powers of two, which changes no result: cross-layer equalisation
 * (Nagel et al. 2019, section 4.1) that is exact in float and in fixed point. */
#ifndef PARE_PASSES_CHANNEL_SCALE_H
#define PARE_PASSES_CHANNEL_SCALE_H

#include "graph/graph.h"

/* A linear operator whose output channels may be scaled, since only operators that pass scales on (Relu, pooling,
 * Concat, ...) stand between it and the linear operators that take them back. */
struct scalable {
    struct node *linear;
    struct value *value; /* its output, or that of the Relu behind it */
    int64_t channels;    /* along axis 1 */
};

/* In the order of the graph; memory in `a`. */
enum pare_status scalable_list(struct context *ctx, struct arena *a, const struct graph *g, struct scalable **out,
                               size_t *count);
/* Channel c of the value becomes 2^exponent[c] times what it was; what the graph computes stays the same. *done is
 * false, and nothing has changed, where a weight would leave the range of float. */
enum pare_status scalable_apply(struct context *ctx, const struct scalable *s, const int *exponent, bool *done);

#endif
