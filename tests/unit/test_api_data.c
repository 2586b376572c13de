/* Data that do not fit the network or the samples before them, through the public interface. */
#include "api_fixture.h"

#include "suite_main.h"

#include <check.h>

static const char open_sizes[] = "graph sizes {\n"
                                 "input image: float32[N,1,H,W]\n"
                                 "const w1: float32[4,1,3,3] = random(1,-0.6,0.6)\n"
                                 "const w2: float32[4,3] = random(3,-0.9,0.9)\n"
                                 "a = Conv(image, w1) as conv {pads=[1,1,1,1]}\n"
                                 "b = GlobalMaxPool(a) as pool\n"
                                 "c = Flatten(b) as flatten\n"
                                 "scores = MatMul(c, w2) as dense\n"
                                 "output scores }\n";

static void images(const char *name, int rank, const int64_t *dims) {
    struct tensor t = small_tensor(DTYPE_UINT8, rank, dims);
    for (size_t i = 0; i < tensor_count(&t); i++) {
        ((uint8_t *)t.data)[i] = (uint8_t)small_random();
    }
    small_npz(name, &t, NULL);
}

static void make_inputs(void) {
    begin_folder();
    graph_free(small_model("sizes.onnx", open_sizes));
    images("small.npz", 4, (int64_t[]){32, 1, 8, 8});
    images("large.npz", 4, (int64_t[]){32, 1, 64, 64});
    images("tiny.npz", 4, (int64_t[]){32, 1, 2, 3});
    images("batches.npz", 5, (int64_t[]){32, 4, 1, 8, 8});
    images("singles.npz", 5, (int64_t[]){32, 1, 1, 8, 8});
}

static void setup(void) {
    begin_test("sizes.onnx");
    set("scale", "1/255");
    set("max-drop", "20pt");
    set("bits", "8");
}

static void check_refused(const char *setting, const char *file, const char *what) {
    set("data", small_path("small.npz"));
    set(setting, small_path(file));
    struct pare_report *report;
    ck_assert_int_eq(pare_quantize(context, model, settings, small_path("out"), &report), PARE_ERROR_INPUT);
    ck_assert_msg(strstr(pare_message(context), what) != NULL, "'%s' not in: %s", what, pare_message(context));
    ck_assert_msg(strstr(pare_message(context), file) != NULL, "'%s' not in: %s", file, pare_message(context));
    ck_assert(!file_exists(small_path("out")));
}

static const char *const other_sizes[][3] = {
    {"calib", "large.npz", "has shape [1,1,64,64], but the network is quantised for [1,1,8,8]"},
    {"calib", "tiny.npz", "has shape [1,1,2,3], but the network is quantised for [1,1,8,8]"},
    {"test", "large.npz", "has shape [1,1,64,64], but the network is quantised for [1,1,8,8]"},
    {"test", "tiny.npz", "has shape [1,1,2,3], but the network is quantised for [1,1,8,8]"},
    {"data", "batches.npz", "a sample that is a whole input has a batch of 1"},
    {"calib", "batches.npz", "a sample that is a whole input has a batch of 1"},
    {"test", "batches.npz", "a sample that is a whole input has a batch of 1"},
};

START_TEST(samples_of_another_size) {
    check_refused(other_sizes[_i][0], other_sizes[_i][1], other_sizes[_i][2]);
}
END_TEST

/* Refused before anything runs: no progress is told. */
static void count_progress(void *user, const struct pare_progress *progress) {
    (void)progress;
    ++*(int *)user;
}

START_TEST(an_output_called_like_the_predictions) {
    int steps = 0;
    struct pare_network *network;
    struct pare_tensors *predictions;
    struct pare_report *report;
    graph_free(small_model("predicted.onnx", "graph g {\n"
                                             "input image: float32[N,1,8,8]\n"
                                             "predicted = Flatten(image) as flatten\n"
                                             "output predicted }\n"));
    must(pare_network_open(context, small_path("predicted.onnx"), &network));
    set("data", small_path("small.npz"));
    pare_on_progress(context, count_progress, &steps);
    ck_assert_int_eq(pare_evaluate(context, network, settings, &predictions, &report), PARE_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(pare_message(context), "has an output named 'predicted'"));
    ck_assert_ptr_null(predictions);
    ck_assert_int_eq(steps, 0);
    must(pare_evaluate(context, network, settings, NULL, &report));
    ck_assert_int_gt(steps, 0);
    pare_report_free(report);
    pare_network_free(network);
}
END_TEST

START_TEST(whole_inputs_of_one_sample) {
    set("data", small_path("small.npz"));
    set("calib", small_path("singles.npz"));
    struct pare_report *report;
    enum pare_status status = pare_quantize(context, model, settings, small_path("singles"), &report);
    ck_assert_msg(status == PARE_OK || status == PARE_ERROR_BOUND, "%s", pare_message(context));
    ck_assert(file_exists(small_path("singles/model.pare")));
    pare_report_free(report);
}
END_TEST

int main(void) {
    Suite *s = suite_create("api/data");
    TCase *c = tcase_create("data");
    tcase_set_timeout(c, 120);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_unchecked_fixture(c, make_inputs, remove_inputs);
    tcase_add_loop_test(c, samples_of_another_size, 0, sizeof other_sizes / sizeof other_sizes[0]);
    tcase_add_test(c, whole_inputs_of_one_sample);
    tcase_add_test(c, an_output_called_like_the_predictions);
    suite_add_tcase(s, c);
    return suite_main(s);
}
