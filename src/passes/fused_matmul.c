/* ONNX Runtime's FusedMatMul becomes what it was fused from: Transpose, MatMul, Mul.
 *
 * requires: inferred ranks.
 * guarantees: no FusedMatMul of operands whose rank is known. */
#include "graph/axes.h"
#include "passes/passes.h"
#include "passes/permutation.h"
#include "passes/pipeline.h"

/* A node in front of `n`, and its output, whose shape is inferred afterwards. */
static enum pare_status put(struct context *ctx, struct node *n, const char *op, struct value *const *inputs, int count,
                            struct node **out) {
    struct value *v = NULL;
    TRY(graph_add_value(ctx, n->graph, NULL, n->outputs[0]->name, &v));
    v->type = n->outputs[0]->type;
    v->rank = -1;
    return graph_add_node(ctx, n->graph, op_find(op), NULL, inputs, count, &v, 1, n, out);
}

static enum pare_status transpose_operand(struct context *ctx, struct node *n, int operand, struct value **out) {
    struct permutation p = {.rank = n->inputs[operand]->rank};
    struct node *transpose = NULL;
    axes_of_factor(n, operand, p.rank, p.at);
    *out = n->inputs[operand];
    if (permutation_is_identity(&p)) {
        return PARE_OK;
    }
    TRY(put(ctx, n, "Transpose", out, 1, &transpose));
    *out = transpose->outputs[0];
    return set_permutation(ctx, transpose, &p);
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    struct value *inputs[2];
    struct node *product = NULL;
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
    TRY(put(ctx, n, "MatMul", inputs, 2, &product));
    inputs[0] = product->outputs[0];
    TRY(add_scalar(ctx, n, "alpha", (double)alpha, &inputs[1]));
    return node_become(ctx, n, "Mul", inputs, 2);
}

enum pare_status pass_fused_matmul(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
