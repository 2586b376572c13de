/* A Softmax, LogSoftmax or ArgMax behind the integer program works on every sample by itself, on whatever axis. */
#include "api_fixture.h"

#include "suite_main.h"

#include <check.h>
#include <math.h>

#define LAYERS                                                                                                         \
    "input image: float32[N,1,8,8]\n"                                                                                  \
    "const w1: float32[4,1,3,3] = random(1,-0.6,0.6)\n"                                                                \
    "const b1: float32[4] = random(2,-0.3,0.3)\n"                                                                      \
    "const w2: float32[64,3] = random(3,-0.9,0.9)\n"                                                                   \
    "const flat: int64[1] = [3]\n"                                                                                     \
    "a = Conv(image, w1, b1) as conv {pads=[1,1,1,1]}\n"                                                               \
    "b = Relu(a) as relu\n"                                                                                            \
    "c = MaxPool(b) as pool {kernel_shape=[2,2], strides=[2,2]}\n"                                                     \
    "d = Flatten(c) as flatten\n"                                                                                      \
    "e = MatMul(d, w2) as dense\n"

enum { SAMPLES = 40 };

static const struct tail {
    const char *name, *text;
    int rank, width; /* of the output of all samples: its last axis, and numbers per sample */
    bool is_class;
    double tolerance; /* wide enough for a score that saturates */
} tails[] = {
    {"rows", "graph g {\n" LAYERS "y = Softmax(e) as tail {axis=1}\noutput y }\n", 2, 3, false, 0.05},
    {"batch", "graph g {\n" LAYERS "y = Softmax(e) as tail {axis=0}\noutput y }\n", 2, 3, false, 0.05},
    {"flat", "graph g {\n" LAYERS "f = Reshape(e, flat) as flatten_all\ny = Softmax(f) as tail {axis=0}\noutput y }\n",
     1, 3, false, 0.05},
    {"logarithms", "graph g {\n" LAYERS "y = LogSoftmax(e) as tail {axis=1}\noutput y }\n", 2, 3, false, 0.5},
    {"class", "graph g {\n" LAYERS "y = ArgMax(e) as tail {axis=1, keepdims=0}\noutput y }\n", 1, 1, true, 0},
    {"batch_class", "graph g {\n" LAYERS "y = ArgMax(e) as tail {axis=0, keepdims=1}\noutput y }\n", 2, 3, true, 0},
    {"flat_class",
     "graph g {\n" LAYERS
     "f = Reshape(e, flat) as flatten_all\ny = ArgMax(f) as tail {axis=0, keepdims=0}\noutput y }\n",
     1, 1, true, 0},
};

static void make_inputs(void) {
    begin_folder();
    struct tensor images = small_images(SAMPLES);
    small_npz("images.npz", &images, NULL);
}

static void setup(void) {
    begin_test(NULL);
    set("data", small_path("images.npz"));
    set("scale", "1/255");
    set("metric", "sqnr");
    set("max-drop", "20pt");
    set("bits", "12");
}

static struct pare_tensors *run(const char *path) {
    struct pare_network *network;
    struct pare_tensors *inputs, *outputs;
    must(pare_network_open(context, path, &network));
    must(pare_tensors_new(context, &inputs));
    must(pare_tensors_read(context, inputs, network, small_path("images.npz")));
    must(pare_run(context, network, settings, inputs, &outputs));
    pare_tensors_free(inputs);
    pare_network_free(network);
    return outputs;
}

static double number(const struct pare_tensor *t, size_t i, bool is_class) {
    return is_class ? (double)((const int64_t *)t->data)[i] : (double)((const float *)t->data)[i];
}

/* Classes may change where scores are close. */
static void check_output(const struct pare_tensor *t, const struct pare_tensor *expected, const struct tail *tail) {
    ck_assert_int_eq(t->rank, tail->rank);
    ck_assert_int_eq(t->dims[0], tail->rank == 2 ? SAMPLES : SAMPLES * tail->width);
    int different = 0;
    for (size_t i = 0; i < (size_t)SAMPLES * (size_t)tail->width; i++) {
        different += fabs(number(t, i, tail->is_class) - number(expected, i, tail->is_class)) > tail->tolerance;
    }
    ck_assert_int_le(different, tail->is_class ? 2 : 0);
}

START_TEST(every_sample_by_itself) {
    const struct tail *tail = &tails[_i];
    const char *file = arena_format(&small_arena, "%s.onnx", tail->name);
    graph_free(small_model(file, tail->text));
    struct pare_network *network;
    struct pare_report *report;
    must(pare_network_open(context, small_path(file), &network));
    enum pare_status status = pare_quantize(context, network, settings, small_path(tail->name), &report);
    ck_assert_msg(status == PARE_OK || status == PARE_ERROR_BOUND, "%s", pare_message(context));
    pare_report_free(report);
    pare_network_free(network);
    static const char *const files[] = {"onnx", "pare"};
    struct pare_tensors *expected = run(small_path(file));
    for (int k = 0; k < 2; k++) {
        struct pare_tensors *outputs = run(arena_format(&small_arena, "%s/%s/model.%s", folder, tail->name, files[k]));
        struct pare_tensor own = pare_tensors_get(outputs, 0), other = pare_tensors_get(expected, 0);
        ck_assert_str_eq(own.name, "y");
        check_output(&own, &other, tail);
        pare_tensors_free(outputs);
    }
    pare_tensors_free(expected);
}
END_TEST

int main(void) {
    Suite *s = suite_create("api/tail");
    TCase *c = tcase_create("tail");
    tcase_set_timeout(c, 120);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_unchecked_fixture(c, make_inputs, remove_inputs);
    tcase_add_loop_test(c, every_sample_by_itself, 0, sizeof tails / sizeof tails[0]);
    suite_add_tcase(s, c);
    return suite_main(s);
}
