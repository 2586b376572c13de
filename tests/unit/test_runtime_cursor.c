/* Numbers of the data section, and what they may be. */
#include "runtime/codes.h"
#include "runtime/cursor.h"
#include "runtime/format.h"
#include "runtime/parameters.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct pare_cursor cursor(const uint8_t *bytes, uint32_t size, bool terse) {
    return (struct pare_cursor){bytes, size, terse, false};
}

START_TEST(reads_numbers_of_a_fixed_size) {
    static const uint8_t bytes[] = {0xff, 0x80, 1, 2, 3, 0xfc, 9};
    struct pare_cursor c = cursor(bytes, sizeof(bytes), false);
    ck_assert_uint_eq(pare_take_number(&c, 2), 0x80ff);
    ck_assert_uint_eq(pare_take_number(&c, 4), 0xfc030201);
    ck_assert(!c.failed);
    ck_assert_uint_eq(pare_take_number(&c, 2), 0);
    ck_assert(c.failed);
}
END_TEST

START_TEST(reads_terse_numbers) {
    static const uint8_t bytes[] = {0, 0x7f, 0x80, 1, 0xe5, 0x8e, 0x26, 0xff, 0xff, 0xff, 0xff, 0x0f};
    static const uint32_t expected[] = {0, 127, 128, 624485, UINT32_MAX};
    struct pare_cursor c = cursor(bytes, sizeof(bytes), true);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        ck_assert_uint_eq(pare_take_number(&c, i % 2 == 0 ? 2 : 4), expected[i]);
    }
    ck_assert(!c.failed && c.left == 0);
}
END_TEST

START_TEST(refuses_terse_numbers_without_an_end) {
    static const struct {
        uint8_t bytes[6];
        uint32_t size;
    } broken[] = {
        {{0xff, 0xff, 0xff, 0xff, 0x10}, 5}, {{0x80, 0x80, 0x80, 0x80, 0x80, 0}, 6}, {{0x80, 0x80}, 2}, {{0}, 0}};
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct pare_cursor c = cursor(broken[i].bytes, broken[i].size, true);
        ck_assert_uint_eq(pare_take_number(&c, 4), 0);
        ck_assert(c.failed);
    }
}
END_TEST

/* One field of a window of ones at 65536: the sizes may be, a kernel or a stride may not. */
START_TEST(keeps_the_fields_of_a_window_in_their_range) {
    for (uint32_t field = 0; field < PARE_WINDOW_FIELDS; field++) {
        uint8_t bytes[PARE_WINDOW_FIELDS + 2];
        struct pare_op op = {.kind = PARE_CONV};
        memset(bytes, 1, sizeof(bytes));
        memcpy(bytes + field, (const uint8_t[]){0x80, 0x80, 4}, 3);
        struct pare_cursor c = cursor(bytes, sizeof(bytes), true);
        pare_parameter_readers[PARE_CONV](&c, NULL, &op);
        ck_assert(c.failed == (field >= PARE_WINDOW_SIZES));
        ck_assert_uint_eq(op.u.window.in_w, field == 2 ? 65536 : 1);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("runtime/cursor");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, reads_numbers_of_a_fixed_size);
    tcase_add_test(tests, reads_terse_numbers);
    tcase_add_test(tests, refuses_terse_numbers_without_an_end);
    tcase_add_test(tests, keeps_the_fields_of_a_window_in_their_range);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
