/* Numbers of a file, and what they may be. */
#include "runtime/codes.h"
#include "runtime/cursor.h"
#include "runtime/format.h"
#include "runtime/parameters.h"

#include "suite_main.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct pare_cursor cursor(const uint8_t *bytes, uint32_t size) {
    return (struct pare_cursor){bytes, size, false};
}

START_TEST(reads_numbers) {
    static const uint8_t bytes[] = {0, 0x7f, 0x80, 1, 0xe5, 0x8e, 0x26, 0xff, 0xff, 0xff, 0xff, 0x0f};
    static const uint32_t expected[] = {0, 127, 128, 624485, UINT32_MAX};
    struct pare_cursor c = cursor(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        ck_assert_uint_eq(pare_take_u32(&c), expected[i]);
    }
    ck_assert(!c.failed && c.left == 0);
}
END_TEST

START_TEST(refuses_numbers_without_an_end) {
    static const struct {
        uint8_t bytes[6];
        uint32_t size;
    } broken[] = {{{0xff, 0xff, 0xff, 0xff, 0x10}, 5},
                  {{0x80, 0x80, 0x80, 0x80, 0x80, 0}, 6},
                  {{0x80, 0x80}, 2},
                  {{0}, 0},
                  {{0x80, 0}, 2},
                  {{0x81, 0x80, 0}, 3}};
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct pare_cursor c = cursor(broken[i].bytes, broken[i].size);
        ck_assert_uint_eq(pare_take_u32(&c), 0);
        ck_assert(c.failed);
    }
}
END_TEST

START_TEST(refuses_numbers_above_the_most) {
    static const uint8_t bytes[] = {7, 6, 0};
    struct pare_cursor c = cursor(bytes, sizeof(bytes));
    ck_assert_uint_eq(pare_take_number(&c, 7), 7);
    ck_assert_uint_eq(pare_take_number(&c, 5), 0);
    ck_assert(c.failed);
    ck_assert_uint_eq(pare_take_number(&c, 5), 0); /* for good */
    ck_assert(c.failed);
}
END_TEST

START_TEST(reads_signed_numbers) {
    static const uint8_t bytes[] = {0, 1, 2, 5, 0x80, 2, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0xff, 0x0f};
    static const int32_t expected[] = {0, -1, 1, -3, 128, INT32_MAX, INT32_MIN};
    struct pare_cursor c = cursor(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        ck_assert_int_eq(pare_take_signed(&c), expected[i]);
    }
    ck_assert(!c.failed && c.left == 0);
}
END_TEST

/* `subtract` and `fill` are the first numbers. */
START_TEST(refuses_answers_that_are_neither_yes_nor_no) {
    static const enum pare_kind kinds[] = {PARE_ADD, PARE_MUL, PARE_COPY};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        for (uint8_t answer = 0; answer < 3; answer++) {
            const uint8_t bytes[] = {answer, 0, 0, 0, 0};
            struct pare_op op = {.kind = (uint8_t)kinds[i]};
            struct pare_cursor c = cursor(bytes, sizeof(bytes));
            pare_parameter_readers[kinds[i]](&c, &op);
            ck_assert(c.failed == (answer > 1));
        }
    }
}
END_TEST

/* One field of a window of ones at 65536. */
START_TEST(keeps_the_fields_of_a_window_in_their_range) {
    enum { FIELDS = 12 };
    for (uint32_t field = 0; field <= FIELDS; field++) {
        uint8_t bytes[FIELDS + 2];
        struct pare_op op = {.kind = PARE_CONV, .u.window.out_c = 3};
        memset(bytes, 1, sizeof(bytes));
        if (field < FIELDS) {
            memcpy(bytes + field, (const uint8_t[]){0x80, 0x80, 4}, field + 3 <= sizeof(bytes) ? 3 : 2);
        }
        struct pare_cursor c = cursor(bytes, sizeof(bytes));
        pare_parameter_readers[PARE_CONV](&c, &op);
        ck_assert(c.failed == (field < FIELDS));
        ck_assert_uint_eq(op.weights.rows, 3);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("runtime/cursor");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, reads_numbers);
    tcase_add_test(tests, refuses_numbers_without_an_end);
    tcase_add_test(tests, refuses_numbers_above_the_most);
    tcase_add_test(tests, reads_signed_numbers);
    tcase_add_test(tests, refuses_answers_that_are_neither_yes_nor_no);
    tcase_add_test(tests, keeps_the_fields_of_a_window_in_their_range);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
