/* The rewritten ONNX: what is exported and read again is the same integer program. */
#include "quant/exchange.h"

#include "program_equal.h"
#include "random_scheme.h"

#include "suite_main.h"

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

/* ---- single cases ---- */

/* The program of a network in text form at 6 bits everywhere, one fraction per row of the weights. */
static void quantise_text(struct quantised *q, const char *text) {
    memset(q, 0, sizeof *q);
    context_init(&q->m.ctx);
    snprintf(q->m.text, sizeof q->m.text, "%s", text);
    assert_ok(&q->m, graph_parse(&q->m.ctx, text, &q->m.g));
    assert_ok(&q->m, graph_infer(&q->m.ctx, q->m.g));
    assert_ok(&q->m, scheme_new(&q->m.ctx, q->m.g, &q->s));
    for (size_t i = 0; i < q->s->point_count; i++) {
        struct point *p = &q->s->points[i];
        p->format = (struct format){.bits = 6, .is_signed = p->is_signed, .frac = 3};
    }
}

static void set_weights(struct quantised *q, struct linear *l, int bits, const int *fracs) {
    struct arena *a = &q->s->arena;
    struct weight_choice *w = ARENA_NEW(a, struct weight_choice);
    int32_t *codes = ARENA_ARRAY(a, (size_t)l->rows * l->columns, int32_t);
    int *copy = ARENA_ARRAY(a, l->rows, int);
    memcpy(copy, fracs, l->rows * sizeof *fracs);
    w->format = (struct format){.bits = bits, .is_signed = true, .channels = (int)l->rows, .channel_frac = copy};
    for (uint32_t i = 0; i < l->rows * l->columns; i++) {
        codes[i] = quantize((double)l->rows_float[i], &w->format, (int)(i / l->columns));
    }
    w->codes = codes;
    assert_ok(&q->m, weight_choice_finish(&q->m.ctx, a, l, w));
    l->weights = w;
}

static void assert_returns(struct quantised *q) {
    struct graph *g = NULL;
    struct scheme *s = NULL;
    struct program *p = NULL;
    assert_ok(&q->m, lower(&q->m.ctx, q->s, &q->p));
    export(q, &g);
    import(q, &g, &s, &p);
    assert_same_program(q->p, p);
    program_free(p);
    scheme_free(s);
    graph_free(g);
}

/* Two groups share the axis of the weight's output channels, but not their fractions. */
START_TEST(groups_of_conv_transpose) {
    static const int fracs[4] = {3, 5, 7, 1};
    struct quantised q;
    quantise_text(&q, "graph g {\n  input x: float32[1,4,3,3]\n"
                      "  const w: float32[4,2,2,2] = random(7, -1, 1)\n"
                      "  y = ConvTranspose(x, w) {group=2}\n  output y\n}\n");
    set_weights(&q, &q.s->linears[0], 4, fracs);
    assert_returns(&q);
    release(&q);
}
END_TEST

START_TEST(fractions_of_groups_too_far_apart) {
    static const int fracs[4] = {-20, 5, 7, 1};
    struct quantised q;
    struct graph *g = NULL;
    quantise_text(&q, "graph g {\n  input x: float32[1,4,3,3]\n"
                      "  const w: float32[4,2,2,2] = random(7, 1000000, 9000000)\n"
                      "  y = ConvTranspose(x, w) as up {group=2}\n  output y\n}\n");
    set_weights(&q, &q.s->linears[0], 4, fracs);
    ck_assert_int_eq(export_graph(&q.m.ctx, q.s, &g), PARE_ERROR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(q.m.ctx.diag.message, "up (ConvTranspose)"));
    release(&q);
}
END_TEST

/* One initializer, two readers with formats of their own. */
START_TEST(weights_that_two_operators_share) {
    static const int fine[2] = {5, 4}, coarse[2] = {1, 2};
    struct quantised q;
    quantise_text(&q, "graph g {\n  input x: float32[1,2,4,4]\n"
                      "  const w: float32[2,2,1,1] = random(3, -1, 1)\n"
                      "  a = Conv(x, w)\n  r = Relu(a)\n  y = Conv(r, w)\n  output y\n}\n");
    set_weights(&q, &q.s->linears[0], 7, fine);
    set_weights(&q, &q.s->linears[1], 3, coarse);
    assert_returns(&q);
    release(&q);
}
END_TEST

/* The aligned bias leaves 32 bits: it keeps its own fraction. */
START_TEST(bias_that_cannot_be_aligned) {
    static const int fracs[1] = {30};
    struct quantised q;
    quantise_text(&q, "graph g {\n  input x: float32[1,2]\n"
                      "  const w: float32[2,1] = [1e-9, -1e-9]\n  const b: float32[1] = [100]\n"
                      "  y = Gemm(x, w, b)\n  output y\n}\n");
    set_weights(&q, &q.s->linears[0], 8, fracs);
    q.s->linears[0].bias_bits = 12;
    assert_returns(&q);
    release(&q);
}
END_TEST

START_TEST(matmul_has_no_place_for_a_bias) {
    static const int fracs[1] = {4};
    static const float shift[1] = {0.5f};
    struct quantised q;
    struct graph *g = NULL;
    quantise_text(&q, "graph g {\n  input x: float32[1,2]\n  const w: float32[2,1] = [1, -1]\n"
                      "  y = MatMul(x, w) as product\n  output y\n}\n");
    set_weights(&q, &q.s->linears[0], 8, fracs);
    struct weight_choice shifted = *q.s->linears[0].weights;
    shifted.mean_shift = shift;
    q.s->linears[0].weights = &shifted;
    q.s->linears[0].bias_bits = 8;
    ck_assert_int_eq(export_graph(&q.m.ctx, q.s, &g), PARE_ERROR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(q.m.ctx.diag.message, "product (MatMul)"));
    release(&q);
}
END_TEST

/* ---- files of others ---- */

#define HEAD "graph g {\n  input x: float32[1,4]\n  const s: float32[] = 0.25\n  const z: int8[] = 0\n"
#define CODES "  q = QuantizeLinear(x, s, z) as round\n  d = DequantizeLinear(q, s, z)\n"

static struct graph *graph_of(struct context *ctx, const char *text) {
    struct graph *g = NULL;
    context_init(ctx);
    ck_assert_msg(graph_parse(ctx, text, &g) == PARE_OK, "%s", ctx->diag.message);
    ck_assert_msg(graph_infer(ctx, g) == PARE_OK, "%s", ctx->diag.message);
    return g;
}

static void assert_recognised(const char *text, bool expected) {
    struct context ctx;
    struct graph *g = graph_of(&ctx, text);
    ck_assert_msg(import_recognises(g) == expected, "%s", text);
    graph_free(g);
}

/* A convolution that is rounded before its sum with another value, as other tools write it, stays so. */
START_TEST(sums_that_are_rounded_stay_rounded) {
    static const char *const between[] = {"", "  e = QuantizeLinear(a, s, z)\n  a2 = DequantizeLinear(e, s, z)\n"};
    char text[1024];
    for (int rounded = 0; rounded < 2; rounded++) {
        struct context ctx;
        snprintf(text, sizeof text,
                 "graph g {\n  input x: float32[1,1,2,2]\n  const s: float32[] = 0.5\n  const z: int8[] = 0\n" CODES
                 "  const c: int8[1,1,1,1] = [3]\n  w = DequantizeLinear(c, s)\n  a = Conv(d, w)\n%s"
                 "  b = Add(%s, d)\n  f = QuantizeLinear(b, s, z)\n  y = DequantizeLinear(f, s, z)\n  output y\n}\n",
                 between[rounded], rounded ? "a2" : "a");
        struct graph *g = graph_of(&ctx, text);
        struct scheme *s = NULL;
        struct program *p = NULL;
        ck_assert_msg(import_graph(&ctx, &g, &s) == PARE_OK && lower(&ctx, s, &p) == PARE_OK, "%s", ctx.diag.message);
        ck_assert_uint_eq(p->op_count, rounded ? 2 : 1);
        ck_assert_uint_eq(p->ops[0].kind, PARE_CONV);
        ck_assert_uint_eq(p->ops[0].input_count, rounded ? 1 : 2);
        program_free(p);
        scheme_free(s);
        graph_free(g);
    }
}
END_TEST

START_TEST(what_is_recognised) {
    assert_recognised(HEAD CODES "  y = Relu(d)\n  output y\n}\n", true);
    assert_recognised("graph g {\n  input x: float32[1,4]\n  y = Relu(x)\n  output y\n}\n", false);
    assert_recognised("graph g {\n  input x: float32[1,4]\n  const s: float32[] = 0.3\n  const z: int8[] = 0\n" CODES
                      "  output d\n}\n",
                      false);
    assert_recognised("graph g {\n  input x: float32[1,4]\n  const s: float32[] = 0.5\n  const z: int8[] = 1\n" CODES
                      "  output d\n}\n",
                      false);
    assert_recognised("graph g {\n  input x: float32[1,4]\n  input s: float32[]\n  const z: int8[] = 0\n" CODES
                      "  output d\n}\n",
                      false);
}
END_TEST

static void assert_refused(const char *text, const char *place) {
    struct context ctx;
    struct graph *g = graph_of(&ctx, text);
    struct scheme *s = NULL;
    ck_assert_int_eq(import_graph(&ctx, &g, &s), PARE_ERROR_UNSUPPORTED);
    ck_assert_msg(strstr(ctx.diag.message, place) != NULL, "`%s` is not in: %s", place, ctx.diag.message);
    graph_free(g);
}

START_TEST(what_is_no_program_of_ours) {
    /* Codes that leave as they are. */
    assert_refused(HEAD "  q = QuantizeLinear(x, s, z) as round\n  output q\n}\n", "round");
    /* No codes where the result of an integer operator is needed. */
    assert_refused(HEAD CODES "  y = Add(d, d)\n  output y\n}\n", "y");
    /* Rounded twice, and where codes only move. */
    assert_refused(
        HEAD CODES "  e = QuantizeLinear(d, s, z) as again\n  y = DequantizeLinear(e, s, z)\n  output y\n}\n", "again");
    assert_refused(HEAD CODES
                   "  const p: int64[2] = [4, 1]\n  r = Reshape(d, p)\n"
                   "  e = QuantizeLinear(r, s, z) as moved\n  y = DequantizeLinear(e, s, z)\n  output y\n}\n",
                   "moved");
    /* Another scale on the way back. */
    assert_refused(HEAD "  const t: float32[] = 0.5\n  q = QuantizeLinear(x, s, z) as round\n"
                        "  d = DequantizeLinear(q, t, z)\n  y = Relu(d)\n  output y\n}\n",
                   "round");
    /* Weights in float. */
    assert_refused(HEAD CODES "  const w: float32[4,1] = [1, 2, 3, 4]\n  m = MatMul(d, w) as product\n"
                              "  e = QuantizeLinear(m, s, z)\n  y = DequantizeLinear(e, s, z)\n  output y\n}\n",
                   "product");
    /* Scales along the axis that is summed over. */
    assert_refused(HEAD CODES "  const c: int8[4,1] = [1, 2, 3, 5]\n  const t: float32[4] = [1, 0.5, 0.25, 2]\n"
                              "  w = DequantizeLinear(c, t) {axis=0}\n  m = MatMul(d, w) as product\n"
                              "  e = QuantizeLinear(m, s, z)\n  y = DequantizeLinear(e, s, z)\n  output y\n}\n",
                   "product");
    /* Integers from an input. */
    assert_refused("graph g {\n  input i: int8[1,4]\n  input x: float32[1,4]\n  const s: float32[] = 1\n"
                   "  const z: int8[] = 0\n" CODES "  e = DequantizeLinear(i, s) as loose\n  y = Add(d, e)\n"
                   "  output y\n}\n",
                   "loose");
}
END_TEST

int main(void) {
    Suite *s = suite_create("quant/exchange");
    TCase *t = tcase_create("exchange");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, random_networks_return_as_the_same_program, 0, NETWORKS);
    tcase_add_loop_test(t, formats_follow_from_types_and_clips_alone, 0, NETWORKS / 4);
    tcase_add_test(t, groups_of_conv_transpose);
    tcase_add_test(t, fractions_of_groups_too_far_apart);
    tcase_add_test(t, weights_that_two_operators_share);
    tcase_add_test(t, bias_that_cannot_be_aligned);
    tcase_add_test(t, matmul_has_no_place_for_a_bias);
    tcase_add_test(t, sums_that_are_rounded_stay_rounded);
    tcase_add_test(t, what_is_recognised);
    tcase_add_test(t, what_is_no_program_of_ours);
    suite_add_tcase(s, t);
    return suite_main(s);
}
