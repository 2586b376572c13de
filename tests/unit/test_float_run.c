/* The interpreter, on graphs in text form. */
#include "base/parallel.h"
#include "float/float.h"

#include "suite_main.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OUTPUTS 8

static struct context ctx;
static struct graph *graph;
static struct tensor outputs[MAX_OUTPUTS];

static void set_up(void) {
    context_init(&ctx);
    memset(outputs, 0, sizeof outputs);
}

static void tear_down(void) {
    for (int i = 0; i < MAX_OUTPUTS; i++) {
        tensor_free(&outputs[i]);
    }
    graph_free(graph);
    graph = NULL;
}

static void parse(const char *text) {
    enum pare_status status = graph_parse(&ctx, text, &graph);
    ck_assert_msg(status == PARE_OK, "%s", ctx.diag.message);
}

static struct tensor vector(float *data, int64_t count) {
    return (struct tensor){DTYPE_FLOAT, {1, {count}}, data};
}

static void run(const struct tensor *inputs, float_observer *observe, void *user) {
    enum pare_status status = float_run(&ctx, graph, inputs, outputs, observe, user);
    ck_assert_msg(status == PARE_OK, "%s", ctx.diag.message);
}

static void expect(int output, int64_t count, const float *values) {
    ck_assert_int_eq((int64_t)tensor_count(&outputs[output]), count);
    for (int64_t i = 0; i < count; i++) {
        ck_assert_float_eq(((const float *)outputs[output].data)[i], values[i]);
    }
}

static const char *const branches = "graph branches {\n"
                                    "  input x: float32[N]\n"
                                    "  const two: float32[] = 2\n"
                                    "  doubled = Mul(x, two)\n"
                                    "  positive = Relu(x)\n"
                                    "  sum = Add(doubled, positive)\n"
                                    "  output sum\n"
                                    "}\n";

START_TEST(branches_meet) {
    float x[3] = {-1, 0, 2};
    struct tensor in = vector(x, 3);
    parse(branches);
    run(&in, NULL, NULL);
    expect(0, 3, (float[]){-2, 0, 6});
}
END_TEST

struct log {
    char names[256];
    const char *stop_at;
};

static enum pare_status log_value(void *user, struct context *c, const struct value *v, const struct tensor *t) {
    struct log *log = user;
    (void)c;
    ck_assert_ptr_nonnull(t->data);
    ck_assert_uint_eq(tensor_count(t), 3);
    strncat(log->names, v->name, sizeof log->names - strlen(log->names) - 2);
    strcat(log->names, " ");
    bool stops = log->stop_at != NULL && strcmp(v->name, log->stop_at) == 0;
    return stops ? PARE_ERROR_INTERRUPTED : PARE_OK;
}

START_TEST(observer_sees_each_value_once) {
    float x[3] = {-1, 0, 2};
    struct tensor in = vector(x, 3);
    struct log log = {0};
    parse(branches);
    run(&in, log_value, &log);
    ck_assert_str_eq(log.names, "x doubled positive sum ");
}
END_TEST

START_TEST(observer_stops_the_run) {
    float x[3] = {-1, 0, 2};
    struct tensor in = vector(x, 3);
    struct log log = {.stop_at = "doubled"};
    parse(branches);
    ck_assert_int_eq(float_run(&ctx, graph, &in, outputs, log_value, &log), PARE_ERROR_INTERRUPTED);
    ck_assert_str_eq(log.names, "x doubled ");
    ck_assert_ptr_null(outputs[0].data);
}
END_TEST

START_TEST(outputs_of_every_kind) {
    float x[2] = {-3, 4};
    struct tensor in = vector(x, 2);
    parse("graph kinds {\n"
          "  input x: float32[2]\n"
          "  const c: float32[2] = [5, 6]\n"
          "  y = Relu(x)\n"
          "  unused = Tanh(x)\n"
          "  output y\n  output x\n  output c\n"
          "}\n");
    run(&in, NULL, NULL);
    expect(0, 2, (float[]){0, 4});
    expect(1, 2, (float[]){-3, 4});
    expect(2, 2, (float[]){5, 6});
    ck_assert_ptr_ne(outputs[1].data, x);
}
END_TEST

START_TEST(omitted_outputs_and_inputs) {
    float x[4] = {1, 2, 3, 9};
    struct tensor in = vector(x, 4);
    parse("graph omitted {\n"
          "  input x: float32[4]\n"
          "  const high: float32[] = 2.5\n"
          "  a, - = Split(x) {num_outputs = 2}\n"
          "  b = Clip(a, -, high)\n"
          "  output b\n"
          "}\n");
    run(&in, NULL, NULL);
    expect(0, 2, (float[]){1, 2});
}
END_TEST

START_TEST(shapes_are_computed_from_data) {
    float x[6] = {1, 2, 3, 4, 5, 6};
    struct tensor in = {DTYPE_FLOAT, {3, {1, 2, 3}}, x};
    parse("graph arithmetic {\n"
          "  input x: float32[N,H,W]\n"
          "  const zero: int64[1] = [0]\n"
          "  const rest: int64[1] = [-1]\n"
          "  dims = Shape(x)\n"
          "  batch = Gather(dims, zero)\n"
          "  wanted = Concat(batch, rest) {axis = 0}\n"
          "  y = Reshape(x, wanted)\n"
          "  output y\n"
          "}\n");
    run(&in, NULL, NULL);
    ck_assert_int_eq(outputs[0].shape.rank, 2);
    ck_assert_int_eq(outputs[0].shape.dim[1], 6);
    expect(0, 6, x);
}
END_TEST

START_TEST(no_numbers_are_no_errors) {
    float x[2] = {0, 1}, zero[2] = {0, 0};
    struct tensor in[2] = {vector(x, 2), vector(zero, 2)};
    parse("graph division {\n  input x: float32[2]\n  input d: float32[2]\n  y = Div(x, d)\n  output y\n}\n");
    run(in, NULL, NULL);
    ck_assert(isnan(((const float *)outputs[0].data)[0]));
    ck_assert(isinf(((const float *)outputs[0].data)[1]));
}
END_TEST

static void expect_failure(const struct tensor *in, enum pare_status status, const char *a, const char *b) {
    ck_assert_int_eq(float_run(&ctx, graph, in, outputs, NULL, NULL), status);
    ck_assert_msg(strstr(ctx.diag.message, a) != NULL && strstr(ctx.diag.message, b) != NULL, "%s", ctx.diag.message);
    ck_assert_ptr_null(outputs[0].data);
}

START_TEST(wrong_data_are_refused_with_both_shapes) {
    float x[6] = {0};
    struct tensor in = {DTYPE_FLOAT, {2, {2, 3}}, x};
    parse("graph strict {\n  input x: float32[N,4]\n  y = Relu(x)\n  output y\n}\n");
    expect_failure(&in, PARE_ERROR_INPUT, "x: the data have shape [2,3]", "[N,4]");
    context_clear(&ctx);
    in = (struct tensor){DTYPE_INT32, {2, {1, 4}}, x};
    expect_failure(&in, PARE_ERROR_INPUT, "x: the data are int32", "float32");
}
END_TEST

START_TEST(errors_name_the_node) {
    float x[6] = {0}, y[6] = {0};
    struct tensor in[2] = {vector(x, 2), vector(y, 3)};
    parse("graph clash {\n  input x: float32[?]\n  input y: float32[?]\n  z = Add(x, y) as adder\n  output z\n}\n");
    expect_failure(in, PARE_ERROR_INPUT, "adder", "[3]");
    context_clear(&ctx);
    graph_free(graph);
    double d[4] = {0};
    in[0] = (struct tensor){DTYPE_DOUBLE, {3, {1, 1, 4}}, d};
    parse("graph wide {\n  input x: float64[1,1,4]\n  z = GlobalMaxPool(x) as pool\n  output z\n}\n");
    expect_failure(in, PARE_ERROR_UNSUPPORTED, "pool", "float64");
}
END_TEST

#define SAMPLES 24

static const char *const network = "graph network {\n"
                                   "  input x: float32[N,3,12,12]\n"
                                   "  const w1: float32[8,3,3,3] = random(1, -1, 1)\n"
                                   "  const b1: float32[8] = random(2, -1, 1)\n"
                                   "  const w2: float32[8,1,3,3] = random(3, -1, 1)\n"
                                   "  const w3: float32[8,10] = random(4, -1, 1)\n"
                                   "  a = Conv(x, w1, b1) {pads = [1, 1, 1, 1], strides = [2, 2]}\n"
                                   "  b = Relu(a)\n"
                                   "  c = Conv(b, w2) {group = 8, pads = [1, 1, 1, 1]}\n"
                                   "  d = Add(b, c)\n"
                                   "  e = GlobalAveragePool(d)\n"
                                   "  f = Flatten(e)\n"
                                   "  g = MatMul(f, w3)\n"
                                   "  y = Softmax(g)\n"
                                   "  output y\n"
                                   "}\n";

static enum pare_status run_sample(void *user, struct context *c, size_t i, int worker) {
    float(*results)[10] = user;
    float image[3 * 12 * 12];
    (void)worker;
    for (size_t k = 0; k < 3 * 12 * 12; k++) {
        image[k] = (float)((k * 37 + i * 101) % 97) / 97.0f - 0.5f;
    }
    struct tensor in = {DTYPE_FLOAT, {4, {1, 3, 12, 12}}, image}, out;
    TRY(float_run(c, graph, &in, &out, NULL, NULL));
    memcpy(results[i], out.data, sizeof results[i]);
    tensor_free(&out);
    return PARE_OK;
}

START_TEST(threads_do_not_change_a_bit) {
    static float one[SAMPLES][10], many[SAMPLES][10];
    parse(network);
    ctx.threads = 1;
    ck_assert_int_eq(parallel_for(&ctx, SAMPLES, run_sample, one), PARE_OK);
    for (int threads = 2; threads <= 5; threads++) {
        ctx.threads = threads;
        memset(many, 0, sizeof many);
        ck_assert_int_eq(parallel_for(&ctx, SAMPLES, run_sample, many), PARE_OK);
        ck_assert_int_eq(memcmp(one, many, sizeof one), 0);
    }
    ck_assert_int_ne(memcmp(one[0], one[1], sizeof one[0]), 0);
}
END_TEST

int main(void) {
    Suite *s = suite_create("float/run");
    TCase *interpreter = tcase_create("interpreter");
    tcase_add_checked_fixture(interpreter, set_up, tear_down);
    tcase_add_test(interpreter, branches_meet);
    tcase_add_test(interpreter, observer_sees_each_value_once);
    tcase_add_test(interpreter, observer_stops_the_run);
    tcase_add_test(interpreter, outputs_of_every_kind);
    tcase_add_test(interpreter, omitted_outputs_and_inputs);
    tcase_add_test(interpreter, shapes_are_computed_from_data);
    tcase_add_test(interpreter, no_numbers_are_no_errors);
    tcase_add_test(interpreter, wrong_data_are_refused_with_both_shapes);
    tcase_add_test(interpreter, errors_name_the_node);
    tcase_add_test(interpreter, threads_do_not_change_a_bit);
    suite_add_tcase(s, interpreter);
    return suite_main(s);
}
