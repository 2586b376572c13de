/* Scaling channels between linear operators, which changes no result but by the rounding of floats: cross-layer
 * equalisation (Nagel et al. 2019, section 4.1). */
#ifndef PARE_PASSES_CHANNEL_SCALE_H
#define PARE_PASSES_CHANNEL_SCALE_H

#include "graph/graph.h"

/* Channels that may be scaled together: those of the values between some linear operators that make them and others
 * that take the scales back, with only Relu, pooling and residual sums in between. */
struct scalable {
    struct node **linears; /* that make them */
    int linear_count;
    struct value **values; /* whose codes a fixed-point program would hold: not in front of a Relu or behind a pool */
    int value_count;
    struct value **reached; /* those, and all others that they are computed from or to with these channels */
    int reached_count;
    struct use *exits; /* by what does not make scaled values again */
    int exit_count;
    int64_t channels; /* along axis 1 */
};

/* In the order of the graph, each linear operator in one of them at most; memory in `a`. */
enum pare_status scalable_list(struct context *ctx, struct arena *a, const struct graph *g, struct scalable **out,
                               size_t *count);
/* Channel c of the values becomes scale[c] times what it was; what the graph computes stays the same but for float's
 * rounding. Scales lie between 2^-40 and 2^40. */
enum pare_status scalable_apply(struct context *ctx, const struct scalable *s, const double *scale);

#endif
