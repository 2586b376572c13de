#include "quant/certificate.h"

#include "quant/rules.h"
#include "runtime/arith.h"
#include "runtime/codes.h"

#include <stdlib.h>

#define FLOAT32_EXACT ((int64_t)1 << 24)

int accumulator_bits(int64_t largest) {
    return largest <= INT32_MAX ? 32 : 64;
}

static int64_t magnitude(int64_t v) {
    return v < 0 ? -v : v;
}

static int64_t add(int64_t a, int64_t b) {
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

static int64_t multiply(int64_t a, int64_t b) {
    return a != 0 && b > INT64_MAX / a ? INT64_MAX : a * b;
}

static int64_t shift_left(int64_t v, int shift) {
    return saturating_left_shift64(v, shift);
}

/* Positive codes meet the largest input and negative ones the smallest, or the other way round. */
static int64_t row_bound(int64_t positive, int64_t negative, int64_t low, int64_t high, int64_t bias) {
    int64_t up = add(multiply(positive, high), multiply(-negative, -low));
    int64_t down = add(multiply(positive, -low), multiply(-negative, high));
    return add(up > down ? up : down, bias);
}

/* Codes of the input less its zero points; what lies outside of the input is 0. */
struct reach {
    int64_t low, high;
};

static struct reach reach_of(int64_t low, int64_t high, const uint8_t *zero, unsigned bits, uint32_t channels) {
    struct reach reach = {low, high};
    for (uint32_t c = 0; zero != NULL && c < channels; c++) {
        int64_t z = pare_packed_code(zero, bits, c);
        reach.low = low - z < reach.low ? low - z : reach.low;
        reach.high = high - z > reach.high ? high - z : reach.high;
    }
    reach.low = reach.low > 0 ? 0 : reach.low;
    reach.high = reach.high < 0 ? 0 : reach.high;
    return reach;
}

/* Sums up to `largest` at one fraction and an addend of another, in units of the finer. */
static int64_t with_addend(int64_t largest, int frac, int64_t addend, int addend_frac) {
    int finest = frac > addend_frac ? frac : addend_frac;
    return add(shift_left(largest, finest - frac), shift_left(addend, finest - addend_frac));
}

int64_t linear_accumulator(const struct linear *l, const struct bias_choice *bias) {
    const struct format *in = &l->in->format, *w = &l->weights->format;
    uint32_t channels = l->zero_point == NULL ? 0 : (uint32_t)l->weight->constant->shape.dim[1] * l->groups;
    struct reach reach = reach_of(format_min(in), format_max(in), bias->zero, 16, channels);
    int64_t largest = 0;
    for (uint32_t r = 0; r < l->rows; r++) {
        int frac = format_frac(w, (int)r) + in->frac;
        int64_t b = shift_left(magnitude(bias->codes[r]), frac - format_frac(&bias->format, (int)r));
        int64_t a = row_bound(l->weights->row_sums[2 * r], l->weights->row_sums[2 * r + 1], reach.low, reach.high, b);
        if (l->addend != NULL) {
            const struct format *f = &l->addend->format;
            int64_t most = f->is_signed ? -(int64_t)format_min(f) : format_max(f);
            a = with_addend(a, frac, most, f->frac);
        }
        largest = a > largest ? a : largest;
    }
    return largest;
}

static int64_t largest_code(const struct pare_value *v) {
    return v->is_signed ? (int64_t)1 << (v->bits - 1) : ((int64_t)1 << v->bits) - 1;
}

int64_t product_accumulator(const struct program *p, const struct pare_op *op) {
    int64_t a = largest_code(&p->values[op->inputs[0]]), b = largest_code(&p->values[op->inputs[1]]);
    return multiply(multiply(a, b), op->u.matmul.k);
}

static int64_t sum_accumulator(const struct program *p, const struct pare_op *op) {
    const struct pare_value *a = &p->values[op->inputs[0]], *b = &p->values[op->inputs[1]];
    return with_addend(largest_code(a), a->frac, largest_code(b), b->frac);
}

/* The quotient sum / count is rounded in float32 before it is rounded to a code. Below 2^e codes it is at least
 * 1 / (2 * count) away from a tie that it does not meet, and float32 moves it by up to 2^(e - 25): certain while
 * count * 2^e stays below 2^24. */
static int64_t mean_accumulator(const struct program *p, const struct pare_op *op, uint64_t count) {
    const struct pare_value *in = &p->values[op->inputs[0]];
    int up = p->values[op->output].frac - in->frac, e = in->bits - in->is_signed + (up > 0 ? up : 0);
    return add(multiply((int64_t)count, shift_left(1, e)), 1);
}

static int64_t unpack_code(const uint8_t *data, uint64_t at, unsigned bits) {
    uint64_t code = 0;
    for (unsigned i = 0; i < bits; i++) {
        code |= (uint64_t)((data[(at + i) >> 3] >> ((at + i) & 7)) & 1) << i;
    }
    return (int64_t)code - ((code >> (bits - 1)) & 1 ? (int64_t)1 << bits : 0);
}

static int64_t weighted_accumulator(const struct program *p, const struct pare_op *op) {
    const struct pare_value *in = &p->values[op->inputs[0]];
    const struct pare_weights *w = &op->weights;
    struct reach reach = reach_of(code_min(in->bits, in->is_signed), code_max(in->bits, in->is_signed), op->zero,
                                  zero_width(op), op->zero == NULL ? 0 : op->u.window.in_c);
    int64_t largest = 0;
    for (uint32_t r = 0; r < w->rows; r++) {
        int64_t sums[2] = {0, 0};
        for (uint32_t c = 0; w->bits > 0 && c < w->columns; c++) {
            int64_t q = unpack_code(w->data, (uint64_t)r * w->row_bits + (uint64_t)c * w->bits, w->bits);
            sums[q < 0] += q;
        }
        int64_t bias = op->bias.bits == 0 ? 0 : unpack_code(op->bias.data, (uint64_t)r * op->bias.bits, op->bias.bits);
        int frac = weight_frac(w, r) + in->frac;
        int shift = frac - bias_frac(&op->bias, r); /* without a bias it does not matter */
        int64_t a = row_bound(sums[0], sums[1], reach.low, reach.high,
                              op->bias.bits == 0 ? 0 : shift_left(magnitude(bias), shift));
        if (op->input_count == 2) {
            const struct pare_value *addend = &p->values[op->inputs[1]];
            a = with_addend(a, frac, largest_code(addend), addend->frac);
        }
        largest = a > largest ? a : largest;
    }
    return largest;
}

int64_t op_accumulator(const struct program *p, const struct pare_op *op) {
    switch (op->kind) {
    case PARE_CONV:
    case PARE_CONV_TRANSPOSE:
    case PARE_DENSE:
    case PARE_PRELU:
        return weighted_accumulator(p, op);
    case PARE_MATMUL:
        return product_accumulator(p, op);
    case PARE_ADD:
        return sum_accumulator(p, op);
    case PARE_MUL:
        return multiply(largest_code(&p->values[op->inputs[0]]), largest_code(&p->values[op->inputs[1]]));
    case PARE_AVERAGE_POOL:
        return mean_accumulator(p, op, (uint64_t)op->u.window.kernel_h * op->u.window.kernel_w);
    case PARE_REDUCE_MEAN:
        return mean_accumulator(p, op, op->u.reduce.reduced);
    default:
        return largest_code(&p->values[op->input_count > 0 ? op->inputs[0] : op->output]);
    }
}

static bool is_exact_table(const struct program *p, const struct pare_op *op) {
    const char *type = p->op_types == NULL ? NULL : p->op_types[op - p->ops];
    const struct op *function = type == NULL ? NULL : op_find(type);
    return function != NULL && rules[function->id] == &rule_exact_table;
}

bool op_exact_in_float32(const struct program *p, const struct pare_op *op) {
    bool approximates = op->kind == PARE_HOST || (op->kind == PARE_TABLE && !is_exact_table(p, op));
    return !approximates && op_accumulator(p, op) <= FLOAT32_EXACT;
}
