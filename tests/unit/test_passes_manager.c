/* The manager: what a pass does wrong is undone and said, and every run ends. */
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT                                                                                                           \
    "graph g {\n"                                                                                                      \
    "input x: float32[N,4] const c: float32[4] = [1,2,3,4]\n"                                                          \
    "a = Identity(x) b = Relu(a) y = Add(b, c) output y\n"                                                             \
    "}\n"

struct notes {
    int warnings;
    char last[512];
};

static void take_note(void *user, const char *message) {
    struct notes *notes = user;
    notes->warnings++;
    snprintf(notes->last, sizeof notes->last, "%s", message);
}

static struct graph *parse(struct context *ctx, struct notes *notes, const char *text) {
    struct graph *g;
    context_init(ctx);
    memset(notes, 0, sizeof *notes);
    ctx->warn = take_note;
    ctx->user = notes;
    ck_assert_msg(graph_parse(ctx, text, &g) == PARE_OK, "%s", ctx->diag.message);
    return g;
}

static char *text_of(struct context *ctx, const struct graph *g) {
    struct buffer b;
    buffer_init(&b);
    ck_assert_int_eq(graph_print(ctx, g, &b), PARE_OK);
    write_u8(&b, 0);
    return (char *)b.data;
}

/* What the graph's input has as its batch after the passes of one sample; -1: it is still open. */
static int64_t batch_for_sample(const char *text, bool *fixed) {
    struct context ctx;
    struct notes notes;
    struct graph *g = parse(&ctx, &notes, text);
    struct pass_options options = {.check_numerics = true};
    ck_assert_msg(passes_run_for_sample(&ctx, &g, &options, fixed) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_int_eq(notes.warnings, 0);
    int64_t batch = g->inputs[0]->dims[0].value;
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        struct shape shape;
        ck_assert(!node_is(n, "Shape") && value_shape(n->outputs[0], 1, &shape));
    }
    graph_free(g);
    return batch;
}

START_TEST(test_batch_stays_open) {
    bool fixed = true;
    ck_assert_int_eq(batch_for_sample(TEXT, &fixed), -1);
    ck_assert(!fixed);
}
END_TEST

START_TEST(test_batch_is_fixed_where_it_is_read) {
    bool fixed = false;
    int64_t batch = batch_for_sample("graph g {\n"
                                     "input x: float32[N,4] const w: float32[4,4] = random(1,-1,1)\n"
                                     "s = Shape(x) z = ConstantOfShape(s) a = Gemm(x, w) y = Add(a, z) output y\n"
                                     "}\n",
                                     &fixed);
    ck_assert_int_eq(batch, 1);
    ck_assert(fixed);
}
END_TEST

START_TEST(test_batch_is_fixed_where_it_is_another_axis) {
    bool fixed = false;
    int64_t batch = batch_for_sample("graph g {\n"
                                     "input x: float32[N,3,4] const b: float32[4] = [1,2,3,4]\n"
                                     "t = Transpose(x) {perm=[1,0,2]} a = Add(t, b) r = Relu(a)\n"
                                     "y = Softmax(r) {axis=1} output y\n"
                                     "}\n",
                                     &fixed);
    ck_assert_int_eq(batch, 1);
    ck_assert(fixed);
}
END_TEST

static enum pare_status change_numbers(struct context *ctx, struct graph *g, int *changes) {
    for (struct node *n = g->first; n != NULL; n = n->next) {
        if (node_is(n, "Relu")) {
            ++*changes;
            return node_become(ctx, n, "Sigmoid", &n->inputs[0], 1);
        }
    }
    return PARE_OK;
}

static enum pare_status break_arity(struct context *ctx, struct graph *g, int *changes) {
    (void)ctx;
    ++*changes;
    g->last->op = op_find("BatchNormalization");
    return PARE_OK;
}

static enum pare_status break_shapes(struct context *ctx, struct graph *g, int *changes) {
    ++*changes;
    struct value *wrong;
    TRY(add_int_constant(ctx, g->last, "wrong", (int64_t[]){1, 2, 3}, 3, &wrong));
    return node_set_input(ctx, g->last, 1, wrong);
}

static enum pare_status run_out_of_memory(struct context *ctx, struct graph *g, int *changes) {
    (void)g;
    (void)changes;
    return fail_memory(ctx);
}

static enum pare_status never_stop(struct context *ctx, struct graph *g, int *changes) {
    (void)ctx;
    (void)g;
    ++*changes;
    return PARE_OK;
}

static const struct pass faulty[] = {
    {"change_numbers", change_numbers, false, 0},
    {"break_arity", break_arity, false, 0},
    {"break_shapes", break_shapes, false, 0},
};

START_TEST(test_fault_is_undone) {
    struct context ctx;
    struct notes notes;
    struct graph *g = parse(&ctx, &notes, TEXT);
    struct pass_options options = {.check_numerics = true, .seed = 1};
    struct pipeline pipeline = {.passes = &faulty[_i], .early = 1, .count = 1};
    ck_assert_int_eq(graph_infer(&ctx, g), PARE_OK);
    char *before = text_of(&ctx, g);
    ck_assert_msg(pipeline_run(&ctx, &g, &pipeline, &options) == PARE_OK, "%s", ctx.diag.message);
    char *after = text_of(&ctx, g);
    ck_assert_str_eq(before, after);
    ck_assert_int_eq(notes.warnings, 1);
    ck_assert_ptr_nonnull(strstr(notes.last, faulty[_i].name));
    ck_assert_int_eq(ctx.diag.code, PARE_OK);
    free(before);
    free(after);
    graph_free(g);
}
END_TEST

/* Right on the made-up inputs, which lie between -1 and 1. */
static enum pare_status drop_clip(struct context *ctx, struct graph *g, int *changes) {
    for (struct node *n = g->first; n != NULL; n = n->next) {
        if (node_is(n, "Clip")) {
            ++*changes;
            return node_become(ctx, n, "Identity", &n->inputs[0], 1);
        }
    }
    return PARE_OK;
}

START_TEST(test_given_samples_are_compared) {
    static const char text[] = "graph g {\ninput x: float32[N,4] const low: float32[] = -2 const high: float32[] = 2\n"
                               "y = Clip(x, low, high) output y\n}\n";
    float small[] = {1, -1, 0.5f, 2}, large[] = {1, 9, 0, 0};
    struct tensor given[] = {{DTYPE_FLOAT, {2, {1, 4}}, small}, {DTYPE_FLOAT, {2, {1, 4}}, large}};
    const struct tensor *samples[] = {&given[0], &given[1]};
    struct pass pass = {"drop_clip", drop_clip, false, 0};
    for (size_t count = 0; count <= 2; count++) {
        struct context ctx;
        struct notes notes;
        struct graph *g = parse(&ctx, &notes, text);
        int changes = 0;
        struct pass_options options = {
            .check_numerics = true, .seed = 1, .samples = samples, .sample_count = count, .changes = &changes};
        struct pipeline pipeline = {.passes = &pass, .early = 1, .count = 1};
        ck_assert_int_eq(pipeline_run(&ctx, &g, &pipeline, &options), PARE_OK);
        ck_assert(node_is(g->first, count < 2 ? "Identity" : "Clip"));
        ck_assert_int_eq(notes.warnings, count == 2);
        ck_assert_int_eq(changes, count < 2);
        graph_free(g);
    }
}
END_TEST

/* Between codes even a rounding matters. */
START_TEST(test_exact_leaves_out_what_rounds) {
    static const char text[] = "graph g {\ninput x: float32[N,4] y = Clip(x) output y\n}\n";
    struct pass pass = {"drop_clip", drop_clip, true, 0};
    for (int exact = 0; exact <= 1; exact++) {
        struct context ctx;
        struct notes notes;
        struct graph *g = parse(&ctx, &notes, text);
        struct pass_options options = {.seed = 1, .exact = exact == 1};
        struct pipeline pipeline = {.passes = &pass, .early = 1, .count = 1};
        ck_assert_int_eq(pipeline_run(&ctx, &g, &pipeline, &options), PARE_OK);
        ck_assert(node_is(g->first, exact == 1 ? "Clip" : "Identity"));
        graph_free(g);
    }
}
END_TEST

START_TEST(test_opset_leaves_out_what_it_has_no_words_for) {
    static const char text[] = "graph g {\ninput x: float32[N,4] y = Clip(x) output y\n}\n";
    struct pass pass = {"drop_clip", drop_clip, false, 14};
    for (int opset = 12; opset <= 15; opset++) {
        struct context ctx;
        struct notes notes;
        struct graph *g = parse(&ctx, &notes, text);
        struct pass_options options = {.seed = 1, .opset = opset == 12 ? 0 : opset};
        struct pipeline pipeline = {.passes = &pass, .early = 1, .count = 1};
        ck_assert_int_eq(pipeline_run(&ctx, &g, &pipeline, &options), PARE_OK);
        ck_assert(node_is(g->first, opset == 13 ? "Clip" : "Identity"));
        graph_free(g);
    }
}
END_TEST

START_TEST(test_good_passes_run_on) {
    struct context ctx;
    struct notes notes;
    struct graph *g = parse(&ctx, &notes, TEXT);
    struct pass_options options = {.check_numerics = true, .seed = 1};
    struct pass passes[] = {faulty[0], {"identity", pass_identity, false, 0}};
    struct pipeline pipeline = {.passes = passes, .early = 2, .count = 2};
    ck_assert_int_eq(pipeline_run(&ctx, &g, &pipeline, &options), PARE_OK);
    ck_assert_int_eq(notes.warnings, 1);
    ck_assert_int_eq(g->node_count, 2);
    ck_assert(node_is(g->first, "Relu"));
    graph_free(g);
}
END_TEST

START_TEST(test_no_memory_ends_the_run) {
    struct context ctx;
    struct notes notes;
    struct graph *g = parse(&ctx, &notes, TEXT);
    struct pass_options options = {.seed = 1};
    struct pass pass = {"run_out_of_memory", run_out_of_memory, false, 0};
    struct pipeline pipeline = {.passes = &pass, .early = 1, .count = 1};
    ck_assert_int_eq(pipeline_run(&ctx, &g, &pipeline, &options), PARE_ERROR_MEMORY);
    graph_free(g);
}
END_TEST

START_TEST(test_rounds_are_bounded) {
    struct context ctx;
    struct notes notes;
    struct graph *g = parse(&ctx, &notes, TEXT);
    struct pass_options options = {.seed = 1};
    struct pass pass = {"never_stop", never_stop, false, 0};
    struct pipeline pipeline = {.passes = &pass, .early = 1, .count = 1};
    ck_assert_int_eq(pipeline_run(&ctx, &g, &pipeline, &options), PARE_OK);
    graph_free(g);
}
END_TEST

static bool cancel(void *user) {
    (void)user;
    return true;
}

START_TEST(test_cancelled) {
    struct context ctx;
    struct notes notes;
    struct graph *g = parse(&ctx, &notes, TEXT);
    struct pass_options options = {.seed = 1};
    ctx.cancelled = cancel;
    ck_assert_int_eq(passes_run(&ctx, &g, &options), PARE_ERROR_INTERRUPTED);
    graph_free(g);
}
END_TEST

START_TEST(test_inputs_that_cannot_be_made_up) {
    struct context ctx;
    struct notes notes;
    struct pass_options options = {.check_numerics = true, .seed = 1};
    struct graph *g = parse(&ctx, &notes, "graph g { input x: float32[...] a = Identity(x) y = Relu(a) output y }");
    ck_assert_int_eq(passes_run(&ctx, &g, &options), PARE_OK);
    ck_assert_int_eq(notes.warnings, 1);
    ck_assert_ptr_nonnull(strstr(notes.last, "not compared"));
    ck_assert_int_eq(g->node_count, 1);
    graph_free(g);
}
END_TEST

START_TEST(test_dump) {
    struct context ctx;
    struct notes notes;
    struct buffer dump;
    struct graph *g = parse(&ctx, &notes, TEXT), *dumped;
    struct pass_options options = {.seed = 1, .dump_after = "identity", .dump_to = &dump};
    buffer_init(&dump);
    ck_assert_int_eq(passes_run(&ctx, &g, &options), PARE_OK);
    write_u8(&dump, 0);
    ck_assert_msg(graph_parse(&ctx, (const char *)dump.data, &dumped) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_int_eq(dumped->node_count, 2);
    buffer_free(&dump);
    graph_free(dumped);
    options.dump_after = "no_such_pass";
    ck_assert_int_eq(passes_run(&ctx, &g, &options), PARE_ERROR_USAGE);
    graph_free(g);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("passes manager");
    TCase *manager = tcase_create("manager");
    tcase_add_loop_test(manager, test_fault_is_undone, 0, (int)(sizeof faulty / sizeof faulty[0]));
    tcase_add_test(manager, test_given_samples_are_compared);
    tcase_add_test(manager, test_exact_leaves_out_what_rounds);
    tcase_add_test(manager, test_opset_leaves_out_what_it_has_no_words_for);
    tcase_add_test(manager, test_good_passes_run_on);
    tcase_add_test(manager, test_no_memory_ends_the_run);
    tcase_add_test(manager, test_rounds_are_bounded);
    tcase_add_test(manager, test_cancelled);
    tcase_add_test(manager, test_inputs_that_cannot_be_made_up);
    tcase_add_test(manager, test_dump);
    tcase_add_test(manager, test_batch_stays_open);
    tcase_add_test(manager, test_batch_is_fixed_where_it_is_read);
    tcase_add_test(manager, test_batch_is_fixed_where_it_is_another_axis);
    suite_add_tcase(suite, manager);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
