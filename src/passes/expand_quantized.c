/* Operators on codes become DequantizeLinear, the operator on numbers, QuantizeLinear: the form that can be read as
 * fixed point, or made float.
 *
 * requires: inferred shapes; scales that are constant. QGemm needs a scale of its output.
 * guarantees: no QLinearConv, QLinearMatMul, QGemm, QLinearAdd, QLinearMul, QLinearAveragePool,
 *   QLinearGlobalAveragePool, QLinearSoftmax, where they could be read. Not part of the standard pipeline. */
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

struct form {
    const char *from, *to;
    int operands;    /* codes, scale and zero point each, in front */
    int bias, scale; /* inputs of the bias and of the output's scale; -1: none */
};

static const struct form forms[] = {{"QGemm", "Gemm", 2, 6, 7},
                                    {"QLinearAdd", "Add", 2, -1, 6},
                                    {"QLinearAveragePool", "AveragePool", 1, -1, 3},
                                    {"QLinearConv", "Conv", 2, 8, 6},
                                    {"QLinearGlobalAveragePool", "GlobalAveragePool", 1, -1, 3},
                                    {"QLinearMatMul", "MatMul", 2, -1, 6},
                                    {"QLinearMul", "Mul", 2, -1, 6},
                                    {"QLinearSoftmax", "Softmax", 1, -1, 3}};

static const struct form *form_of(const struct node *n) {
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (node_is(n, forms[i].from)) {
            return &forms[i];
        }
    }
    return NULL;
}

/* Softmax of before opset 13 along an inner axis is none of the IR's. */
static bool can_expand(const struct node *n, const struct form *f) {
    bool old = node_is(n, "QLinearSoftmax") && node_int(n, "opset") < 13;
    bool scaled = value_is_constant(node_input(n, f->scale));
    for (int i = 0; i < f->operands; i++) {
        scaled = scaled && value_is_constant(node_input(n, 3 * i + 1));
    }
    return scaled && !old && node_float(n, "alpha") >= 0;
}

/* Which axis of the weight has a scale per index. */
static int64_t channel_axis(const struct node *n, int operand) {
    const struct value *v = n->inputs[3 * operand];
    if (operand == 0 || node_is(n, "QLinearConv")) {
        return 0;
    }
    return node_is(n, "QGemm") && node_int(n, "transB") != 0 ? 0 : v->rank - 1;
}

static enum pare_status put_dequantize(struct context *ctx, struct node *n, struct value *const *inputs, int count,
                                       int64_t axis, struct value **out) {
    TRY(put_before(ctx, n, "DequantizeLinear", inputs, count, inputs[0], out));
    (*out)->type = DTYPE_FLOAT;
    return node_set_int(ctx, (*out)->producer, "axis", axis);
}

static enum pare_status dequantize_operand(struct context *ctx, struct node *n, int operand, struct value **out) {
    int at = 3 * operand, count = node_input(n, at + 2) == NULL ? 2 : 3;
    return put_dequantize(ctx, n, &n->inputs[at], count, channel_axis(n, operand), out);
}

/* The bias has the scale of the product. */
static enum pare_status dequantize_bias(struct context *ctx, struct node *n, struct value *bias, struct value **out) {
    const struct tensor *x = n->inputs[1]->constant, *w = n->inputs[4]->constant;
    struct value *inputs[2] = {bias};
    struct tensor scale;
    TRY(tensor_new(ctx, n->graph->arena, DTYPE_FLOAT, &w->shape, &scale));
    for (size_t i = 0; i < tensor_count(w); i++) {
        tensor_set_double(&scale, i, tensor_get_double(x, 0) * tensor_get_double(w, i));
    }
    TRY(add_constant(ctx, n, "bias_scale", &scale, &inputs[1]));
    return put_dequantize(ctx, n, inputs, 2, bias->rank - 1, out);
}

/* alpha scales the product alone, as in Gemm, but QGemm's bias is part of the sum that it scales. */
static enum pare_status scale_bias(struct context *ctx, const struct node *n, struct node *real) {
    return node_is(n, "QGemm") ? node_set_float(ctx, real, "beta", node_float(n, "alpha")) : PARE_OK;
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    (void)scratch;
    const struct form *f = form_of(n);
    struct value *inputs[3] = {NULL}, *bias = f == NULL ? NULL : node_input(n, f->bias < 0 ? n->input_count : f->bias);
    struct value *real = NULL;
    if (f == NULL || !can_expand(n, f)) {
        return PARE_OK;
    }
    for (int i = 0; i < f->operands; i++) {
        TRY(dequantize_operand(ctx, n, i, &inputs[i]));
    }
    TRY(bias == NULL ? PARE_OK : dequantize_bias(ctx, n, bias, &inputs[2]));
    TRY(put_before(ctx, n, f->to, inputs, bias == NULL ? f->operands : 3, n->outputs[0], &real));
    real->type = DTYPE_FLOAT;
    TRY(node_copy_attributes(ctx, n, real->producer));
    TRY(scale_bias(ctx, n, real->producer));
    struct value *quantize[] = {real, n->inputs[f->scale], node_input(n, f->scale + 1)};
    ++*changes;
    return node_become(ctx, n, "QuantizeLinear", quantize, quantize[2] == NULL ? 2 : 3);
}

enum pare_status pass_expand_quantized(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
