/* The rewritten ONNX: what is exported and read again is the same integer program. */
#include "quant/exchange.h"

#include "quant/rules.h"
#include "random_scheme.h"

#define NETWORKS 600

/* ---- equality of programs ---- */

static size_t storage_bytes(const struct pare_value *v) {
    return (size_t)v->count * (v->storage == PARE_F32 ? 4 : v->storage >= PARE_U16 ? 2 : 1);
}

static void assert_same_value(const struct program *p, const struct program *q, uint32_t i) {
    const struct pare_value *a = &p->values[i], *b = &q->values[i];
    ck_assert_str_eq(p->value_names[i], q->value_names[i]);
    ck_assert_int_eq(a->storage, b->storage);
    ck_assert_int_eq(a->bits, b->bits);
    ck_assert_int_eq(a->is_signed, b->is_signed);
    ck_assert_int_eq(a->frac, b->frac);
    ck_assert_int_eq(a->rank, b->rank);
    ck_assert_mem_eq(a->dims, b->dims, sizeof a->dims);
    ck_assert_int_eq(a->constant == NULL, b->constant == NULL);
    if (a->constant != NULL) {
        ck_assert_mem_eq(a->constant, b->constant, storage_bytes(a));
    }
}

static void assert_same_weights(const struct pare_weights *a, const struct pare_weights *b) {
    ck_assert_uint_eq(a->bits, b->bits);
    ck_assert_uint_eq(a->rows, b->rows);
    ck_assert_uint_eq(a->columns, b->columns);
    ck_assert_uint_eq(a->row_bits, b->row_bits);
    ck_assert_int_eq(a->frac_per_row, b->frac_per_row);
    ck_assert_mem_eq(a->frac, b->frac, a->frac_per_row ? a->rows : 1);
    if (a->bits > 0) {
        ck_assert_mem_eq(a->data, b->data, ((size_t)a->rows * a->row_bits + 7) / 8);
    }
}

static void assert_same_bias(const struct pare_bias *a, const struct pare_bias *b, uint32_t rows) {
    ck_assert_uint_eq(a->bits, b->bits);
    if (a->bits > 0) {
        ck_assert_int_eq(a->frac_per_row, b->frac_per_row);
        ck_assert_mem_eq(a->frac, b->frac, a->frac_per_row ? rows : 1);
        ck_assert_mem_eq(a->data, b->data, ((size_t)rows * a->bits + 7) / 8);
    }
}

static void assert_same_op(const struct program *p, const struct program *q, uint32_t i) {
    const struct pare_op *a = &p->ops[i], *b = &q->ops[i];
    ck_assert_str_eq(p->op_names[i], q->op_names[i]);
    ck_assert_str_eq(p->op_types[i], q->op_types[i]);
    ck_assert_int_eq(a->kind, b->kind);
    ck_assert_int_eq(a->wide, b->wide);
    ck_assert_int_eq(a->input_count, b->input_count);
    ck_assert_mem_eq(a->inputs, b->inputs, a->input_count * sizeof a->inputs[0]);
    ck_assert_uint_eq(a->output, b->output);
    ck_assert_int_eq(a->low, b->low);
    ck_assert_int_eq(a->high, b->high);
    if (a->weights.rows > 0) {
        assert_same_weights(&a->weights, &b->weights);
        assert_same_bias(&a->bias, &b->bias, a->weights.rows);
    }
    if (a->kind == PARE_COPY) {
        ck_assert_int_eq(a->u.copy.fill_code, b->u.copy.fill_code);
    }
    if (a->kind == PARE_TABLE) {
        size_t entries = (size_t)1 << p->values[a->inputs[0]].bits;
        ck_assert_mem_eq(a->u.table.entries, b->u.table.entries, entries * (p->values[a->output].bits > 8 ? 2 : 1));
    }
}

static void assert_same_program(const struct program *p, const struct program *q) {
    ck_assert_uint_eq(p->value_count, q->value_count);
    ck_assert_uint_eq(p->op_count, q->op_count);
    ck_assert_uint_eq(p->output_count, q->output_count);
    for (uint32_t i = 0; i < p->value_count; i++) {
        assert_same_value(p, q, i);
    }
    for (uint32_t i = 0; i < p->op_count; i++) {
        assert_same_op(p, q, i);
    }
    ck_assert_mem_eq(p->outputs, q->outputs, p->output_count * sizeof p->outputs[0]);
}

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
