/* Settings: a refused value leaves everything as it was. */
#include "api/api.h"
#include "comma_locale.h"

#include "suite_main.h"

#include <check.h>
#undef fail

static struct pare_context *context;
static struct pare_settings *settings;

static const char *const given[][2] = {
    {"all-values", "true"},    {"bits", "3..5"},        {"calib", "calib.npz"}, {"input-bits", "10"},
    {"confidence", "0.9"},     {"cost", "memory"},      {"data", "data.npz"},   {"layout", "nhwc"},
    {"max-drop", "0.5pt"},     {"bitops-max", "1.5G"},  {"drop-max", "2%"},     {"flash-max", "64KB"},
    {"memory-max", "1.5MiB"},  {"model", "float.onnx"}, {"point", "3"},         {"ram-max", "4097"},
    {"mean", "1,2,3"},         {"metric", "top5"},      {"preprocess", "true"}, {"reference", "float.onnx"},
    {"resume", "true"},        {"scale", "1/255"},      {"seed", "7"},          {"std", "4,5,6"},
    {"test", "test.npz"},      {"time-limit", "1.5m"},  {"weight-bits", "4"},   {"activation-bits", "5,6"},
    {"keep-channels", "true"},
};

static const char *const refused[][2] = {
    {"all-values", "yes"},
    {"bits", "2..17"},
    {"bits", "4..3"},
    {"bits", "8,"},
    {"calib", ""},
    {"input-bits", "1..8"},
    {"weight-bits", "4.."},
    {"activation-bits", "17"},
    {"confidence", "0.5"},
    {"confidence", "0.9x"},
    {"cost", "money"},
    {"data", ""},
    {"layout", "hwc"},
    {"max-drop", "2"},
    {"bitops-max", "1KB"},
    {"bitops-max", "0"},
    {"drop-max", "-1%"},
    {"flash-max", "64KBit"},
    {"flash-max", "0.5"},
    {"flash-max", "inf"},
    {"memory-max", "1e300MB"},
    {"memory-max", "-1KB"},
    {"model", ""},
    {"point", "0"},
    {"point", "1.5"},
    {"point", "99999999999999999999"},
    {"ram-max", "64 KB"},
    {"max-drop", "0%"},
    {"max-drop", "3points"},
    {"mean", "9,8,x"},
    {"mean", "9,8,7,6,"},
    {"metric", "top3"},
    {"preprocess", "TRUE"},
    {"reference", ""},
    {"resume", "1"},
    {"scale", "2x"},
    {"scale", "1/0"},
    {"seed", "-1"},
    {"seed", "9007199254740993"},
    {"seed", "99x"},
    {"std", "1,,2"},
    {"test", ""},
    {"time-limit", "0"},
    {"time-limit", "-1s"},
    {"time-limit", "5 m"},
    {"time-limit", "2d"},
    {"no-such", "1"},
};

static void setup(void) {
    context = pare_context_new();
    ck_assert_ptr_nonnull(context);
    ck_assert_int_eq(pare_settings_new(context, &settings), PARE_OK);
}

static void teardown(void) {
    pare_settings_free(settings);
    pare_context_free(context);
}

static void set_all(void) {
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        enum pare_status status = pare_settings_set(context, settings, given[i][0], given[i][1]);
        ck_assert_msg(status == PARE_OK, "%s", pare_message(context));
    }
}

static void check_refused_without_a_trace(void) {
    struct pare_settings before = *settings;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const char *name = refused[i][0], *value = refused[i][1];
        ck_assert_msg(pare_settings_set(context, settings, name, value) == PARE_ERROR_USAGE, "%s %s", name, value);
        ck_assert_ptr_nonnull(strstr(pare_message(context), name));
        ck_assert_msg(memcmp(settings, &before, sizeof before) == 0, "%s %s changed the settings", name, value);
    }
}

START_TEST(refused_values_change_no_default) {
    check_refused_without_a_trace();
    ck_assert(!settings->preprocess_declared && !settings->metric_given);
}
END_TEST

START_TEST(refused_values_change_nothing_given) {
    set_all();
    check_refused_without_a_trace();
    ck_assert_str_eq(settings->test, "test.npz");
    ck_assert_uint_eq(settings->declared.mean_count, 3);
}
END_TEST

START_TEST(inputs_have_the_widths_of_the_others_or_their_own) {
    ck_assert_uint_eq(settings->search.input_widths, 0x1ffc);
    ck_assert_int_eq(pare_settings_set(context, settings, "bits", "4,8"), PARE_OK);
    ck_assert_uint_eq(settings->search.input_widths, 0x110);
    ck_assert_int_eq(pare_settings_set(context, settings, "input-bits", "10"), PARE_OK);
    ck_assert_int_eq(pare_settings_set(context, settings, "bits", "2..8"), PARE_OK);
    ck_assert_uint_eq(settings->search.input_widths, 0x400);
}
END_TEST

START_TEST(numbers_in_another_locale) {
    if (!comma_locale_enter()) {
        return;
    }
    set_all();
    check_refused_without_a_trace();
    comma_locale_leave();
    ck_assert_double_eq(settings->search.max_drop, 0.5 / 100);
    ck_assert_double_eq(settings->search.confidence, 0.9);
    ck_assert_double_eq(settings->search.time_limit, 90);
    ck_assert_double_eq(settings->pick.max_drop, 2.0 / 100);
    ck_assert_uint_eq(settings->search.limits.flash_bytes, 65536);
    ck_assert_uint_eq(settings->search.limits.memory_bits, 3u << 22);
    ck_assert_uint_eq(settings->search.limits.ram_bytes, 4097);
    ck_assert_uint_eq(settings->search.limits.bit_operations, 1500000000u);
    ck_assert_double_eq(settings->declared.scale, 1.0 / 255);
}
END_TEST

int main(void) {
    Suite *s = suite_create("api/settings");
    TCase *c = tcase_create("settings");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, refused_values_change_no_default);
    tcase_add_test(c, refused_values_change_nothing_given);
    tcase_add_test(c, numbers_in_another_locale);
    tcase_add_test(c, inputs_have_the_widths_of_the_others_or_their_own);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    return suite_main(s);
}
