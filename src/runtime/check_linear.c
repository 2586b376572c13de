/* Operators with windows or products. */
#include "runtime/check.h"

#include "runtime/codes.h"
#include "runtime/window.h"

static const char bad_bias[] = "a bias cannot be aligned to its accumulator by an exact left shift";
static const char bad_weights[] = "its weights have an unknown format";
static const char bad_window[] = "its window has an impossible geometry";

/* ---- accumulators ---- */

/* What weight `column` of a row is multiplied by: a code less its channel's zero point, or nothing outside of the
 * input. */
static struct range factor_range(const struct pare_op *op, uint32_t row, uint32_t column, struct range x) {
    if (op->zero != NULL) {
        int32_t zero = zero_of_weight(op, row, column);
        x.low = x.low < zero ? x.low - zero : 0;
        x.high = x.high > zero ? x.high - zero : 0;
    }
    return x;
}

/* All sums, in any order of the products, that start from the bias: the products' largest total is below 2^60. */
static struct range row_range(const struct pare_op *op, uint32_t row, struct range x, int64_t bias) {
    struct weight_row weights = weight_row(&op->weights, row);
    struct range sum = {bias, bias};
    for (uint32_t column = 0; weights.bits > 0 && column < op->weights.columns; column++) {
        int64_t weight = weight_at(&weights, column);
        struct range factor = factor_range(op, row, column, x);
        sum.low += weight * (weight > 0 ? factor.low : factor.high);
        sum.high += weight * (weight > 0 ? factor.high : factor.low);
    }
    return sum;
}

/* Sums of fraction `frac` with the codes of an addend, in units of the finer of both. */
static const char *check_addend(struct range sum, int frac, const struct pare_value *addend, bool wide) {
    int shift = addend->frac > frac ? addend->frac - frac : 0, up = frac > addend->frac ? frac - addend->frac : 0;
    if (shift > PARE_ALIGNMENT_MAX || up > PARE_ALIGNMENT_MAX || sum.low < -(INT64_MAX / 4 >> shift) ||
        sum.high > INT64_MAX / 4 >> shift) {
        return PARE_OVERFLOWS;
    }
    struct range codes = code_range(addend);
    codes.low *= (int64_t)1 << up;
    codes.high *= (int64_t)1 << up;
    sum.low = sum.low * ((int64_t)1 << shift) + codes.low;
    sum.high = sum.high * ((int64_t)1 << shift) + codes.high;
    return fits(sum, wide) && fits(codes, wide) ? NULL : PARE_OVERFLOWS;
}

static const char *check_row(const struct pare_op *op, uint32_t row, const struct pare_value *x,
                             const struct pare_value *addend) {
    int frac = weight_frac(&op->weights, row) + x->frac;
    int64_t bias = bias_at(&op->bias, row);
    if (op->bias.bits > 0) {
        int shift = frac - bias_frac(&op->bias, row);
        int64_t largest = shift >= 0 && shift <= 60 ? INT64_MAX / 4 >> shift : 0;
        if (shift < 0 || bias > largest || bias < -largest) {
            return bad_bias;
        }
        bias = bias == 0 ? 0 : align_left(bias, shift);
    }
    struct range sum = row_range(op, row, code_range(x), bias);
    if (!fits(sum, op->wide)) {
        return PARE_OVERFLOWS;
    }
    return !PARE_ADDENDS || addend == NULL ? NULL : check_addend(sum, frac, addend, op->wide);
}

/* `addend` NULL: none. */
static const char *check_rows(const struct pare_op *op, const struct pare_value *x, const struct pare_value *addend) {
    const struct pare_weights *w = &op->weights;
    bool known = (w->bits == 0 || (w->bits >= 2 && w->bits <= 16)) && op->bias.bits != 1 && op->bias.bits <= 32;
    bool present = (w->bits == 0 || (w->data != NULL && (uint64_t)w->columns * w->bits <= w->row_bits)) &&
                   (op->bias.bits == 0 || op->bias.data != NULL) && w->row_bits <= UINT32_MAX - 7;
    if (!known || !present) {
        return bad_weights;
    }
    /* Rows of no bits are all alike, and no byte of the file stands for them. */
    bool alike = w->bits == 0 && op->bias.bits == 0 && !w->frac_per_row;
    for (uint32_t row = 0; row < (alike ? 1 : w->rows); row++) {
        const char *problem = check_row(op, row, x, addend);
        if (problem != NULL) {
            return problem;
        }
    }
    return NULL;
}

/* ---- windows ---- */

/* One axis; every coordinate that a kernel computes stays below 2^31. */
static bool axis_possible(uint32_t in, uint32_t out, uint32_t kernel, uint32_t stride, uint32_t dilation,
                          uint64_t padding) {
    if (in == 0 || out == 0 || kernel == 0 || stride == 0 || dilation == 0 || kernel > INT32_MAX) {
        return false;
    }
    uint64_t reach = (uint64_t)dilation * (kernel - 1), far = (uint64_t)stride * out;
    return padding + in <= INT32_MAX && reach <= INT32_MAX && far <= INT32_MAX &&
           padding + reach + far <= INT32_MAX / 2;
}

static const char *check_window(const struct pare_op *op, const struct pare_value *values) {
    const struct pare_value *x = input_of(op, values, 0), *y = output_of(op, values);
    const struct pare_window *w = &op->u.window;
    if (!is_product(x->count, w->in_c, w->in_h, w->in_w) || !is_product(y->count, w->out_c, w->out_h, w->out_w)) {
        return PARE_SHAPES_DISAGREE;
    }
    uint64_t rows = (uint64_t)w->pad_top + w->pad_bottom, columns = (uint64_t)w->pad_left + w->pad_right;
    bool possible = w->group > 0 && w->in_c % w->group == 0 && w->out_c % w->group == 0 &&
                    axis_possible(w->in_h, w->out_h, w->kernel_h, w->stride_h, w->dilation_h, rows) &&
                    axis_possible(w->in_w, w->out_w, w->kernel_w, w->stride_w, w->dilation_w, columns);
    return possible ? NULL : bad_window;
}

const char *pare_check_conv(const struct pare_op *op, const struct pare_value *values) {
    const struct pare_window *w = &op->u.window;
    const char *problem = check_window(op, values);
    if (problem != NULL) {
        return problem;
    }
    uint64_t taps = (uint64_t)w->kernel_h * w->kernel_w, channels = w->in_c / w->group;
    bool agree = op->weights.rows == w->out_c && taps <= UINT32_MAX && op->weights.columns == channels * taps;
    const struct pare_value *addend = PARE_ADDENDS && op->input_count == 2 ? input_of(op, values, 1) : NULL;
    agree = agree && (addend == NULL || addend->count == output_of(op, values)->count);
    return agree ? check_rows(op, input_of(op, values, 0), addend) : PARE_SHAPES_DISAGREE;
}

/* Whether every window along an axis covers at least one element: those that start on one do. */
static bool axis_covered(uint32_t in, uint32_t out, uint32_t kernel, uint32_t stride, uint32_t dilation,
                         uint32_t padding) {
    if ((out - 1) * stride >= in + padding) {
        return false;
    }
    for (uint32_t start = 0; start < padding && start / stride < out; start += stride) {
        int32_t from = (int32_t)start - (int32_t)padding;
        struct taps t = taps_between(from, (int32_t)kernel, (int32_t)dilation, 0, (int32_t)in);
        if (t.first >= t.last) {
            return false;
        }
    }
    return true;
}

const char *pare_check_pool(const struct pare_op *op, const struct pare_value *values) {
    const struct pare_window *w = &op->u.window;
    const char *problem = check_window(op, values);
    if (problem != NULL) {
        return problem;
    }
    bool covered = axis_covered(w->in_h, w->out_h, w->kernel_h, w->stride_h, w->dilation_h, w->pad_top) &&
                   axis_covered(w->in_w, w->out_w, w->kernel_w, w->stride_w, w->dilation_w, w->pad_left);
    bool countable = (uint64_t)w->kernel_h * w->kernel_w <= INT32_MAX;
    return w->in_c == w->out_c && w->group == 1 && covered && countable ? NULL : bad_window;
}

/* ---- products ---- */

const char *pare_check_dense(const struct pare_op *op, const struct pare_value *values) {
    const struct pare_value *x = input_of(op, values, 0), *y = output_of(op, values);
    const struct pare_weights *w = &op->weights;
    bool agree = w->columns > 0 && w->rows > 0 && x->count % w->columns == 0 &&
                 (uint64_t)(x->count / w->columns) * w->rows == y->count;
    return agree ? check_rows(op, x, NULL) : PARE_SHAPES_DISAGREE;
}

static bool batches_inside(uint32_t count, uint32_t batch, uint32_t stride, uint32_t rows, uint32_t columns) {
    uint64_t one = (uint64_t)rows * columns;
    return one > 0 && one <= count && (uint64_t)(batch - 1) * stride <= count - one;
}

const char *pare_check_matmul(const struct pare_op *op, const struct pare_value *values) {
    const struct pare_value *a = input_of(op, values, 0), *b = input_of(op, values, 1), *y = output_of(op, values);
    uint32_t batch = op->u.matmul.batch, m = op->u.matmul.m, k = op->u.matmul.k, n = op->u.matmul.n;
    if (!is_product(y->count, batch, m, n) || !batches_inside(a->count, batch, op->u.matmul.stride_a, m, k) ||
        !batches_inside(b->count, batch, op->u.matmul.stride_b, k, n)) {
        return PARE_SHAPES_DISAGREE;
    }
    if (k >= (uint32_t)1 << 29) {
        return PARE_OVERFLOWS;
    }
    struct range product = product_range(code_range(a), code_range(b));
    struct range sum = {product.low * k, product.high * k};
    return fits(sum, op->wide) ? NULL : PARE_OVERFLOWS;
}

const char *pare_check_prelu(const struct pare_op *op, const struct pare_value *values) {
    const struct pare_value *x = input_of(op, values, 0), *y = output_of(op, values);
    const struct pare_weights *w = &op->weights;
    bool per_channel = x->rank >= 2 && x->dims[1] == w->rows;
    if (x->count != y->count || w->columns != 1 || op->bias.bits != 0 || (w->rows != 1 && !per_channel)) {
        return PARE_SHAPES_DISAGREE;
    }
    return check_rows(op, x, NULL);
}
