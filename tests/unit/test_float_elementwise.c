/* Functions of one and two variables, over broadcast shapes and the element types that ONNX allows. */
#include "float_trial.h"

#include "suite_main.h"

static double apply(const char *op, double a, double b) {
    switch (op[0]) {
    case 'A':
        return a + b;
    case 'S':
        return a - b;
    case 'M':
        return a * b;
    default:
        return a / b;
    }
}

/* Shapes that broadcast: each of four dimensions is the output's or 1, and leading ones may be missing. */
static int choose_operand(struct trial *t, const int64_t *out, int64_t *dims) {
    int rank = (int)trial_integer(t, 0, 4);
    for (int i = 0; i < rank; i++) {
        dims[i] = trial_integer(t, 0, 2) == 0 ? 1 : out[4 - rank + i];
    }
    return rank;
}

static size_t operand_index(const int64_t *dims, int rank, const int64_t *at) {
    int64_t index = 0;
    for (int i = 0; i < rank; i++) {
        index = index * dims[i] + (dims[i] == 1 ? 0 : at[4 - rank + i]);
    }
    return (size_t)index;
}

static void fill(struct trial *t, int input, enum dtype type, int rank, const int64_t *dims) {
    struct tensor *x = trial_input(t, input, type, rank, dims);
    for (size_t i = 0; i < tensor_count(x); i++) {
        int64_t v = trial_integer(t, 1, 7);
        tensor_set_double(x, i, dtype_is_float(type) ? (double)v / 4.0 : (double)v);
    }
}

/* The output shape follows from the operands: a dimension is 1 where both are. */
static void check_broadcast(const char *op, enum dtype type, uint64_t seed) {
    struct trial t;
    trial_start(&t, op, 2, 1, seed);
    int64_t full[4], a[4], b[4];
    for (int i = 0; i < 4; i++) {
        full[i] = trial_integer(&t, 1, 4);
    }
    int a_rank = choose_operand(&t, full, a), b_rank = choose_operand(&t, full, b);
    fill(&t, 0, type, a_rank, a);
    fill(&t, 1, type, b_rank, b);
    trial_run(&t);
    const struct shape *out = &t.outputs[0].shape;
    ck_assert_int_eq(out->rank, a_rank > b_rank ? a_rank : b_rank);
    ck_assert_int_eq(t.outputs[0].type, type);
    for (size_t i = 0; i < tensor_count(&t.outputs[0]); i++) {
        int64_t at[4] = {0}, rest = (int64_t)i;
        for (int k = out->rank - 1; k >= 0; k--) {
            at[4 - out->rank + k] = rest % out->dim[k];
            rest /= out->dim[k];
        }
        double x = tensor_get_double(&t.inputs[0], operand_index(a, a_rank, at));
        double y = tensor_get_double(&t.inputs[1], operand_index(b, b_rank, at));
        double expected = apply(op, x, y);
        trial_expect(&t, 0, i, dtype_is_float(type) ? expected : trunc(expected), type == DTYPE_FLOAT16 ? 1e-3 : 1e-6);
    }
    trial_end(&t);
}

START_TEST(arithmetic_broadcasts) {
    static const char *const ops[] = {"Add", "Sub", "Mul", "Div"};
    static const enum dtype types[] = {DTYPE_FLOAT, DTYPE_INT64, DTYPE_DOUBLE, DTYPE_INT8, DTYPE_FLOAT16};
    check_broadcast(ops[_i % 4], types[_i / 4 % 5], (uint64_t)_i);
}
END_TEST

START_TEST(integers_wrap) {
    struct trial t;
    trial_start(&t, "Mul", 2, 1, 1);
    int64_t three = 3;
    memcpy(trial_input(&t, 0, DTYPE_INT64, 1, &three)->data, (int64_t[]){INT64_MAX, INT64_MIN, -1}, 24);
    memcpy(trial_input(&t, 1, DTYPE_INT64, 1, &three)->data, (int64_t[]){2, -1, INT64_MIN}, 24);
    trial_run(&t);
    int64_t expected[] = {-2, INT64_MIN, INT64_MIN};
    ck_assert_int_eq(memcmp(t.outputs[0].data, expected, sizeof expected), 0);
    trial_end(&t);

    trial_start(&t, "Add", 2, 1, 1);
    memcpy(trial_input(&t, 0, DTYPE_UINT8, 1, &three)->data, (uint8_t[]){250, 0, 255}, 3);
    memcpy(trial_input(&t, 1, DTYPE_UINT8, 1, &three)->data, (uint8_t[]){10, 0, 1}, 3);
    trial_run(&t);
    ck_assert_int_eq(memcmp(t.outputs[0].data, (uint8_t[]){4, 0, 0}, 3), 0);
    trial_end(&t);
}
END_TEST

START_TEST(integer_division) {
    struct trial t;
    int64_t three = 3;
    trial_start(&t, "Div", 2, 1, 1);
    memcpy(trial_input(&t, 0, DTYPE_INT64, 1, &three)->data, (int64_t[]){-7, 7, INT64_MIN}, 24);
    memcpy(trial_input(&t, 1, DTYPE_INT64, 1, &three)->data, (int64_t[]){2, -2, -1}, 24);
    trial_run(&t);
    ck_assert_int_eq(memcmp(t.outputs[0].data, (int64_t[]){-3, -3, INT64_MIN}, 24), 0);
    ((int64_t *)t.inputs[1].data)[1] = 0;
    tensor_free(&t.outputs[0]);
    trial_refused(&t, PARE_ERROR_INPUT);
    trial_end(&t);
}
END_TEST

START_TEST(prelu) {
    struct trial t;
    trial_start(&t, "PRelu", 2, 1, 1);
    memcpy(trial_random(&t, 0, 3, (int64_t[]){1, 2, 2}), (float[]){-1, 1, -2, 2}, 16);
    memcpy(trial_random(&t, 1, 2, (int64_t[]){2, 1}), (float[]){0.5f, 0.25f}, 8);
    trial_run(&t);
    double expected[] = {-0.5, 1, -0.5, 2};
    for (size_t i = 0; i < 4; i++) {
        trial_expect(&t, 0, i, expected[i], 0.0);
    }
    trial_end(&t);
}
END_TEST

/* Each activation on one grid of arguments, against its formula in the ONNX specification. */
struct activation {
    const char *op;
    double (*formula)(double x);
};

static double formula_sigmoid(double x) {
    return 1.0 / (1.0 + exp(-x));
}

static double formula_leaky_relu(double x) {
    return x < 0.0 ? 0.01 * x : x;
}

static double formula_hard_sigmoid(double x) {
    return fmax(0.0, fmin(1.0, 0.2 * x + 0.5));
}

static double formula_hard_swish(double x) {
    return x * fmax(0.0, fmin(1.0, x / 6.0 + 0.5));
}

static double formula_relu(double x) {
    return fmax(x, 0.0);
}

static const struct activation activations[] = {
    {"Sigmoid", formula_sigmoid},      {"Tanh", tanh},
    {"LeakyRelu", formula_leaky_relu}, {"HardSigmoid", formula_hard_sigmoid},
    {"HardSwish", formula_hard_swish}, {"Relu", formula_relu},
};

static void check_activation(const struct activation *a, enum dtype type, double tolerance) {
    struct trial t;
    int64_t count = 401;
    trial_start(&t, a->op, 1, 1, 1);
    struct tensor *x = trial_input(&t, 0, type, 1, &count);
    for (int64_t i = 0; i < count; i++) {
        tensor_set_double(x, (size_t)i, (double)(i - 200) / 16.0);
    }
    trial_run(&t);
    for (int64_t i = 0; i < count; i++) {
        double expected = a->formula((double)(i - 200) / 16.0);
        trial_expect(&t, 0, (size_t)i, expected, tolerance * fmax(1.0, fabs(expected)));
    }
    trial_end(&t);
}

START_TEST(activation) {
    check_activation(&activations[_i], DTYPE_FLOAT, 2e-7);
    check_activation(&activations[_i], DTYPE_DOUBLE, 1e-7); /* alpha is a float32 attribute */
    check_activation(&activations[_i], DTYPE_FLOAT16, 1e-3);
}
END_TEST

/* 15/32 / 6 + 1/2 is a tie of codes of 1/32 in float32, as 1/6 times it is 0.078125 then, but the float32 nearest to
 * 1/6 is more than that. */
START_TEST(steps_of_float32) {
    struct trial t;
    int64_t one = 1;
    trial_start(&t, "HardSigmoid", 1, 1, 1);
    ck_assert_int_eq(node_set_float(&t.ctx, t.node, "alpha", 1.0f / 6), PARE_OK);
    *(float *)trial_input(&t, 0, DTYPE_FLOAT, 1, &one)->data = 15.0f / 32;
    trial_run(&t);
    ck_assert(*(float *)t.outputs[0].data == 18.5f / 32);
    trial_end(&t);

    trial_start(&t, "HardSwish", 1, 1, 1);
    *(float *)trial_input(&t, 0, DTYPE_FLOAT, 1, &one)->data = 15.0f / 32;
    trial_run(&t);
    ck_assert(*(float *)t.outputs[0].data == 15.0f / 32 * (18.5f / 32));
    trial_end(&t);
}
END_TEST

START_TEST(bounds) {
    struct trial t;
    int64_t five = 5;
    trial_start(&t, "Clip", 3, 1, 1);
    memcpy(trial_random(&t, 0, 1, &five), (float[]){-INFINITY, -1, 0.5f, NAN, INFINITY}, 20);
    memcpy(trial_random(&t, 2, 0, NULL), (float[]){6}, 4);
    trial_run(&t);
    const float *y = t.outputs[0].data;
    ck_assert(y[0] == -INFINITY && y[1] == -1.0f && y[2] == 0.5f && isnan(y[3]) && y[4] == 6.0f);
    trial_end(&t);

    trial_start(&t, "Clip", 3, 1, 1);
    memcpy(trial_input(&t, 0, DTYPE_INT8, 1, &five)->data, (int8_t[]){-128, -3, 0, 4, 127}, 5);
    memcpy(trial_input(&t, 1, DTYPE_INT8, 0, NULL)->data, (int8_t[]){-2}, 1);
    memcpy(trial_input(&t, 2, DTYPE_INT8, 0, NULL)->data, (int8_t[]){5}, 1);
    trial_run(&t);
    ck_assert_int_eq(memcmp(t.outputs[0].data, (int8_t[]){-2, -2, 0, 4, 5}, 5), 0);
    trial_end(&t);
}
END_TEST

START_TEST(casts) {
    struct trial t;
    int64_t five = 5;
    trial_start(&t, "Cast", 1, 1, 1);
    memcpy(trial_random(&t, 0, 1, &five), (float[]){-2.9f, 2.9f, 0.0f, 300.0f, -1.0f}, 20);
    trial_int(&t, "to", DTYPE_UINT8);
    trial_run(&t);
    ck_assert_int_eq(memcmp(t.outputs[0].data, (uint8_t[]){254, 2, 0, 44, 255}, 5), 0);
    tensor_free(&t.outputs[0]);
    trial_int(&t, "to", DTYPE_BOOL);
    trial_run(&t);
    ck_assert_int_eq(memcmp(t.outputs[0].data, (uint8_t[]){1, 1, 0, 1, 1}, 5), 0);
    tensor_free(&t.outputs[0]);
    trial_int(&t, "to", DTYPE_INT64);
    trial_run(&t);
    ck_assert_int_eq(memcmp(t.outputs[0].data, (int64_t[]){-2, 2, 0, 300, -1}, 40), 0);
    trial_end(&t);
}
END_TEST

int main(void) {
    Suite *s = suite_create("float/elementwise");
    TCase *elementwise = tcase_create("elementwise");
    tcase_add_loop_test(elementwise, arithmetic_broadcasts, 0, 400);
    tcase_add_test(elementwise, integers_wrap);
    tcase_add_test(elementwise, integer_division);
    tcase_add_test(elementwise, prelu);
    tcase_add_loop_test(elementwise, activation, 0, (int)(sizeof activations / sizeof activations[0]));
    tcase_add_test(elementwise, steps_of_float32);
    tcase_add_test(elementwise, bounds);
    tcase_add_test(elementwise, casts);
    suite_add_tcase(s, elementwise);
    return suite_main(s);
}
