/* pare_quantize with limits on what the network may cost. */
#include "api_fixture.h"
#include "schema.h"

#include "suite_main.h"

#include <check.h>
#include <unistd.h>

static void make_inputs(void) {
    begin_folder();
    struct graph *g = small_model("cnn.onnx", small_cnn);
    struct tensor images = small_images(400), labels = small_labels(g, &images);
    small_npz("val.npz", &images, &labels);
    graph_free(g);
}

static void setup(void) {
    begin_test("cnn.onnx");
    set("data", small_path("val.npz"));
    set("scale", "1/255");
}

static json_t *quantize(const char *name, enum pare_status expected) {
    struct pare_report *report;
    enum pare_status status = pare_quantize(context, model, settings, small_path(name), &report);
    ck_assert_msg(status == expected, "%d: %s", status, pare_message(context));
    ck_assert_ptr_nonnull(report);
    json_t *json = json_loads(pare_report_json(report), 0, NULL);
    json_t *schema = json_load_file(PARE_SOURCE "/docs/report.schema.json", 0, NULL);
    ck_assert(schema_fits(schema, json, "report"));
    json_decref(schema);
    pare_report_free(report);
    return json;
}

static int64_t cost_of(const json_t *report, const char *key) {
    return (int64_t)json_integer_value(json_object_get(json_object_get(report, "cost"), key));
}

static bool limits_held(const json_t *report) {
    return json_is_true(json_object_get(json_object_get(json_object_get(report, "cost"), "limits"), "held"));
}

static bool is_null(const json_t *report, const char *object, const char *key) {
    return json_is_null(json_object_get(json_object_get(report, object), key));
}

static int64_t size_of(const char *name) {
    struct file_map map;
    small_must(file_map(&small_context, small_path(name), &map));
    int64_t size = (int64_t)map.size;
    file_unmap(&map);
    return size;
}

static void set_share(const char *name, int64_t whole, double share) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)((double)whole * share));
    set(name, text);
}

/* What 8 bits everywhere cost, with the metadata of a search under this limit. */
static json_t *ample(const char *name) {
    set(name, "1000000000");
    return quantize("ample", PARE_OK);
}

START_TEST(an_ample_limit_takes_nothing) {
    json_t *report = ample("flash-max");
    ck_assert(limits_held(report));
    ck_assert_int_eq(cost_of(report, "parameter_bits"), cost_of(report, "parameter_bits_8bit"));
    ck_assert_int_eq(cost_of(report, "bit_operations"), cost_of(report, "bit_operations_8bit"));
    ck_assert(is_null(report, "accuracy", "bound_held") && is_null(report, "accuracy", "bound_points"));
    ck_assert(is_null(report, "settings", "max_drop"));
    json_decref(report);
}
END_TEST

/* The file itself, metadata and all; and most of what the limit leaves is used. */
START_TEST(the_file_is_within_flash) {
    json_t *all = ample("flash-max");
    set_share("flash-max", cost_of(all, "pare_bytes"), 0.93);
    json_t *report = quantize("flash", PARE_OK);
    int64_t limit = (int64_t)((double)cost_of(all, "pare_bytes") * 0.93), size = size_of("flash/model.pare");
    ck_assert(limits_held(report));
    ck_assert_int_le(size, limit);
    ck_assert_int_ge(size, limit * 97 / 100);
    ck_assert_int_eq(cost_of(report, "pare_bytes"), size);
    json_decref(report);
    json_decref(all);
}
END_TEST

START_TEST(bit_operations_are_within_their_limit) {
    json_t *all = ample("bitops-max");
    int64_t whole = cost_of(all, "bit_operations_8bit");
    set_share("bitops-max", whole, 0.4);
    json_t *report = quantize("bitops", PARE_OK);
    ck_assert(limits_held(report));
    ck_assert_int_le(cost_of(report, "bit_operations"), whole * 4 / 10);
    ck_assert_int_ge(cost_of(report, "bit_operations"), whole * 3 / 10);
    json_decref(report);
    json_decref(all);
}
END_TEST

START_TEST(two_limits_hold_together) {
    json_t *all = ample("flash-max");
    int64_t bytes = cost_of(all, "pare_bytes"), operations = cost_of(all, "bit_operations_8bit");
    set_share("flash-max", bytes, 0.97);
    set_share("bitops-max", operations, 0.5);
    json_t *report = quantize("two", PARE_OK);
    ck_assert(limits_held(report));
    ck_assert_int_le(size_of("two/model.pare"), bytes * 97 / 100);
    ck_assert_int_le(cost_of(report, "bit_operations"), operations / 2);
    json_decref(report);
    json_decref(all);
}
END_TEST

START_TEST(ram_is_within_its_limit_or_it_is_said) {
    json_t *all = ample("ram-max");
    int64_t peak = cost_of(all, "peak_activation_bytes");
    set_share("ram-max", peak, 1);
    json_t *report = quantize("ram", PARE_OK);
    ck_assert(limits_held(report));
    json_decref(report);
    set_share("ram-max", peak, 0.5);
    report = quantize("ram", PARE_ERROR_BOUND);
    ck_assert(!limits_held(report));
    ck_assert_ptr_nonnull(strstr(pare_message(context), "--ram-max"));
    ck_assert(file_exists(small_path("ram/model.pare")));
    json_decref(report);
    json_decref(all);
}
END_TEST

/* Sixteen bits take two bytes, four take one: narrower activations make the peak smaller here. */
START_TEST(ram_is_saved_where_widths_can) {
    set("bits", "4,16");
    json_t *all = ample("ram-max");
    int64_t peak = cost_of(all, "peak_activation_bytes");
    set_share("ram-max", peak, 0.6);
    json_t *report = quantize("ram", PARE_OK);
    ck_assert(limits_held(report));
    ck_assert_int_le(cost_of(report, "peak_activation_bytes"), peak * 6 / 10);
    json_decref(report);
    json_decref(all);
}
END_TEST

START_TEST(an_impossible_limit_is_said) {
    set("flash-max", "100");
    json_t *report = quantize("impossible", PARE_ERROR_BOUND);
    ck_assert(!limits_held(report));
    ck_assert_ptr_nonnull(strstr(pare_message(context), "--flash-max 100 cannot be kept"));
    ck_assert(file_exists(small_path("impossible/model.pare")));
    json_decref(report);
}
END_TEST

/* The search for the fewest bits ends within it already. */
START_TEST(bound_and_limit_hold_together) {
    json_t *all = ample("flash-max");
    set("max-drop", "20pt");
    set_share("flash-max", cost_of(all, "pare_bytes"), 0.95);
    json_t *report = quantize("both", PARE_OK);
    ck_assert(limits_held(report));
    ck_assert(json_is_true(json_object_get(json_object_get(report, "accuracy"), "bound_held")));
    ck_assert_int_le(size_of("both/model.pare"), cost_of(all, "pare_bytes") * 95 / 100);
    json_decref(report);
    json_decref(all);
}
END_TEST

/* No wider widths are advised where the limit is in the way, and no narrower ones where there are none. */
START_TEST(a_limit_keeps_the_bound_from_being_held) {
    set("max-drop", "5pt");
    set("flash-max", "100");
    json_t *report = quantize("against", PARE_ERROR_BOUND), *accuracy = json_object_get(report, "accuracy");
    const char *reason = json_string_value(json_object_get(accuracy, "reason"));
    ck_assert(json_is_false(json_object_get(accuracy, "bound_held")));
    ck_assert_msg(strstr(reason, "but not within the limits") != NULL && strstr(reason, "(--flash-max)") != NULL, "%s",
                  reason);
    ck_assert_ptr_null(strstr(reason, "--bits"));
    ck_assert_ptr_null(strstr(pare_message(context), "--bits"));
    json_decref(report);
    set("bits", "4..8");
    report = quantize("not_narrow", PARE_ERROR_BOUND);
    ck_assert_ptr_nonnull(strstr(pare_message(context), "allow narrower ones (--bits) or more"));
    json_decref(report);
}
END_TEST

START_TEST(stopped_before_the_limit) {
    set("flash-max", "400");
    set("time-limit", "0.000001s");
    json_t *report = quantize("stopped", PARE_ERROR_BOUND);
    ck_assert_ptr_nonnull(strstr(pare_message(context), "give it more time or allow more"));
    json_decref(report);
}
END_TEST

/* The limit is on the file as it is packed; another packing would have led the search elsewhere. */
START_TEST(the_packed_file_is_within_flash) {
    struct pare_settings *wish;
    struct pare_report *none;
    set("pack", "speed");
    json_t *all = ample("flash-max");
    set_share("flash-max", cost_of(all, "pare_bytes"), 1);
    json_t *report = quantize("packed", PARE_OK);
    ck_assert(limits_held(report));
    ck_assert_int_eq(cost_of(report, "pare_bytes"), size_of("packed/model.pare"));
    ck_assert_int_le(size_of("packed/model.pare"), cost_of(all, "pare_bytes"));
    must(pare_settings_new(context, &wish));
    must(pare_settings_set(context, wish, "point", "1"));
    must(pare_settings_set(context, wish, "pack", "size"));
    ck_assert_int_eq(pare_pick(context, wish, small_path("packed"), small_path("other"), &none), PARE_ERROR_USAGE);
    ck_assert_ptr_nonnull(strstr(pare_message(context), "pare export --to pare --pack size"));
    pare_settings_free(wish);
    json_decref(report);
    json_decref(all);
}
END_TEST

/* With one thread and two; and the journal leads there again. */
START_TEST(the_same_point_again) {
    set("bitops-max", "60K");
    must(pare_set_threads(context, 1));
    json_t *one = quantize("one", PARE_OK);
    must(pare_set_threads(context, 2));
    json_t *two = quantize("two", PARE_OK);
    check_same_file("one/model.pare", "two/model.pare");
    json_t *points = json_object_get(json_object_get(one, "search"), "pareto");
    char number[32] = "";
    for (size_t i = 0; i < json_array_size(points); i++) {
        if (json_is_true(json_object_get(json_array_get(points, i), "chosen"))) {
            snprintf(number, sizeof number, "%zu", i + 1);
        }
    }
    struct pare_settings *wish;
    struct pare_report *report;
    must(pare_settings_new(context, &wish));
    must(pare_settings_set(context, wish, "point", number));
    must(pare_pick(context, wish, small_path("one"), small_path("picked"), &report));
    check_same_file("one/model.pare", "picked/model.pare");
    check_same_file("one/model.onnx", "picked/model.onnx");
    pare_report_free(report);
    pare_settings_free(wish);
    json_decref(one);
    json_decref(two);
}
END_TEST

int main(void) {
    Suite *s = suite_create("api/limits");
    TCase *c = tcase_create("limits");
    tcase_set_timeout(c, 600);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_unchecked_fixture(c, make_inputs, remove_inputs);
    tcase_add_test(c, an_ample_limit_takes_nothing);
    tcase_add_test(c, the_file_is_within_flash);
    tcase_add_test(c, the_packed_file_is_within_flash);
    tcase_add_test(c, bit_operations_are_within_their_limit);
    tcase_add_test(c, two_limits_hold_together);
    tcase_add_test(c, ram_is_within_its_limit_or_it_is_said);
    tcase_add_test(c, ram_is_saved_where_widths_can);
    tcase_add_test(c, an_impossible_limit_is_said);
    tcase_add_test(c, bound_and_limit_hold_together);
    tcase_add_test(c, stopped_before_the_limit);
    tcase_add_test(c, a_limit_keeps_the_bound_from_being_held);
    tcase_add_test(c, the_same_point_again);
    suite_add_tcase(s, c);
    return suite_main(s);
}
