/* What pare_check_op must refuse: each way in which a kernel could leave its values or overflow. */
#include "random_op.h"

#include "suite_main.h"

#include <check.h>

typedef void breakage(struct random_op *r);

/* ---- ways to break any operator ---- */

static void break_bounds_below(struct random_op *r) {
    r->op.low = code_min(r->values[OUTPUT].bits, r->values[OUTPUT].is_signed) - 1;
}

static void break_bounds_above(struct random_op *r) {
    r->op.high = code_max(r->values[OUTPUT].bits, r->values[OUTPUT].is_signed) + 1;
}

static void break_bounds_order(struct random_op *r) {
    r->op.low = r->op.high + 1;
}

static void break_input_count(struct random_op *r) {
    r->op.input_count = r->op.kind == PARE_CONCAT ? PARE_MAX_INPUTS + 1 : (uint8_t)(r->op.input_count + 1);
}

static void break_no_inputs(struct random_op *r) {
    r->op.input_count = 0;
}

static void break_output_count(struct random_op *r) {
    r->values[OUTPUT].count = 0;
}

static void break_input_size(struct random_op *r) {
    r->values[0].count = 0;
}

static void break_kind(struct random_op *r) {
    r->op.kind = PARE_HOST;
}

static breakage *const everywhere[] = {break_bounds_below, break_bounds_above, break_bounds_order, break_input_count,
                                       break_no_inputs,    break_output_count, break_input_size,   break_kind};
#define EVERYWHERE ((int)(sizeof(everywhere) / sizeof(everywhere[0])))

START_TEST(refuses_what_no_operator_may_have) {
    for (uint64_t seed = 1; seed <= 50; seed++) {
        for (int i = 0; i < EVERYWHERE; i++) {
            struct random_op r;
            random_seed(seed);
            random_op(&r, (enum pare_kind)_i);
            everywhere[i](&r);
            ck_assert_msg(pare_check_op(&r.op, r.values) != NULL, "kind %d, seed %d, breakage %d", _i, (int)seed, i);
            random_op_free(&r);
        }
    }
}
END_TEST

/* ---- ways to break one kind ---- */

static void break_group(struct random_op *r) {
    r->op.u.window.group = 0;
}

static void break_stride(struct random_op *r) {
    r->op.u.window.stride_h = 0;
}

static void break_dilation(struct random_op *r) {
    r->op.u.window.dilation_w = 0;
}

static void break_kernel(struct random_op *r) {
    r->op.u.window.kernel_w = 0;
}

static void break_far_stride(struct random_op *r) {
    r->op.u.window.stride_w = INT32_MAX;
    r->op.u.window.dilation_w = INT32_MAX;
    r->op.u.window.pad_left = INT32_MAX;
}

static void break_input_width(struct random_op *r) {
    r->op.u.window.in_w++;
}

/* The last window starts behind the input, or the first ends before it. */
static void break_cover_behind(struct random_op *r) {
    struct pare_window *w = &r->op.u.window;
    w->stride_w = w->in_w + w->pad_left;
    w->out_w = 2;
    set_shape(&r->values[OUTPUT], 4, (const uint32_t[]){1, w->out_c, w->out_h, w->out_w});
}

static void break_cover_before(struct random_op *r) {
    r->op.u.window.pad_top = r->op.u.window.dilation_h * r->op.u.window.kernel_h;
}

static void break_columns(struct random_op *r) {
    r->op.weights.columns++;
}

static void break_rows(struct random_op *r) {
    r->op.weights.rows++;
}

static void break_weight_bits(struct random_op *r) {
    r->op.weights.bits = 17;
}

static void break_row_bits(struct random_op *r) {
    r->op.weights.bits = 2;
    r->op.weights.row_bits = r->op.weights.columns * 2 - 1;
}

static void break_bias_bits(struct random_op *r) {
    r->op.bias.bits = 33;
}

static void break_bias_frac(struct random_op *r) {
    static const int8_t beyond = 127;
    static const uint8_t data[64] = {1};
    r->op.bias = (struct pare_bias){2, data, false, &beyond, 0};
}

static void break_zero(struct random_op *r) {
    static const uint8_t zero[64] = {0};
    r->op.zero = zero;
}

static void break_batches(struct random_op *r) {
    r->op.u.matmul.stride_b = UINT32_MAX;
    r->op.u.matmul.batch = 2;
    r->values[OUTPUT].count = 2 * r->op.u.matmul.m * r->op.u.matmul.n;
}

static void break_inner_size(struct random_op *r) {
    r->op.u.matmul.k = UINT32_MAX;
}

static void break_rank(struct random_op *r) {
    r->op.u.binary.rank = PARE_MAX_RANK + 1;
}

static void break_binary_stride(struct random_op *r) {
    r->op.u.binary.rank = 1;
    r->op.u.binary.dims[0] = r->values[OUTPUT].count = 2;
    r->op.u.binary.stride[1][0] = r->values[1].count;
}

static void break_alignment(struct random_op *r) {
    r->values[0].frac = 30000;
}

static void break_concat_size(struct random_op *r) {
    r->op.u.concat.size[r->op.input_count - 1]++;
}

static void break_reduced(struct random_op *r) {
    r->op.u.reduce.reduced = 0;
}

static void break_entry(struct random_op *r) {
    r->op.low = r->op.high = code_at(&(struct codes){r->op.u.table.entries, 0, false, false}, 0) == 0;
    r->values[OUTPUT].storage = PARE_U8;
    r->values[OUTPUT].bits = 8;
    r->values[OUTPUT].is_signed = false;
}

static void break_copy_rank(struct random_op *r) {
    r->op.u.copy.rank = PARE_MAX_RANK + 1;
}

static void break_copy_from(struct random_op *r) {
    r->op.u.copy.in_base = r->values[0].count;
}

static void break_copy_before(struct random_op *r) {
    r->op.u.copy.rank = 1;
    r->op.u.copy.dims[0] = 2;
    r->op.u.copy.in_base = 0;
    r->op.u.copy.in_stride[0] = -1;
}

static void break_copy_to(struct random_op *r) {
    r->op.u.copy.out_base = r->values[OUTPUT].count;
}

static void break_copy_whole(struct random_op *r) {
    r->op.u.copy.fill = false;
    r->op.u.copy.rank = 0;
    r->op.u.copy.in_base = r->op.u.copy.out_base = 0;
    r->values[OUTPUT].count = 2;
}

static void break_fill(struct random_op *r) {
    r->op.u.copy.fill = true;
    r->op.u.copy.fill_code = r->op.high + 1;
}

static void break_indices(struct random_op *r) {
    static const uint32_t beyond[] = {1000, 1000, 1000, 1000, 1000, 1000};
    r->op.u.gather.indices = beyond;
}

static void break_slopes(struct random_op *r) {
    r->op.weights.rows = r->values[0].dims[1] + 1;
}

static const struct {
    enum pare_kind kind;
    breakage *breaks;
} particular[] = {
    {PARE_CONV, break_group},
    {PARE_CONV, break_stride},
    {PARE_CONV, break_dilation},
    {PARE_CONV, break_kernel},
    {PARE_CONV, break_far_stride},
    {PARE_CONV, break_input_width},
    {PARE_CONV, break_columns},
    {PARE_CONV, break_rows},
    {PARE_CONV, break_weight_bits},
    {PARE_CONV, break_row_bits},
    {PARE_CONV, break_bias_bits},
    {PARE_CONV, break_bias_frac},
    {PARE_CONV_TRANSPOSE, break_group},
    {PARE_CONV_TRANSPOSE, break_far_stride},
    {PARE_CONV_TRANSPOSE, break_columns},
    {PARE_CONV_TRANSPOSE, break_zero},
    {PARE_MAX_POOL, break_cover_behind},
    {PARE_MAX_POOL, break_cover_before},
    {PARE_MAX_POOL, break_stride},
    {PARE_AVERAGE_POOL, break_cover_behind},
    {PARE_AVERAGE_POOL, break_cover_before},
    {PARE_AVERAGE_POOL, break_kernel},
    {PARE_DENSE, break_columns},
    {PARE_DENSE, break_rows},
    {PARE_DENSE, break_bias_frac},
    {PARE_DENSE, break_zero},
    {PARE_MAX_POOL, break_zero},
    {PARE_COPY, break_zero},
    {PARE_MATMUL, break_batches},
    {PARE_MATMUL, break_inner_size},
    {PARE_ADD, break_rank},
    {PARE_ADD, break_binary_stride},
    {PARE_ADD, break_alignment},
    {PARE_MUL, break_rank},
    {PARE_MUL, break_binary_stride},
    {PARE_PRELU, break_slopes},
    {PARE_PRELU, break_columns},
    {PARE_CONCAT, break_concat_size},
    {PARE_REDUCE_MEAN, break_reduced},
    {PARE_TABLE, break_entry},
    {PARE_COPY, break_copy_rank},
    {PARE_COPY, break_copy_from},
    {PARE_COPY, break_copy_before},
    {PARE_COPY, break_copy_to},
    {PARE_COPY, break_copy_whole},
    {PARE_COPY, break_fill},
    {PARE_GATHER, break_indices},
};

START_TEST(refuses_what_a_kind_may_not_have) {
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct random_op r;
        random_seed(seed);
        random_op(&r, particular[_i].kind);
        particular[_i].breaks(&r);
        ck_assert_msg(pare_check_op(&r.op, r.values) != NULL, "breakage %d, seed %d", _i, (int)seed);
        random_op_free(&r);
    }
}
END_TEST

/* ---- accumulators: the largest that fits, and one more ---- */

static void put_little_endian(int32_t v, uint8_t *bytes, int size) {
    for (int i = 0; i < size; i++) {
        bytes[i] = (uint8_t)((uint32_t)v >> 8 * i & 0xff);
    }
}

/* One row of one 2-bit weight on a 1-bit input, and a bias of 32 bits. */
static const char *check_sum(int32_t weight, int32_t bias, bool wide) {
    static const int8_t frac = 0;
    uint8_t weights[1] = {(uint8_t)(weight & 3)};
    uint8_t biases[4];
    put_little_endian(bias, biases, 4);
    struct pare_value values[2] = {{.storage = PARE_U8, .bits = 1, .count = 1},
                                   {.storage = PARE_I8, .bits = 8, .is_signed = true, .count = 1}};
    struct pare_op op = {.kind = PARE_DENSE, .wide = wide, .input_count = 1, .output = 1, .low = -128, .high = 127};
    op.weights = (struct pare_weights){2, 1, 1, 2, weights, false, &frac, 0};
    op.bias = (struct pare_bias){32, biases, false, &frac, 0};
    return pare_check_op(&op, values);
}

START_TEST(knows_the_largest_accumulator) {
    ck_assert_ptr_null(check_sum(0, INT32_MAX, false));
    ck_assert_ptr_null(check_sum(1, INT32_MAX - 1, false));
    ck_assert_ptr_nonnull(check_sum(1, INT32_MAX, false));
    ck_assert_ptr_null(check_sum(1, INT32_MAX, true));
    ck_assert_ptr_null(check_sum(-1, INT32_MAX, false));
    ck_assert_ptr_null(check_sum(-1, INT32_MIN + 1, false));
    ck_assert_ptr_nonnull(check_sum(-1, INT32_MIN, false));
    ck_assert_ptr_null(check_sum(-1, INT32_MIN, true));
}
END_TEST

/* One output of a padded convolution with one tap of weight 1: the 1-bit input less `zero`, or nothing, plus a bias. */
static const char *check_zero(int32_t zero, int32_t bias, bool wide) {
    static const int8_t frac = 0;
    static const uint8_t weights[1] = {1};
    uint8_t biases[4], zeros[2];
    put_little_endian(bias, biases, 4);
    put_little_endian(zero, zeros, 2);
    struct pare_value values[2] = {{.storage = PARE_U8, .bits = 1, .count = 1},
                                   {.storage = PARE_I8, .bits = 8, .is_signed = true, .count = 1}};
    struct pare_op op = {.kind = PARE_CONV, .wide = wide, .input_count = 1, .output = 1, .low = -128, .high = 127};
    op.weights = (struct pare_weights){2, 1, 1, 2, weights, false, &frac, 0};
    op.bias = (struct pare_bias){32, biases, false, &frac, 0};
    op.zero = zeros;
    op.u.window = (struct pare_window){1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, false, 0, 0};
    return pare_check_op(&op, values);
}

START_TEST(takes_zero_points_into_account) {
    ck_assert_ptr_null(check_zero(0, INT32_MAX - 1, false));
    ck_assert_ptr_nonnull(check_zero(0, INT32_MAX, false));
    ck_assert_ptr_null(check_zero(1, INT32_MAX, false)); /* -1 or 0 */
    ck_assert_ptr_null(check_zero(1, INT32_MIN + 1, false));
    ck_assert_ptr_nonnull(check_zero(1, INT32_MIN, false));
    ck_assert_ptr_null(check_zero(1, INT32_MIN, true));
    ck_assert_ptr_null(check_zero(INT16_MIN, INT32_MAX - 32769, false)); /* 0, 32768 or 32769 */
    ck_assert_ptr_nonnull(check_zero(INT16_MIN, INT32_MAX - 32768, false));
    ck_assert_ptr_null(check_zero(INT16_MIN, INT32_MIN, false));
    ck_assert_ptr_null(check_zero(INT16_MAX, INT32_MIN + 32767, false)); /* 0, -32767 or -32766 */
    ck_assert_ptr_nonnull(check_zero(INT16_MAX, INT32_MIN + 32766, false));
    ck_assert_ptr_null(check_zero(INT16_MAX, INT32_MAX, false));
}
END_TEST

/* One output of a convolution: an 8-bit code times 1, at fraction 4, and a 16-bit code at fraction `frac`. */
static const char *check_addend(int frac, uint32_t count, bool wide) {
    static const int8_t fracs = 0;
    static const uint8_t weights[1] = {1};
    struct pare_value values[3] = {
        {.storage = PARE_U8, .bits = 8, .frac = 4, .count = 1},
        {.storage = PARE_I16, .bits = 16, .is_signed = true, .frac = (int16_t)frac, .count = count},
        {.storage = PARE_I8, .bits = 8, .is_signed = true, .count = 1}};
    struct pare_op op = {.kind = PARE_CONV, .wide = wide, .input_count = 2, .inputs = {0, 1}, .output = 2};
    op.low = -128;
    op.high = 127;
    op.weights = (struct pare_weights){2, 1, 1, 2, weights, false, &fracs, 0};
    op.u.window = (struct pare_window){1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, false, 0, 0};
    return pare_check_op(&op, values);
}

START_TEST(adds_to_sums_in_range_only) {
    ck_assert_ptr_null(check_addend(4, 1, false));
    ck_assert_ptr_nonnull(check_addend(4, 2, false));
    ck_assert_ptr_null(check_addend(-11, 1, false)); /* 32767 * 2^15 + 255 */
    ck_assert_ptr_nonnull(check_addend(-13, 1, false));
    ck_assert_ptr_null(check_addend(-13, 1, true));
    ck_assert_ptr_null(check_addend(26, 1, false)); /* 255 * 2^22 + 32767 */
    ck_assert_ptr_nonnull(check_addend(28, 1, false));
    ck_assert_ptr_null(check_addend(28, 1, true));
    ck_assert_ptr_null(check_addend(44, 1, true));
    ck_assert_ptr_nonnull(check_addend(45, 1, true));
    ck_assert_ptr_null(check_addend(-36, 1, true));
    ck_assert_ptr_nonnull(check_addend(-37, 1, true));
}
END_TEST

/* The bias alone as a sum, and a 1-bit addend of `up` bits coarser fraction: each must fit, not their total alone. */
static const char *check_added_bit(int32_t bias, int up, bool wide) {
    static const int8_t frac = 0;
    uint8_t biases[4];
    put_little_endian(bias, biases, 4);
    struct pare_value values[3] = {{.storage = PARE_U8, .bits = 1, .frac = 0, .count = 1},
                                   {.storage = PARE_U8, .bits = 1, .frac = (int16_t)-up, .count = 1},
                                   {.storage = PARE_I8, .bits = 8, .is_signed = true, .count = 1}};
    struct pare_op op = {.kind = PARE_CONV, .wide = wide, .input_count = 2, .inputs = {0, 1}, .output = 2};
    op.low = -128;
    op.high = 127;
    op.weights = (struct pare_weights){0, 1, 1, 0, NULL, false, &frac, 0};
    op.bias = (struct pare_bias){32, biases, false, &frac, 0};
    op.u.window = (struct pare_window){1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, false, 0, 0};
    return pare_check_op(&op, values);
}

START_TEST(addends_fit_by_themselves) {
    ck_assert_ptr_null(check_added_bit(INT32_MIN, 30, false));
    ck_assert_ptr_nonnull(check_added_bit(INT32_MIN, 31, false));
    ck_assert_ptr_null(check_added_bit(INT32_MIN, 31, true));
}
END_TEST

/* Over its addend, but not over what it convolves. */
START_TEST(a_convolution_overwrites_its_addend) {
    struct pare_value values[3] = {{.storage = PARE_U8, .bits = 8, .count = 4},
                                   {.storage = PARE_U8, .bits = 8, .count = 4},
                                   {.storage = PARE_I8, .bits = 8, .is_signed = true, .count = 4}};
    struct pare_op op = {.kind = PARE_CONV, .input_count = 2, .inputs = {0, 1}, .output = 2};
    ck_assert(pare_may_overwrite(&op, values, 1));
    ck_assert(!pare_may_overwrite(&op, values, 0));
    values[1].storage = PARE_U16;
    ck_assert(!pare_may_overwrite(&op, values, 1));
}
END_TEST

START_TEST(adds_in_range_only) {
    struct pare_value values[3] = {{.storage = PARE_I16, .bits = 16, .is_signed = true, .count = 1},
                                   {.storage = PARE_I16, .bits = 16, .is_signed = true, .count = 1},
                                   {.storage = PARE_I8, .bits = 8, .is_signed = true, .count = 1}};
    struct pare_op op = {.kind = PARE_ADD, .input_count = 2, .inputs = {0, 1}, .output = 2, .low = -128, .high = 127};
    values[1].frac = 15;
    ck_assert_ptr_null(pare_check_op(&op, values));
    values[1].frac = 16;
    ck_assert_ptr_nonnull(pare_check_op(&op, values));
    op.wide = true;
    ck_assert_ptr_null(pare_check_op(&op, values));
    values[1].frac = 41;
    ck_assert_ptr_nonnull(pare_check_op(&op, values));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("runtime/check");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, refuses_what_no_operator_may_have, 0, PARE_HOST);
    tcase_add_loop_test(tests, refuses_what_a_kind_may_not_have, 0, (int)(sizeof(particular) / sizeof(particular[0])));
    tcase_add_test(tests, knows_the_largest_accumulator);
    tcase_add_test(tests, takes_zero_points_into_account);
    tcase_add_test(tests, adds_to_sums_in_range_only);
    tcase_add_test(tests, addends_fit_by_themselves);
    tcase_add_test(tests, a_convolution_overwrites_its_addend);
    tcase_add_test(tests, adds_in_range_only);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
