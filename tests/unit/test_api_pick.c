/* pare_pick: other points of a search, from its journal. */
#include "api_fixture.h"
#include "schema.h"

#include "suite_main.h"

#include <check.h>
#include <unistd.h>

static void make_data(const char *name, size_t samples) {
    struct graph *g = small_model("cnn.onnx", small_cnn);
    struct tensor images = small_images((int64_t)samples), labels = small_labels(g, &images);
    small_npz(name, &images, &labels);
    graph_free(g);
}

/* A search in the folder `name`, for at most `limit`. */
static void search(const char *name, const char *limit) {
    struct pare_network *network;
    struct pare_settings *s;
    struct pare_report *report;
    must(pare_network_open(context, small_path("cnn.onnx"), &network));
    must(pare_settings_new(context, &s));
    must(pare_settings_set(context, s, "data", small_path("val.npz")));
    must(pare_settings_set(context, s, "scale", "1/255"));
    must(pare_settings_set(context, s, "max-drop", "20pt"));
    must(pare_settings_set(context, s, "time-limit", limit));
    must(pare_quantize(context, network, s, small_path(name), &report));
    pare_report_free(report);
    pare_settings_free(s);
    pare_network_free(network);
}

static void make_inputs(void) {
    begin_folder();
    make_data("val.npz", 400);
}

/* The search is left to the first test: a process that has run threads cannot fork others that do. */
static void setup(void) {
    begin_test(NULL);
    if (!file_exists(small_path("out"))) {
        search("out", "1h");
    }
}

static json_t *report_of(const char *name) {
    json_t *report = json_load_file(arena_format(&small_arena, "%s/report.json", small_path(name)), 0, NULL);
    ck_assert_ptr_nonnull(report);
    return report;
}

static json_t *points_of(const json_t *report) {
    return json_object_get(json_object_get(report, "search"), "pareto");
}

static int64_t number(const json_t *object, const char *key) {
    return (int64_t)json_integer_value(json_object_get(object, key));
}

static size_t chosen_of(const json_t *points) {
    for (size_t i = 0; i < json_array_size(points); i++) {
        if (json_is_true(json_object_get(json_array_get(points, i), "chosen"))) {
            return i;
        }
    }
    ck_abort_msg("no point is chosen");
}

/* Into `name`; whether or not the bound holds. */
static void pick(const char *name) {
    struct pare_report *report;
    enum pare_status status = pare_pick(context, settings, small_path("out"), small_path(name), &report);
    ck_assert_msg(status == PARE_OK || (status == PARE_ERROR_BOUND && report != NULL), "%s", pare_message(context));
    pare_report_free(report);
}

static void pick_point(const char *name, size_t point) {
    char text[32];
    snprintf(text, sizeof text, "%zu", point);
    set("point", text);
    pick(name);
}

static void refused(const char *from, enum pare_status code, const char *says) {
    struct pare_report *report;
    ck_assert_int_eq(pare_pick(context, settings, small_path(from), small_path("refused"), &report), code);
    ck_assert_ptr_null(report);
    ck_assert_msg(strstr(pare_message(context), says) != NULL, "%s", pare_message(context));
    ck_assert(!file_exists(small_path("refused")));
}

/* The sizes that the front tells are those of the files. */
START_TEST(every_point_is_what_the_front_tells) {
    json_t *searched = report_of("out"), *points = points_of(searched);
    json_t *schema = json_load_file(PARE_SOURCE "/docs/report.schema.json", 0, NULL);
    ck_assert_uint_gt(json_array_size(points), 2);
    for (size_t i = 0; i < json_array_size(points); i++) {
        pick_point("picked", i + 1);
        json_t *report = report_of("picked"), *cost = json_object_get(report, "cost");
        const json_t *point = json_array_get(points, i), *files = json_object_get(report, "outputs");
        ck_assert_uint_eq(chosen_of(points_of(report)), i);
        ck_assert_uint_eq(json_array_size(points_of(report)), json_array_size(points));
        ck_assert_int_eq(number(point, "point"), (int64_t)i + 1);
        ck_assert_int_eq(number(cost, "pare_bytes"), number(point, "pare_bytes"));
        ck_assert_int_eq(number(json_object_get(files, "pare"), "bytes"), number(point, "pare_bytes"));
        ck_assert_int_eq(number(cost, "peak_activation_bytes"), number(point, "peak_activation_bytes"));
        ck_assert_int_eq(number(cost, "bit_operations"), number(point, "bit_operations"));
        ck_assert(schema_fits(schema, report, "report"));
        json_decref(report);
    }
    json_decref(schema);
    json_decref(searched);
}
END_TEST

START_TEST(the_chosen_point_gives_the_same_files) {
    json_t *searched = report_of("out");
    pick_point("same", chosen_of(points_of(searched)) + 1);
    check_same_file("out/model.onnx", "same/model.onnx");
    check_same_file("out/model.pare", "same/model.pare");
    json_t *picked = report_of("same");
    /* The confidence is another one: the search has looked at several points. */
    static const char *const same[] = {"bound_points", "discordant", "drop_points", "float", "metric", "quantized"};
    const json_t *found = json_object_get(searched, "accuracy"), *again = json_object_get(picked, "accuracy");
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        ck_assert_ptr_nonnull(json_object_get(found, same[i]));
        ck_assert(json_equal(json_object_get(found, same[i]), json_object_get(again, same[i])));
    }
    ck_assert(json_equal(json_object_get(searched, "settings"), json_object_get(picked, "settings")));
    json_decref(searched);
    json_decref(picked);
}
END_TEST

static double drop_of(const json_t *points, size_t i) {
    return json_number_value(json_object_get(json_array_get(points, i), "drop_points"));
}

/* The most accurate point within so many bytes; of equals the dearer one. */
static size_t most_accurate(const json_t *points, int64_t bytes) {
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < json_array_size(points); i++) {
        bool inside = number(json_array_get(points, i), "memory_bits") <= 8 * bytes;
        best = inside && (best == SIZE_MAX || drop_of(points, i) <= drop_of(points, best)) ? i : best;
    }
    return best;
}

START_TEST(picks_by_memory) {
    json_t *searched = report_of("out");
    int64_t bits = number(json_array_get(points_of(searched), 1), "memory_bits");
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)(bits + 7) / 8);
    set("memory-max", text);
    pick("small");
    json_t *picked = report_of("small");
    ck_assert_uint_eq(chosen_of(points_of(picked)), most_accurate(points_of(searched), (bits + 7) / 8));
    json_decref(searched);
    json_decref(picked);
}
END_TEST

/* Nothing that the search saw loses more than everything, so the cheapest point it is. */
START_TEST(picks_by_drop) {
    set("drop-max", "100pt");
    pick("cheapest");
    json_t *picked = report_of("cheapest");
    ck_assert_uint_eq(chosen_of(points_of(picked)), 0);
    ck_assert_double_eq(json_number_value(json_object_get(json_object_get(picked, "accuracy"), "bound_points")), 100);
    json_decref(picked);
}
END_TEST

/* What was picked can be picked from, too; also in place. */
START_TEST(picks_from_a_pick) {
    pick_point("again", 1);
    struct pare_report *report;
    set("point", "2");
    pare_pick(context, settings, small_path("again"), NULL, &report);
    ck_assert_ptr_nonnull(report);
    pare_report_free(report);
    json_t *picked = report_of("again");
    ck_assert_uint_eq(chosen_of(points_of(picked)), 1);
    json_decref(picked);
}
END_TEST

static int64_t size_of(const char *name) {
    struct file_map map;
    small_must(file_map(&small_context, small_path(name), &map));
    int64_t size = (int64_t)map.size;
    file_unmap(&map);
    return size;
}

/* The cheapest point in whole bytes is larger and computes the same; who picks from it gets that packing again. */
START_TEST(packs_as_asked) {
    struct pare_report *report;
    pick_point("exact", 1);
    set("pack", "speed");
    pick_point("whole", 1);
    json_t *whole = report_of("whole");
    ck_assert_int_gt(size_of("whole/model.pare"), size_of("exact/model.pare"));
    ck_assert_int_eq(size_of("whole/model.pare"), number(json_object_get(whole, "cost"), "pare_bytes"));
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(whole, "settings"), "pack")), "speed");
    check_same_file("exact/test_vector.npz", "whole/test_vector.npz");
    must(pare_verify(context, NULL, small_path("whole"), &report));
    pare_report_free(report);
    pare_settings_free(settings);
    must(pare_settings_new(context, &settings));
    set("point", "1");
    pare_pick(context, settings, small_path("whole"), small_path("again_whole"), &report);
    ck_assert_ptr_nonnull(report);
    check_same_file("whole/model.pare", "again_whole/model.pare");
    pare_report_free(report);
    json_decref(whole);
}
END_TEST

START_TEST(picks_from_a_search_that_was_stopped) {
    search("stopped", "0.000001s");
    struct pare_report *report;
    set("point", "1");
    must(pare_pick(context, settings, small_path("stopped"), small_path("kept"), &report));
    pare_report_free(report);
    check_same_file("stopped/model.pare", "kept/model.pare");
    json_t *kept = report_of("kept");
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(kept, "search"), "stopped")), "time limit");
    json_decref(kept);
}
END_TEST

START_TEST(refuses_what_is_not_asked_clearly) {
    refused("out", PARE_ERROR_USAGE, "by what?");
    set("point", "1");
    set("flash-max", "1MB");
    refused("out", PARE_ERROR_USAGE, "by what?");
}
END_TEST

START_TEST(refuses_a_point_that_is_not_there) {
    set("point", "1000");
    refused("out", PARE_ERROR_USAGE, "there is no point 1000");
}
END_TEST

START_TEST(refuses_limits_that_no_point_keeps) {
    set("flash-max", "10");
    refused("out", PARE_ERROR_BOUND, "the nearest is point ");
}
END_TEST

/* One measurement less: cut off behind the first line, and then entirely. */
START_TEST(refuses_a_journal_with_gaps) {
    search("gaps", "1h");
    struct file_map map;
    small_must(file_map(&small_context, small_path("gaps/journal.jsonl"), &map));
    const char *line = memchr(map.data, '\n', map.size);
    size_t first = (size_t)(line - (const char *)map.data) + 1;
    char *copy = malloc(first);
    memcpy(copy, map.data, first);
    file_unmap(&map);
    small_write("gaps/journal.jsonl", copy, first);
    free(copy);
    set("point", "1");
    refused("gaps", PARE_ERROR_INPUT, "lacks a measurement");
    ck_assert_int_eq(unlink(small_path("gaps/journal.jsonl")), 0);
    refused("gaps", PARE_ERROR_INPUT, "journal.jsonl: is missing");
}
END_TEST

START_TEST(refuses_other_data_and_another_model) {
    make_data("other.npz", 300);
    set("point", "1");
    set("data", small_path("other.npz"));
    refused("out", PARE_ERROR_INPUT, "holds other samples");
    set("data", small_path("val.npz"));
    set("model", small_path("out/model.onnx"));
    refused("out", PARE_ERROR_INPUT, "is not the model");
}
END_TEST

START_TEST(refuses_reports_of_something_else) {
    static const char *const reports[] = {"",
                                          "{",
                                          "{}",
                                          "[]",
                                          "{\"data\": 3, \"model\": [], \"search\": null}",
                                          "{\"data\": {\"validation\": {\"file\": 1, \"hash\": \"x\"}}}"};
    search("odd", "0.000001s");
    set("point", "1");
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++) {
        small_write("odd/report.json", reports[i], strlen(reports[i]));
        refused("odd", PARE_ERROR_INPUT, "odd/report.json: ");
    }
    refused("no-such-folder", PARE_ERROR_INPUT, "report.json");
}
END_TEST

int main(void) {
    Suite *s = suite_create("api/pick");
    TCase *c = tcase_create("pick");
    tcase_set_timeout(c, 600);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_unchecked_fixture(c, make_inputs, remove_inputs);
    tcase_add_test(c, every_point_is_what_the_front_tells);
    tcase_add_test(c, the_chosen_point_gives_the_same_files);
    tcase_add_test(c, picks_by_memory);
    tcase_add_test(c, picks_by_drop);
    tcase_add_test(c, picks_from_a_pick);
    tcase_add_test(c, packs_as_asked);
    tcase_add_test(c, picks_from_a_search_that_was_stopped);
    tcase_add_test(c, refuses_what_is_not_asked_clearly);
    tcase_add_test(c, refuses_a_point_that_is_not_there);
    tcase_add_test(c, refuses_limits_that_no_point_keeps);
    tcase_add_test(c, refuses_a_journal_with_gaps);
    tcase_add_test(c, refuses_other_data_and_another_model);
    tcase_add_test(c, refuses_reports_of_something_else);
    suite_add_tcase(s, c);
    return suite_main(s);
}
