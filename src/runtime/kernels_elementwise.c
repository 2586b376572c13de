#include "runtime/codes.h"
#include "runtime/kernels.h"

/* Steps through the elements of two broadcast inputs in the output's order. */
struct pair {
    const struct pare_op *op;
    uint32_t index[PARE_MAX_RANK];
    uint32_t a, b;
};

static void pair_next(struct pair *p) {
    for (unsigned axis = p->op->u.binary.rank; axis-- > 0;) {
        uint32_t stride_a = p->op->u.binary.stride[0][axis], stride_b = p->op->u.binary.stride[1][axis];
        if (++p->index[axis] < p->op->u.binary.dims[axis]) {
            p->a += stride_a;
            p->b += stride_b;
            return;
        }
        p->index[axis] = 0;
        p->a -= stride_a * (p->op->u.binary.dims[axis] - 1);
        p->b -= stride_b * (p->op->u.binary.dims[axis] - 1);
    }
}

/* a +- b, both aligned to the finer fraction, then one rounding. */
void pare_run_add(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    const struct pare_value *y = &values[op->output];
    struct codes a = input_codes(op, values, data, 0), b = input_codes(op, values, data, 1);
    int frac_a = values[op->inputs[0]].frac, frac_b = values[op->inputs[1]].frac;
    int frac = frac_a > frac_b ? frac_a : frac_b;
    struct pair p = {op, {0}, 0, 0};
    for (uint32_t i = 0; i < y->count; i++) {
        pare_accumulator addend = align_left(code_at(&b, p.b), frac - frac_b);
        pare_accumulator sum =
            accumulate(align_left(code_at(&a, p.a), frac - frac_a), op->u.binary.subtract ? -addend : addend, op->wide);
        write_code(data[op->output], y->storage, i, requantize_code(sum, frac - y->frac, op->low, op->high));
        pair_next(&p);
    }
}

void pare_run_mul(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    const struct pare_value *y = &values[op->output];
    struct codes a = input_codes(op, values, data, 0), b = input_codes(op, values, data, 1);
    int shift = values[op->inputs[0]].frac + values[op->inputs[1]].frac - y->frac;
    struct pair p = {op, {0}, 0, 0};
    for (uint32_t i = 0; i < y->count; i++) {
        pare_accumulator product = accumulate(0, (pare_accumulator)code_at(&a, p.a) * code_at(&b, p.b), op->wide);
        write_code(data[op->output], y->storage, i, requantize_code(product, shift, op->low, op->high));
        pair_next(&p);
    }
}

/* x where x >= 0, else x * slope of its channel (axis 1); one rounding either way. */
void pare_run_prelu(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    const struct pare_value *x = &values[op->inputs[0]], *y = &values[op->output];
    struct codes input = input_codes(op, values, data, 0);
    uint32_t inner = op->weights.rows == 1 ? x->count : x->count / (x->dims[0] * x->dims[1]);
    for (uint32_t i = 0; i < x->count; i++) {
        pare_accumulator code = code_at(&input, i);
        int frac = x->frac;
        if (code < 0) {
            uint32_t channel = i / inner % op->weights.rows;
            struct weight_row slope = weight_row(&op->weights, channel);
            code = accumulate(0, code * weight_at(&slope, 0), op->wide);
            frac += weight_frac(&op->weights, channel);
        }
        write_code(data[op->output], y->storage, i, requantize_code(code, frac - y->frac, op->low, op->high));
    }
}

void pare_run_table(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    const struct pare_value *x = &values[op->inputs[0]], *y = &values[op->output];
    struct codes input = input_codes(op, values, data, 0);
    struct codes entries = codes_of(op->u.table.entries, y->storage, true);
    int32_t smallest = code_min(x->bits, x->is_signed);
    for (uint32_t i = 0; i < y->count; i++) {
        int32_t code = code_at(&entries, (uint32_t)(code_at(&input, i) - smallest));
        write_code(data[op->output], y->storage, i, code);
    }
}

void pare_run_requantize(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    const struct pare_value *y = &values[op->output];
    struct codes input = input_codes(op, values, data, 0);
    int shift = values[op->inputs[0]].frac - y->frac;
    for (uint32_t i = 0; i < y->count; i++) {
        write_code(data[op->output], y->storage, i, requantize32(code_at(&input, i), shift, op->low, op->high));
    }
}
