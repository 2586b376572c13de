/* Contexts, settings, networks, tensors and runs through the public interface. */
#include "pare/pare.h"
#include "small_network.h"

#include "suite_main.h"

#include <check.h>
#include <unistd.h>

static char folder[] = "/tmp/pare-test-XXXXXX";
static struct pare_context *context;

static void must(enum pare_status status) {
    ck_assert_msg(status == PARE_OK, "%s", pare_message(context));
}

static void check_refused(enum pare_status status, enum pare_status expected, const char *what) {
    ck_assert_int_eq(status, expected);
    ck_assert_msg(strstr(pare_message(context), what) != NULL, "'%s' not in: %s", what, pare_message(context));
}

static const char two_inputs[] = "graph two {\n"
                                 "input left: float32[1,4] input right: float32[1,4]\n"
                                 "sum = Add(left, right) output sum }\n";
static const char fixed_batch[] = "graph fixed {\n"
                                  "input x: float32[2,3] y = Relu(x) output y }\n";
static const char no_batch[] = "graph scalar {\n"
                               "input x: float32[N,3] const a: int64[1] = [0]\n"
                               "y = ReduceMean(x, a) {keepdims=0} output y }\n";

static void make_inputs(void) {
    ck_assert_ptr_nonnull(mkdtemp(folder));
    small_begin(folder);
    graph_free(small_model("cnn.onnx", small_cnn));
    graph_free(small_model("two.onnx", two_inputs));
    graph_free(small_model("fixed.onnx", fixed_batch));
    graph_free(small_model("mean.onnx", no_batch));
}

static void remove_inputs(void) {
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    small_end();
}

static void setup(void) {
    context = pare_context_new();
    ck_assert_ptr_nonnull(context);
}

static void teardown(void) {
    pare_context_free(context);
}

static struct pare_network *open_network(const char *name) {
    struct pare_network *network;
    must(pare_network_open(context, small_path(name), &network));
    return network;
}

/* ---- context and settings ---- */

START_TEST(test_threads) {
    check_refused(pare_set_threads(context, 0), PARE_ERROR_USAGE, "threads: 0");
    check_refused(pare_set_threads(context, 1025), PARE_ERROR_USAGE, "threads: 1025");
    must(pare_set_threads(context, 1));
    ck_assert_str_eq(pare_message(context), "");
}
END_TEST

static const struct {
    const char *name, *value;
    bool fits;
} cases[] = {
    {"max-drop", "1%", true},       {"max-drop", "0.5pt", true}, {"max-drop", "0%", false},
    {"max-drop", "0.001pt", true},  {"max-drop", "1", false},    {"max-drop", "-1%", false},
    {"max-drop", "101%", false},    {"max-drop", "nan%", false}, {"max-drop", "1%%", false},
    {"max-drop", "", false},        {"bits", "8", true},         {"bits", "2..8", true},
    {"bits", "2,4,8..16", true},    {"bits", "1..8", false},     {"bits", "8..2", false},
    {"bits", "17", false},          {"bits", "4,", false},       {"bits", "", false},
    {"metric", "top1", true},       {"metric", "sqnr", true},    {"metric", "top", false},
    {"cost", "bitops", true},       {"cost", "cheap", false},    {"seed", "9007199254740992", true},
    {"seed", "-1", false},          {"seed", "0x10", false},     {"seed", "9007199254740993", false},
    {"confidence", "0.99", true},   {"confidence", "1", false},  {"confidence", "0.5", false},
    {"scale", "1/255", true},       {"scale", "x", false},       {"mean", "0.5,0.25", true},
    {"mean", "0.5,,1", false},      {"std", "0.1,0.2", true},    {"layout", "nhwc", true},
    {"layout", "nwhc", false},      {"resume", "true", true},    {"resume", "yes", false},
    {"data", "anything.npz", true}, {"dates", "x", false},
};

START_TEST(test_settings) {
    struct pare_settings *s;
    must(pare_settings_new(context, &s));
    enum pare_status status = pare_settings_set(context, s, cases[_i].name, cases[_i].value);
    ck_assert_msg(status == (cases[_i].fits ? PARE_OK : PARE_ERROR_USAGE), "%s '%s': %s", cases[_i].name,
                  cases[_i].value, pare_message(context));
    ck_assert_int_eq(pare_message(context)[0] == 0, cases[_i].fits);
    pare_settings_free(s);
}
END_TEST

/* ---- tensors ---- */

static void add_floats(struct pare_tensors *set, const char *name, int64_t rows, int64_t columns) {
    float values[64];
    for (int i = 0; i < 64; i++) {
        values[i] = (float)(i - 8);
    }
    struct pare_tensor t = {
        .name = name, .type = PARE_TYPE_FLOAT32, .rank = 2, .dims = (int64_t[]){rows, columns}, .data = values};
    must(pare_tensors_add(context, set, &t));
}

START_TEST(test_tensors_are_copies) {
    struct pare_tensors *set;
    must(pare_tensors_new(context, &set));
    add_floats(set, "a", 2, 3);
    ck_assert_uint_eq(pare_tensors_count(set), 1);
    struct pare_tensor t = pare_tensors_get(set, 0);
    ck_assert_str_eq(t.name, "a");
    ck_assert_int_eq(t.dims[1], 3);
    ck_assert(((const float *)t.data)[5] == -3);
    check_refused(pare_tensors_add(context, set, &t), PARE_ERROR_USAGE, "given twice");
    t.name = "b";
    t.rank = 9;
    check_refused(pare_tensors_add(context, set, &t), PARE_ERROR_USAGE, "rank 9");
    t.rank = 1;
    t.type = 99;
    check_refused(pare_tensors_add(context, set, &t), PARE_ERROR_USAGE, "type 99");
    pare_tensors_free(set);
}
END_TEST

/* ---- runs ---- */

static enum pare_status run_floats(const char *model, const char *name, int64_t rows, int64_t columns,
                                   struct pare_tensors **outputs) {
    struct pare_network *network = open_network(model);
    struct pare_tensors *inputs;
    must(pare_tensors_new(context, &inputs));
    add_floats(inputs, name, rows, columns);
    enum pare_status status = pare_run(context, network, NULL, inputs, outputs);
    pare_tensors_free(inputs);
    pare_network_free(network);
    return status;
}

START_TEST(test_fixed_batches_are_joined) {
    struct pare_tensors *outputs;
    must(run_floats("fixed.onnx", "x", 6, 3, &outputs));
    struct pare_tensor y = pare_tensors_get(outputs, 0);
    ck_assert_int_eq(y.dims[0], 6);
    for (int i = 0; i < 18; i++) {
        ck_assert(((const float *)y.data)[i] == (i > 8 ? (float)(i - 8) : 0));
    }
    pare_tensors_free(outputs);
    check_refused(run_floats("fixed.onnx", "x", 5, 3, &outputs), PARE_ERROR_INPUT, "[5,3]");
    ck_assert_ptr_null(outputs);
}
END_TEST

START_TEST(test_outputs_without_samples_are_not_joined) {
    struct pare_tensors *outputs;
    must(run_floats("mean.onnx", "x", 4, 3, &outputs));
    struct pare_tensor y = pare_tensors_get(outputs, 0);
    ck_assert_int_eq(y.rank, 1);
    ck_assert_int_eq(y.dims[0], 3);
    ck_assert(((const float *)y.data)[0] == -3.5f);
    pare_tensors_free(outputs);
}
END_TEST

START_TEST(test_inputs_that_do_not_fit) {
    struct pare_tensors *outputs;
    check_refused(run_floats("two.onnx", "left", 1, 4, &outputs), PARE_ERROR_INPUT, "input 'right' is missing");
    check_refused(run_floats("two.onnx", "middle", 1, 4, &outputs), PARE_ERROR_INPUT, "no input 'middle'");
    check_refused(run_floats("fixed.onnx", "x", 2, 4, &outputs), PARE_ERROR_INPUT, "float32 [2,3]");
}
END_TEST

START_TEST(test_sources) {
    struct pare_network *two = open_network("two.onnx");
    struct pare_tensors *set;
    must(pare_tensors_new(context, &set));
    add_floats(set, "left", 1, 4);
    must(pare_tensors_write(context, set, small_path("left.npz")));
    pare_tensors_free(set);
    must(pare_tensors_new(context, &set));
    must(pare_tensors_read(context, set, two, small_path("left.npz")));
    ck_assert_str_eq(pare_tensors_get(set, 0).name, "left");
    check_refused(pare_tensors_read(context, set, two, "gone.npy"), PARE_ERROR_INPUT, "gone.npy");
    check_refused(pare_tensors_read(context, set, two, "up=gone.npy"), PARE_ERROR_INPUT, "no input has that name");
    check_refused(pare_tensors_read(context, set, two, folder), PARE_ERROR_INPUT, "input_0.pb");
    pare_tensors_free(set);
    pare_network_free(two);
}
END_TEST

/* ---- hostile files ---- */

START_TEST(test_every_cut_is_refused) {
    struct file_map whole;
    small_must(file_map(&small_context, small_path("cnn.onnx"), &whole));
    for (size_t size = 0; size < whole.size; size += 37) {
        struct pare_network *network;
        small_write("cut.onnx", whole.data, size);
        enum pare_status status = pare_network_open(context, small_path("cut.onnx"), &network);
        ck_assert_msg(status == PARE_ERROR_INPUT, "%zu bytes: %s", size, pare_message(context));
        ck_assert_ptr_null(network);
    }
    file_unmap(&whole);
}
END_TEST

int main(void) {
    Suite *s = suite_create("api/network");
    TCase *c = tcase_create("network");
    tcase_set_timeout(c, 120);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_unchecked_fixture(c, make_inputs, remove_inputs);
    tcase_add_test(c, test_threads);
    tcase_add_loop_test(c, test_settings, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(c, test_tensors_are_copies);
    tcase_add_test(c, test_fixed_batches_are_joined);
    tcase_add_test(c, test_outputs_without_samples_are_not_joined);
    tcase_add_test(c, test_inputs_that_do_not_fit);
    tcase_add_test(c, test_sources);
    tcase_add_test(c, test_every_cut_is_refused);
    suite_add_tcase(s, c);
    return suite_main(s);
}
