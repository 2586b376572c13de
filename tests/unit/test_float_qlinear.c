/* Operators on integer codes, against their definitions written out in int64 and double. */
#include "float_trial.h"

#include "suite_main.h"

static uint8_t *random_codes(struct trial *t, int input, int rank, const int64_t *dims) {
    struct tensor *x = trial_input(t, input, DTYPE_UINT8, rank, dims);
    for (size_t i = 0; i < tensor_count(x); i++) {
        tensor_set_int(x, i, trial_integer(t, 0, 255));
    }
    return x->data;
}

static void single(struct trial *t, int input, enum dtype type, double v) {
    tensor_set_double(trial_input(t, input, type, 0, NULL), 0, v);
}

static double saturated(double v, double zero) {
    return fmin(fmax(rint(v) + zero, 0), 255);
}

/* 1 x 4 x 5 x 6 by 6 x (4 / group) x 3 x 2, padded by one at the top and left, stride 2 downwards. */
static int64_t conv_sum(const uint8_t *x, const uint8_t *w, int group, int o, int i, int j) {
    int in = 4 / group, first = o / (6 / group) * in;
    int64_t sum = 0;
    for (int c = 0; c < in; c++) {
        for (int a = 0; a < 3; a++) {
            for (int b = 0; b < 2; b++) {
                int y = 2 * i + a - 1, z = j + b - 1;
                if (y >= 0 && y < 5 && z >= 0 && z < 6) {
                    sum += (x[((first + c) * 5 + y) * 6 + z] - 7) * (w[((o * in + c) * 3 + a) * 2 + b] - 130);
                }
            }
        }
    }
    return sum;
}

static void conv_start(struct trial *t, const char *op, int inputs, int group) {
    trial_start(t, op, inputs, 1, (uint64_t)group);
    trial_int(t, "group", group);
    trial_ints(t, "pads", (int64_t[]){1, 1, 0, 0}, 4);
    trial_ints(t, "strides", (int64_t[]){2, 1}, 2);
}

START_TEST(test_qlinear_conv) {
    static const int groups[] = {1, 2};
    int group = groups[_i];
    struct trial t;
    conv_start(&t, "QLinearConv", 8, group);
    const uint8_t *x = random_codes(&t, 0, 4, (int64_t[]){1, 4, 5, 6});
    const uint8_t *w = random_codes(&t, 3, 4, (int64_t[]){6, 4 / group, 3, 2});
    single(&t, 1, DTYPE_FLOAT, 0.25);
    single(&t, 2, DTYPE_UINT8, 7);
    float *scale = trial_input(&t, 4, DTYPE_FLOAT, 1, (int64_t[]){6})->data;
    struct tensor *zero = trial_input(&t, 5, DTYPE_UINT8, 1, (int64_t[]){6});
    for (int o = 0; o < 6; o++) {
        scale[o] = ldexpf(1, -10 - o);
        tensor_set_int(zero, (size_t)o, 130);
    }
    single(&t, 6, DTYPE_FLOAT, 0.5);
    single(&t, 7, DTYPE_UINT8, 100);
    trial_run(&t);
    for (int o = 0; o < 6; o++) {
        for (int p = 0; p < 2 * 6; p++) {
            double real = (double)conv_sum(x, w, group, o, p / 6, p % 6) * 0.25 * (double)scale[o] / 0.5;
            trial_expect(&t, 0, (size_t)o * 12 + (size_t)p, saturated(real, 100), 0);
        }
    }
    trial_end(&t);
}
END_TEST

START_TEST(test_conv_integer) {
    struct trial t;
    conv_start(&t, "ConvInteger", 4, 2);
    const uint8_t *x = random_codes(&t, 0, 4, (int64_t[]){1, 4, 5, 6});
    const uint8_t *w = random_codes(&t, 1, 4, (int64_t[]){6, 2, 3, 2});
    single(&t, 2, DTYPE_UINT8, 7);
    single(&t, 3, DTYPE_UINT8, 130);
    trial_run(&t);
    ck_assert_int_eq(t.outputs[0].type, DTYPE_INT32);
    for (int k = 0; k < 6 * 12; k++) {
        trial_expect(&t, 0, (size_t)k, (double)conv_sum(x, w, 2, k / 12, k % 12 / 6, k % 6), 0);
    }
    trial_end(&t);
}
END_TEST

/* 3 x 2 x 5 by 5 x 4, zero points per row on the left and per column on the right. */
START_TEST(test_matmul_integer) {
    struct trial t;
    trial_start(&t, "MatMulInteger", 4, 1, 3);
    const uint8_t *a = random_codes(&t, 0, 3, (int64_t[]){3, 2, 5}), *b = random_codes(&t, 1, 2, (int64_t[]){5, 4});
    const uint8_t *za = random_codes(&t, 2, 1, (int64_t[]){2}), *zb = random_codes(&t, 3, 1, (int64_t[]){4});
    trial_run(&t);
    for (int k = 0; k < 3 * 2 * 4; k++) {
        int64_t sum = 0;
        for (int i = 0; i < 5; i++) {
            sum += (a[k / 4 * 5 + i] - za[k / 4 % 2]) * (b[i * 4 + k % 4] - zb[k % 4]);
        }
        trial_expect(&t, 0, (size_t)k, (double)sum, 0);
    }
    trial_end(&t);
}
END_TEST

START_TEST(test_binary) {
    static const char *const ops[] = {"QLinearAdd", "QLinearMul"};
    struct trial t;
    trial_start(&t, ops[_i], 8, 1, 4);
    const uint8_t *a = random_codes(&t, 0, 2, (int64_t[]){40, 6}), *b = random_codes(&t, 3, 1, (int64_t[]){6});
    single(&t, 1, DTYPE_FLOAT, 0.125);
    single(&t, 2, DTYPE_UINT8, 3);
    single(&t, 4, DTYPE_FLOAT, 0.0625);
    single(&t, 5, DTYPE_UINT8, 120);
    single(&t, 6, DTYPE_FLOAT, _i == 0 ? 0.25 : 1);
    single(&t, 7, DTYPE_UINT8, 90);
    trial_run(&t);
    for (int k = 0; k < 240; k++) {
        double x = (a[k] - 3) * 0.125, y = (b[k % 6] - 120) * 0.0625;
        double real = _i == 0 ? (x + y) / 0.25 + 90 : x * y + 90;
        trial_expect(&t, 0, (size_t)k, fmin(fmax(rint(real), 0), 255), 0);
    }
    trial_end(&t);
}
END_TEST

START_TEST(test_dynamic_quantize) {
    struct trial t;
    int64_t count = 5;
    trial_start(&t, "DynamicQuantizeLinear", 1, 3, 5);
    memcpy(trial_input(&t, 0, DTYPE_FLOAT, 1, &count)->data, (float[]){-1, 0, 0.5f, 4.1f, 1.5f}, 20);
    trial_run(&t);
    float scale = 5.1f / 255;
    trial_expect(&t, 1, 0, (double)scale, 1e-7);
    trial_expect(&t, 2, 0, 50, 0);
    static const int codes[] = {0, 50, 75, 255, 125};
    for (size_t i = 0; i < 5; i++) {
        trial_expect(&t, 0, i, codes[i], 0);
    }
    trial_end(&t);
}
END_TEST

/* ---- QONNX ---- */

static void quant_start(struct trial *t, const char *op, int inputs, const float x[6], double scale, double zero) {
    trial_start(t, op, inputs, 1, 6);
    memcpy(trial_input(t, 0, DTYPE_FLOAT, 1, (int64_t[]){6})->data, x, 6 * sizeof *x);
    single(t, 1, DTYPE_FLOAT, scale);
    if (inputs > 2) {
        single(t, 2, DTYPE_FLOAT, zero);
    }
}

START_TEST(test_quant) {
    static const struct {
        const char *mode;
        int is_signed, narrow;
        double zero, bits;
        float x[6], y[6];
    } cases[] = {
        {"ROUND", 1, 0, 0, 3, {0.25f, 0.75f, -0.25f, 1.3f, 9, -9}, {0, 1, 0, 1.5f, 1.5f, -2}},
        {"ROUND", 1, 1, 0, 3, {0.25f, 0.75f, -0.25f, 1.3f, 9, -9}, {0, 1, 0, 1.5f, 1.5f, -1.5f}},
        {"ROUND", 0, 0, 0, 2, {0.25f, 0.75f, -0.25f, 1.3f, 9, -9}, {0, 1, 0, 1.5f, 1.5f, 0}},
        {"ROUND", 0, 1, 0, 2, {0.25f, 0.75f, -0.25f, 1.3f, 9, -9}, {0, 1, 0, 1, 1, 0}},
        {"FLOOR", 1, 0, 0, 4, {0.3f, 0.8f, -0.3f, -0.8f, 1, -1}, {0, 0.5f, -0.5f, -1, 1, -1}},
        {"CEIL", 1, 0, 0, 4, {0.3f, 0.8f, -0.3f, -0.8f, 1, -1}, {0.5f, 1, 0, -0.5f, 1, -1}},
        {"DOWN", 1, 0, 0, 4, {0.3f, 0.8f, -0.3f, -0.8f, 1, -1}, {0, 0.5f, 0, -0.5f, 1, -1}},
        {"UP", 1, 0, 0, 4, {0.3f, 0.8f, -0.3f, -0.8f, 1, -1}, {0.5f, 1, -0.5f, -1, 1, -1}},
        {"HALF_UP", 1, 0, 0, 4, {0.25f, 0.75f, -0.25f, -0.75f, 1, -1}, {0.5f, 1, 0, -0.5f, 1, -1}},
        {"HALF_DOWN", 1, 0, 0, 4, {0.25f, 0.75f, -0.25f, -0.75f, 1, -1}, {0, 0.5f, -0.5f, -1, 1, -1}},
        {"ROUND", 1, 0, 2, 3, {0.5f, 1, -0.5f, -2.6f, 9, -9}, {0.5f, 0.5f, -0.5f, -2.5f, 0.5f, -3}},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct trial t;
        quant_start(&t, "Quant", 4, cases[k].x, 0.5, cases[k].zero);
        single(&t, 3, DTYPE_FLOAT, cases[k].bits);
        trial_int(&t, "signed", cases[k].is_signed);
        trial_int(&t, "narrow", cases[k].narrow);
        trial_string(&t, "rounding_mode", cases[k].mode);
        trial_run(&t);
        for (size_t i = 0; i < 6; i++) {
            trial_expect(&t, 0, i, (double)cases[k].y[i], 0);
        }
        trial_end(&t);
    }
}
END_TEST

START_TEST(test_bipolar_quant) {
    struct trial t;
    quant_start(&t, "BipolarQuant", 2, (float[]){3, 0.1f, 0, -0.1f, -5, -0.0f}, 0.75, 0);
    trial_run(&t);
    static const double expected[] = {0.75, 0.75, 0.75, -0.75, -0.75, 0.75};
    for (size_t i = 0; i < 6; i++) {
        trial_expect(&t, 0, i, expected[i], 0);
    }
    trial_end(&t);
}
END_TEST

/* Codes of 6 bits lose their two lowest. */
START_TEST(test_trunc) {
    struct trial t;
    quant_start(&t, "Trunc", 5, (float[]){0.5f, 1.5f, 2, 7.5f, -0.5f, -4}, 0.5, 0);
    single(&t, 3, DTYPE_FLOAT, 6);
    single(&t, 4, DTYPE_FLOAT, 4);
    trial_run(&t);
    static const double expected[] = {0, 0, 0.5, 1.5, -0.5, -1};
    for (size_t i = 0; i < 6; i++) {
        trial_expect(&t, 0, i, expected[i], 0);
    }
    trial_end(&t);
}
END_TEST

int main(void) {
    Suite *s = suite_create("float/qlinear");
    TCase *codes = tcase_create("codes"), *qonnx = tcase_create("qonnx");
    tcase_add_loop_test(codes, test_qlinear_conv, 0, 2);
    tcase_add_test(codes, test_conv_integer);
    tcase_add_test(codes, test_matmul_integer);
    tcase_add_loop_test(codes, test_binary, 0, 2);
    tcase_add_test(codes, test_dynamic_quantize);
    tcase_add_test(qonnx, test_quant);
    tcase_add_test(qonnx, test_bipolar_quant);
    tcase_add_test(qonnx, test_trunc);
    suite_add_tcase(s, codes);
    suite_add_tcase(s, qonnx);
    return suite_main(s);
}
