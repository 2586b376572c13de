/* What the main of every unit test does. */
#ifndef PARE_TESTS_SUITE_MAIN_H
#define PARE_TESTS_SUITE_MAIN_H

#include <check.h>
#include <stdlib.h>

/* Runs the suite, which it takes over; the exit code. */
static inline int suite_main(Suite *suite) {
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
