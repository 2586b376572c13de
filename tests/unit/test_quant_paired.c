/* Inputs of the integer program paired with outputs of the float network. */
#include "passes/channel_drop.h"
#include "quant/lower.h"
#include "quant/paired.h"
#include "quant/round.h"
#include "quant_trial.h"

#include "suite_main.h"

#define SAMPLES ((size_t)37)

static const char *const chain = "graph g {\n  input x: float32[N,2,7,6]\n"
                                 "  const w: float32[5,2,3,3] = random(1,-1,1)\n"
                                 "  const b: float32[5] = random(2,-1,1)\n"
                                 "  const p: float32[5,1,1] = random(5,0,1)\n"
                                 "  const u: float32[4,5,3,3] = random(3,-1,1)\n"
                                 "  const c: float32[4] = random(4,-1,1)\n"
                                 "  a = Conv(x, w, b)\n  r = Relu(a)\n  d = Sub(r, p)\n"
                                 "  y = Conv(d, u, c) {pads=[1,1,1,1]}\n  output y\n}\n";

static const char *const residual = "graph g {\n  input x: float32[N,2,7,6]\n"
                                    "  const w: float32[3,2,3,3] = random(1,-1,1)\n"
                                    "  const u: float32[3,3,1,1] = random(3,-1,1)\n"
                                    "  const c: float32[3] = random(4,-1,1)\n"
                                    "  a = Conv(x, w)\n  r = Relu(a)\n  d = Conv(r, u, c)\n  s = Add(d, r)\n"
                                    "  y = Relu(s)\n  output y\n}\n";

struct coarse {
    struct quant_trial trial;
    struct graph *given; /* with the channels that have gone; NULL: none has */
    struct dropped_list dropped;
    struct program *program;
    struct executor *executor;
    struct paired *paired;
    struct arena arena;
};

/* The second of the first layer's channels. */
static void take_one_out(struct coarse *c) {
    static const bool second[] = {false, true, false, false, false};
    struct quant_trial *t = &c->trial;
    struct scalable *all;
    size_t count;
    trial_ok(t, graph_clone(&t->ctx, t->graph, false, &c->given));
    trial_ok(t, scalable_list(&t->ctx, &c->arena, t->graph, &all, &count));
    trial_ok(t, dropped_add(&t->ctx, &c->arena, &c->dropped, &all[0], second));
    trial_ok(t, channel_drop(&t->ctx, &all[0], second));
    scheme_free(t->scheme);
    trial_ok(t, scheme_new(&t->ctx, t->graph, &t->scheme));
}

/* Every tensor to a few bits. */
static void coarse_begin_with(struct coarse *c, const char *text, bool takes_out) {
    struct quant_trial *t = &c->trial;
    trial_begin(t, text);
    arena_init(&c->arena);
    if (takes_out) {
        take_one_out(c);
    }
    trial_collect(t, SAMPLES, 2);
    struct scheme *s = t->scheme;
    for (size_t i = 0; i < s->point_count; i++) {
        struct point *p = &s->points[i];
        p->format = (struct format){.bits = 3, .is_signed = p->is_signed};
        p->format.frac = statistics_frac(t->statistics, i, 3, p->is_signed, NULL);
    }
    for (size_t i = 0; i < s->linear_count; i++) {
        struct weight_choice *w = ARENA_NEW(&s->arena, struct weight_choice);
        const struct moments *m = statistics_moments(t->statistics, i);
        trial_ok(t, round_weights(&t->ctx, &s->arena, s, i, m, 4, 8, ROUND_SECOND_ORDER, w));
        s->linears[i].weights = w;
        s->linears[i].bias_bits = 8;
    }
    trial_ok(t, lower(&t->ctx, s, &c->program));
    trial_ok(t, executor_new(&t->ctx, c->program, &c->executor));
    struct sample_source source = {trial_load, t->graph, NULL};
    struct wanted_network wanted = {takes_out ? c->given : t->graph, &c->dropped};
    trial_ok(t, paired_new(&t->ctx, s, &wanted, &source, SAMPLES, &c->paired));
}

static void coarse_begin(struct coarse *c, const char *text) {
    coarse_begin_with(c, text, false);
}

static void coarse_finish(struct coarse *c) {
    arena_free(&c->arena);
    graph_free(c->given);
    paired_free(c->paired);
    executor_free(c->executor);
    program_free(c->program);
    trial_finish(&c->trial);
}

static struct moments collect(struct coarse *c, struct executor_cache *cache, size_t linear, int threads) {
    struct moments m;
    c->trial.ctx.threads = threads;
    trial_ok(&c->trial,
             paired_collect(&c->trial.ctx, &c->arena, c->paired, c->program, c->executor, cache, linear, &m));
    return m;
}

/* E|y - V x|^2 of row r, less what does not depend on V, about the means. */
static double paired_error_of(const struct moments *m, const float *v, uint32_t r) {
    size_t n = m->columns;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum -= 2.0 * v[i] * (m->cross[r * n + i] - m->mean_wanted[r] * m->mean[i]);
        for (size_t k = 0; k < n; k++) {
            sum += (double)v[i] * v[k] * (m->gram[i * n + k] - m->mean[i] * m->mean[k]);
        }
    }
    return sum;
}

START_TEST(targets_come_nearer_to_the_float_outputs) {
    struct coarse c = {0};
    coarse_begin(&c, chain);
    struct moments m = collect(&c, NULL, 1, 2);
    const struct linear *l = &c.trial.scheme->linears[1];
    for (uint32_t r = 0; r < l->rows; r++) {
        double before = paired_error_of(&m, l->rows_float + (size_t)r * l->columns, r);
        double after = paired_error_of(&m, m.target + (size_t)r * l->columns, r);
        ck_assert_msg(after < before, "row %u: %g, %g with the weights themselves", r, after, before);
    }
    coarse_finish(&c);
}
END_TEST

static double product_of(const float *row, const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += row[i] * x[i];
    }
    return sum;
}

/* The network's input is the same to both but for its rounding: of it, the first layer makes nearly what is wanted. */
START_TEST(what_is_paired_belongs_together) {
    struct coarse c = {0};
    coarse_begin(&c, chain);
    struct moments m = collect(&c, NULL, 0, 1);
    const struct linear *l = &c.trial.scheme->linears[0];
    double step = ldexp(1, -l->in->format.frac);
    for (uint32_t r = 0; r < l->rows; r++) {
        const float *row = l->rows_float + (size_t)r * l->columns;
        double sum = 0, own = 0;
        for (uint32_t i = 0; i < m.columns; i++) {
            sum += fabs(row[i]) * step / 2;
            own += row[i] * product_of(row, m.gram + (size_t)i * m.columns, m.columns);
        }
        ck_assert_double_le(fabs(m.mean_wanted[r] - product_of(row, m.mean, m.columns)), sum);
        ck_assert_double_eq_tol(product_of(row, m.cross + (size_t)r * m.columns, m.columns), own, 0.2 * own);
    }
    coarse_finish(&c);
}
END_TEST

/* The convolution sees the channels that are added to its sums: what was lost of them is wanted of it. */
START_TEST(what_the_addend_lost_is_wanted_of_the_sums) {
    struct coarse c = {0};
    coarse_begin(&c, residual);
    struct moments m = collect(&c, NULL, 1, 2);
    const struct linear *l = &c.trial.scheme->linears[1];
    const double *floats = statistics_mean(c.trial.statistics, 1, 0);
    bool lost = false;
    ck_assert_ptr_nonnull(l->sum);
    for (uint32_t r = 0; r < l->rows; r++) {
        double own = product_of(l->rows_float + (size_t)r * l->columns, floats, l->columns);
        lost = lost || fabs(floats[r] - m.mean[r]) > 1e-3;
        ck_assert_double_eq_tol(m.mean_wanted[r], own + floats[r] - m.mean[r], 1e-5);
    }
    ck_assert(lost);
    coarse_finish(&c);
}
END_TEST

START_TEST(threads_and_snapshots_do_not_change_a_bit) {
    struct coarse c = {0};
    struct executor_cache *cache = NULL;
    coarse_begin(&c, chain);
    struct moments one = collect(&c, NULL, 1, 1), two = collect(&c, NULL, 1, 2);
    trial_ok(&c.trial, executor_cache_new(&c.trial.ctx, c.executor, SAMPLES, (size_t)1 << 20, &cache));
    collect(&c, cache, 1, 2);
    struct moments again = collect(&c, cache, 1, 2);
    const struct linear *l = &c.trial.scheme->linears[1];
    size_t bytes = (size_t)l->rows * l->columns * sizeof(float);
    ck_assert_mem_eq(one.target, two.target, bytes);
    ck_assert_mem_eq(one.target, again.target, bytes);
    executor_cache_free(cache);
    coarse_finish(&c);
}
END_TEST

/* What is wanted of the channels that are left is what the given network makes of them. */
START_TEST(channels_that_have_gone_are_not_wanted) {
    struct coarse whole = {0}, without = {0};
    coarse_begin(&whole, chain);
    coarse_begin_with(&without, chain, true);
    struct moments of_whole = collect(&whole, NULL, 0, 2), m = collect(&without, NULL, 0, 2);
    ck_assert_uint_eq(of_whole.rows, 5);
    ck_assert_uint_eq(m.rows, 4);
    for (uint32_t r = 0; r < m.rows; r++) {
        ck_assert_double_eq_tol(m.mean_wanted[r], of_whole.mean_wanted[r == 0 ? 0 : r + 1], 1e-6);
    }
    of_whole = collect(&whole, NULL, 1, 2);
    m = collect(&without, NULL, 1, 2);
    for (uint32_t r = 0; r < m.rows; r++) { /* all of the last layer's, though it reads fewer */
        ck_assert_double_eq_tol(m.mean_wanted[r], of_whole.mean_wanted[r], 1e-6);
    }
    coarse_finish(&whole);
    coarse_finish(&without);
}
END_TEST

int main(void) {
    Suite *s = suite_create("quant/paired");
    TCase *t = tcase_create("paired");
    tcase_add_test(t, targets_come_nearer_to_the_float_outputs);
    tcase_add_test(t, what_is_paired_belongs_together);
    tcase_add_test(t, what_the_addend_lost_is_wanted_of_the_sums);
    tcase_add_test(t, channels_that_have_gone_are_not_wanted);
    tcase_add_test(t, threads_and_snapshots_do_not_change_a_bit);
    suite_add_tcase(s, t);
    return suite_main(s);
}
