/* The rewritten ONNX: what is exported and read again is the same integer program. */
#include "quant/exchange.h"

#include "program_equal.h"
#include "random_scheme.h"

#define NETWORKS 600

/* ---- there and back ---- */

static void export(struct quantised *q, struct graph **g) {
    assert_ok(&q->m, export_graph(&q->m.ctx, q->s, g));
    assert_ok(&q->m, graph_verify(&q->m.ctx, *g));
    ck_assert(import_recognises(*g));
}

/* Drops what quantization_annotation would carry. */
static void forget_formats(struct graph *g) {
    for (int i = 0; i < g->value_count; i++) {
        g->values[i]->format = NULL;
    }
}

static void import(struct quantised *q, struct graph **g, struct scheme **s, struct program **p) {
    assert_ok(&q->m, import_graph(&q->m.ctx, g, s));
    assert_ok(&q->m, graph_verify(&q->m.ctx, *g));
    for (const struct node *n = (*g)->first; n != NULL; n = n->next) {
        ck_assert(!node_is(n, "QuantizeLinear") && !node_is(n, "DequantizeLinear"));
    }
    assert_ok(&q->m, lower(&q->m.ctx, *s, p));
}

START_TEST(random_networks_return_as_the_same_program) {
    struct quantised q;
    struct graph *g = NULL;
    struct scheme *s = NULL;
    struct program *p = NULL;
    quantise(&q, (uint64_t)_i, NULL);
    export(&q, &g);
    import(&q, &g, &s, &p);
    assert_same_program(q.p, p);
    program_free(p);
    scheme_free(s);
    graph_free(g);
    release(&q);
}
END_TEST

/* Without the announced widths the same codes come from types and Clips: only the widths of parameters may differ. */
START_TEST(formats_follow_from_types_and_clips_alone) {
    struct quantised q;
    struct graph *g = NULL;
    struct scheme *s = NULL;
    struct program *p = NULL;
    quantise(&q, (uint64_t)_i, NULL);
    export(&q, &g);
    forget_formats(g);
    import(&q, &g, &s, &p);
    for (uint32_t i = 0; i < p->value_count; i++) {
        if (p->values[i].constant == NULL) {
            assert_same_value(q.p, p, i);
        }
    }
    program_free(p);
    scheme_free(s);
    graph_free(g);
    release(&q);
}
END_TEST

int main(void) {
    Suite *s = suite_create("quant/exchange");
    TCase *t = tcase_create("exchange");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, random_networks_return_as_the_same_program, 0, NETWORKS);
    tcase_add_loop_test(t, formats_follow_from_types_and_clips_alone, 0, NETWORKS / 4);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
