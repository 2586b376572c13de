/* Add, Sub, Mul, Relu and Clip on their own, and functions of one variable as tables. */
#include "float/float.h"
#include "graph/broadcast.h"
#include "quant/certificate.h"
#include "quant/codes.h"
#include "quant/rules.h"
#include "runtime/arith.h"
#include "runtime/check.h"

/* ---- two operands ---- */

static void set_strides(const struct shape *side, const struct shape *out, uint32_t *stride) {
    int64_t steps[TENSOR_MAX_RANK];
    broadcast_strides(side, out, steps);
    for (int i = 0; i < out->rank; i++) {
        stride[i] = (uint32_t)steps[i];
    }
}

static enum pare_status lower_binary(struct lowering *l, const struct node *n, enum pare_kind kind,
                                     struct pare_op **out) {
    struct shape a, b, y;
    TRY(lower_op(l, n, kind, n->inputs, 2, out));
    struct pare_op *op = *out;
    bool agree = value_shape(n->inputs[0], 1, &a) && value_shape(n->inputs[1], 1, &b) && broadcast_shape(&a, &b, &y);
    if (!agree) {
        return fail(l->ctx, PARE_ERROR_INPUT, "the shapes of its inputs do not broadcast");
    }
    op->u.binary.rank = (uint8_t)y.rank;
    for (int i = 0; i < y.rank; i++) {
        op->u.binary.dims[i] = (uint32_t)y.dim[i];
    }
    set_strides(&a, &y, op->u.binary.stride[0]);
    set_strides(&b, &y, op->u.binary.stride[1]);
    return PARE_OK;
}

enum pare_status lower_alignment(struct lowering *l, const struct node *n, int distance) {
    if (distance > PARE_ALIGNMENT_MAX || distance < -PARE_ALIGNMENT_MAX) {
        return fail(l->ctx, PARE_ERROR_UNSUPPORTED,
                    "%s and %s differ in scale by 2^%d, at most 2^%d can be added exactly; remove the smaller one",
                    n->inputs[0]->name, n->inputs[1]->name, distance < 0 ? -distance : distance, PARE_ALIGNMENT_MAX);
    }
    return PARE_OK;
}

static enum pare_status lower_add(struct lowering *l, const struct node *n) {
    struct pare_op *op = NULL;
    if (rule_conv_of_sum(n) != NULL) {
        return lower_conv_and_add(l, n);
    }
    TRY(lower_binary(l, n, PARE_ADD, &op));
    const struct pare_value *values = l->program->values;
    TRY(lower_alignment(l, n, values[op->inputs[0]].frac - values[op->inputs[1]].frac));
    op->u.binary.subtract = n->op->id == OP_Sub;
    op->wide = accumulator_bits(op_accumulator(l->program, op)) > 32;
    return PARE_OK;
}

static enum pare_status lower_mul(struct lowering *l, const struct node *n) {
    struct pare_op *op = NULL;
    TRY(lower_binary(l, n, PARE_MUL, &op));
    op->wide = accumulator_bits(op_accumulator(l->program, op)) > 32;
    return PARE_OK;
}

const struct rule rule_add = {RULE_ROUNDS, true, NULL, lower_add, NULL, NULL};
const struct rule rule_mul = {RULE_ROUNDS, true, NULL, lower_mul, NULL, NULL};

/* ---- bounds without an operator that absorbs them ---- */

static enum pare_status lower_clip(struct lowering *l, const struct node *n) {
    struct pare_op *op = NULL;
    return lower_op(l, n, PARE_REQUANTIZE, n->inputs, 1, &op);
}

const struct rule rule_clip = {RULE_ROUNDS, true, rule_is_bounds, lower_clip, NULL, "constant bounds in order"};

/* ---- tables ---- */

/* f of every code of x by the float32 kernel, as it runs in the rewritten ONNX. */
static enum pare_status evaluate(struct lowering *l, const struct node *n, const struct pare_value *x,
                                 struct tensor *result) {
    struct shape shape = {.rank = 1, .dim = {(int64_t)1 << x->bits}};
    struct format f = {.bits = x->bits, .is_signed = x->is_signed, .frac = x->frac};
    struct tensor reals;
    TRY(tensor_alloc(l->ctx, DTYPE_FLOAT, &shape, &reals));
    int32_t smallest = format_min(&f);
    for (size_t i = 0; i < tensor_count(&reals); i++) {
        ((float *)reals.data)[i] = (float)dequantize(smallest + (int32_t)i, &f, 0);
    }
    const struct tensor *input = &reals;
    enum pare_status status = float_run_node(l->ctx, n, &input, result);
    tensor_free(&reals);
    return status;
}

static enum pare_status make_entries(struct lowering *l, const struct pare_op *op, const struct tensor *reals,
                                     void **out) {
    const struct pare_value *y = &l->program->values[op->output];
    struct format f = {.bits = y->bits, .is_signed = y->is_signed, .frac = y->frac};
    size_t count = tensor_count(reals);
    void *entries = arena_array(l->program->arena, count, y->bits > 8 ? 2 : 1);
    for (size_t i = 0; entries != NULL && i < count; i++) {
        store_code(entries, i, &f, clamp32(quantize(tensor_get_double(reals, i), &f, 0), op->low, op->high));
    }
    *out = entries;
    return entries == NULL ? fail_memory(l->ctx) : PARE_OK;
}

static enum pare_status lower_table(struct lowering *l, const struct node *n) {
    struct pare_op *op = NULL;
    TRY(lower_op(l, n, PARE_TABLE, n->inputs, 1, &op));
    l->program->op_types[l->program->op_count - 1] = n->op->name; /* not the last operator of a pattern: Div, Mul */
    struct tensor reals;
    TRY(evaluate(l, n, &l->program->values[op->inputs[0]], &reals));
    void *entries = NULL;
    enum pare_status status = make_entries(l, op, &reals, &entries);
    tensor_free(&reals);
    op->u.table.entries = entries;
    return status;
}

const struct rule rule_table = {RULE_ROUNDS, true, NULL, lower_table, NULL, NULL};
const struct rule rule_exact_table = {RULE_ROUNDS, true, NULL, lower_table, NULL, NULL};
