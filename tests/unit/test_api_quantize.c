/* The whole way through the public interface, on a small network. */
#include "api_fixture.h"
#include "pare/runtime.h"
#include "schema.h"

#include "suite_main.h"

#include <check.h>
#include <unistd.h>

static void make_inputs(void) {
    begin_folder();
    struct graph *g = small_model("cnn.onnx", small_cnn);
    struct tensor images = small_images(600), labels = small_labels(g, &images);
    small_npz("val.npz", &images, &labels);
    small_npz("unlabelled.npz", &images, NULL);
    graph_free(g);
}

static void setup(void) {
    begin_test("cnn.onnx");
    set("data", small_path("val.npz"));
    set("scale", "1/255");
    set("max-drop", "20pt");
}

static enum pare_status quantize(const char *name, struct pare_report **report) {
    return pare_quantize(context, model, settings, small_path(name), report);
}

static void quantize_to(const char *name) {
    struct pare_report *report;
    must(quantize(name, &report));
    pare_report_free(report);
}

/* ---- what is written ---- */

static struct file_map map_of(const char *name) {
    struct file_map map;
    small_must(file_map(&small_context, small_path(name), &map));
    return map;
}

/* report.json without what may differ between two runs. */
static json_t *report_of(const char *name) {
    json_t *report = json_load_file(small_path(name), 0, NULL);
    ck_assert_ptr_nonnull(report);
    ck_assert_int_eq(json_object_del(json_object_get(report, "search"), "seconds"), 0);
    return report;
}

START_TEST(test_threads_change_nothing) {
    must(pare_set_threads(context, 1));
    quantize_to("one");
    must(pare_set_threads(context, 2));
    quantize_to("two");
    check_same_file("one/model.onnx", "two/model.onnx");
    check_same_file("one/model.pare", "two/model.pare");
    json_t *one = report_of("one/report.json"), *two = report_of("two/report.json");
    ck_assert(json_equal(one, two));
    json_decref(one);
    json_decref(two);
}
END_TEST

/* A metric without shares of samples, and figures at 8 bits that were not measured, too. */
static const struct {
    const char *name, *value, *says;
} reported[] = {
    {"max-drop", "20pt", "bound of 20 points: held (drop "},
    {"max-drop", "20%", "bound of 20 % (17."},
    {"metric", "agreement", "agreement: samples for which both networks predict the same class"},
    {"metric", "sqnr", "bound of 20 % of noise (6.99 dB): held\n"},
    {"bits", "4,6", ".pare file, bytes "},
    {"weight-bits", "4..6", "bound of 20 points: held (drop "},
    {"keep-channels", "true", "bound of 20 points: held (drop "},
};

START_TEST(test_report_fits_its_schema) {
    struct pare_report *report;
    set(reported[_i].name, reported[_i].value);
    must(quantize("out", &report));
    json_t *schema = json_load_file(PARE_SOURCE "/docs/report.schema.json", 0, NULL);
    json_t *file = json_load_file(small_path("out/report.json"), 0, NULL);
    json_t *text = json_loads(pare_report_json(report), 0, NULL);
    ck_assert_ptr_nonnull(schema);
    ck_assert(schema_fits(schema, file, "report"));
    ck_assert(json_equal(file, text));
    ck_assert_ptr_nonnull(strstr(pare_report_text(report), reported[_i].says));
    json_object_del(json_object_get(file, "accuracy"), "metric");
    ck_assert(!schema_fits(schema, file, "(removed on purpose) report"));
    json_decref(schema);
    json_decref(file);
    json_decref(text);
    pare_report_free(report);
}
END_TEST

/* Names and metadata and all: at most 3 % and 1 KB beside the codes. */
static void check_overhead(const char *bits) {
    const char *file = "overhead/model.pare";
    struct pare_network *network;
    struct pare_report *report;
    set("bits", bits);
    quantize_to("overhead");
    must(pare_network_open(context, small_path(file), &network));
    must(pare_inspect(context, network, &report));
    json_t *root = json_loads(pare_report_json(report), 0, NULL);
    size_t exact = (size_t)json_integer_value(json_object_get(json_object_get(root, "totals"), "exact_bits")) / 8;
    struct file_map map = map_of(file);
    ck_assert_uint_gt(exact, 50);
    ck_assert_uint_le(map.size, exact + exact * 3 / 100 + 1024);
    ck_assert_ptr_nonnull(strstr(pare_report_json(report), "cnn.onnx")); /* nothing was stripped */
    ck_assert_ptr_nonnull(strstr(pare_report_json(report), "probabilities"));
    file_unmap(&map);
    json_decref(root);
    pare_report_free(report);
    pare_network_free(network);
}

START_TEST(test_a_compact_file_costs_little_beside_its_codes) {
    check_overhead("8");
    check_overhead("5");
}
END_TEST

/* ---- what a microcontroller must know ---- */

static void check_codes(const json_t *port, int bits, int frac, bool is_signed) {
    json_t *codes = json_object_get(port, "codes");
    ck_assert_int_eq(json_integer_value(json_object_get(codes, "bits")), bits);
    ck_assert_int_eq(json_integer_value(json_object_get(codes, "frac")), frac);
    ck_assert_int_eq(json_is_true(json_object_get(codes, "signed")), is_signed);
}

/* The formats told are those that the runtime finds in the file. */
static void check_ports(const json_t *ports) {
    struct file_map file = map_of("out/model.pare");
    struct pare_model m;
    struct pare_port in, out;
    ck_assert_int_eq(pare_model_open(file.data, file.size, &m), PARE_OK);
    ck_assert_int_eq(pare_model_input(&m, 0, &in), PARE_OK);
    ck_assert_int_eq(pare_model_output(&m, 0, &out), PARE_OK);
    json_t *input = json_array_get(json_object_get(ports, "inputs"), 0);
    json_t *output = json_array_get(json_object_get(ports, "outputs"), 0);
    check_codes(input, in.bits, in.frac, in.is_signed);
    check_codes(output, out.bits, out.frac, out.is_signed);
    ck_assert(json_is_null(json_object_get(input, "tail")));
    ck_assert_str_eq(json_string_value(json_object_get(output, "tail")), "Softmax");
    file_unmap(&file);
}

static json_t *inspect(const char *name) {
    struct pare_network *network;
    struct pare_report *report;
    must(pare_network_open(context, small_path(name), &network));
    must(pare_inspect(context, network, &report));
    ck_assert_ptr_nonnull(strstr(pare_report_text(report), "codes 8u/8\n"));
    ck_assert_ptr_nonnull(strstr(pare_report_text(report), "Softmax in float of the last integers: 3 codes "));
    json_t *json = json_loads(pare_report_json(report), 0, NULL);
    pare_report_free(report);
    pare_network_free(network);
    return json;
}

START_TEST(test_formats_of_inputs_and_outputs) {
    set("input-bits", "8");
    quantize_to("out");
    json_t *report = report_of("out/report.json");
    json_t *onnx = inspect("out/model.onnx"), *compact = inspect("out/model.pare");
    check_ports(json_object_get(report, "interface"));
    check_ports(onnx);
    check_ports(compact);
    json_decref(report);
    json_decref(onnx);
    json_decref(compact);
}
END_TEST

/* ---- what was written, run ---- */

static struct pare_tensors *run(const char *name) {
    struct pare_network *network;
    struct pare_tensors *inputs, *outputs;
    must(pare_network_open(context, small_path(name), &network));
    must(pare_tensors_new(context, &inputs));
    must(pare_tensors_read(context, inputs, network, small_path("unlabelled.npz")));
    set("preprocess", "true");
    set("all-values", "true");
    must(pare_run(context, network, settings, inputs, &outputs));
    pare_tensors_free(inputs);
    pare_network_free(network);
    return outputs;
}

static void check_same_tensor(struct pare_tensor a, struct pare_tensor b) {
    ck_assert_str_eq(a.name, b.name);
    ck_assert_int_eq(a.type, b.type);
    ck_assert_int_eq(a.rank, b.rank);
    size_t count = 1;
    for (int i = 0; i < a.rank; i++) {
        ck_assert_int_eq(a.dims[i], b.dims[i]);
        count *= (size_t)a.dims[i];
    }
    ck_assert_mem_eq(a.data, b.data, count * dtype_size((enum dtype)a.type));
}

START_TEST(test_both_files_give_the_same_values) {
    quantize_to("out");
    struct pare_tensors *onnx = run("out/model.onnx"), *compact = run("out/model.pare");
    ck_assert_uint_gt(pare_tensors_count(compact), 3);
    ck_assert_uint_eq(pare_tensors_count(onnx), pare_tensors_count(compact));
    for (size_t i = 0; i < pare_tensors_count(onnx); i++) {
        check_same_tensor(pare_tensors_get(onnx, i), pare_tensors_get(compact, i));
    }
    ck_assert_str_eq(pare_tensors_get(compact, 0).name, "probabilities");
    ck_assert_str_eq(pare_tensors_get(compact, 1).name, "image_quantized");
    pare_tensors_free(onnx);
    pare_tensors_free(compact);
}
END_TEST

/* The preprocessing is found in the file. */
static double top1_of(const char *name) {
    struct pare_settings *plain;
    struct pare_network *network;
    struct pare_report *report;
    must(pare_network_open(context, small_path(name), &network));
    must(pare_settings_new(context, &plain));
    must(pare_settings_set(context, plain, "data", small_path("val.npz")));
    must(pare_evaluate(context, network, plain, NULL, &report));
    json_t *json = json_loads(pare_report_json(report), 0, NULL);
    double top1 = json_number_value(json_object_get(json, "top1"));
    json_decref(json);
    pare_report_free(report);
    pare_settings_free(plain);
    pare_network_free(network);
    return top1;
}

START_TEST(test_report_and_evaluation_agree) {
    quantize_to("out");
    json_t *report = json_load_file(small_path("out/report.json"), 0, NULL);
    json_t *accuracy = json_object_get(report, "accuracy");
    double search, held_out;
    int searched, held;
    ck_assert_int_eq(json_unpack(accuracy, "{s:{s:F,s:F}, s:{s:i,s:i}}", "quantized", "search", &search, "held_out",
                                 &held_out, "samples", "search", &searched, "held_out", &held),
                     0);
    double expected = (search * searched + held_out * held) / (searched + held);
    ck_assert_int_eq(searched + held, 600);
    ck_assert_double_eq_tol(top1_of("out/model.pare"), expected, 1e-9);
    ck_assert_double_eq_tol(top1_of("out/model.onnx"), expected, 1e-9);
    json_decref(report);
}
END_TEST

/* ---- other ends ---- */

START_TEST(test_too_few_samples_for_the_bound) {
    set("max-drop", "0.01pt");
    struct pare_report *report;
    ck_assert_int_eq(quantize("few", &report), PARE_ERROR_BOUND);
    ck_assert_ptr_nonnull(report);
    ck_assert_ptr_nonnull(strstr(pare_report_text(report), "NOT held"));
    ck_assert_uint_gt(strlen(pare_message(context)), 10);
    ck_assert(file_exists(small_path("few/model.onnx")) && file_exists(small_path("few/model.pare")));
    pare_report_free(report);
}
END_TEST

static void cancel_at_a_point(void *user, const struct pare_progress *progress) {
    if (progress->note != NULL) {
        pare_cancel(user);
    }
}

START_TEST(test_interrupted_with_a_point) {
    pare_on_progress(context, cancel_at_a_point, context);
    struct pare_report *report;
    ck_assert_int_eq(quantize("stopped", &report), PARE_ERROR_INTERRUPTED);
    ck_assert_ptr_nonnull(report);
    ck_assert(file_exists(small_path("stopped/model.pare")));
    pare_report_free(report);
    pare_cancel_clear(context);
    pare_on_progress(context, NULL, NULL);
    set("resume", "true");
    quantize_to("stopped");
    quantize_to("whole");
    check_same_file("stopped/model.pare", "whole/model.pare");
}
END_TEST

/* The smallest limit leaves the point that the search starts from. */
START_TEST(test_out_of_time) {
    set("time-limit", "0.000001s");
    quantize_to("limited");
    json_t *report = report_of("limited/report.json"), *search = json_object_get(report, "search");
    ck_assert_str_eq(json_string_value(json_object_get(search, "stopped")), "time limit");
    ck_assert_uint_eq(json_array_size(json_object_get(search, "pareto")), 1);
    json_decref(report);
    set("time-limit", "1h");
    set("resume", "true");
    quantize_to("limited");
    quantize_to("unlimited");
    check_same_file("limited/model.pare", "unlimited/model.pare");
    report = report_of("limited/report.json");
    ck_assert(json_is_null(json_object_get(json_object_get(report, "search"), "stopped")));
    json_decref(report);
}
END_TEST

START_TEST(test_interrupted_before_any_point) {
    pare_cancel(context);
    struct pare_report *report;
    ck_assert_int_eq(quantize("nothing", &report), PARE_ERROR_INTERRUPTED);
    ck_assert_ptr_null(report);
    ck_assert(!file_exists(small_path("nothing/model.pare")));
}
END_TEST

START_TEST(test_without_labels) {
    set("data", small_path("unlabelled.npz"));
    quantize_to("agreement");
    json_t *report = json_load_file(small_path("agreement/report.json"), 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(report, "accuracy"), "metric")), "agreement");
    json_decref(report);
    set("metric", "top1");
    struct pare_report *none;
    ck_assert_int_eq(quantize("none", &none), PARE_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(pare_message(context), "has no labels"));
}
END_TEST

START_TEST(test_quantised_twice) {
    quantize_to("out");
    for (int i = 0; i < 2; i++) {
        struct pare_network *network;
        struct pare_report *report;
        must(pare_network_open(context, small_path(i == 0 ? "out/model.onnx" : "out/model.pare"), &network));
        ck_assert_int_eq(pare_network_kind(network), i == 0 ? PARE_NETWORK_REWRITTEN : PARE_NETWORK_COMPACT);
        ck_assert_int_eq(pare_quantize(context, network, settings, small_path("twice"), &report), PARE_ERROR_INPUT);
        ck_assert_ptr_nonnull(strstr(pare_message(context), "quantised already"));
        pare_network_free(network);
    }
}
END_TEST

int main(void) {
    Suite *s = suite_create("api/quantize");
    TCase *c = tcase_create("quantize");
    tcase_set_timeout(c, 600);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_unchecked_fixture(c, make_inputs, remove_inputs);
    tcase_add_test(c, test_threads_change_nothing);
    tcase_add_loop_test(c, test_report_fits_its_schema, 0, sizeof reported / sizeof reported[0]);
    tcase_add_test(c, test_a_compact_file_costs_little_beside_its_codes);
    tcase_add_test(c, test_formats_of_inputs_and_outputs);
    tcase_add_test(c, test_both_files_give_the_same_values);
    tcase_add_test(c, test_report_and_evaluation_agree);
    tcase_add_test(c, test_too_few_samples_for_the_bound);
    tcase_add_test(c, test_interrupted_with_a_point);
    tcase_add_test(c, test_out_of_time);
    tcase_add_test(c, test_interrupted_before_any_point);
    tcase_add_test(c, test_without_labels);
    tcase_add_test(c, test_quantised_twice);
    suite_add_tcase(s, c);
    return suite_main(s);
}
