/* Each pass on text IR: the graph after it, node by node, and the same numbers before and after. */
#include "graph/op.h"
#include "passes/numerics.h"
#include "passes/passes.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rewrite_case {
    const char *name;
    const char *passes; /* separated by spaces */
    const char *before; /* statements of a graph */
    const char *after;  /* NULL: nothing changes */
};

static const struct rewrite_case cases[] = {
#include "passes_cases.inc"
};

static struct graph *parse(struct context *ctx, const char *statements) {
    char *text = malloc(strlen(statements) + 32);
    struct graph *g;
    ck_assert_ptr_nonnull(text);
    sprintf(text, "graph g {\n%s\n}\n", statements);
    ck_assert_msg(graph_parse(ctx, text, &g) == PARE_OK, "%s", ctx->diag.message);
    free(text);
    ck_assert_msg(graph_infer(ctx, g) == PARE_OK, "%s", ctx->diag.message);
    return g;
}

static void describe_value(struct buffer *b, const struct value *v) {
    char shape[128];
    if (v == NULL) {
        write_format(b, " -");
    } else if (v->constant != NULL) {
        write_format(b, " %s%s", dtype_name(v->type), shape_text(&v->constant->shape, shape, sizeof shape));
    } else {
        write_format(b, " %s", v->name);
    }
}

static int compare_attrs(const void *a, const void *b) {
    return strcmp(((const struct attr *)a)->name, ((const struct attr *)b)->name);
}

static void describe_attrs(struct buffer *b, struct node *n) {
    if (n->attr_count > 0) {
        qsort(n->attrs, (size_t)n->attr_count, sizeof *n->attrs, compare_attrs);
    }
    for (int i = 0; i < n->attr_count; i++) {
        const struct attr *a = &n->attrs[i];
        write_format(b, " %s=", a->name);
        switch (a->type) {
        case ATTR_INT:
            write_format(b, "%lld", (long long)a->i);
            break;
        case ATTR_FLOAT:
            write_format(b, "%g", (double)a->f);
            break;
        case ATTR_STRING:
            write_format(b, "%s", a->s);
            break;
        default:
            for (size_t k = 0; k < a->count; k++) {
                write_format(b, "%lld,", (long long)a->ints[k]);
            }
        }
    }
}

/* One line per node; constants are shown as their type and shape, integers with their values. */
static char *describe(struct graph *g) {
    struct buffer b;
    buffer_init(&b);
    for (struct node *n = g->first; n != NULL; n = n->next) {
        for (int i = 0; i < n->output_count; i++) {
            describe_value(&b, n->outputs[i]);
        }
        write_format(&b, " = %s/%s", n->op->name, n->origin->name);
        for (int i = 0; i < n->input_count; i++) {
            describe_value(&b, n->inputs[i]);
            const struct tensor *t = n->inputs[i] == NULL ? NULL : n->inputs[i]->constant;
            for (size_t k = 0; t != NULL && t->type == DTYPE_INT64 && k < tensor_count(t); k++) {
                write_format(&b, "%c%lld", k == 0 ? ':' : ',', (long long)tensor_get_int(t, k));
            }
        }
        describe_attrs(&b, n);
        write_format(&b, "\n");
    }
    for (int i = 0; i < g->output_count; i++) {
        write_format(&b, "output %s\n", g->outputs[i]->name);
    }
    write_u8(&b, 0);
    ck_assert(!b.failed);
    return (char *)b.data;
}

static int run_passes(struct context *ctx, struct graph *g, const char *passes) {
    char list[256];
    int changes = 0;
    snprintf(list, sizeof list, "%s", passes);
    for (char *name = strtok(list, " "); name != NULL; name = strtok(NULL, " ")) {
        ck_assert_msg(passes_run_one(ctx, g, name, &changes) == PARE_OK, "%s", ctx->diag.message);
    }
    return changes;
}

static void expect_same_numbers(struct context *ctx, const struct outputs *before, const struct graph *g,
                                const char *name) {
    struct outputs after;
    ck_assert_msg(outputs_compute(ctx, g, 5, &after) == PARE_OK, "%s: %s", name, ctx->diag.message);
    double difference = outputs_difference(before, &after);
    ck_assert_msg(difference <= 1e-5, "%s: outputs differ by %g", name, difference);
    outputs_free(&after);
}

START_TEST(test_case) {
    const struct rewrite_case *c = &cases[_i];
    struct context ctx;
    struct outputs before;
    context_init(&ctx);
    struct graph *g = parse(&ctx, c->before), *expected = parse(&ctx, c->after == NULL ? c->before : c->after);
    ck_assert_msg(outputs_compute(&ctx, g, 5, &before) == PARE_OK, "%s: %s", c->name, ctx.diag.message);
    int changes = run_passes(&ctx, g, c->passes);
    ck_assert_msg((changes > 0) == (c->after != NULL), "%s: %d changes", c->name, changes);
    char *is = describe(g), *should = describe(expected);
    ck_assert_msg(strcmp(is, should) == 0, "%s:\n%s--- expected:\n%s", c->name, is, should);
    expect_same_numbers(&ctx, &before, g, c->name);
    outputs_free(&before);
    free(is);
    free(should);
    graph_free(g);
    graph_free(expected);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("passes rewrites");
    TCase *rewrites = tcase_create("rewrites");
    tcase_add_loop_test(rewrites, test_case, 0, (int)(sizeof cases / sizeof cases[0]));
    suite_add_tcase(suite, rewrites);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
