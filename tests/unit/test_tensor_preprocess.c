#include "tensor/preprocess.h"

#include "suite_main.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct context ctx;

static void setup(void) {
    context_init(&ctx);
}

static void check_number(const char *text, double expected) {
    double v = 0;
    ck_assert_msg(preprocess_parse_number(&ctx, "--scale", text, &v) == PARE_OK, "%s", ctx.diag.message);
    ck_assert(v == expected);
}

static void check_no_number(const char *text) {
    double v = 0;
    context_clear(&ctx);
    ck_assert_msg(preprocess_parse_number(&ctx, "--scale", text, &v) == PARE_ERROR_USAGE, "accepted: %s", text);
    ck_assert_mem_eq(ctx.diag.message, "--scale: '", 10);
}

START_TEST(numbers) {
    check_number("1/255", 1.0 / 255);
    check_number("0.5847029089927673", 0.5847029089927673);
    check_number("-2.5e-3/2", -2.5e-3 / 2);
    check_number("1", 1);
    const char *bad[] = {"", "x", "1/", "/2", "1/0", "1/2/3", "1,5", "inf", "nan", "1 ", "1/255 x", "1e999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        check_no_number(bad[i]);
    }
}
END_TEST

START_TEST(lists) {
    double v[PREPROCESS_MAX_CHANNELS];
    size_t count = 0;
    ck_assert_int_eq(preprocess_parse_list(&ctx, "--mean", ".4914,.4822,57/128", v, &count), PARE_OK);
    ck_assert_uint_eq(count, 3);
    ck_assert(v[0] == .4914 && v[1] == .4822 && v[2] == 57.0 / 128);
    ck_assert_int_eq(preprocess_parse_list(&ctx, "--mean", "7", v, &count), PARE_OK);
    ck_assert_uint_eq(count, 1);
    const char *bad[] = {"", ",", "1,", ",1", "1,,2", "1;2"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        context_clear(&ctx);
        ck_assert_msg(preprocess_parse_list(&ctx, "--mean", bad[i], v, &count) == PARE_ERROR_USAGE, "%s", bad[i]);
    }
    char many[2 * PREPROCESS_MAX_CHANNELS + 2];
    for (size_t i = 0; i < sizeof many - 1; i++) {
        many[i] = i % 2 == 0 ? '1' : ',';
    }
    many[sizeof many - 1] = '\0';
    context_clear(&ctx);
    ck_assert_int_eq(preprocess_parse_list(&ctx, "--mean", many, v, &count), PARE_ERROR_USAGE);
    many[sizeof many - 3] = '\0'; /* one number fewer */
    context_clear(&ctx);
    ck_assert_int_eq(preprocess_parse_list(&ctx, "--mean", many, v, &count), PARE_OK);
    ck_assert_uint_eq(count, PREPROCESS_MAX_CHANNELS);
}
END_TEST

START_TEST(layouts) {
    enum layout l = LAYOUT_ANY;
    ck_assert_int_eq(preprocess_parse_layout(&ctx, "--layout", "nhwc", &l), PARE_OK);
    ck_assert_int_eq(l, LAYOUT_NHWC);
    ck_assert_int_eq(preprocess_parse_layout(&ctx, "--layout", "nchw", &l), PARE_OK);
    ck_assert_int_eq(l, LAYOUT_NCHW);
    ck_assert_int_eq(preprocess_parse_layout(&ctx, "--layout", "any", &l), PARE_ERROR_USAGE);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "choose nchw or nhwc"));
}
END_TEST

START_TEST(checks) {
    struct preprocess p;
    preprocess_init(&p);
    ck_assert(preprocess_is_identity(&p));
    ck_assert_int_eq(preprocess_check(&ctx, &p), PARE_OK);
    p.mean_count = 3;
    p.std_count = 1;
    p.std[0] = 2;
    ck_assert_int_eq(preprocess_check(&ctx, &p), PARE_OK);
    ck_assert(!preprocess_is_identity(&p));
    p.std[0] = 1e-60; /* zero in float32 */
    ck_assert_int_eq(preprocess_check(&ctx, &p), PARE_ERROR_USAGE);
    context_clear(&ctx);
    p.std_count = 2;
    p.std[0] = p.std[1] = 1;
    ck_assert_int_eq(preprocess_check(&ctx, &p), PARE_ERROR_USAGE);
    context_clear(&ctx);
    preprocess_init(&p);
    p.scale = 0;
    ck_assert_int_eq(preprocess_check(&ctx, &p), PARE_ERROR_USAGE);
}
END_TEST

int main(void) {
    Suite *s = suite_create("tensor/preprocess");
    TCase *t = tcase_create("preprocess");
    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, numbers);
    tcase_add_test(t, lists);
    tcase_add_test(t, layouts);
    tcase_add_test(t, checks);
    return suite_main(s);
}
