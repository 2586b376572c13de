/* Where a matrix of flattened features only feeds Gemms, a Transpose before the flattening moves into their weights:
 * the columns are permuted instead of the features.
 *
 *   x ─▶ Transpose ─▶ Reshape [N, K] ─▶ Gemm     ⇒     x ─▶ Reshape [N, K] ─▶ Gemm'
 *
 * requires: inferred shapes, Gemm in the form of matmul_to_gemm.
 * guarantees: none of these where axis 0 stays in place and the other sizes are known. */
#include "passes/linear.h"
#include "passes/passes.h"
#include "passes/permutation.h"
#include "passes/pipeline.h"

/* The shape of one row before the Transpose, and the permutation of its axes. */
static bool row_layout(const struct node *transpose, struct shape *row, struct permutation *p) {
    struct permutation full;
    if (!transpose_permutation(transpose, &full) || full.rank < 2 || full.at[0] != 0) {
        return false;
    }
    p->rank = row->rank = full.rank - 1;
    for (int i = 0; i < row->rank; i++) {
        p->at[i] = full.at[i + 1] - 1;
        if (!value_dim(transpose->inputs[0], i + 1, &row->dim[i])) {
            return false;
        }
    }
    return true;
}

static bool flattens_rows(const struct node *n, const struct shape *row) {
    size_t count;
    int64_t columns;
    return (node_is(n, "Reshape") || node_is(n, "Flatten")) && n->outputs[0]->rank == 2 && shape_count(row, &count) &&
           value_dim(n->outputs[0], 1, &columns) && count > 0 && (size_t)columns == count;
}

static bool only_feeds_gemms(const struct value *v, int64_t columns) {
    struct linear l;
    for (int i = 0; i < v->use_count; i++) {
        const struct use *use = &v->uses[i];
        if (use->node == NULL || use->index != 0 || !node_is(use->node, "Gemm") || !linear_of(use->node, &l) ||
            l.inputs != columns) {
            return false;
        }
    }
    return v->use_count > 0;
}

/* Weights [outputs, inputs] for features in the order before the permutation. */
static enum pare_status permute_columns(struct context *ctx, struct node *gemm, const struct shape *row,
                                        const struct permutation *p) {
    const struct tensor *weight = gemm->inputs[1]->constant;
    struct tensor split = {.type = DTYPE_FLOAT, .shape = {.rank = row->rank + 1, .dim = {weight->shape.dim[0]}}};
    struct permutation inverse = {.rank = row->rank + 1, .at = {0}}, rows = permutation_inverse(p);
    struct tensor moved;
    split.data = weight->data;
    for (int i = 0; i < row->rank; i++) {
        split.shape.dim[i + 1] = row->dim[p->at[i]];
        inverse.at[i + 1] = rows.at[i] + 1;
    }
    TRY(tensor_permute(ctx, gemm->graph->arena, &split, &inverse, &moved));
    moved.shape = weight->shape;
    return set_constant(ctx, gemm, 1, "weight", &moved);
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    (void)scratch;
    struct node *transpose = input_producer(n, 0);
    struct shape row;
    struct permutation p;
    int64_t columns;
    if (transpose == NULL || !row_layout(transpose, &row, &p) || !flattens_rows(n, &row) ||
        !value_dim(n->outputs[0], 1, &columns) || !only_feeds_gemms(n->outputs[0], columns)) {
        return PARE_OK;
    }
    for (int i = 0; i < n->outputs[0]->use_count; i++) {
        TRY(permute_columns(ctx, n->outputs[0]->uses[i].node, &row, &p));
    }
    ++*changes;
    return node_set_input(ctx, n, 0, transpose->inputs[0]);
}

enum pare_status pass_transpose_into_weights(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
