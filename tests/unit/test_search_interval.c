/* Paired intervals against published numbers and against simulation. */
#include "search/interval.h"

#include "suite_main.h"

#include <check.h>
#include <math.h>
#include <stdint.h>

START_TEST(quantiles) {
    ck_assert_double_eq_tol(normal_quantile(0.5), 0, 1e-9);
    ck_assert_double_eq_tol(normal_quantile(0.975), 1.959963985, 1e-8);
    ck_assert_double_eq_tol(normal_quantile(0.05), -1.644853627, 1e-8);
}
END_TEST

/* n 100, 12 lost, 4 won: p12~ 13/102, p21~ 5/102, error sqrt((18/102 - (8/102)^2) / 102), by hand. */
START_TEST(by_hand) {
    struct paired p = {100, 12, 4};
    double interval[2];
    paired_interval(&p, 0.95, interval);
    double centre = 8.0 / 102, error = sqrt((18.0 / 102 - centre * centre) / 102);
    ck_assert_double_eq_tol(paired_drop(&p), 0.08, 1e-12);
    ck_assert_double_eq_tol(interval[0], centre - 1.959963985 * error, 1e-8);
    ck_assert_double_eq_tol(interval[1], centre + 1.959963985 * error, 1e-8);
    ck_assert_double_eq_tol(paired_upper_limit(&p, 0.95), centre + 1.644853627 * error, 1e-8);
}
END_TEST

static uint64_t next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Of 4,000 simulated data sets, the upper limit at 90 % covers the true drop in about 90 %. */
START_TEST(covers) {
    uint64_t state = 88172645463325252u;
    const double lost = 0.03, won = 0.02;
    int covered = 0;
    for (int set = 0; set < 4000; set++) {
        struct paired p = {500, 0, 0};
        for (int i = 0; i < 500; i++) {
            double u = (double)(next(&state) >> 11) / 9007199254740992.0;
            p.lost += u < lost;
            p.won += u >= lost && u < lost + won;
        }
        covered += paired_upper_limit(&p, 0.9) >= lost - won;
    }
    ck_assert_int_ge(covered, 4000 * 0.88);
    ck_assert_int_le(covered, 4000 * 0.93);
}
END_TEST

START_TEST(levels_are_handed_on) {
    struct fallback f;
    static const double shares[] = {1, 1.5, 2.25, 3.375};
    fallback_begin(&f, 0.05, shares, 4);
    ck_assert_double_eq_tol(fallback_level(&f), 0.05 / 8.125, 1e-12);
    fallback_go_on(&f, true);
    ck_assert_double_eq_tol(fallback_level(&f), 0.05 * 2.5 / 8.125, 1e-12);
    fallback_go_on(&f, false);
    ck_assert_double_eq_tol(fallback_level(&f), 0.05 * 2.25 / 8.125, 1e-12);
    fallback_go_on(&f, true);
    ck_assert_double_eq_tol(fallback_level(&f), 0.05 * 5.625 / 8.125, 1e-12);
}
END_TEST

START_TEST(all_of_the_level_is_left_when_nothing_failed) {
    static const double shares[12] = {0.7, 1.1, 0.3, 1, 1, 0.1, 0.9, 0.2, 0.2, 0.6, 0.4, 0.8};
    for (size_t tests = 1; tests <= 12; tests++) {
        struct fallback f;
        fallback_begin(&f, 0.05, shares, tests);
        for (size_t i = 1; i < tests; i++) {
            fallback_go_on(&f, true);
        }
        ck_assert_double_eq(fallback_level(&f), 0.05);
    }
}
END_TEST

/* Nine hypotheses, of which the first `untrue` ones are always rejected and the others true: how often one of these is
 * rejected. Each has a p-value of its own, or all the same one. */
static int wrong_claims(int untrue, bool same, int runs) {
    static const double shares[9] = {1, 1, 0.95, 0.9, 0.7, 0.4, 0.4, 0.2, 0.05};
    uint64_t state = 88172645463325252u;
    int wrong = 0;
    for (int run = 0; run < runs; run++) {
        struct fallback f;
        bool any = false;
        double p = 0;
        fallback_begin(&f, 0.05, shares, 9);
        for (int i = 0; i < 9; i++) {
            p = same && i > 0 ? p : (double)(next(&state) >> 11) / 9007199254740992.0;
            bool rejected = i < untrue || p <= fallback_level(&f);
            any = any || (rejected && i >= untrue);
            fallback_go_on(&f, rejected);
        }
        wrong += any;
    }
    return wrong;
}

START_TEST(wrong_claims_stay_below_the_level) {
    for (int untrue = 0; untrue < 9; untrue++) {
        for (int same = 0; same < 2; same++) {
            int wrong = wrong_claims(untrue, same, 20000);
            ck_assert_int_le(wrong, 20000 * 0.05 + 3 * 31); /* three standard errors */
            ck_assert_int_ge(wrong, 20000 * 0.005);
        }
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("interval");
    TCase *tests = tcase_create("interval");
    tcase_add_test(tests, quantiles);
    tcase_add_test(tests, by_hand);
    tcase_add_test(tests, covers);
    tcase_add_test(tests, levels_are_handed_on);
    tcase_add_test(tests, all_of_the_level_is_left_when_nothing_failed);
    tcase_add_test(tests, wrong_claims_stay_below_the_level);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
