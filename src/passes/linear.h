/* Conv, ConvTranspose and Gemm with constant weights, seen as y[o] = sum over i, k of w(o,i,k) * x[i] + bias[o]. */
#ifndef PARE_PASSES_LINEAR_H
#define PARE_PASSES_LINEAR_H

#include "passes/affine.h"

struct linear {
    struct node *node;
    int64_t outputs, inputs; /* channels */
    int64_t groups, taps;    /* taps: positions of the kernel, 1 for Gemm */
};

/* False when the node is none, or its weight or bias is not constant, or a Gemm is not in the form that
 * matmul_to_gemm gives it. */
bool linear_of(struct node *n, struct linear *out);
/* Coefficients and weights up to here cannot overflow a float, whatever the size of the layer and when scaled. */
#define LINEAR_MODERATE 1e9
bool linear_is_moderate(const struct linear *l);
/* Whether each output sees every tap, so that a constant added to the input is one added to the output. */
bool linear_is_unpadded(const struct linear *l);
/* The node computes f(y) from now on; *done is false and nothing has changed where a parameter would not be finite. */
enum pare_status linear_absorb_after(struct context *ctx, struct linear *l, const struct affine *f, bool *done);
/* The node computes y(f(x)) from now on. Needs linear_is_unpadded, or an f without shifts. */
enum pare_status linear_absorb_before(struct context *ctx, struct linear *l, const struct affine *f, bool *done);

#endif
