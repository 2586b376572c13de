/* Conv, ConvTranspose, Gemm, MatMul, PRelu: exact accumulation, bias aligned by shift, one rounding. */
#include "graph/broadcast.h"
#include "graph/window.h"
#include "graph/zero_point.h"
#include "quant/certificate.h"
#include "quant/parameters.h"
#include "quant/rules.h"
#include "runtime/codes.h"

#include <string.h>

static bool constant_or_absent(const struct node *n, int i) {
    return i >= n->input_count || n->inputs[i] == NULL || value_is_constant(n->inputs[i]);
}

/* ---- parameters ---- */

static enum pare_status set_parameters(struct lowering *l, const struct node *n, struct pare_op *op) {
    struct linear *linear = scheme_linear_of(l->scheme, n);
    if (linear == NULL || linear->weights == NULL) {
        return fail(l->ctx, PARE_ERROR_INTERNAL, "no weights were chosen");
    }
    const struct bias_choice *bias = NULL;
    TRY(linear_bias_choice(l->ctx, (struct arena *)&l->scheme->arena, linear, &bias));
    op->weights = linear->weights->packed;
    op->bias = bias->packed;
    op->zero = bias->zero;
    op->wide = accumulator_bits(linear_accumulator(linear, bias)) > 32;
    return PARE_OK;
}

/* ---- windows ---- */

/* Sizes of one sample: 1-D is 2-D of height 1. */
static enum pare_status set_window(struct lowering *l, const struct node *n, struct pare_op *op) {
    struct shape in, out;
    if (!value_shape(n->inputs[0], 1, &in) || !value_shape(n->outputs[0], 1, &out)) {
        return fail(l->ctx, PARE_ERROR_UNSUPPORTED, "its spatial sizes are not fixed");
    }
    struct window w;
    bool has_weight = n->op->id == OP_Conv || n->op->id == OP_ConvTranspose;
    TRY(window_resolve(l->ctx, n, &in, has_weight ? &n->inputs[1]->constant->shape : NULL, &w));
    int y = w.rank - 2, x = w.rank - 1; /* y is -1 in one dimension */
    struct pare_window *p = &op->u.window;
    *p = (struct pare_window){.in_c = (uint32_t)in.dim[1],
                              .out_c = (uint32_t)out.dim[1],
                              .in_h = y < 0 ? 1 : (uint32_t)w.input[y],
                              .in_w = (uint32_t)w.input[x],
                              .out_h = y < 0 ? 1 : (uint32_t)w.output[y],
                              .out_w = (uint32_t)w.output[x],
                              .kernel_h = y < 0 ? 1 : (uint32_t)w.kernel[y],
                              .kernel_w = (uint32_t)w.kernel[x],
                              .stride_h = y < 0 ? 1 : (uint32_t)w.stride[y],
                              .stride_w = (uint32_t)w.stride[x],
                              .dilation_h = y < 0 ? 1 : (uint32_t)w.dilation[y],
                              .dilation_w = (uint32_t)w.dilation[x],
                              .pad_top = y < 0 ? 0 : (uint32_t)w.pad_begin[y],
                              .pad_left = (uint32_t)w.pad_begin[x],
                              .pad_bottom = y < 0 ? 0 : (uint32_t)w.pad_end[y],
                              .pad_right = (uint32_t)w.pad_end[x],
                              .group = 1};
    return PARE_OK;
}

static bool spatial_rank_supported(const struct node *n) {
    struct shape in, out;
    bool fixed =
        !value_is_constant(n->inputs[0]) && value_shape(n->inputs[0], 1, &in) && value_shape(n->outputs[0], 1, &out);
    if (!fixed || n->output_count > 1 || in.dim[0] != 1 || (in.rank != 3 && in.rank != 4)) {
        return false;
    }
    size_t count = 0;
    const int64_t *pads = node_ints(n, "pads", &count);
    for (size_t i = 0; i < count; i++) {
        if (pads[i] < 0) {
            return false;
        }
    }
    return true;
}

/* Constant weights, at least one. */
static bool has_weights(const struct node *n) {
    return value_is_constant(n->inputs[1]) && tensor_count(n->inputs[1]->constant) > 0;
}

static bool conv_applies(const struct node *n) {
    return has_weights(n) && constant_or_absent(n, 2) && spatial_rank_supported(n);
}

static enum pare_status finish_conv(struct lowering *l, const struct node *n, struct pare_op *op) {
    TRY(set_window(l, n, op));
    op->u.window.group = (uint32_t)node_int(n, "group");
    return set_parameters(l, n, op);
}

static enum pare_status lower_conv_kind(struct lowering *l, const struct node *n, enum pare_kind kind) {
    struct pare_op *op = NULL;
    TRY(lower_op(l, n, kind, n->inputs, 1, &op));
    return finish_conv(l, n, op);
}

static enum pare_status lower_conv(struct lowering *l, const struct node *n) {
    return lower_conv_kind(l, n, PARE_CONV);
}

static enum pare_status lower_conv_transpose(struct lowering *l, const struct node *n) {
    return lower_conv_kind(l, n, PARE_CONV_TRANSPOSE);
}

static enum pare_status check_alignment(struct lowering *l, const struct node *sum, const struct pare_op *op) {
    const struct pare_value *values = l->program->values;
    for (uint32_t row = 0; row < op->weights.rows; row++) {
        int frac = weight_frac(&op->weights, row) + values[op->inputs[0]].frac;
        TRY(lower_alignment(l, sum, frac - values[op->inputs[1]].frac));
    }
    return op_accumulator(l->program, op) <= INT64_MAX / 4
               ? PARE_OK
               : fail(l->ctx, PARE_ERROR_UNSUPPORTED, "its sums do not fit 64 bits when they are aligned to %s",
                      rule_addend(sum)->name);
}

enum pare_status lower_conv_and_add(struct lowering *l, const struct node *sum) {
    const struct node *conv = rule_conv_of_sum(sum);
    struct pare_op draft, *op = NULL;
    TRY(lower_draft(l, sum, PARE_CONV, &draft));
    draft.input_count = 2;
    TRY(lower_value(l, conv->inputs[0], &draft.inputs[0]));
    TRY(lower_value(l, rule_addend(sum), &draft.inputs[1]));
    TRY(lower_append(l, conv, &draft, &op));
    l->program->op_types[l->program->op_count - 1] = "Conv+Add";
    TRY(finish_conv(l, conv, op));
    return check_alignment(l, sum, op);
}

const struct rule rule_conv = {
    RULE_ROUNDS, true, conv_applies,
    lower_conv,  NULL, "constant weights, no negative padding, and one or two spatial dimensions of fixed size"};
const struct rule rule_conv_transpose = {
    RULE_ROUNDS,  true,
    conv_applies, lower_conv_transpose,
    NULL,         "constant weights, no negative padding, and one or two spatial dimensions of fixed size"};

/* ---- zero points ---- */

static bool zero_point_applies(const struct node *n) {
    const struct value *difference = n->outputs[0];
    bool applies = node_is_zero_point(n);
    for (int i = 0; applies && i < difference->use_count; i++) {
        applies = rule_of(difference->uses[i].node) == &rule_conv;
    }
    return applies;
}

static enum pare_status lower_zero_point(struct lowering *l, const struct node *n) {
    return lower_alias(l, n->outputs[0], n->inputs[0]);
}

extern const struct rule rule_add;
const struct rule rule_zero_point = {RULE_KEEPS, false, zero_point_applies, lower_zero_point, &rule_add, NULL};

/* ---- pools ---- */

static enum pare_status lower_pool(struct lowering *l, const struct node *n, enum pare_kind kind) {
    struct pare_op *op = NULL;
    TRY(lower_op(l, n, kind, n->inputs, 1, &op));
    if (n->op->id == OP_MaxPool || n->op->id == OP_AveragePool) {
        TRY(set_window(l, n, op));
        op->u.window.count_include_pad = n->op->id == OP_AveragePool && node_int(n, "count_include_pad") != 0;
        return PARE_OK;
    }
    struct shape in;
    value_shape(n->inputs[0], 1, &in);
    uint32_t h = in.rank == 4 ? (uint32_t)in.dim[2] : 1, w = (uint32_t)in.dim[in.rank - 1];
    op->u.window = (struct pare_window){.in_c = (uint32_t)in.dim[1],
                                        .in_h = h,
                                        .in_w = w,
                                        .out_c = (uint32_t)in.dim[1],
                                        .out_h = 1,
                                        .out_w = 1,
                                        .kernel_h = h,
                                        .kernel_w = w,
                                        .stride_h = 1,
                                        .stride_w = 1,
                                        .dilation_h = 1,
                                        .dilation_w = 1,
                                        .group = 1};
    return PARE_OK;
}

static enum pare_status lower_max_pool(struct lowering *l, const struct node *n) {
    return lower_pool(l, n, PARE_MAX_POOL);
}

static enum pare_status lower_average_pool(struct lowering *l, const struct node *n) {
    return lower_pool(l, n, PARE_AVERAGE_POOL);
}

const struct rule rule_max_pool = {
    RULE_KEEPS,     false, spatial_rank_supported,
    lower_max_pool, NULL,  "no negative padding, and one or two spatial dimensions of fixed size"};
const struct rule rule_average_pool = {
    RULE_ROUNDS,        true, spatial_rank_supported,
    lower_average_pool, NULL, "no negative padding, and one or two spatial dimensions of fixed size"};

/* ---- dense ---- */

static bool gemm_applies(const struct node *n) {
    bool plain = node_float(n, "alpha") == 1 && node_float(n, "beta") == 1 && node_int(n, "transA") == 0;
    if (!plain || value_is_constant(n->inputs[0]) || !has_weights(n) || !constant_or_absent(n, 2)) {
        return false;
    }
    /* A bias per output, or one for all. */
    const struct tensor *w = n->inputs[1]->constant;
    const struct tensor *b = n->input_count > 2 && n->inputs[2] != NULL ? n->inputs[2]->constant : NULL;
    size_t out = (size_t)w->shape.dim[node_int(n, "transB") ? 0 : 1];
    return b == NULL || tensor_count(b) == 1 ||
           (tensor_count(b) == out && b->shape.dim[b->shape.rank - 1] == (int64_t)out);
}

static enum pare_status lower_gemm(struct lowering *l, const struct node *n) {
    struct pare_op *op = NULL;
    TRY(lower_op(l, n, PARE_DENSE, n->inputs, 1, &op));
    return set_parameters(l, n, op);
}

static bool matmul_applies(const struct node *n) {
    struct shape a, b;
    if (value_is_constant(n->inputs[1])) {
        return n->inputs[1]->constant->shape.rank == 2 && has_weights(n) && !value_is_constant(n->inputs[0]) &&
               value_shape(n->inputs[0], 1, &a) && a.rank >= 1;
    }
    return !value_is_constant(n->inputs[0]) && value_shape(n->inputs[0], 1, &a) && value_shape(n->inputs[1], 1, &b) &&
           a.rank >= 2 && a.rank == b.rank;
}

static size_t batches_of(const struct shape *s) {
    size_t count = 1;
    for (int i = 0; i < s->rank - 2; i++) {
        count *= (size_t)s->dim[i];
    }
    return count;
}

/* Two activations: leading axes must be equal, or all ones on one side. */
static enum pare_status lower_product(struct lowering *l, const struct node *n) {
    struct pare_op *op = NULL;
    TRY(lower_op(l, n, PARE_MATMUL, n->inputs, 2, &op));
    struct shape a, b;
    value_shape(n->inputs[0], 1, &a);
    value_shape(n->inputs[1], 1, &b);
    size_t batch_a = batches_of(&a), batch_b = batches_of(&b), batch = batch_a > batch_b ? batch_a : batch_b;
    bool equal = memcmp(a.dim, b.dim, (size_t)(a.rank - 2) * sizeof(a.dim[0])) == 0;
    if (!equal && batch_a != 1 && batch_b != 1) {
        return fail(l->ctx, PARE_ERROR_UNSUPPORTED, "its leading axes are broadcast crosswise");
    }
    uint32_t m = (uint32_t)a.dim[a.rank - 2], k = (uint32_t)a.dim[a.rank - 1], columns = (uint32_t)b.dim[b.rank - 1];
    op->u.matmul.batch = (uint32_t)batch;
    op->u.matmul.m = m;
    op->u.matmul.k = k;
    op->u.matmul.n = columns;
    op->u.matmul.stride_a = batch_a == 1 ? 0 : m * k;
    op->u.matmul.stride_b = batch_b == 1 ? 0 : k * columns;
    op->wide = accumulator_bits(product_accumulator(l->program, op)) > 32;
    return PARE_OK;
}

static enum pare_status lower_matmul(struct lowering *l, const struct node *n) {
    return value_is_constant(n->inputs[1]) ? lower_gemm(l, n) : lower_product(l, n);
}

const struct rule rule_gemm = {RULE_ROUNDS,  true,
                               gemm_applies, lower_gemm,
                               NULL,         "alpha and beta of 1, no transA, constant weights, and a bias per output"};
const struct rule rule_matmul = {
    RULE_ROUNDS,  true, matmul_applies,
    lower_matmul, NULL, "constant weights of rank 2, or two computed operands of one fixed rank"};

/* ---- PRelu ---- */

/* One slope, or one per channel. */
static bool prelu_applies(const struct node *n) {
    struct shape x;
    if (value_is_constant(n->inputs[0]) || !has_weights(n) || !value_shape(n->inputs[0], 1, &x) || x.rank < 2) {
        return false;
    }
    const struct shape *slope = &n->inputs[1]->constant->shape;
    size_t count = tensor_count(n->inputs[1]->constant);
    int axis = slope->rank - (x.rank - 1); /* where the channels would stand */
    return count == 1 || (axis >= 0 && slope->dim[axis] == x.dim[1] && count == (size_t)x.dim[1]);
}

static enum pare_status lower_prelu(struct lowering *l, const struct node *n) {
    struct pare_op *op = NULL;
    TRY(lower_op(l, n, PARE_PRELU, n->inputs, 1, &op));
    return set_parameters(l, n, op);
}

const struct rule rule_prelu = {RULE_ROUNDS, true, prelu_applies,
                                lower_prelu, NULL, "one constant slope, or one per channel"};
