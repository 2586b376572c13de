/* QuantizeLinear and DequantizeLinear: ties, saturation, and every granularity and type. */
#include "float_trial.h"

#include "suite_main.h"

struct code_type {
    enum dtype type;
    int low, high;
};

static const struct code_type code_types[] = {
    {DTYPE_UINT2, 0, 3},   {DTYPE_INT2, -2, 1},     {DTYPE_UINT4, 0, 15},     {DTYPE_INT4, -8, 7},
    {DTYPE_UINT8, 0, 255}, {DTYPE_INT8, -128, 127}, {DTYPE_UINT16, 0, 65535}, {DTYPE_INT16, -32768, 32767},
};
#define CODE_TYPES ((int)(sizeof code_types / sizeof code_types[0]))

/* Half to even, written out without the rounding of libm. */
static double round_half_even(double v) {
    double down = floor(v), rest = v - down;
    bool up = rest > 0.5 || (rest == 0.5 && fmod(down, 2.0) != 0.0);
    return up ? down + 1.0 : down;
}

static double quantized(double x, double scale, double zero, const struct code_type *type) {
    double q = round_half_even(x / scale) + zero;
    return fmin(fmax(q, (double)type->low), (double)type->high);
}

/* Multiples of a quarter step: every fourth value is a tie, and the ends saturate. */
START_TEST(ties_and_saturation) {
    const struct code_type *type = &code_types[_i];
    struct trial t;
    int64_t count = 4 * 600 + 1, middle = count / 2, zero = type->low < 0 ? -1 : 2;
    trial_start(&t, "QuantizeLinear", 3, 1, 1);
    float *x = trial_random(&t, 0, 1, &count);
    for (int64_t i = 0; i < count; i++) {
        x[i] = (float)(i - middle) * 0.25f * 0.125f;
    }
    *trial_random(&t, 1, 0, NULL) = 0.125f;
    tensor_set_int(trial_input(&t, 2, type->type, 0, NULL), 0, zero);
    trial_run(&t);
    ck_assert_int_eq(t.outputs[0].type, type->type);
    for (int64_t i = 0; i < count; i++) {
        trial_expect(&t, 0, (size_t)i, quantized((double)x[i], 0.125, (double)zero, type), 0.0);
    }
    trial_end(&t);
}
END_TEST

START_TEST(what_is_no_number) {
    struct trial t;
    int64_t five = 5;
    trial_start(&t, "QuantizeLinear", 3, 1, 1);
    memcpy(trial_random(&t, 0, 1, &five), (float[]){NAN, INFINITY, -INFINITY, 3e38f, -3e38f}, 20);
    *trial_random(&t, 1, 0, NULL) = 1e-3f;
    tensor_set_int(trial_input(&t, 2, DTYPE_INT8, 0, NULL), 0, 5);
    trial_run(&t);
    ck_assert_int_eq(memcmp(t.outputs[0].data, (int8_t[]){5, 127, -128, 127, -128}, 5), 0);
    trial_end(&t);
}
END_TEST

/* The scale that belongs to element [i][j][k] of [3][8][5]: one for all, one per j, or one per block of three j. */
enum granularity { PER_TENSOR, PER_AXIS, BLOCKED };

static size_t scale_index(enum granularity g, size_t flat) {
    size_t i = flat / 40, j = flat / 5 % 8, k = flat % 5;
    return g == PER_TENSOR ? 0 : g == PER_AXIS ? j : (i * 3 + j / 3) * 5 + k;
}

static void set_scales(struct trial *t, enum granularity g, enum dtype zero_type) {
    static const int64_t dims[3][3] = {{0}, {8}, {3, 3, 5}};
    static const int ranks[3] = {0, 1, 3};
    float *scale = trial_random(t, 1, ranks[g], dims[g]);
    struct tensor *zero = trial_input(t, 2, zero_type, ranks[g], dims[g]);
    for (size_t i = 0; i < tensor_count(zero); i++) {
        scale[i] = 0.01f + fabsf(scale[i]);
        tensor_set_int(zero, i, trial_integer(t, -1, 3));
    }
    trial_int(t, "axis", g == BLOCKED ? -2 : 1);
    trial_int(t, "block_size", g == BLOCKED ? 3 : 0);
}

static const int64_t image[3] = {3, 8, 5};

START_TEST(quantize_granularities) {
    struct trial t;
    enum granularity g = (enum granularity)(_i / CODE_TYPES);
    const struct code_type *type = &code_types[_i % CODE_TYPES];
    trial_start(&t, "QuantizeLinear", 3, 1, (uint64_t)_i);
    const float *x = trial_random(&t, 0, 3, image);
    set_scales(&t, g, type->type);
    trial_run(&t);
    for (size_t i = 0; i < tensor_count(&t.outputs[0]); i++) {
        size_t s = scale_index(g, i);
        double ratio = (double)(x[i] / ((const float *)t.inputs[1].data)[s]); /* a float32 division, as in ONNX */
        trial_expect(&t, 0, i, quantized(ratio, 1.0, tensor_get_double(&t.inputs[2], s), type), 0.0);
    }
    trial_end(&t);
}
END_TEST

START_TEST(dequantize_granularities) {
    struct trial t;
    enum granularity g = (enum granularity)(_i / CODE_TYPES);
    const struct code_type *type = &code_types[_i % CODE_TYPES];
    trial_start(&t, "DequantizeLinear", 3, 1, (uint64_t)_i);
    struct tensor *codes = trial_input(&t, 0, type->type, 3, image);
    for (size_t i = 0; i < tensor_count(codes); i++) {
        tensor_set_int(codes, i, trial_integer(&t, type->low, type->high));
    }
    set_scales(&t, g, type->type);
    trial_run(&t);
    ck_assert_int_eq(t.outputs[0].type, DTYPE_FLOAT);
    for (size_t i = 0; i < tensor_count(&t.outputs[0]); i++) {
        size_t s = scale_index(g, i);
        float code = (float)(tensor_get_int(codes, i) - tensor_get_int(&t.inputs[2], s));
        trial_expect(&t, 0, i, (double)(code * ((const float *)t.inputs[1].data)[s]), 0.0);
    }
    trial_end(&t);
}
END_TEST

/* A bias: int32 without a zero point. */
START_TEST(dequantize_int32) {
    struct trial t;
    int64_t three = 3;
    trial_start(&t, "DequantizeLinear", 2, 1, 1);
    memcpy(trial_input(&t, 0, DTYPE_INT32, 1, &three)->data, (int32_t[]){INT32_MIN, 12, INT32_MAX}, 12);
    *trial_random(&t, 1, 0, NULL) = 0.0625f;
    trial_run(&t);
    ck_assert_int_eq(memcmp(t.outputs[0].data, (float[]){-134217728.0f, 0.75f, 134217728.0f}, 12), 0);
    trial_end(&t);
}
END_TEST

/* One scale for the whole tensor: the axis means nothing then, and need not exist. */
START_TEST(axis_of_a_single_scale) {
    struct trial t;
    trial_start(&t, "DequantizeLinear", 2, 1, 1);
    memcpy(trial_input(&t, 0, DTYPE_INT8, 2, (int64_t[]){1, 2})->data, (int8_t[]){-4, 6}, 2);
    *trial_random(&t, 1, 1, (int64_t[]){1}) = 0.5f;
    trial_int(&t, "axis", 7);
    trial_run(&t);
    ck_assert_int_eq(memcmp(t.outputs[0].data, (float[]){-2.0f, 3.0f}, 8), 0);
    trial_end(&t);
}
END_TEST

int main(void) {
    Suite *s = suite_create("float/quantize");
    TCase *quantize = tcase_create("quantize");
    tcase_add_loop_test(quantize, ties_and_saturation, 0, CODE_TYPES);
    tcase_add_test(quantize, what_is_no_number);
    tcase_add_loop_test(quantize, quantize_granularities, 0, 3 * CODE_TYPES);
    tcase_add_loop_test(quantize, dequantize_granularities, 0, 3 * CODE_TYPES);
    tcase_add_test(quantize, dequantize_int32);
    tcase_add_test(quantize, axis_of_a_single_scale);
    suite_add_tcase(s, quantize);
    return suite_main(s);
}
