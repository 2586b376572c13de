/* BatchNormalization (and per-channel arithmetic) that cannot be folded backwards, into all the linear operators that
 * follow: through pooling, Transpose, reshapes and Concat, which a per-channel y = a * x + b passes unchanged.
 *
 *   Relu ─▶ BatchNormalization ─┬▶ Conv 1x1                      Relu ─┬▶ Conv'
 *                               └▶ MaxPool ─▶ Gemm    ⇒        └▶ MaxPool ─▶ Gemm'
 *
 * Zero padding is no zero any more once b is folded, so a padded Conv gets a zero point, Sub(x, -b / a), in front of
 * it; a maximum takes only scales that keep the order.
 *
 * requires: inferred shapes, auto_pad resolved where it can be, Gemm in the form of matmul_to_gemm.
 * guarantees: what remains has a user that cannot take it exactly. */
#include "graph/zero_point.h"
#include "passes/forward.h"
#include "passes/passes.h"
#include "passes/pipeline.h"

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    struct affine f;
    bool found = false, possible = false;
    TRY(affine_of(ctx, scratch, n, &f, &found));
    if (!found || n->outputs[0]->use_count == 0 || node_is_zero_point(n)) {
        return PARE_OK;
    }
    TRY(forward_possible(ctx, scratch, n->outputs[0], &f, &possible));
    if (!possible) {
        return PARE_OK;
    }
    TRY(forward_apply(ctx, scratch, n->outputs[0], &f));
    ++*changes;
    return node_bypass(ctx, n, f.input);
}

enum pare_status pass_batch_normalization_forward(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
