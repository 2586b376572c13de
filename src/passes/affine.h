/* Operators that compute y = scale[c] * x + shift[c], c an index of one axis: BatchNormalization, and Add, Sub, Mul,
 * Div with a constant that is a scalar or varies along one axis only. */
#ifndef PARE_PASSES_AFFINE_H
#define PARE_PASSES_AFFINE_H

#include "passes/rewrite.h"

/* More coefficients are not followed. */
#define AFFINE_MAX_CHANNELS ((int64_t)1 << 24)

struct affine {
    struct value *input;
    int axis;
    int64_t channels;      /* the size of that axis, or 1: the same for all elements, and axis does not matter */
    double *scale, *shift; /* `channels` of each, finite, in the arena given */
};

/* Reads the node; *found is false when it is no such operator, or a coefficient would not be finite in float. */
enum pare_status affine_of(struct context *ctx, struct arena *a, const struct node *n, struct affine *out, bool *found);
/* y = x: `channels` coefficients, the input and axis as they are in `f`. */
enum pare_status affine_identity(struct context *ctx, struct arena *a, int64_t channels, struct affine *f);
/* Coefficients for each of `channels` indices of `axis`; *done is false when they vary along another axis or are as
 * many as another size. */
enum pare_status affine_spread(struct context *ctx, struct arena *a, struct affine *f, int axis, int64_t channels,
                               bool *done);
/* y = second(first(x)), into `first`; both along the same axis. */
void affine_compose(struct affine *first, const struct affine *second);
/* Every coefficient `repeat` times: what a channel is after its positions became channels of their own. */
enum pare_status affine_repeat(struct context *ctx, struct arena *a, struct affine *f, int64_t repeat);
bool affine_shifts(const struct affine *f);        /* any shift that is not zero */
bool affine_is_finite(const struct affine *f);     /* as float */
bool affine_is_increasing(const struct affine *f); /* every scale at least zero */

#endif
