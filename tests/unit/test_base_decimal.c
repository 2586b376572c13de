/* A program that embeds the library may have any locale. */
#include "base/bytes.h"
#include "base/context.h"
#include "base/decimal.h"
#include "comma_locale.h"

#include "suite_main.h"

#include <check.h>
#undef fail

static void check_everything(void) {
    char text[16], *end;
    ck_assert_double_eq(parse_decimal("0.25pt", &end), 0.25);
    ck_assert_str_eq(end, "pt");
    ck_assert_int_eq(format_decimal(text, sizeof text, "%g%s", 2.5, "%"), 4);
    ck_assert_str_eq(text, "2.5%");
    struct buffer b;
    buffer_init(&b);
    write_format(&b, "%.2f points", 1.5);
    ck_assert_uint_eq(b.size, strlen("1.50 points"));
    ck_assert_mem_eq(b.data, "1.50 points", b.size);
    buffer_free(&b);
    struct context ctx;
    context_init(&ctx);
    fail(&ctx, PARE_ERROR_INPUT, "%g is odd", 1.5);
    ck_assert_str_eq(ctx.diag.message, "1.5 is odd");
}

START_TEST(in_the_c_locale) {
    check_everything();
}
END_TEST

START_TEST(where_a_comma_is_used) {
    if (!comma_locale_enter()) {
        return;
    }
    check_everything();
    char half[8];
    snprintf(half, sizeof half, "%.1f", 0.5);
    comma_locale_leave();
    ck_assert_str_eq(half, "0,5"); /* the caller's locale came back */
}
END_TEST

int main(void) {
    Suite *s = suite_create("base/decimal");
    TCase *c = tcase_create("decimal");
    tcase_add_test(c, in_the_c_locale);
    tcase_add_test(c, where_a_comma_is_used);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    return suite_main(s);
}
