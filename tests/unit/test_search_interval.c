/* Paired intervals against published numbers and against simulation. */
#include "search/interval.h"

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

int main(void) {
    Suite *suite = suite_create("interval");
    TCase *tests = tcase_create("interval");
    tcase_add_test(tests, quantiles);
    tcase_add_test(tests, by_hand);
    tcase_add_test(tests, covers);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
