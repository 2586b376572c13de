/* Inputs of the integer program paired with those of the float network. */
#include "quant/lower.h"
#include "quant/paired.h"
#include "quant/round.h"
#include "quant_trial.h"

#define SAMPLES ((size_t)37)

static const char *const chain = "graph g {\n  input x: float32[N,2,7,6]\n"
                                 "  const w: float32[5,2,3,3] = random(1,-1,1)\n"
                                 "  const b: float32[5] = random(2,-1,1)\n"
                                 "  const p: float32[5,1,1] = random(5,0,1)\n"
                                 "  const u: float32[4,5,3,3] = random(3,-1,1)\n"
                                 "  const c: float32[4] = random(4,-1,1)\n"
                                 "  a = Conv(x, w, b)\n  r = Relu(a)\n  d = Sub(r, p)\n"
                                 "  y = Conv(d, u, c) {pads=[1,1,1,1]}\n  output y\n}\n";

struct coarse {
    struct quant_trial trial;
    struct program *program;
    struct executor *executor;
    struct paired *paired;
    struct arena arena;
};

/* Every tensor to a few bits. */
static void coarse_begin(struct coarse *c) {
    struct quant_trial *t = &c->trial;
    trial_begin(t, chain);
    trial_collect(t, SAMPLES, 2);
    arena_init(&c->arena);
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
    trial_ok(t, paired_new(&t->ctx, s, &source, SAMPLES, &c->paired));
}

static void coarse_finish(struct coarse *c) {
    arena_free(&c->arena);
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

/* E|W f - V x|^2 of row r, less what does not depend on V, about the means. */
static double paired_error_of(const struct linear *l, const struct moments *m, const float *v, uint32_t r) {
    size_t n = m->columns;
    const float *w = l->rows_float + r * n;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++) {
            double cross = m->cross[i * n + k] - m->mean_float[i] * m->mean[k];
            double gram = m->gram[i * n + k] - m->mean[i] * m->mean[k];
            sum += (double)v[i] * v[k] * gram - 2.0 * w[i] * v[k] * cross;
        }
    }
    return sum;
}

START_TEST(targets_come_nearer_to_the_float_outputs) {
    struct coarse c = {0};
    coarse_begin(&c);
    struct moments m = collect(&c, NULL, 1, 2);
    const struct linear *l = &c.trial.scheme->linears[1];
    for (uint32_t r = 0; r < l->rows; r++) {
        double before = paired_error_of(l, &m, l->rows_float + (size_t)r * l->columns, r);
        double after = paired_error_of(l, &m, m.target + (size_t)r * l->columns, r);
        ck_assert_msg(after < before, "row %u: %g, %g with the weights themselves", r, after, before);
    }
    coarse_finish(&c);
}
END_TEST

/* The network's input is the same to both but for its rounding, so the first layer's means differ by next to nothing.
 */
START_TEST(what_is_paired_belongs_together) {
    struct coarse c = {0};
    coarse_begin(&c);
    struct moments m = collect(&c, NULL, 0, 1);
    double step = ldexp(1, -c.trial.scheme->linears[0].in->format.frac);
    for (uint32_t i = 0; i < m.columns; i++) {
        ck_assert_double_le(fabs(m.mean[i] - m.mean_float[i]), step / 2);
        ck_assert_double_gt(m.cross[i * m.columns + i], 0.5 * m.gram[i * m.columns + i]);
    }
    coarse_finish(&c);
}
END_TEST

START_TEST(threads_and_snapshots_do_not_change_a_bit) {
    struct coarse c = {0};
    struct executor_cache *cache = NULL;
    coarse_begin(&c);
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

int main(void) {
    Suite *s = suite_create("quant/paired");
    TCase *t = tcase_create("paired");
    tcase_add_test(t, targets_come_nearer_to_the_float_outputs);
    tcase_add_test(t, what_is_paired_belongs_together);
    tcase_add_test(t, threads_and_snapshots_do_not_change_a_bit);
    suite_add_tcase(s, t);
    return trial_main(s);
}
