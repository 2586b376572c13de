/* Widths by kind, and widths that are given. */
#include "api_fixture.h"

#include "suite_main.h"

#include <check.h>
#include <jansson.h>

static void make_inputs(void) {
    begin_folder();
    struct graph *g = small_model("cnn.onnx", small_cnn);
    struct tensor images = small_images(600), labels = small_labels(g, &images);
    small_npz("val.npz", &images, &labels);
    graph_free(g);
}

static void fill_settings(void) {
    set("data", small_path("val.npz"));
    set("scale", "1/255");
    set("max-drop", "20pt");
}

static void setup(void) {
    begin_test("cnn.onnx");
    fill_settings();
}

static json_t *quantize_to(const char *name) {
    struct pare_report *report;
    must(pare_quantize(context, model, settings, small_path(name), &report));
    json_t *root = json_loads(pare_report_json(report), 0, NULL);
    pare_report_free(report);
    return root;
}

static void refuse(const char *name, enum pare_status status, const char *says) {
    struct pare_report *report;
    ck_assert_int_eq(pare_quantize(context, model, settings, small_path(name), &report), status);
    ck_assert_ptr_null(report);
    ck_assert_msg(strstr(pare_message(context), says) != NULL, "%s", pare_message(context));
    ck_assert(!file_exists(small_path(name)));
}

static int bits_of(const json_t *layer, const char *member) {
    return (int)json_integer_value(json_object_get(json_object_get(layer, member), "bits"));
}

/* ---- by kind ---- */

START_TEST(widths_of_weights_and_activations) {
    set("weight-bits", "4");
    set("activation-bits", "5,6");
    json_t *report = quantize_to("kinds"), *layers = json_object_get(report, "layers");
    size_t count = json_array_size(layers), weights = 0, i;
    json_t *layer;
    json_array_foreach(layers, i, layer) {
        int weight = bits_of(layer, "weight"), output = bits_of(layer, "output");
        weights += weight != 0;
        ck_assert_msg(weight == 0 || weight == 4, "%zu: %d", i, weight);
        ck_assert_msg(output == 5 || output == 6 || i + 1 == count, "%zu: %d", i, output);
    }
    ck_assert_uint_ge(weights, 2);
    json_decref(report);
}
END_TEST

/* The settings of the search are those that the networks tell of. */
START_TEST(another_point_of_such_a_search) {
    struct pare_report *picked;
    set("weight-bits", "3,4");
    set("activation-bits", "4..6");
    json_t *report = quantize_to("search");
    size_t points = json_array_size(json_object_get(json_object_get(report, "search"), "pareto"));
    ck_assert_uint_gt(points, 1);
    set("point", "2");
    must(pare_pick(context, settings, small_path("search"), small_path("picked"), &picked));
    pare_report_free(picked);
    json_decref(report);
}
END_TEST

/* ---- given ---- */

static json_t *first_layer(const json_t *report) {
    return json_array_get(json_object_get(report, "layers"), 0);
}

static void write_widths(const json_t *report) {
    ck_assert_int_eq(json_dump_file(report, small_path("widths.json"), 0), 0);
    set("widths", small_path("widths.json"));
}

/* Every width of the report but the one that was changed, in one evaluation of each set. */
START_TEST(given_widths_are_followed) {
    json_t *searched = quantize_to("searched");
    int output = bits_of(first_layer(searched), "output"), weight = bits_of(first_layer(searched), "weight") + 1;
    ck_assert_int_eq(
        json_object_set_new(json_object_get(first_layer(searched), "weight"), "bits", json_integer(weight)), 0);
    write_widths(searched);
    json_t *given = quantize_to("given");
    json_t *before = json_object_get(searched, "layers"), *now = json_object_get(given, "layers"), *layer;
    size_t i;
    ck_assert_int_eq(bits_of(first_layer(given), "weight"), weight);
    ck_assert_int_eq(bits_of(first_layer(given), "output"), output);
    ck_assert_uint_eq(json_array_size(before), json_array_size(now));
    json_array_foreach(now, i, layer) {
        ck_assert_int_eq(bits_of(layer, "weight"), bits_of(json_array_get(before, i), "weight"));
        ck_assert_int_eq(bits_of(layer, "bias"), bits_of(json_array_get(before, i), "bias"));
        ck_assert_int_eq(bits_of(layer, "output"), bits_of(json_array_get(before, i), "output"));
    }
    json_t *search = json_object_get(given, "search");
    ck_assert_uint_eq(json_array_size(json_object_get(search, "pareto")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(search, "full_evaluations")), 2);
    json_decref(searched);
    json_decref(given);
}
END_TEST

START_TEST(what_is_not_given_has_8_bits) {
    json_t *part = json_pack("{s:[]}", "layers");
    write_widths(part);
    json_t *report = quantize_to("eights"), *layer;
    size_t i;
    json_array_foreach(json_object_get(report, "layers"), i, layer) {
        ck_assert(bits_of(layer, "weight") == 0 || bits_of(layer, "weight") == 8);
        ck_assert_int_eq(bits_of(layer, "output"), 8);
    }
    json_decref(part);
    json_decref(report);
}
END_TEST

START_TEST(a_bound_that_they_do_not_hold) {
    struct pare_report *report;
    json_t *root = quantize_to("wide"), *layer;
    size_t i;
    json_array_foreach(json_object_get(root, "layers"), i, layer) {
        json_object_set_new(json_object_get(layer, "output"), "bits", json_integer(2));
    }
    write_widths(root);
    set("max-drop", "0.5pt");
    ck_assert_int_eq(pare_quantize(context, model, settings, small_path("narrow"), &report), PARE_ERROR_BOUND);
    ck_assert_ptr_nonnull(strstr(pare_report_text(report), "NOT held"));
    ck_assert(file_exists(small_path("narrow/model.pare")));
    pare_report_free(report);
    json_decref(root);
}
END_TEST

START_TEST(nothing_else_to_pick) {
    struct pare_report *report;
    json_t *part = json_pack("{s:[]}", "layers");
    write_widths(part);
    json_decref(quantize_to("single"));
    pare_settings_free(settings);
    must(pare_settings_new(context, &settings));
    fill_settings();
    set("point", "1");
    ck_assert_int_eq(pare_pick(context, settings, small_path("single"), small_path("none"), &report), PARE_ERROR_INPUT);
    ck_assert_msg(strstr(pare_message(context), "widths were given") != NULL, "%s", pare_message(context));
    json_decref(part);
}
END_TEST

static const struct {
    const char *text, *says;
} refused[] = {
    {"", "no widths of layers"},
    {"[]", "no widths of layers"},
    {"{\"layers\": 3}", "no widths of layers"},
    {"{\"layers\": [{\"weight\": {\"bits\": 4}}]}", "an entry has no name"},
    {"{\"layers\": [{\"name\": \"conv0\", \"weight\": {\"bits\": 17}}]}", "'conv0' has no weight.bits from 2 to 16"},
    {"{\"layers\": [{\"name\": \"conv0\", \"output\": {\"bits\": \"4\"}}]}", "no output.bits"},
    {"{\"layers\": [{\"name\": \"nowhere\"}]}", "no layer 'nowhere'"},
    {"{\"layers\": [], \"interface\": {\"inputs\": [{\"name\": \"y\", \"codes\": {\"bits\": 8}}]}}", "no input 'y'"},
};

START_TEST(files_that_cannot_be_followed) {
    small_must(file_write(&small_context, small_path("widths.json"), refused[_i].text, strlen(refused[_i].text)));
    set("widths", small_path("widths.json"));
    refuse("refused", PARE_ERROR_INPUT, refused[_i].says);
}
END_TEST

START_TEST(not_beside_what_a_search_needs) {
    static const char *const others[][2] = {{"bits", "4..8"},    {"weight-bits", "4"}, {"activation-bits", "4"},
                                            {"input-bits", "8"}, {"ram-max", "64KB"},  {"time-limit", "5m"}};
    set("widths", small_path("widths.json"));
    set(others[_i][0], others[_i][1]);
    refuse("refused", PARE_ERROR_USAGE, "'widths' gives every width");
}
END_TEST

int main(void) {
    Suite *s = suite_create("api/widths");
    TCase *c = tcase_create("widths");
    tcase_set_timeout(c, 600);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_unchecked_fixture(c, make_inputs, remove_inputs);
    tcase_add_test(c, widths_of_weights_and_activations);
    tcase_add_test(c, another_point_of_such_a_search);
    tcase_add_test(c, given_widths_are_followed);
    tcase_add_test(c, what_is_not_given_has_8_bits);
    tcase_add_test(c, a_bound_that_they_do_not_hold);
    tcase_add_test(c, nothing_else_to_pick);
    tcase_add_loop_test(c, files_that_cannot_be_followed, 0, sizeof refused / sizeof refused[0]);
    tcase_add_loop_test(c, not_beside_what_a_search_needs, 0, 6);
    suite_add_tcase(s, c);
    return suite_main(s);
}
