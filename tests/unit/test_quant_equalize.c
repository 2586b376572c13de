/* Equalisation: the network computes what it did, and its channels have one fraction that suits them all. */
#include "quant/equalize.h"

#include "float/float.h"
#include "quant/histogram.h"
#include "quant_trial.h"

#include "suite_main.h"

#include <math.h>

#define SAMPLES ((size_t)40)
#define CHANNELS 4

/* Rows that differ by orders of magnitude. */
static const char *const through_relu_and_pool =
    "graph g {\n  input x: float32[N,1,6,6]\n"
    "  const a: float32[4,1,1,1] = [0.01, 3, 90, -0.4]\n  const b: float32[4] = [0.02, 1, -5, 0.3]\n"
    "  const p: float32[4,1,1] = [0.01, 0.5, 20, 0.1]\n  const w: float32[3,4,3,3] = random(1,-1,1)\n"
    "  c = Conv(x, a, b)\n  r = Relu(c)\n  m = MaxPool(r) {kernel_shape=[2,2]}\n  s = Sub(m, p)\n"
    "  y = Conv(s, w) {pads=[1,1,1,1]}\n  output y\n}\n";
static const char *const through_concat =
    "graph g {\n  input x: float32[N,1,6,6]\n"
    "  const a: float32[4,1,1,1] = [0.01, 3, 90, -0.4]\n  const d: float32[4,1,1,1] = [7, 0.003, -90, 0.4]\n"
    "  const w: float32[3,9,1,1] = random(1,-1,1)\n"
    "  c = Conv(x, a)\n  r = Relu(c)\n  e = Conv(x, d)\n  k = Concat(r, x, e) {axis=1}\n  y = Conv(k, w)\n"
    "  output y\n}\n";
static const char *const tied_to_the_input =
    "graph g {\n  input x: float32[N,4,6,6]\n  const a: float32[4,4,1,1] = random(1,-9,9)\n"
    "  const w: float32[3,4,3,3] = random(2,-1,1)\n"
    "  c = Conv(x, a)\n  r = Relu(c)\n  k = Add(r, x)\n  y = Conv(k, w)\n  output y\n}\n";

static const char *const residual =
    "graph g {\n  input x: float32[N,1,6,6]\n"
    "  const a: float32[4,1,1,1] = [0.01, 3, 90, -0.4]\n  const d: float32[4,1,1,1] = [0.02, 4, -70, 0.6]\n"
    "  const e: float32[4,4,1,1] = [0.02,0,0,0, 0,0.5,0,0, 0,0,0.9,0, 0,0,0,0.7]\n"
    "  const w: float32[3,4,3,3] = random(1,-1,1)\n"
    "  c = Conv(x, a)\n  r = Relu(c)\n  s = Conv(x, d)\n  k = Add(r, s)\n  m = Conv(k, e)\n  n = Add(m, k)\n"
    "  p = GlobalAveragePool(n)\n  y = Conv(p, w) {pads=[1,1,1,1]}\n  output y\n}\n";

static void run(struct quant_trial *t, size_t sample, struct tensor *out) {
    struct tensor input;
    struct shape shape;
    ck_assert(value_shape(t->graph->inputs[0], 1, &shape));
    trial_ok(t, tensor_alloc(&t->ctx, DTYPE_FLOAT, &shape, &input));
    trial_ok(t, trial_load(t->graph, &t->ctx, sample, &input));
    trial_ok(t, float_run(&t->ctx, t->graph, &input, out, NULL, NULL));
    tensor_free(&input);
}

static void equalize_trial(struct quant_trial *t, int threads) {
    struct sample_source source = {trial_load, t->graph, NULL};
    t->ctx.threads = threads;
    trial_ok(t, equalize(&t->ctx, t->graph, SAMPLES, &source));
    trial_ok(t, graph_verify(&t->ctx, t->graph));
}

/* Equal but for the rounding of floats, in relation to the largest of them: sums cancel. */
static void assert_close(const struct tensor *a, const struct tensor *b) {
    const float *x = a->data, *y = b->data;
    float largest = 0;
    for (size_t i = 0; i < tensor_count(a); i++) {
        largest = fmaxf(largest, fabsf(x[i]));
    }
    for (size_t i = 0; i < tensor_count(a); i++) {
        ck_assert_msg(fabsf(x[i] - y[i]) <= 3e-6f * largest, "%zu: %g, %g", i, (double)x[i], (double)y[i]);
    }
}

static void assert_computes_the_same(const char *text, int threads) {
    struct quant_trial before, after;
    trial_begin(&before, text);
    trial_begin(&after, text);
    equalize_trial(&after, threads);
    for (size_t i = 0; i < SAMPLES; i++) {
        struct tensor a, b;
        run(&before, i, &a);
        run(&after, i, &b);
        assert_close(&a, &b);
        tensor_free(&a);
        tensor_free(&b);
    }
    trial_finish(&before);
    trial_finish(&after);
}

START_TEST(results_stay_the_same) {
    static const char *const texts[] = {through_relu_and_pool, through_concat, tied_to_the_input, residual};
    assert_computes_the_same(texts[_i % 4], 1 + _i / 4);
}
END_TEST

struct channels {
    struct arena arena;
    const char *value;
    struct histogram h[CHANNELS];
};

static enum pare_status add_channels(void *user, struct context *ctx, const struct value *v, const struct tensor *t) {
    (void)ctx;
    struct channels *c = user;
    for (size_t k = 0; strcmp(v->name, c->value) == 0 && k < CHANNELS; k++) {
        size_t size = tensor_count(t) / CHANNELS;
        histogram_add(&c->h[k], (const float *)t->data + k * size, size);
    }
    return PARE_OK;
}

static void measure(struct quant_trial *t, struct channels *c) {
    struct tensor input, output;
    struct shape shape;
    arena_init(&c->arena);
    for (size_t k = 0; k < CHANNELS; k++) {
        ck_assert(histogram_init(&c->h[k], &c->arena, 2048));
    }
    ck_assert(value_shape(t->graph->inputs[0], 1, &shape));
    trial_ok(t, tensor_alloc(&t->ctx, DTYPE_FLOAT, &shape, &input));
    for (size_t i = 0; i < SAMPLES; i++) {
        trial_ok(t, trial_load(t->graph, &t->ctx, i, &input));
        trial_ok(t, float_run(&t->ctx, t->graph, &input, &output, add_channels, c));
        tensor_free(&output);
    }
    tensor_free(&input);
}

/* The step that would be best is the power of two that the fraction stands for, but for what the bins hide. */
static void assert_step_is_the_fraction(const struct histogram *h, int bits, bool is_signed) {
    double step = histogram_step(h, bits, is_signed) * ldexp(1, histogram_frac(h, bits, is_signed, NULL));
    ck_assert_msg(fabs(log2(step)) <= 0.25, "2^%g", log2(step));
}

START_TEST(channels_get_one_fraction) {
    static const char *const names[] = {"r", "e"};
    struct quant_trial t;
    struct channels c = {.value = names[_i]};
    int fracs[2] = {99, 99};
    trial_begin(&t, _i == 0 ? through_relu_and_pool : through_concat);
    equalize_trial(&t, 2);
    measure(&t, &c);
    for (size_t k = 0; k < CHANNELS; k++) {
        bool is_signed = c.h[k].low < 0;
        ck_assert(c.h[k].filled);
        /* A channel of its own sign has a bit more of range than one of both. */
        fracs[is_signed] =
            fracs[is_signed] == 99 ? histogram_frac(&c.h[k], 4 + is_signed, is_signed, NULL) : fracs[is_signed];
        int frac = histogram_frac(&c.h[k], 4 + is_signed, is_signed, NULL);
        ck_assert_msg(frac == fracs[is_signed], "channel %zu of %s: %d", k, c.value, frac);
        assert_step_is_the_fraction(&c.h[k], 4 + is_signed, is_signed);
    }
    arena_free(&c.arena);
    trial_finish(&t);
}
END_TEST

static int first_fraction(const char *text, const char *value) {
    struct quant_trial t;
    struct channels c = {.value = value};
    trial_begin(&t, text);
    equalize_trial(&t, 1);
    measure(&t, &c);
    bool is_signed = c.h[0].low < 0;
    int frac = histogram_frac(&c.h[0], 4 + is_signed, is_signed, NULL);
    arena_free(&c.arena);
    trial_finish(&t);
    return frac;
}

/* Their codes will share one fraction. */
START_TEST(what_a_concat_joins_is_alike) {
    ck_assert_int_eq(first_fraction(through_concat, "r"), first_fraction(through_concat, "e"));
}
END_TEST

/* The input cannot be scaled, so what is added to it must not. */
START_TEST(a_sum_with_the_input_ties_its_channels) {
    struct quant_trial before, after;
    trial_begin(&before, tied_to_the_input);
    trial_begin(&after, tied_to_the_input);
    equalize_trial(&after, 1);
    const struct tensor *a = before.graph->first->inputs[1]->constant, *b = after.graph->first->inputs[1]->constant;
    ck_assert_mem_eq(a->data, b->data, tensor_bytes(a));
    trial_finish(&before);
    trial_finish(&after);
}
END_TEST

/* Bits between the best fractions of the channels of value "k". */
static int spread(struct quant_trial *t) {
    struct channels c = {.value = "k"};
    int least = 99, most = -99;
    measure(t, &c);
    for (size_t k = 0; k < CHANNELS; k++) {
        bool is_signed = c.h[k].low < 0;
        int frac = histogram_frac(&c.h[k], 4 + is_signed, is_signed, NULL);
        least = frac < least ? frac : least;
        most = frac > most ? frac : most;
    }
    arena_free(&c.arena);
    return most - least;
}

/* Both addends and the sum share their channels' scales: a compromise. */
START_TEST(a_residual_is_scaled_as_a_whole) {
    struct quant_trial t;
    trial_begin(&t, residual);
    ck_assert_int_ge(spread(&t), 9);
    equalize_trial(&t, 2);
    ck_assert_int_le(spread(&t), 5); /* of codes of both signs and of one: they differ by a bit */
    trial_finish(&t);
}
END_TEST

int main(void) {
    Suite *s = suite_create("equalisation");
    TCase *t = tcase_create("equalisation");
    tcase_add_loop_test(t, results_stay_the_same, 0, 8);
    tcase_add_test(t, what_a_concat_joins_is_alike);
    tcase_add_loop_test(t, channels_get_one_fraction, 0, 2);
    tcase_add_test(t, a_sum_with_the_input_ties_its_channels);
    tcase_add_test(t, a_residual_is_scaled_as_a_whole);
    suite_add_tcase(s, t);
    return suite_main(s);
}
