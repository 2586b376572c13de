/* Every function of the arithmetic against a naive definition in 128 bits. */
static int broken_promises;
#define PARE_CHECK(promise) ((promise) ? (void)0 : (void)broken_promises++)
#include "runtime/arith.h"

#include "suite_main.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

__extension__ typedef __int128 wide_int;

static uint64_t random_state = 1;

static uint64_t random_bits(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Numbers of every size, and those next to powers of two and to the ends of the type. */
static int64_t random_number(unsigned bits) {
    uint64_t size = random_bits() % bits;
    uint64_t magnitude = (random_bits() & 7) == 0 ? (uint64_t)1 << size : random_bits() >> (63 - size);
    int64_t v = (int64_t)(magnitude & INT64_MAX) + (int64_t)(random_bits() % 3) - 1;
    return v < 0 || random_bits() & 1 ? v : -v;
}

/* The nearest integer to n / d, ties to the even one, by the words of the definition. */
static wide_int nearest_even(wide_int n, wide_int d, int *ties) {
    wide_int below = n / d;
    while (below * d > n) {
        below--;
    }
    wide_int twice_rest = 2 * (n - below * d);
    if (twice_rest == d) {
        ++*ties;
        return below % 2 == 0 ? below : below + 1;
    }
    return twice_rest > d ? below + 1 : below;
}

static wide_int power(int exponent) {
    return (wide_int)1 << exponent;
}

static wide_int limit(wide_int v, wide_int low, wide_int high) {
    return v < low ? low : v > high ? high : v;
}

/* Cheaper than one assertion of the framework per number. */
static int mismatches;

static void tally(bool equal) {
    mismatches += !equal;
}

START_TEST(shifts_every_small_number) {
    int ties = 0;
    for (int32_t v = -70000; v <= 70000; v++) {
        for (int shift = 0; shift <= 18; shift++) {
            wide_int expected = nearest_even(v, power(shift), &ties);
            tally(round_shift32(v, shift) == expected);
            tally(round_shift64(v, shift) == expected);
        }
    }
    ck_assert_int_eq(mismatches, 0);
    ck_assert_int_gt(ties, 100000);
}
END_TEST

START_TEST(shifts_numbers_of_every_size) {
    int ties = 0, saturated = 0;
    for (int i = 0; i < 400000; i++) {
        int shift = (int)(random_bits() % 140) - 70;
        int64_t v = random_number(63);
        int32_t narrow = (int32_t)random_number(31);
        if (shift > 0) {
            tally(round_shift64(v, shift) == nearest_even(v, power(shift), &ties));
            tally(round_shift32(narrow, shift) == nearest_even(narrow, power(shift), &ties));
        }
        int32_t low = code_min(8, true), high = code_max(8, true);
        if (shift > -64) {
            wide_int scaled = shift > 0 ? nearest_even(narrow, power(shift), &ties) : narrow * power(-shift);
            tally(requantize32(narrow, shift, low, high) == limit(scaled, low, high));
            tally(requantize64(narrow, shift, low, high) == limit(scaled, low, high));
            saturated += scaled > high || scaled < low;
        }
    }
    ck_assert_int_eq(mismatches, 0);
    ck_assert_int_gt(ties, 1000);
    ck_assert_int_gt(saturated, 1000);
}
END_TEST

START_TEST(shifts_the_ends_of_the_type) {
    ck_assert(round_shift32(INT32_MIN, 31) == -1);
    ck_assert(round_shift32(INT32_MIN, 32) == 0);
    ck_assert(round_shift32(INT32_MAX, 31) == 1);
    ck_assert(round_shift32(1 << 30, 31) == 0);
    ck_assert(round_shift32((1 << 30) + 1, 31) == 1);
    ck_assert(round_shift64(INT64_MIN, 63) == -1);
    ck_assert(round_shift64(INT64_MIN, 64) == 0);
    ck_assert(round_shift64(INT64_MAX, 1000) == 0);
    ck_assert(round_shift32(INT32_MIN, 0) == INT32_MIN);
    ck_assert(round_shift64(INT64_MIN, 0) == INT64_MIN);
    ck_assert(round_shift32(-1, INT32_MIN) == INT32_MIN);
    ck_assert(round_shift64(1, INT32_MIN) == INT64_MAX);
    ck_assert(round_shift64(0, -1000) == 0);
}
END_TEST

/* n * 2^exponent / d as one fraction, without losing a bit. */
static wide_int divide_exactly(int64_t n, int exponent, uint32_t d, int *ties) {
    return exponent >= 0 ? nearest_even(n * power(exponent), d, ties) : nearest_even(n, d * power(-exponent), ties);
}

START_TEST(divides_with_one_rounding) {
    int ties = 0;
    for (int i = 0; i < 400000; i++) {
        uint32_t d = 1 + (uint32_t)(random_bits() % (i % 2 ? 100 : UINT32_MAX));
        int exponent = (int)(random_bits() % 120) - 90;
        int64_t n = random_number(exponent > 0 ? 62 - (unsigned)exponent : 63);
        if (i % 3 == 0 && exponent < 0 && exponent > -30) {
            d = 1 + d % 100;
            n = ((int64_t)(random_bits() % 2000) - 1000) * d * ((int64_t)1 << (-exponent - 1));
        }
        tally(round_divide(n, exponent, d) == divide_exactly(n, exponent, d, &ties));
    }
    ck_assert_int_eq(mismatches, 0);
    ck_assert_int_gt(ties, 10000);
    ck_assert(round_divide(INT64_MIN, 0, 3) == nearest_even(INT64_MIN, 3, &ties));
    ck_assert(round_divide(INT64_MIN, 0, 1) == INT64_MIN);
    ck_assert(round_divide(1, 400, UINT32_MAX) == INT64_MAX);
    ck_assert(round_divide(-1, 400, 1) == INT64_MIN);
    ck_assert(round_divide(0, 400, 1) == 0);
}
END_TEST

START_TEST(divides_every_small_number) {
    int ties = 0;
    for (int32_t n = -600; n <= 600; n++) {
        for (uint32_t d = 1; d <= 50; d++) {
            for (int exponent = -6; exponent <= 3; exponent++) {
                tally(round_divide(n, exponent, d) == divide_exactly(n, exponent, d, &ties));
            }
        }
    }
    ck_assert_int_eq(mismatches, 0);
    ck_assert_int_gt(ties, 1000);
}
END_TEST

START_TEST(knows_the_range_of_codes) {
    for (unsigned bits = 1; bits <= 16; bits++) {
        ck_assert_int_eq(code_min(bits, false), 0);
        ck_assert_int_eq(code_max(bits, false), (1 << bits) - 1);
        ck_assert_int_eq(code_min(bits, true), -(1 << (bits - 1)));
        ck_assert_int_eq(code_max(bits, true), (1 << (bits - 1)) - 1);
    }
    ck_assert_int_eq(code_min(32, true), INT32_MIN);
    ck_assert_int_eq(code_max(32, true), INT32_MAX);
}
END_TEST

START_TEST(notices_broken_promises) {
    broken_promises = 0;
    ck_assert(align_left(-3, 61) == -3 * ((int64_t)1 << 61));
    ck_assert(accumulate(INT32_MAX - 1, 1, false) == INT32_MAX);
    ck_assert(accumulate(INT32_MAX, 1, true) == (int64_t)INT32_MAX + 1);
    ck_assert_int_eq(broken_promises, 0);
    accumulate(INT32_MAX, 1, false);
    accumulate(INT32_MIN, -1, false);
    clamp64(0, 1, 0);
    ck_assert_int_eq(broken_promises, 3);
    broken_promises = 0;
}
END_TEST

int main(void) {
    Suite *suite = suite_create("runtime/arith");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, shifts_every_small_number);
    tcase_add_test(tests, shifts_numbers_of_every_size);
    tcase_add_test(tests, shifts_the_ends_of_the_type);
    tcase_add_test(tests, divides_with_one_rounding);
    tcase_add_test(tests, divides_every_small_number);
    tcase_add_test(tests, knows_the_range_of_codes);
    tcase_add_test(tests, notices_broken_promises);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
