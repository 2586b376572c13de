/* Every reference kernel against its definition, in exact fractions of 128 bits. */
#include "random_op.h"
#include "runtime/kernels.h"

#include "suite_main.h"

#include <check.h>

__extension__ typedef __int128 wide_int;

/* An exact result: numerator / denominator * 2^-frac. */
struct fraction {
    wide_int numerator;
    int frac;
    int32_t denominator;
};

static int ties, saturations;

static wide_int floor_divide(wide_int n, wide_int d) {
    wide_int q = n / d;
    return q * d > n ? q - 1 : q;
}

/* The nearest code, ties to the even one, then the nearest within the bounds. */
static int32_t expected_code(const struct pare_op *op, const struct pare_value *y, struct fraction f) {
    wide_int n = f.numerator, d = f.denominator;
    int shift = f.frac - y->frac;
    n *= shift < 0 ? (wide_int)1 << -shift : 1;
    d *= shift > 0 ? (wide_int)1 << shift : 1;
    wide_int below = floor_divide(n, d), twice_rest = 2 * (n - below * d);
    wide_int code = twice_rest > d || (twice_rest == d && floor_divide(below, 2) * 2 != below) ? below + 1 : below;
    ties += twice_rest == d;
    saturations += code < op->low || code > op->high;
    return (int32_t)(code < op->low ? op->low : code > op->high ? op->high : code);
}

/* ---- definitions, one output element each ---- */

static struct fraction with_bias(const struct random_op *r, wide_int sum, uint32_t row) {
    const struct pare_weights *w = &r->op.weights;
    const struct pare_bias *b = &r->op.bias;
    int frac = w->frac[w->frac_per_row ? row : 0] + r->values[0].frac;
    wide_int bias = r->biases[row];
    if (bias != 0) {
        bias *= (wide_int)1 << (frac - b->frac[b->frac_per_row ? row : 0]);
    }
    return (struct fraction){sum + bias, frac, 1};
}

/* Sums over all pairs of input element and tap that the definition of the operator joins. */
static struct fraction define_conv(const struct random_op *r, uint32_t index) {
    const struct pare_window *w = &r->op.u.window;
    bool transposed = r->op.kind == PARE_CONV_TRANSPOSE;
    int64_t ox = index % w->out_w, oy = index / w->out_w % w->out_h;
    uint32_t o = index / (w->out_w * w->out_h), inputs = w->in_c / w->group;
    uint32_t first = o / (w->out_c / w->group) * inputs;
    wide_int sum = 0;
    for (uint32_t at = 0; at < inputs * w->in_h * w->in_w; at++) {
        int64_t ix = at % w->in_w, iy = at / w->in_w % w->in_h;
        uint32_t i = at / (w->in_w * w->in_h);
        for (uint32_t tap = 0; tap < w->kernel_h * w->kernel_w; tap++) {
            int64_t down = (int64_t)(tap / w->kernel_w) * w->dilation_h - w->pad_top;
            int64_t right = (int64_t)(tap % w->kernel_w) * w->dilation_w - w->pad_left;
            bool joined = transposed ? oy == iy * w->stride_h + down && ox == ix * w->stride_w + right
                                     : iy == oy * w->stride_h + down && ix == ox * w->stride_w + right;
            if (joined) {
                int32_t weight = r->weights[(o * inputs + i) * w->kernel_h * w->kernel_w + tap];
                int32_t zero = r->zeros == NULL ? 0 : r->zeros[first + i];
                sum += (wide_int)weight * (r->codes[0][first * w->in_h * w->in_w + at] - zero);
            }
        }
    }
    struct fraction f = with_bias(r, sum, o);
    if (r->op.input_count == 2) { /* both over the denominator 2^20 */
        f.numerator *= (wide_int)1 << (20 - f.frac);
        f.numerator += r->codes[1][index] * ((wide_int)1 << (20 - r->values[1].frac));
        f.frac = 20;
    }
    return f;
}

static struct fraction define_dense(const struct random_op *r, uint32_t index) {
    uint32_t rows = r->op.weights.rows, columns = r->op.weights.columns;
    wide_int sum = 0;
    for (uint32_t c = 0; c < columns; c++) {
        sum += (wide_int)r->weights[index % rows * columns + c] * r->codes[0][index / rows * columns + c];
    }
    return with_bias(r, sum, index % rows);
}

static struct fraction define_matmul(const struct random_op *r, uint32_t index) {
    uint32_t m = r->op.u.matmul.m, k = r->op.u.matmul.k, n = r->op.u.matmul.n;
    uint32_t j = index % n, i = index / n % m, batch = index / n / m;
    uint32_t batch_a = r->values[0].dims[0] == 1 ? 0 : batch, batch_b = r->values[1].dims[0] == 1 ? 0 : batch;
    wide_int sum = 0;
    for (uint32_t l = 0; l < k; l++) {
        sum += (wide_int)r->codes[0][(batch_a * m + i) * k + l] * r->codes[1][(batch_b * k + l) * n + j];
    }
    return (struct fraction){sum, r->values[0].frac + r->values[1].frac, 1};
}

/* The element of a broadcast input that output element `index` sees. */
static int32_t broadcast_code(const struct random_op *r, unsigned side, uint32_t index) {
    const struct pare_value *v = &r->values[side], *y = &r->values[OUTPUT];
    uint32_t at = 0, step = 1;
    for (uint32_t i = y->rank; i-- > 0; index /= y->dims[i]) {
        at += v->dims[i] == 1 ? 0 : index % y->dims[i] * step;
        step *= v->dims[i];
    }
    return r->codes[side][at];
}

static struct fraction define_binary(const struct random_op *r, uint32_t index) {
    wide_int a = broadcast_code(r, 0, index), b = broadcast_code(r, 1, index);
    int frac_a = r->values[0].frac, frac_b = r->values[1].frac;
    if (r->op.kind == PARE_MUL) {
        return (struct fraction){a * b, frac_a + frac_b, 1};
    }
    /* Both over the denominator 2^20. */
    wide_int sum = a * ((wide_int)1 << (20 - frac_a)), other = b * ((wide_int)1 << (20 - frac_b));
    return (struct fraction){r->op.u.binary.subtract ? sum - other : sum + other, 20, 1};
}

static struct fraction define_prelu(const struct random_op *r, uint32_t index) {
    const struct pare_weights *w = &r->op.weights;
    uint32_t channel = w->rows == 1 ? 0 : index / r->values[0].dims[2] % w->rows;
    int32_t code = r->codes[0][index];
    if (code >= 0) {
        return (struct fraction){code, r->values[0].frac, 1};
    }
    int frac = w->frac[w->frac_per_row ? channel : 0];
    return (struct fraction){(wide_int)code * r->weights[channel], r->values[0].frac + frac, 1};
}

static struct fraction define_concat(const struct random_op *r, uint32_t index) {
    uint32_t inner = r->op.u.concat.inner, total = r->values[OUTPUT].dims[1];
    uint32_t i = index % inner, along = index / inner % total, outer = index / inner / total, input = 0;
    while (along >= r->op.u.concat.size[input]) {
        along -= r->op.u.concat.size[input++];
    }
    int32_t code = r->codes[input][(outer * r->op.u.concat.size[input] + along) * inner + i];
    return (struct fraction){code, r->values[input].frac, 1};
}

static struct fraction define_pool(const struct random_op *r, uint32_t index) {
    const struct pare_window *w = &r->op.u.window;
    int64_t ox = index % w->out_w, oy = index / w->out_w % w->out_h;
    uint32_t channel = index / (w->out_w * w->out_h);
    int32_t largest = INT32_MIN, covered = 0, padded = 0;
    wide_int sum = 0;
    for (uint32_t tap = 0; tap < w->kernel_h * w->kernel_w; tap++) {
        int64_t iy = oy * w->stride_h + (int64_t)(tap / w->kernel_w) * w->dilation_h - w->pad_top;
        int64_t ix = ox * w->stride_w + (int64_t)(tap % w->kernel_w) * w->dilation_w - w->pad_left;
        padded += iy < (int64_t)w->in_h + w->pad_bottom && ix < (int64_t)w->in_w + w->pad_right;
        if (iy >= 0 && iy < w->in_h && ix >= 0 && ix < w->in_w) {
            int32_t code = r->codes[0][(channel * w->in_h + iy) * w->in_w + ix];
            largest = code > largest ? code : largest;
            sum += code;
            covered++;
        }
    }
    if (r->op.kind == PARE_MAX_POOL) {
        return (struct fraction){largest, r->values[0].frac, 1};
    }
    return (struct fraction){sum, r->values[0].frac, w->count_include_pad ? padded : covered};
}

static struct fraction define_reduce(const struct random_op *r, uint32_t index) {
    uint32_t reduced = r->op.u.reduce.reduced, inner = r->op.u.reduce.inner;
    wide_int sum = 0;
    for (uint32_t i = 0; i < r->values[0].count; i++) {
        sum += i % inner == index % inner && i / inner / reduced == index / inner ? r->codes[0][i] : 0;
    }
    return (struct fraction){sum, r->values[0].frac, (int32_t)reduced};
}

static struct fraction define_table(const struct random_op *r, uint32_t index) {
    const struct pare_value *x = &r->values[0], *y = &r->values[OUTPUT];
    uint32_t entry = (uint32_t)(r->codes[0][index] + (x->is_signed ? 1 << (x->bits - 1) : 0));
    struct codes entries = codes_of(r->op.u.table.entries, y->storage, false);
    return (struct fraction){code_at(&entries, entry), y->frac, 1};
}

/* Which input element lands at output element `index`, found by walking all; the fill where none does. */
static struct fraction define_copy(const struct random_op *r, uint32_t index) {
    uint32_t count = 1;
    for (uint32_t i = 0; i < r->op.u.copy.rank; i++) {
        count *= r->op.u.copy.dims[i];
    }
    for (uint32_t n = 0; n < count; n++) {
        int64_t from = r->op.u.copy.in_base, to = r->op.u.copy.out_base;
        uint32_t rest = n;
        for (uint32_t i = r->op.u.copy.rank; i-- > 0; rest /= r->op.u.copy.dims[i]) {
            from += (int64_t)(rest % r->op.u.copy.dims[i]) * r->op.u.copy.in_stride[i];
            to += (int64_t)(rest % r->op.u.copy.dims[i]) * r->op.u.copy.out_stride[i];
        }
        if (to == index) {
            return (struct fraction){r->codes[0][from], r->values[0].frac, 1};
        }
    }
    return (struct fraction){r->op.u.copy.fill_code, r->values[OUTPUT].frac, 1};
}

static struct fraction define_gather(const struct random_op *r, uint32_t index) {
    uint32_t inner = r->op.u.gather.inner, chosen = r->op.u.gather.out_axis;
    uint32_t row = little_endian32(r->op.u.gather.indices, index / inner % chosen), outer = index / inner / chosen;
    return (struct fraction){r->codes[0][(outer * r->op.u.gather.in_axis + row) * inner + index % inner],
                             r->values[0].frac, 1};
}

static struct fraction define_requantize(const struct random_op *r, uint32_t index) {
    return (struct fraction){r->codes[0][index], r->values[0].frac, 1};
}

/* ---- the comparison ---- */

typedef struct fraction definition(const struct random_op *r, uint32_t index);

static definition *const definitions[PARE_KIND_COUNT] = {
    [PARE_CONV] = define_conv,
    [PARE_CONV_TRANSPOSE] = define_conv,
    [PARE_DENSE] = define_dense,
    [PARE_MATMUL] = define_matmul,
    [PARE_ADD] = define_binary,
    [PARE_MUL] = define_binary,
    [PARE_PRELU] = define_prelu,
    [PARE_CONCAT] = define_concat,
    [PARE_MAX_POOL] = define_pool,
    [PARE_AVERAGE_POOL] = define_pool,
    [PARE_REDUCE_MEAN] = define_reduce,
    [PARE_TABLE] = define_table,
    [PARE_REQUANTIZE] = define_requantize,
    [PARE_COPY] = define_copy,
    [PARE_GATHER] = define_gather,
};

/* Codes of the output that differ from the definition. */
static uint32_t count_differences(const struct random_op *r) {
    const struct pare_value *y = &r->values[OUTPUT];
    struct codes codes = codes_of(r->data[OUTPUT], y->storage, false);
    uint32_t differences = 0;
    for (uint32_t i = 0; i < y->count; i++) {
        struct fraction exact = definitions[r->op.kind](r, i);
        differences += code_at(&codes, i) != expected_code(&r->op, y, exact);
    }
    return differences;
}

#define OPERATORS_PER_KIND 500

/* Whether the runtime is built with what the operator needs; it says so otherwise. */
static bool is_possible(const struct random_op *r) {
    bool wide = !PARE_WIDE && pare_op_is_wide(&r->op, r->values);
    bool long_factors = !PARE_LONG_FACTORS && pare_op_has_long_factors(&r->op, r->values);
    if (wide || long_factors) {
        ck_assert_ptr_nonnull(strstr(pare_check_op(&r->op, r->values), wide ? "64-bit" : "16 bits"));
    }
    return !wide && !long_factors;
}

static void compare_kernels(struct random_op *r, pare_kernel *const *kernels, int kind, int seed) {
    memset(r->data[OUTPUT], 0x5A, (size_t)r->values[OUTPUT].count * storage_size(r->values[OUTPUT].storage));
    kernels[kind](&r->op, r->values, r->data);
    ck_assert_msg(count_differences(r) == 0, "kind %d, seed %d", kind, seed);
    for (unsigned i = 0; i < r->op.input_count; i++) {
        ck_assert(guards_intact(r, i));
    }
    ck_assert(guards_intact(r, OUTPUT));
}

START_TEST(equals_its_definition) {
    ties = saturations = 0;
    for (int seed = 1; seed <= OPERATORS_PER_KIND; seed++) {
        struct random_op r;
        random_seed((uint64_t)seed * PARE_KIND_COUNT + (uint64_t)_i);
        random_op(&r, (enum pare_kind)_i);
        if (is_possible(&r)) {
            ck_assert_msg(pare_check_op(&r.op, r.values) == NULL, "kind %d, seed %d: %s", _i, seed,
                          pare_check_op(&r.op, r.values));
            compare_kernels(&r, pare_reference_kernels, _i, seed);
            compare_kernels(&r, pare_block_kernels, _i, seed);
        }
        random_op_free(&r);
    }
    if (_i != PARE_TABLE) {
        ck_assert_int_gt(ties, 100);
        ck_assert_int_gt(saturations, 300);
    }
}
END_TEST

START_TEST(has_a_kernel_for_every_kind_but_host) {
    for (int kind = 0; kind < PARE_KIND_COUNT; kind++) {
        ck_assert((pare_reference_kernels[kind] == NULL) == (kind == PARE_HOST));
        ck_assert((pare_block_kernels[kind] == NULL) == (kind == PARE_HOST));
        ck_assert((definitions[kind] == NULL) == (kind == PARE_HOST));
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("runtime/kernels");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, equals_its_definition, 0, PARE_HOST);
    tcase_add_test(tests, has_a_kernel_for_every_kind_but_host);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
