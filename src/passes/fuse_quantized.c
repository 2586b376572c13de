/* DequantizeLinear, an operator, QuantizeLinear become the operator on codes, as other runtimes fuse them: the result
 * no longer depends on the order of float sums.
 *
 * requires: inferred shapes; 8-bit codes with one scale per tensor, weights also with one per output channel.
 * guarantees: weights that are quantised at every run are codes; Conv, MatMul, Gemm, Add, Mul, Softmax and
 * GlobalAveragePool between codes have the integers of QLinearConv and the like. Not part of the standard pipeline: it
 * is for running networks that others quantised. */
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

#include <string.h>

#define INPUTS_MAX 9

static bool is_8_bit(const struct value *v) {
    return v->type == DTYPE_INT8 || v->type == DTYPE_UINT8;
}

static bool has_one_scale(const struct node *n) {
    const struct value *scale = n->inputs[1];
    return scale->rank == 0 || (scale->rank == 1 && scale->dims[0].value == 1);
}

/* The DequantizeLinear in front of input `index`, with one scale, or one per index of `axis` (-1: not allowed). */
static struct node *source_of(const struct node *n, int index, int axis) {
    struct node *d = input_producer(n, index);
    bool fits = node_is(d, "DequantizeLinear") && is_8_bit(d->inputs[0]) && node_int(d, "block_size") == 0 &&
                node_input(d, 2) != NULL;
    if (!fits || has_one_scale(d)) {
        return fits ? d : NULL;
    }
    int rank = d->inputs[0]->rank;
    int64_t given = node_int(d, "axis");
    return axis >= 0 && rank > 0 && (given < 0 ? given + rank : given) == axis ? d : NULL;
}

/* The QuantizeLinear behind the node's only output, where nobody else reads it. */
static struct node *sink_of(const struct node *n) {
    struct node *q = value_single_user(n->outputs[0]);
    bool fits = node_is(q, "QuantizeLinear") && q->inputs[0] == n->outputs[0] && has_one_scale(q) &&
                node_input(q, 2) != NULL && is_8_bit(q->outputs[0]);
    return fits ? q : NULL;
}

/* An int32 bias, read at the product of the scales of input and weight; *fits false where there is another one. */
static struct value *bias_of(const struct node *n, bool *fits) {
    struct node *d = input_producer(n, 2);
    *fits = node_input(n, 2) == NULL || (node_is(d, "DequantizeLinear") && d->inputs[0]->type == DTYPE_INT32);
    return *fits && d != NULL ? d->inputs[0] : NULL;
}

/* ---- one operator each: its inputs in the order of the operator on codes ---- */

struct fusion {
    const struct node *x, *w, *q; /* w NULL: one operand */
    struct value *bias;
};

static int list_operands(const struct fusion *f, struct value **out) {
    int count = 0;
    for (int i = 0; i < 3; i++) {
        out[count++] = f->x->inputs[i];
    }
    for (int i = 0; f->w != NULL && i < 3; i++) {
        out[count++] = f->w->inputs[i];
    }
    return count;
}

/* Attributes go with node_become; those that the fused operator has come back. */
static enum pare_status take_over(struct context *ctx, struct node *fused, const struct node *n) {
    struct op_attr row;
    for (int i = 0; i < n->attr_count; i++) {
        if (op_attr_find(fused->op, n->attrs[i].name, &row)) {
            TRY(node_set_attr(ctx, fused, &n->attrs[i]));
        }
    }
    return PARE_OK;
}

static enum pare_status fuse(struct context *ctx, struct node *n, const struct fusion *f, const char *op,
                             int *changes) {
    struct value *inputs[INPUTS_MAX] = {NULL}, *out = f->q->outputs[0];
    struct node *fused = NULL, *q = value_single_user(n->outputs[0]);
    int count = list_operands(f, inputs);
    bool gemm = strcmp(op, "QGemm") == 0;
    inputs[count] = gemm ? f->bias : f->q->inputs[1];
    inputs[count + 1] = gemm ? f->q->inputs[1] : f->q->inputs[2];
    inputs[count + 2] = gemm ? f->q->inputs[2] : f->bias;
    count += f->bias != NULL || gemm ? 3 : 2;
    struct value *codes = NULL;
    TRY(graph_add_value(ctx, n->graph, NULL, out->name, &codes));
    value_copy_type(codes, out);
    TRY(graph_add_node(ctx, n->graph, op_find(op), NULL, inputs, count, &codes, 1, q, &fused));
    TRY(take_over(ctx, fused, n));
    TRY(graph_replace(ctx, n->graph, out, codes));
    graph_remove_node(n->graph, q);
    graph_remove_node(n->graph, n);
    ++*changes;
    return PARE_OK;
}

/* Axis of the weight's output channels; -1: the operator takes no weight. */
static int channel_axis(const struct node *n) {
    const struct value *w = node_input(n, 1);
    if (node_is(n, "Conv")) {
        return 0;
    }
    if (node_is(n, "Gemm")) {
        return node_int(n, "transB") != 0 ? 0 : 1;
    }
    return node_is(n, "MatMul") && w != NULL && w->rank > 1 ? w->rank - 1 : -1;
}

static const struct {
    const char *from, *to;
    int operands;
} fusions[] = {{"Add", "QLinearAdd", 2},
               {"AveragePool", "QLinearAveragePool", 1},
               {"Conv", "QLinearConv", 2},
               {"Gemm", "QGemm", 2},
               {"GlobalAveragePool", "QLinearGlobalAveragePool", 1},
               {"MatMul", "QLinearMatMul", 2},
               {"Mul", "QLinearMul", 2},
               {"Softmax", "QLinearSoftmax", 1}};

static const char *fused_name(const struct node *n, int *operands) {
    for (size_t i = 0; i < sizeof fusions / sizeof fusions[0]; i++) {
        if (node_is(n, fusions[i].from)) {
            *operands = fusions[i].operands;
            return fusions[i].to;
        }
    }
    return NULL;
}

static bool find_operands(const struct node *n, int operands, struct fusion *f) {
    bool fits = true;
    f->x = source_of(n, 0, -1);
    f->w = operands == 2 ? source_of(n, 1, channel_axis(n)) : NULL;
    f->q = f->x == NULL || (operands == 2 && f->w == NULL) ? NULL : sink_of(n);
    f->bias = operands == 2 && n->input_count > 2 ? bias_of(n, &fits) : NULL;
    return f->q != NULL && fits && f->q->outputs[0]->type == f->x->inputs[0]->type;
}

static bool all_constant(const struct node *n) {
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i] != NULL && !value_is_constant(n->inputs[i])) {
            return false;
        }
    }
    return !value_is_output(n->outputs[0]);
}

/* From the end of the three, since a rewrite may remove what lies before its node. */
static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *q, int *changes) {
    struct fusion f;
    int operands = 0;
    if (node_is(q, "QuantizeLinear") && all_constant(q)) {
        ++*changes;
        return fold_node(ctx, scratch, q);
    }
    struct node *n = node_is(q, "QuantizeLinear") ? input_producer(q, 0) : NULL;
    const char *op = n == NULL ? NULL : fused_name(n, &operands);
    return op == NULL || !find_operands(n, operands, &f) ? PARE_OK : fuse(ctx, n, &f, op, changes);
}

enum pare_status pass_fuse_quantized(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
