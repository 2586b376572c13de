/* The journal: remembers, survives, refuses what is not its own. */
#include "search/journal.h"

#include "suite_main.h"

#include <check.h>
#undef fail
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

static void make_path(void) {
    snprintf(path, sizeof(path), "journal-test-%ld.tmp", (long)getpid());
}

static void remove_path(void) {
    remove(path);
}

static void fill(struct journal *j, struct context *ctx, uint64_t count) {
    for (uint64_t k = 0; k < count; k++) {
        double values[JOURNAL_VALUES] = {(double)k, 1.0 / (double)(k + 3), -0.0, 1e-300 * (double)k};
        ck_assert_int_eq(journal_add(ctx, j, k * 0x9E3779B97F4A7C15u, values), PARE_OK);
    }
}

static void check(const struct journal *j, uint64_t count) {
    double values[JOURNAL_VALUES];
    for (uint64_t k = 0; k < count; k++) {
        ck_assert(journal_find(j, k * 0x9E3779B97F4A7C15u, values));
        ck_assert(values[0] == (double)k && values[1] == 1.0 / (double)(k + 3) && values[3] == 1e-300 * (double)k);
    }
    ck_assert(!journal_find(j, 12345, values));
}

START_TEST(remembers) {
    struct context ctx;
    context_init(&ctx);
    struct journal *j = NULL;
    ck_assert_int_eq(journal_open(&ctx, NULL, 1, false, &j), PARE_OK);
    fill(j, &ctx, 3000);
    check(j, 3000);
    journal_close(j);
}
END_TEST

START_TEST(resumes_also_after_a_torn_line) {
    struct context ctx;
    context_init(&ctx);
    struct journal *j = NULL;
    ck_assert_int_eq(journal_open(&ctx, path, 7, false, &j), PARE_OK);
    fill(j, &ctx, 100);
    journal_close(j);
    FILE *f = fopen(path, "a");
    fputs("00000000000000ff 3ff0000000000000 3ff", f); /* the process died here */
    fclose(f);
    ck_assert_int_eq(journal_open(&ctx, path, 7, true, &j), PARE_OK);
    check(j, 100);
    double values[JOURNAL_VALUES];
    ck_assert(!journal_find(j, 255, values));
    journal_close(j);
}
END_TEST

/* Opening for a resume fails (its folder takes no new file): the old file must stay whole. */
START_TEST(a_failed_resume_keeps_the_old_file) {
    struct context ctx;
    context_init(&ctx);
    struct journal *j = NULL;
    ck_assert_int_eq(journal_open(&ctx, path, 7, false, &j), PARE_OK);
    fill(j, &ctx, 100);
    journal_close(j);
    char blocking[96]; /* where the new one would be written beside */
    snprintf(blocking, sizeof(blocking), "%s.tmp-%ld", path, (long)getpid());
    ck_assert_int_eq(mkdir(blocking, 0777), 0);
    ck_assert_int_eq(journal_open(&ctx, path, 7, true, &j), PARE_ERROR_IO);
    ck_assert_ptr_null(j);
    ck_assert_int_eq(rmdir(blocking), 0);
    context_clear(&ctx);
    ck_assert_int_eq(journal_open(&ctx, path, 7, true, &j), PARE_OK);
    check(j, 100);
    journal_close(j);
}
END_TEST

START_TEST(refuses_another_identity) {
    struct context ctx;
    context_init(&ctx);
    struct journal *j = NULL;
    ck_assert_int_eq(journal_open(&ctx, path, 7, false, &j), PARE_OK);
    journal_close(j);
    ck_assert_int_eq(journal_open(&ctx, path, 8, true, &j), PARE_ERROR_USAGE);
    ck_assert_ptr_null(j);
    context_clear(&ctx);
    ck_assert_int_eq(journal_open(&ctx, path, 8, false, &j), PARE_OK); /* without resume it starts anew */
    journal_close(j);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("journal");
    TCase *tests = tcase_create("journal");
    tcase_add_checked_fixture(tests, make_path, remove_path);
    tcase_add_test(tests, remembers);
    tcase_add_test(tests, resumes_also_after_a_torn_line);
    tcase_add_test(tests, a_failed_resume_keeps_the_old_file);
    tcase_add_test(tests, refuses_another_identity);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
