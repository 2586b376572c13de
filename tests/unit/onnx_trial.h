/* Parsing of messages made by a test. */
#ifndef TEST_ONNX_TRIAL_H
#define TEST_ONNX_TRIAL_H

#include "onnx/onnx.h"
#include "onnx_writer.h"
#include "suite_main.h"

#include <check.h>

static struct context ctx;

static void trial_setup(void) {
    context_init(&ctx);
}

/* Frees the model. */
static inline enum pare_status try_parse(message model, struct graph **g) {
    *g = NULL;
    context_clear(&ctx);
    enum pare_status status = onnx_parse(&ctx, "test.onnx", model.data, model.size, NULL, g);
    buffer_free(&model);
    return status;
}

static inline struct graph *must_parse(message model) {
    struct graph *g = NULL;
    enum pare_status status = try_parse(model, &g);
    ck_assert_msg(status == PARE_OK, "%s", ctx.diag.message);
    return g;
}

/* The model is refused with `code`, and the message begins with the place and holds every one of the words. */
static inline void must_refuse(message model, enum pare_status code, const char *first, const char *second) {
    struct graph *g = NULL;
    enum pare_status status = try_parse(model, &g);
    ck_assert_msg(status == code, "status %d: %s", (int)status, ctx.diag.message);
    ck_assert_msg(strncmp(ctx.diag.message, "test.onnx: ", 11) == 0, "%s", ctx.diag.message);
    ck_assert_msg(strstr(ctx.diag.message, first) != NULL, "`%s` is not in: %s", first, ctx.diag.message);
    ck_assert_msg(strstr(ctx.diag.message, second) != NULL, "`%s` is not in: %s", second, ctx.diag.message);
}

/* The text form, on the heap. */
static inline char *text_of(const struct graph *g) {
    struct buffer b;
    buffer_init(&b);
    ck_assert_int_eq(graph_print(&ctx, g, &b), PARE_OK);
    write_u8(&b, 0);
    ck_assert(!b.failed);
    return (char *)b.data;
}

static inline int run_case(TCase *tests, const char *name) {
    Suite *suite = suite_create(name);
    tcase_add_checked_fixture(tests, trial_setup, NULL);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}

#endif
