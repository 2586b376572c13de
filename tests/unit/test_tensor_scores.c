/* The order of classes, against its definition. */
#include "tensor/scores.h"

#include "suite_main.h"

#include <check.h>
#include <math.h>

static void check_order(struct scores s, const size_t *expected) {
    ck_assert_uint_eq(scores_argmax(s), expected[0]);
    for (size_t place = 0; place < s.count; place++) {
        ck_assert_uint_eq(scores_place(s, expected[place]), place);
    }
}

START_TEST(ties_and_numbers_that_are_none) {
    static const float x[] = {NAN, 1, -INFINITY, 3, 1, 3, NAN};
    check_order(float_scores(x, 7), (size_t[]){3, 5, 1, 4, 0, 2, 6});
    static const float none[] = {NAN, NAN, -1};
    check_order(float_scores(none, 3), (size_t[]){2, 0, 1});
}
END_TEST

START_TEST(other_types) {
    static const int8_t integers[] = {-3, 7, -128, 7};
    check_order((struct scores){DTYPE_INT8, integers, 4}, (size_t[]){1, 3, 0, 2});
    static const double doubles[] = {1, 1 + 1e-12, NAN};
    check_order((struct scores){DTYPE_DOUBLE, doubles, 3}, (size_t[]){1, 0, 2});
    static const uint16_t halves[] = {0x3C00, 0xBC00, 0x7E00, 0x4000}; /* 1, -1, NaN, 2 */
    check_order((struct scores){DTYPE_FLOAT16, halves, 4}, (size_t[]){3, 0, 1, 2});
}
END_TEST

int main(void) {
    Suite *s = suite_create("tensor/scores");
    TCase *c = tcase_create("scores");
    tcase_add_test(c, ties_and_numbers_that_are_none);
    tcase_add_test(c, other_types);
    suite_add_tcase(s, c);
    return suite_main(s);
}
