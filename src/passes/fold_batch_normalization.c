/* BatchNormalization, and Add, Sub, Mul, Div with a scalar or per-channel constant, into the Conv, ConvTranspose or
 * Gemm right before, through a Reshape that splits the columns of a Gemm into channels and positions.
 *
 * requires: inferred shapes, Gemm in the form of matmul_to_gemm.
 * guarantees: none of these follows a linear operator that has constant parameters and no other user. */
#include "passes/linear.h"
#include "passes/passes.h"
#include "passes/pipeline.h"

/* Whether `reshape` only splits axis 1 of a matrix: [n, c * s] to [n, c, ...], with s positions per channel. */
static bool splits_channels(const struct node *reshape, int64_t *positions) {
    int64_t columns, channels;
    if (!node_is(reshape, "Reshape") && !node_is(reshape, "Unsqueeze")) {
        return false;
    }
    const struct value *from = reshape->inputs[0], *to = reshape->outputs[0];
    if (from->rank != 2 || !value_dim(from, 1, &columns) || !value_dim(to, 1, &channels) || channels == 0 ||
        !keeps_rows(from, to)) {
        return false;
    }
    *positions = columns / channels;
    return columns % channels == 0;
}

/* The linear operator that alone feeds `v`, and how many of its outputs make one channel of `v`. */
static bool find_linear(const struct value *v, struct linear *l, int64_t *positions) {
    struct node *n = v->producer;
    *positions = 1;
    if (n != NULL && value_single_user(v) != NULL && splits_channels(n, positions)) {
        v = n->inputs[0];
        n = v->producer;
    }
    return n != NULL && value_single_user(v) != NULL && linear_of(n, l);
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    struct affine f;
    struct linear l;
    int64_t positions;
    bool found = false, done = false;
    TRY(affine_of(ctx, scratch, n, &f, &found));
    if (!found || !find_linear(f.input, &l, &positions)) {
        return PARE_OK;
    }
    TRY(affine_spread(ctx, scratch, &f, 1, l.outputs / positions, &done));
    if (!done) {
        return PARE_OK;
    }
    TRY(affine_repeat(ctx, scratch, &f, positions));
    TRY(linear_absorb_after(ctx, &l, &f, &done));
    *changes += done;
    return done ? node_bypass(ctx, n, f.input) : PARE_OK;
}

enum pare_status pass_fold_batch_normalization(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
