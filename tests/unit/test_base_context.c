#include "base/context.h"
#include "base/parallel.h"

#include "suite_main.h"

#include <check.h>
#undef fail /* of Check's old interface */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct context ctx;

static void setup(void) {
    context_init(&ctx);
}

START_TEST(first_error_stays) {
    ck_assert_int_eq(fail(&ctx, PARE_ERROR_INPUT, "conv_%d: broken", 3), PARE_ERROR_INPUT);
    ck_assert_int_eq(fail(&ctx, PARE_ERROR_IO, "later"), PARE_ERROR_INPUT);
    ck_assert_str_eq(ctx.diag.message, "conv_3: broken");
    ck_assert_int_eq(fail_at(&ctx, "model.%s", "onnx"), PARE_ERROR_INPUT);
    ck_assert_str_eq(ctx.diag.message, "model.onnx: conv_3: broken");
    context_clear(&ctx);
    ck_assert_int_eq(ctx.diag.code, PARE_OK);
    ck_assert_str_eq(ctx.diag.message, "");
    ck_assert_int_eq(fail_memory(&ctx), PARE_ERROR_MEMORY);
}
END_TEST

START_TEST(long_messages_are_cut) {
    char text[2 * DIAG_MESSAGE_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    fail(&ctx, PARE_ERROR_INPUT, "%s", text);
    ck_assert_uint_eq(strlen(ctx.diag.message), DIAG_MESSAGE_MAX - 1);
    fail_at(&ctx, "place");
    ck_assert_uint_eq(strlen(ctx.diag.message), DIAG_MESSAGE_MAX - 1);
    ck_assert_mem_eq(ctx.diag.message, "place: xxx", 10);
    fail_at(&ctx, "%s", text);
    ck_assert_uint_eq(strlen(ctx.diag.message), DIAG_MESSAGE_MAX - 1);
}
END_TEST

struct work {
    size_t *calls;   /* per index */
    size_t *workers; /* calls per worker */
    size_t fails_from;
};

static enum pare_status count_call(void *user, struct context *own, size_t i, int worker) {
    struct work *w = user;
    w->calls[i]++;
    w->workers[worker]++;
    return i >= w->fails_from ? fail(own, PARE_ERROR_INPUT, "index %zu", i) : PARE_OK;
}

START_TEST(every_index_once) {
    enum { COUNT = 10000 };
    for (int threads = 0; threads <= 8; threads++) {
        size_t calls[COUNT] = {0}, workers[8] = {0};
        struct work w = {calls, workers, COUNT};
        ctx.threads = threads;
        ck_assert_int_eq(parallel_for(&ctx, COUNT, count_call, &w), PARE_OK);
        for (size_t i = 0; i < COUNT; i++) {
            ck_assert_uint_eq(calls[i], 1);
        }
    }
    ck_assert_int_eq(parallel_for(&ctx, 0, count_call, NULL), PARE_OK);
}
END_TEST

START_TEST(same_failure_for_any_threads) {
    enum { COUNT = 1000 };
    for (int threads = 1; threads <= 8; threads++) {
        for (size_t from = 0; from < COUNT; from += 111) {
            size_t calls[COUNT] = {0}, workers[8] = {0};
            struct work w = {calls, workers, from};
            char expected[32];
            snprintf(expected, sizeof expected, "index %zu", from);
            context_clear(&ctx);
            ctx.threads = threads;
            ck_assert_int_eq(parallel_for(&ctx, COUNT, count_call, &w), PARE_ERROR_INPUT);
            ck_assert_str_eq(ctx.diag.message, expected);
            ck_assert_int_eq(ctx.diag.code, PARE_ERROR_INPUT);
        }
    }
}
END_TEST

static bool always(void *user) {
    (void)user;
    return true;
}

START_TEST(cancelled_loop_stops) {
    size_t calls[100] = {0}, workers[8] = {0};
    struct work w = {calls, workers, 100};
    ctx.threads = 2;
    ctx.cancelled = always;
    ck_assert_int_eq(parallel_for(&ctx, 100, count_call, &w), PARE_ERROR_INTERRUPTED);
    for (size_t i = 0; i < 100; i++) {
        ck_assert_uint_eq(calls[i], 0);
    }
}
END_TEST

START_TEST(late_loop_stops) {
    size_t calls[100] = {0}, workers[8] = {0};
    struct work w = {calls, workers, 100};
    ctx.deadline = monotonic_seconds() + 3600;
    ck_assert(!context_late(&ctx));
    ck_assert_int_eq(parallel_for(&ctx, 100, count_call, &w), PARE_OK);
    ctx.deadline = monotonic_seconds();
    ck_assert(context_late(&ctx));
    ck_assert_int_eq(parallel_for(&ctx, 100, count_call, &w), PARE_ERROR_INTERRUPTED);
    ck_assert_uint_eq(calls[0], 1);
}
END_TEST

static enum pare_status nested(void *user, struct context *own, size_t i, int worker) {
    (void)worker;
    ck_assert_int_eq(own->threads, 1);
    size_t *sums = user;
    size_t calls[50] = {0}, workers[1] = {0};
    struct work w = {calls, workers, 50};
    TRY(parallel_for(own, 50, count_call, &w));
    sums[i] = workers[0];
    return PARE_OK;
}

START_TEST(loops_nest) {
    size_t sums[20] = {0};
    ctx.threads = 4;
    ck_assert_int_eq(parallel_for(&ctx, 20, nested, sums), PARE_OK);
    for (size_t i = 0; i < 20; i++) {
        ck_assert_uint_eq(sums[i], 50);
    }
}
END_TEST

int main(void) {
    Suite *s = suite_create("base/context");
    TCase *t = tcase_create("context");
    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, first_error_stays);
    tcase_add_test(t, long_messages_are_cut);
    tcase_add_test(t, every_index_once);
    tcase_add_test(t, same_failure_for_any_threads);
    tcase_add_test(t, cancelled_loop_stops);
    tcase_add_test(t, late_loop_stops);
    tcase_add_test(t, loops_nest);
    return suite_main(s);
}
