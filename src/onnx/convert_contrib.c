/* Operators of other domains: those with a row of their own, and those that are others in one node. */
#include "onnx/convert.h"

#include "graph/op.h"

#include <string.h>

#define MICROSOFT "com.microsoft"

/* ---- nodes in front of the one that the draft becomes ---- */

static enum pare_status put_plain(struct draft *d, const char *op_type, struct value *a, struct value *b,
                                  struct value **out) {
    struct value *inputs[] = {a, b};
    return draft_put(d, op_type, inputs, b == NULL ? 1 : 2, NULL, 0, out);
}

/* The draft is this operator on these inputs from now on; its attributes go, its outputs stay. */
static enum pare_status become(struct draft *d, const char *op_type, struct value *const *inputs, int count) {
    struct value **list = ARENA_ARRAY(d->im->scratch, (size_t)count, struct value *);
    if (list == NULL) {
        return fail_memory(d->im->ctx);
    }
    for (int i = 0; i < count; i++) {
        list[i] = inputs[i];
    }
    d->op_type = op_type;
    d->inputs = list;
    d->input_count = d->input_capacity = count;
    d->attr_count = 0;
    return PARE_OK;
}

static enum pare_status dequantize(struct draft *d, int index, struct value **out) {
    struct value *inputs[] = {draft_input(d, index), draft_input(d, index + 1), draft_input(d, index + 2)};
    return draft_put(d, "DequantizeLinear", inputs, 3, NULL, 0, out);
}

/* ---- codes through a float operator ---- */

static enum pare_status through_float(struct draft *d, const char *op_type) {
    struct value *x = NULL, *y = NULL;
    struct value *scale = draft_input(d, 3), *zero = draft_input(d, 4);
    TRY(dequantize(d, 0, &x));
    TRY(draft_put(d, op_type, &x, 1, d->attrs, d->attr_count, &y));
    return become(d, "QuantizeLinear", (struct value *[]){y, scale, zero}, 3);
}

static enum pare_status convert_sigmoid(struct draft *d) {
    return through_float(d, "Sigmoid");
}

static enum pare_status convert_leaky_relu(struct draft *d) {
    return through_float(d, "LeakyRelu");
}

/* Y's scale and zero point come first, then each input with its own. */
static enum pare_status convert_concat(struct draft *d) {
    struct value *scale = draft_input(d, 0), *zero = draft_input(d, 1), *joined = NULL;
    int count = (d->input_count - 2) / 3;
    struct value **parts = ARENA_ARRAY(d->im->scratch, (size_t)(count < 1 ? 1 : count), struct value *);
    if (parts == NULL) {
        return fail_memory(d->im->ctx);
    }
    if (count < 1 || d->input_count != 2 + 3 * count) {
        return draft_fail(d, "%d inputs, expected 2 and then 3 for each part", d->input_count);
    }
    for (int i = 0; i < count; i++) {
        TRY(dequantize(d, 2 + 3 * i, &parts[i]));
    }
    TRY(draft_put(d, "Concat", parts, count, d->attrs, d->attr_count, &joined));
    return become(d, "QuantizeLinear", (struct value *[]){joined, scale, zero}, 3);
}

/* ---- products with an activation ---- */

static float param(const struct attr *params, size_t index, float missing) {
    return params != NULL && index < params->count ? params->floats[index] : missing;
}

static enum pare_status set_float(struct draft *d, const char *name, float value) {
    return draft_set_attr(d, (struct attr){.name = name, .type = ATTR_FLOAT, .f = value});
}

/* The draft becomes the activation of `v`. */
static enum pare_status activate(struct draft *d, const struct attr *activation, const struct attr *params,
                                 struct value *v) {
    const char *op_type = activation->s;
    TRY(become(d, op_type, (struct value *[]){v, NULL, NULL}, 3));
    d->input_count = 1;
    if (strcmp(op_type, "LeakyRelu") == 0) {
        return set_float(d, "alpha", param(params, 0, 0.01F));
    }
    if (strcmp(op_type, "HardSigmoid") == 0) {
        TRY(set_float(d, "alpha", param(params, 0, 0.2F)));
        return set_float(d, "beta", param(params, 1, 0.5F));
    }
    if (strcmp(op_type, "Clip") == 0 && params != NULL && params->count == 2) {
        TRY(draft_set_floats(d, 1, "min", &params->floats[0], 0, 1));
        return draft_set_floats(d, 2, "max", &params->floats[1], 0, 1);
    }
    bool plain = strcmp(op_type, "Relu") == 0 || strcmp(op_type, "Sigmoid") == 0 || strcmp(op_type, "Tanh") == 0;
    return plain ? PARE_OK : missing_add(d->im->ctx, &d->im->missing, d->name, "activation %.64s", op_type);
}

static enum pare_status convert_fused_conv(struct draft *d) {
    const struct attr *activation = NULL, *params = NULL;
    struct value *sum = draft_input(d, 3), *y = NULL;
    TRY(draft_take(d, "activation", ATTR_STRING, &activation));
    TRY(draft_take(d, "activation_params", ATTR_FLOATS, &params));
    if (sum == NULL && activation == NULL) {
        d->op_type = "Conv";
        return PARE_OK;
    }
    TRY(draft_put(d, "Conv", d->inputs, d->input_count < 3 ? d->input_count : 3, d->attrs, d->attr_count, &y));
    if (activation == NULL) {
        return become(d, "Add", (struct value *[]){y, sum}, 2);
    }
    TRY(sum == NULL ? PARE_OK : put_plain(d, "Add", y, sum, &y));
    return activate(d, activation, params, y);
}

static enum pare_status convert_fused_gemm(struct draft *d) {
    const struct attr *activation = NULL, *alpha = NULL, *beta = NULL, *gamma = NULL;
    struct value *y = NULL;
    TRY(draft_take(d, "activation", ATTR_STRING, &activation));
    TRY(draft_take(d, "activation_alpha", ATTR_FLOAT, &alpha));
    TRY(draft_take(d, "activation_beta", ATTR_FLOAT, &beta));
    TRY(draft_take(d, "activation_gamma", ATTR_FLOAT, &gamma));
    float values[] = {alpha == NULL ? 0 : alpha->f, beta == NULL ? 0 : beta->f};
    struct attr params = {.count = alpha == NULL ? 0 : beta == NULL ? 1 : 2, .floats = values};
    if (activation == NULL) {
        d->op_type = "Gemm";
        return PARE_OK;
    }
    TRY(draft_put(d, "Gemm", d->inputs, d->input_count, d->attrs, d->attr_count, &y));
    return activate(d, activation, &params, y);
}

/* Its older name. */
static enum pare_status convert_transpose_matmul(struct draft *d) {
    d->op_type = "FusedMatMul";
    return PARE_OK;
}

/* ---- integer products that end in float ---- */

/* MatMulInteger, times both scales, plus a bias. */
static enum pare_status scaled_product(struct draft *d, struct value *const product[4], struct value *a_scale,
                                       struct value *b_scale, struct value *bias) {
    struct attr to = {.name = "to", .type = ATTR_INT, .i = DTYPE_FLOAT};
    struct value *sums = NULL, *real = NULL, *scale = NULL;
    TRY(draft_put(d, "MatMulInteger", product, 4, NULL, 0, &sums));
    TRY(draft_put(d, "Cast", &sums, 1, &to, 1, &real));
    TRY(put_plain(d, "Mul", a_scale, b_scale, &scale));
    if (bias == NULL) {
        return become(d, "Mul", (struct value *[]){real, scale}, 2);
    }
    TRY(put_plain(d, "Mul", real, scale, &real));
    return become(d, "Add", (struct value *[]){real, bias}, 2);
}

static enum pare_status convert_matmul_to_float(struct draft *d) {
    struct value *product[] = {draft_input(d, 0), draft_input(d, 1), draft_input(d, 4), draft_input(d, 5)};
    return scaled_product(d, product, draft_input(d, 2), draft_input(d, 3), draft_input(d, 6));
}

static enum pare_status convert_dynamic_matmul(struct draft *d) {
    struct value *quantized[3] = {NULL}; /* codes, scale, zero point */
    struct value *a = draft_input(d, 0);
    struct draft node = {.im = d->im, .op_type = "DynamicQuantizeLinear", .outputs = quantized, .output_count = 3};
    node.name = arena_format(d->im->scratch, "%s_quantize", d->name);
    node.inputs = &a;
    node.input_count = node.input_capacity = 1;
    if (node.name == NULL) {
        return fail_memory(d->im->ctx);
    }
    for (int i = 0; i < 3; i++) {
        TRY(graph_add_value(d->im->ctx, d->im->graph, NULL, node.name, &quantized[i]));
    }
    TRY(draft_emit(&node));
    struct value *product[] = {quantized[0], draft_input(d, 1), quantized[2], draft_input(d, 3)};
    return scaled_product(d, product, quantized[1], draft_input(d, 2), draft_input(d, 4));
}

/* ---- transformers ---- */

static enum pare_status gelu_of(struct draft *d, struct value *x, bool approximate) {
    TRY(become(d, "Gelu", &x, 1));
    return approximate ? draft_set_attr_string(d, "approximate", "tanh") : PARE_OK;
}

static enum pare_status convert_gelu(struct draft *d) {
    return gelu_of(d, draft_input(d, 0), false);
}

static enum pare_status convert_bias_gelu(struct draft *d) {
    bool fast = strcmp(d->op_type, "FastGelu") == 0;
    struct value *x = draft_input(d, 0), *bias = draft_input(d, 1);
    TRY(bias == NULL ? PARE_OK : put_plain(d, "Add", x, bias, &x));
    return gelu_of(d, x, fast);
}

static enum pare_status convert_quick_gelu(struct draft *d) {
    const struct attr *alpha = NULL;
    struct value *x = draft_input(d, 0), *factor = NULL, *gate = NULL;
    TRY(draft_take(d, "alpha", ATTR_FLOAT, &alpha));
    float value = alpha == NULL ? 1.702F : alpha->f;
    TRY(draft_set_floats(d, 1, "alpha", &value, 0, 1));
    factor = draft_input(d, 1);
    TRY(put_plain(d, "Mul", x, factor, &gate));
    TRY(put_plain(d, "Sigmoid", gate, NULL, &gate));
    return become(d, "Mul", (struct value *[]){x, gate}, 2);
}

/* The sum may be asked for as output 3; mean and deviation are not. */
static enum pare_status convert_skip_layer_normalization(struct draft *d) {
    const struct attr *epsilon = NULL;
    struct value *sum = NULL, *bias = draft_input(d, 4);
    struct value *given[] = {NULL, draft_input(d, 2), draft_input(d, 3)};
    bool simplified = strcmp(d->op_type, "SkipSimplifiedLayerNormalization") == 0;
    TRY(draft_take(d, "epsilon", ATTR_FLOAT, &epsilon));
    bias = simplified ? draft_input(d, 3) : bias;
    TRY(put_plain(d, "Add", draft_input(d, 0), draft_input(d, 1), &sum));
    TRY(bias == NULL ? PARE_OK : put_plain(d, "Add", sum, bias, &sum));
    struct value *asked = d->output_count > 3 ? d->outputs[3] : NULL;
    TRY(asked == NULL ? PARE_OK : graph_replace(d->im->ctx, d->im->graph, asked, sum));
    d->output_count = d->output_count > 1 ? 1 : d->output_count;
    given[0] = sum;
    TRY(become(d, simplified ? "RMSNormalization" : "LayerNormalization", given,
               simplified || given[2] == NULL ? 2 : 3));
    return set_float(d, "epsilon", epsilon == NULL ? 1e-5F : epsilon->f);
}

/* ---- the table ---- */

static enum pare_status keep(struct draft *d) {
    (void)d;
    return PARE_OK;
}

static const struct {
    const char *domain, *op_type, *needs; /* the operator of the IR that it becomes */
    converter *convert;
} converters[] = {
    {MICROSOFT, "BiasGelu", "Gelu", convert_bias_gelu},
    {MICROSOFT, "DequantizeLinear", "DequantizeLinear", keep},
    {MICROSOFT, "DynamicQuantizeLSTM", "LSTM", convert_dynamic_lstm},
    {MICROSOFT, "DynamicQuantizeMatMul", "MatMulInteger", convert_dynamic_matmul},
    {MICROSOFT, "FastGelu", "Gelu", convert_bias_gelu},
    {MICROSOFT, "FusedConv", "Conv", convert_fused_conv},
    {MICROSOFT, "FusedGemm", "Gemm", convert_fused_gemm},
    {MICROSOFT, "Gelu", "Gelu", convert_gelu},
    {MICROSOFT, "MatMulIntegerToFloat", "MatMulInteger", convert_matmul_to_float},
    {MICROSOFT, "QLinearConcat", "Concat", convert_concat},
    {MICROSOFT, "QLinearLeakyRelu", "LeakyRelu", convert_leaky_relu},
    {MICROSOFT, "QLinearSigmoid", "Sigmoid", convert_sigmoid},
    {MICROSOFT, "QuantizeLinear", "QuantizeLinear", keep},
    {MICROSOFT, "QuickGelu", "Sigmoid", convert_quick_gelu},
    {MICROSOFT, "SkipLayerNormalization", "LayerNormalization", convert_skip_layer_normalization},
    {MICROSOFT, "SkipSimplifiedLayerNormalization", "RMSNormalization", convert_skip_layer_normalization},
    {MICROSOFT, "TransposeMatMul", "FusedMatMul", convert_transpose_matmul},
};

static converter *find(const char *domain, const char *op_type) {
    for (size_t i = 0; i < sizeof converters / sizeof converters[0]; i++) {
        if (strcmp(converters[i].domain, domain) == 0 && strcmp(converters[i].op_type, op_type) == 0) {
            return op_find(converters[i].needs) != NULL ? converters[i].convert : NULL;
        }
    }
    const struct op *op = op_find(op_type);
    return op != NULL && strcmp(op_domain(op), domain) == 0 ? keep : NULL;
}

/* QONNX had another name for its domain. */
static const char *canonical(const char *domain) {
    bool older = strcmp(domain, "finn.custom_op.general") == 0 || strcmp(domain, "onnx.brevitas") == 0;
    return older ? OP_DOMAIN_QONNX : domain;
}

bool convert_knows_contrib(const char *domain, const char *op_type) {
    return find(canonical(domain), op_type) != NULL;
}

enum pare_status convert_contrib_node(struct draft *d, const char *domain) {
    TRY(find(canonical(domain), d->op_type)(d));
    return draft_emit(d);
}
