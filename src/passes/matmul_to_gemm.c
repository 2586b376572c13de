/* MatMul of a matrix with a constant one becomes a Gemm, and every Gemm with constant weights takes one form: weights
 * [outputs, inputs] (transB = 1), alpha = beta = 1, bias [outputs]. The Add after it is then a bias to fold.
 *
 * requires: inferred ranks.
 * guarantees: the form above, where weights and bias are constants. A MatMul of higher rank stays. */
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

#define STRIP 16 /* columns that are written at a time: their lines stay in the cache */

static bool is_float_matrix(const struct value *v) {
    return value_is_float_constant(v) && v->rank == 2;
}

static enum pare_status transposed(struct context *ctx, struct graph *g, const struct tensor *t, float factor,
                                   bool swap, struct tensor *out) {
    int64_t rows = t->shape.dim[0], columns = t->shape.dim[1];
    struct shape shape = {.rank = 2, .dim = {swap ? columns : rows, swap ? rows : columns}};
    TRY(tensor_new(ctx, g->arena, DTYPE_FLOAT, &shape, out));
    const float *from = t->data;
    float *to = out->data;
    for (int64_t strip = 0; strip < columns; strip += STRIP) {
        int64_t end = strip + STRIP < columns ? strip + STRIP : columns;
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t c = strip; c < end; c++) {
                to[swap ? c * rows + r : r * columns + c] = factor * from[r * columns + c];
            }
        }
    }
    return PARE_OK;
}

static enum pare_status rewrite_matmul(struct context *ctx, struct node *n, int *changes) {
    struct value *inputs[2] = {n->inputs[0], n->inputs[1]};
    struct tensor weight;
    if (inputs[0]->rank != 2 || value_is_constant(inputs[0]) || !is_float_matrix(inputs[1])) {
        return PARE_OK;
    }
    ++*changes;
    TRY(transposed(ctx, n->graph, inputs[1]->constant, 1, true, &weight));
    TRY(node_become(ctx, n, "Gemm", inputs, 2));
    TRY(node_set_int(ctx, n, "transB", 1));
    return set_constant(ctx, n, 1, "weight", &weight);
}

static enum pare_status rewrite_weight(struct context *ctx, struct node *n, int *changes) {
    bool swap = node_int(n, "transB") == 0;
    float alpha = node_float(n, "alpha");
    struct tensor weight;
    if (!is_float_matrix(n->inputs[1]) || value_is_constant(n->inputs[0]) || (!swap && alpha == 1)) {
        return PARE_OK;
    }
    ++*changes;
    TRY(transposed(ctx, n->graph, n->inputs[1]->constant, alpha, swap, &weight));
    TRY(set_constant(ctx, n, 1, "weight", &weight));
    node_remove_attr(n, "alpha");
    return node_set_int(ctx, n, "transB", 1);
}

/* The bias is one row, however it was broadcast; a constant of several rows stays. */
static enum pare_status rewrite_bias(struct context *ctx, struct node *n, int *changes) {
    const struct value *bias = node_input(n, 2);
    float beta = node_float(n, "beta");
    int64_t outputs;
    if (bias == NULL || !value_is_float_constant(bias) || bias->rank > 2 || !value_dim(n->outputs[0], 1, &outputs) ||
        (bias->rank == 2 && bias->dims[0].value != 1)) {
        return PARE_OK;
    }
    size_t count = tensor_count(bias->constant);
    bool plain = bias->rank == 1 && count == (size_t)outputs && beta == 1;
    if (plain || (count != 1 && count != (size_t)outputs)) {
        return PARE_OK;
    }
    struct tensor row;
    const float *from = bias->constant->data;
    TRY(tensor_new(ctx, n->graph->arena, DTYPE_FLOAT, &(struct shape){.rank = 1, .dim = {outputs}}, &row));
    for (int64_t i = 0; i < outputs; i++) {
        ((float *)row.data)[i] = beta * from[count == 1 ? 0 : i];
    }
    ++*changes;
    TRY(set_constant(ctx, n, 2, "bias", &row));
    node_remove_attr(n, "beta");
    return PARE_OK;
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    (void)scratch;
    if (node_is(n, "MatMul")) {
        return rewrite_matmul(ctx, n, changes);
    }
    if (!node_is(n, "Gemm")) {
        return PARE_OK;
    }
    if (node_input(n, 2) == NULL && node_float(n, "beta") != 1) {
        node_remove_attr(n, "beta");
        ++*changes;
    }
    TRY(rewrite_weight(ctx, n, changes));
    return rewrite_bias(ctx, n, changes);
}

enum pare_status pass_matmul_to_gemm(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
