/* Operators that compute y = scale[c] * x + shift[c] over channel axis 1: BatchNormalization, and Add, Sub, Mul, Div
 * with a scalar or per-channel constant. */
#ifndef PARE_PASSES_AFFINE_H
#define PARE_PASSES_AFFINE_H

#include "passes/rewrite.h"

struct affine {
    struct value *input;
    int64_t channels;
    double *scale, *shift; /* `channels` of each, finite, in the arena given */
};

/* Reads the node; *found is false when it is no such operator, its channel count is unknown, or a
 * coefficient would not be finite in float. */
enum pare_status affine_of(struct context *ctx, struct arena *a, const struct node *n, struct affine *out, bool *found);
/* y = second(first(x)), into `first`. */
void affine_compose(struct affine *first, const struct affine *second);
/* Every coefficient `repeat` times: what a channel is after its positions became channels of their own. */
enum pare_status affine_repeat(struct context *ctx, struct arena *a, struct affine *f, int64_t repeat);
bool affine_shifts(const struct affine *f);        /* any shift that is not zero */
bool affine_is_finite(const struct affine *f);     /* as float */
bool affine_is_increasing(const struct affine *f); /* every scale at least zero */

#endif
