/* ONNX Runtime's FusedMatMul becomes what it was fused from: Transpose, MatMul, Mul.
 *
 * requires: inferred ranks.
 * guarantees: no FusedMatMul of operands whose rank is known. */
#include "graph/axes.h"
#include "passes/passes.h"
#include "passes/permutation.h"
#include "passes/pipeline.h"

static enum pare_status transpose_operand(struct context *ctx, struct node *n, int operand, struct value **out) {
    struct permutation p = {.rank = n->inputs[operand]->rank};
    axes_of_factor(n, operand, p.rank, p.at);
    *out = n->inputs[operand];
    if (permutation_is_identity(&p)) {
        return PARE_OK;
    }
    TRY(put_before(ctx, n, "Transpose", out, 1, n->outputs[0], out));
    (*out)->rank = -1; /* inferred afterwards */
    return set_permutation(ctx, (*out)->producer, &p);
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    struct value *inputs[2];
    (void)scratch;
    if (!node_is(n, "FusedMatMul") || n->inputs[0]->rank < 0 || n->inputs[1]->rank < 0) {
        return PARE_OK;
    }
    float alpha = node_float(n, "alpha");
    ++*changes;
    for (int k = 0; k < 2; k++) {
        TRY(transpose_operand(ctx, n, k, &inputs[k]));
    }
    if (alpha == 1) {
        return node_become(ctx, n, "MatMul", inputs, 2);
    }
    TRY(put_before(ctx, n, "MatMul", inputs, 2, n->outputs[0], &inputs[0]));
    TRY(add_scalar(ctx, n, "alpha", (double)alpha, &inputs[1]));
    return node_become(ctx, n, "Mul", inputs, 2);
}

enum pare_status pass_fused_matmul(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
