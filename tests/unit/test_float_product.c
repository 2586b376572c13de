/* Gemm, MatMul and what is reduced along axes, against their definitions. */
#include "float_trial.h"

#include "suite_main.h"

static void check_gemm(uint64_t seed) {
    struct trial t;
    trial_start(&t, "Gemm", 3, 1, seed);
    int64_t m = trial_integer(&t, 1, 9), n = trial_integer(&t, 1, 9), k = trial_integer(&t, 1, 40);
    bool left = trial_integer(&t, 0, 1) != 0, right = trial_integer(&t, 0, 1) != 0;
    int64_t ad[2] = {left ? k : m, left ? m : k}, bd[2] = {right ? n : k, right ? k : n};
    int64_t cd[2] = {trial_integer(&t, 0, 1) ? m : 1, trial_integer(&t, 0, 1) ? n : 1};
    const float *a = trial_random(&t, 0, 2, ad), *b = trial_random(&t, 1, 2, bd);
    const float *c = trial_integer(&t, 0, 3) != 0 ? trial_random(&t, 2, 2, cd) : NULL;
    trial_int(&t, "transA", left);
    trial_int(&t, "transB", right);
    trial_float(&t, "alpha", 0.75f);
    trial_float(&t, "beta", -1.5f);
    trial_run(&t);
    trial_expect_shape(&t, 0, 2, (int64_t[]){m, n});
    for (int64_t i = 0; i < m * n; i++) {
        int64_t row = i / n, column = i % n;
        double sum = 0.0;
        for (int64_t l = 0; l < k; l++) {
            sum += (double)a[left ? l * m + row : row * k + l] * (double)b[right ? column * k + l : l * n + column];
        }
        double bias = c != NULL ? (double)c[(cd[0] == 1 ? 0 : row) * cd[1] + (cd[1] == 1 ? 0 : column)] : 0.0;
        trial_expect(&t, 0, (size_t)i, 0.75 * sum - 1.5 * bias, 1e-4);
    }
    trial_end(&t);
}

START_TEST(gemm) {
    check_gemm((uint64_t)_i);
}
END_TEST

/* Stacks of [3,1] and [1,2] matrices, or one of them a single matrix. */
START_TEST(matmul_broadcasts) {
    struct trial t;
    trial_start(&t, "MatMul", 2, 1, (uint64_t)_i);
    bool left_single = _i % 3 == 1, right_single = _i % 3 == 2;
    int64_t m = trial_integer(&t, 1, 5), n = trial_integer(&t, 1, 5), k = trial_integer(&t, 1, 9);
    int64_t ad[4] = {3, 1, m, k}, bd[4] = {1, 2, k, n};
    const float *a = left_single ? trial_random(&t, 0, 2, ad + 2) : trial_random(&t, 0, 4, ad);
    const float *b = right_single ? trial_random(&t, 1, 2, bd + 2) : trial_random(&t, 1, 4, bd);
    trial_run(&t);
    int64_t stack[2] = {left_single ? 1 : 3, right_single ? 1 : 2};
    trial_expect_shape(&t, 0, 4, (int64_t[]){stack[0], stack[1], m, n});
    for (int64_t i = 0; i < stack[0] * stack[1] * m * n; i++) {
        int64_t matrix = i / (m * n), row = i / n % m, column = i % n;
        const float *l = a + matrix / stack[1] * m * k, *r = b + matrix % stack[1] * k * n;
        double sum = 0.0;
        for (int64_t j = 0; j < k; j++) {
            sum += (double)l[row * k + j] * (double)r[j * n + column];
        }
        trial_expect(&t, 0, (size_t)i, sum, 1e-4);
    }
    trial_end(&t);
}
END_TEST

START_TEST(matmul_of_vectors) {
    struct trial t;
    trial_start(&t, "MatMul", 2, 1, 3);
    memcpy(trial_random(&t, 0, 1, (int64_t[]){3}), (float[]){1, 2, 3}, 12);
    memcpy(trial_random(&t, 1, 1, (int64_t[]){3}), (float[]){4, 5, 6}, 12);
    trial_run(&t);
    trial_expect_shape(&t, 0, 0, NULL);
    trial_expect(&t, 0, 0, 32.0, 0.0);
    trial_end(&t);
}
END_TEST

START_TEST(an_empty_sum_is_the_bias) {
    struct trial t;
    trial_start(&t, "Gemm", 3, 1, 3);
    trial_random(&t, 0, 2, (int64_t[]){2, 0});
    trial_random(&t, 1, 2, (int64_t[]){0, 1});
    memcpy(trial_random(&t, 2, 1, (int64_t[]){1}), (float[]){2.5f}, 4);
    trial_run(&t);
    trial_expect(&t, 0, 0, 2.5, 0.0);
    trial_expect(&t, 0, 1, 2.5, 0.0);
    trial_end(&t);
}
END_TEST

/* Every subset of three axes. */
START_TEST(reduce_mean) {
    struct trial t;
    trial_start(&t, "ReduceMean", 2, 1, (uint64_t)_i);
    int64_t dims[3] = {3, 4, 5}, out[3], axes[3], count = 0;
    const float *x = trial_random(&t, 0, 3, dims);
    for (int i = 0; i < 3; i++) {
        bool reduced = (_i >> i & 1) != 0;
        out[i] = reduced ? 1 : dims[i];
        axes[count] = i - 3;
        count += reduced;
    }
    trial_vector(&t, 1, axes, count);
    trial_int(&t, "noop_with_empty_axes", 1);
    trial_run(&t);
    trial_expect_shape(&t, 0, 3, out);
    double sum[60] = {0};
    for (int64_t i = 0; i < 60; i++) {
        int64_t at[3] = {i / 20 % out[0], i / 5 % 4 % out[1], i % 5 % out[2]};
        sum[(at[0] * out[1] + at[1]) * out[2] + at[2]] += (double)x[i];
    }
    int64_t outputs = out[0] * out[1] * out[2];
    for (int64_t i = 0; i < outputs; i++) {
        trial_expect(&t, 0, (size_t)i, sum[i] * (double)outputs / 60.0, 1e-6);
    }
    trial_end(&t);
}
END_TEST

START_TEST(arg_max) {
    for (int last = 0; last < 2; last++) {
        struct trial t;
        trial_start(&t, "ArgMax", 1, 1, 1);
        float x[12] = {1, 5, 2, 7, 0, 7, 1, 5, 7, 7, -1, 7};
        memcpy(trial_random(&t, 0, 3, (int64_t[]){2, 3, 2}), x, sizeof x);
        trial_int(&t, "axis", 1);
        trial_int(&t, "keepdims", 0);
        trial_int(&t, "select_last_index", last);
        trial_run(&t);
        trial_expect_shape(&t, 0, 2, (int64_t[]){2, 2});
        int64_t expected[2][4] = {{1, 1, 1, 1}, {1, 2, 1, 2}};
        ck_assert_int_eq(t.outputs[0].type, DTYPE_INT64);
        ck_assert_int_eq(memcmp(t.outputs[0].data, expected[last], sizeof expected[last]), 0);
        trial_end(&t);
    }
}
END_TEST

START_TEST(softmax_is_stable) {
    struct trial t;
    trial_start(&t, "Softmax", 1, 1, 1);
    float x[6] = {1000, -1000, 1001, -1000, 1002, -1000};
    memcpy(trial_random(&t, 0, 3, (int64_t[]){1, 3, 2}), x, sizeof x);
    trial_int(&t, "axis", 1);
    trial_run(&t);
    double sum = exp(-2.0) + exp(-1.0) + 1.0;
    for (size_t i = 0; i < 3; i++) {
        trial_expect(&t, 0, 2 * i, exp((double)i - 2.0) / sum, 1e-6);
        trial_expect(&t, 0, 2 * i + 1, 1.0 / 3.0, 1e-6);
    }
    trial_end(&t);
}
END_TEST

START_TEST(batch_normalization) {
    struct trial t;
    trial_start(&t, "BatchNormalization", 5, 1, 1);
    int64_t channels = 3;
    const float *x = trial_random(&t, 0, 3, (int64_t[]){2, 3, 4}), *p[4];
    for (int i = 0; i < 4; i++) {
        float *v = trial_random(&t, 1 + i, 1, &channels);
        v[0] = fabsf(v[0]), v[1] = fabsf(v[1]), v[2] = fabsf(v[2]);
        p[i] = v;
    }
    trial_float(&t, "epsilon", 0.01f);
    trial_run(&t);
    for (size_t i = 0; i < 24; i++) {
        size_t k = i / 4 % 3;
        double y = ((double)x[i] - (double)p[2][k]) / sqrt((double)p[3][k] + (double)0.01f);
        trial_expect(&t, 0, i, y * (double)p[0][k] + (double)p[1][k], 1e-5);
    }
    trial_end(&t);
}
END_TEST

int main(void) {
    Suite *s = suite_create("float/product");
    TCase *products = tcase_create("products and reductions");
    tcase_add_loop_test(products, gemm, 0, 60);
    tcase_add_loop_test(products, matmul_broadcasts, 0, 30);
    tcase_add_test(products, matmul_of_vectors);
    tcase_add_test(products, an_empty_sum_is_the_bias);
    tcase_add_loop_test(products, reduce_mean, 0, 8);
    tcase_add_test(products, arg_max);
    tcase_add_test(products, softmax_is_stable);
    tcase_add_test(products, batch_normalization);
    suite_add_tcase(s, products);
    return suite_main(s);
}
