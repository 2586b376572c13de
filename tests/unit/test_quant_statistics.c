/* Calibration: moments against what the float run computes, histograms against the values themselves. */
#include "float/float.h"
#include "quant/codes.h"
#include "quant/histogram.h"
#include "quant_trial.h"

#include "suite_main.h"

#include <float.h>
#include <stdio.h>

#define SAMPLES ((size_t)37)

static const char *const conv = "input x: float32[N,4,7,6]\n"
                                "const w: float32[6,2,3,2] = random(1,-1,1)\n"
                                "const b: float32[6] = random(2,-1,1)\n"
                                "y = Conv(x, w, b) {group=2, pads=[1,0,2,1], strides=[2,1], dilations=[1,2]}\n";

static const char *const linears[] = {
    conv,
    "input x: float32[N,3,9]\nconst w: float32[4,3,3] = random(1,-1,1)\ny = Conv(x, w) {pads=[1,1]}\n",
    "input x: float32[N,5,6,6]\nconst w: float32[5,1,3,3] = random(1,-1,1)\nconst b: float32[5] = random(2,-1,1)\n"
    "y = Conv(x, w, b) {group=5, auto_pad=\"SAME_UPPER\", strides=[2,2]}\n",
    "input x: float32[N,6,5,4]\nconst w: float32[6,2,3,3] = random(1,-1,1)\nconst b: float32[4] = random(2,-1,1)\n"
    "y = ConvTranspose(x, w, b) {group=2, strides=[2,3], pads=[1,0,0,1], output_padding=[1,0]}\n",
    "input x: float32[N,3,5,5]\nconst w: float32[3,4,2,2] = random(1,-1,1)\ny = ConvTranspose(x, w) "
    "{dilations=[2,1]}\n",
    "input x: float32[N,11]\nconst w: float32[5,11] = random(1,-1,1)\nconst b: float32[5] = random(2,-1,1)\n"
    "y = Gemm(x, w, b) {transB=1}\n",
    "input x: float32[N,11]\nconst w: float32[11,5] = random(1,-1,1)\ny = Gemm(x, w)\n",
    "input x: float32[N,3,8]\nconst w: float32[8,4] = random(1,-1,1)\ny = MatMul(x, w)\n",
};

static void begin(struct quant_trial *t, const char *statements) {
    char text[2048];
    snprintf(text, sizeof text, "graph g {\n%soutput y\n}\n", statements);
    trial_begin(t, text);
}

/* Sums over all samples of an output's elements, less their bias, and of their squares: per channel. */
struct sums {
    const struct linear *linear;
    double sum[16], square[16];
    size_t count; /* of elements per channel */
};

static enum pare_status add_output(void *user, struct context *ctx, const struct value *v, const struct tensor *t) {
    (void)ctx;
    struct sums *s = user;
    if (v != s->linear->node->outputs[0]) {
        return PARE_OK;
    }
    size_t rows = s->linear->rows, count = tensor_count(t);
    bool channels_last = s->linear->node->op->id == OP_Gemm || s->linear->node->op->id == OP_MatMul;
    for (size_t i = 0; i < count; i++) {
        size_t r = channels_last ? i % rows : i / (count / rows);
        double y = tensor_get_double(t, i) - s->linear->bias_float[r];
        s->sum[r] += y;
        s->square[r] += y * y;
    }
    s->count += count / rows;
    return PARE_OK;
}

static void run_naively(struct quant_trial *t, struct sums *s) {
    struct tensor input, output;
    struct shape shape;
    ck_assert(value_shape(t->graph->inputs[0], 1, &shape));
    trial_ok(t, tensor_alloc(&t->ctx, DTYPE_FLOAT, &shape, &input));
    for (size_t i = 0; i < SAMPLES; i++) {
        trial_ok(t, trial_load(t->graph, &t->ctx, i, &input));
        trial_ok(t, float_run(&t->ctx, t->graph, &input, &output, add_output, s));
        tensor_free(&output);
    }
    tensor_free(&input);
}

static double dot(const float *w, const double *x, uint32_t count) {
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += w[i] * x[i];
    }
    return sum;
}

static double quadratic(const float *w, const double *gram, uint32_t count) {
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += w[i] * dot(w, gram + (size_t)i * count, count);
    }
    return sum;
}

/* Rows of random weights: their products with the moments are the moments of the float run's outputs. */
START_TEST(moments_are_those_of_the_float_run) {
    struct quant_trial t;
    begin(&t, linears[_i]);
    trial_collect(&t, SAMPLES, 2);
    ck_assert_uint_eq(t.scheme->linear_count, 1);
    const struct linear *l = &t.scheme->linears[0];
    struct sums s = {.linear = l};
    run_naively(&t, &s);
    for (uint32_t r = 0; r < l->rows; r++) {
        uint32_t group = r / (l->rows / l->groups);
        const float *w = l->rows_float + (size_t)r * l->columns;
        double mean = s.sum[r] / (double)s.count, square = s.square[r] / (double)s.count;
        ck_assert_double_eq_tol(dot(w, statistics_mean(t.statistics, 0, group), l->columns), mean, 1e-5);
        ck_assert_double_eq_tol(quadratic(w, statistics_gram(t.statistics, 0, group), l->columns), square,
                                1e-5 * square);
    }
    trial_finish(&t);
}
END_TEST

START_TEST(diagonal_and_gram_agree) {
    struct quant_trial t;
    begin(&t, linears[_i]);
    trial_collect(&t, SAMPLES, 1);
    const struct moments *m = statistics_moments(t.statistics, 0);
    double *h = calloc((size_t)m->columns * m->columns, sizeof(double));
    for (uint32_t g = 0; g < m->groups; g++) {
        const double *gram = statistics_gram(t.statistics, 0, g);
        moments_objective(m, g, h);
        for (uint32_t c = 0; c < m->columns; c++) {
            size_t at = (size_t)c * m->columns + c;
            ck_assert_double_eq_tol(m->diagonal[g * m->columns + c], gram[at], 1e-9);
            ck_assert_double_eq_tol(moments_importance(m, g, c), h[at], 1e-9);
            for (uint32_t k = 0; k < m->columns; k++) {
                ck_assert(gram[at - c + k] == gram[(size_t)k * m->columns + c]);
            }
        }
    }
    free(h);
    trial_finish(&t);
}
END_TEST

START_TEST(prelu_sees_the_negative_part) {
    struct quant_trial t;
    begin(&t, "input x: float32[N,3,4,4]\nconst w: float32[3,1,1] = [0.1,0.2,0.3]\ny = PRelu(x, w)\n");
    trial_collect(&t, SAMPLES, 2);
    double sum = 0, square = 0;
    struct tensor input;
    trial_ok(&t, tensor_alloc(&t.ctx, DTYPE_FLOAT, &(struct shape){4, {1, 3, 4, 4}}, &input));
    for (size_t i = 0; i < SAMPLES; i++) {
        trial_ok(&t, trial_load(t.graph, &t.ctx, i, &input));
        for (size_t k = 0; k < tensor_count(&input); k++) {
            double x = fmin(tensor_get_double(&input, k), 0);
            sum += x / (double)(SAMPLES * 48);
            square += x * x / (double)(SAMPLES * 48);
        }
    }
    tensor_free(&input);
    ck_assert_double_eq_tol(*statistics_mean(t.statistics, 0, 0), sum, 1e-6);
    ck_assert_double_eq_tol(*statistics_gram(t.statistics, 0, 0), square, 1e-6);
    trial_finish(&t);
}
END_TEST

/* 60 x 60 positions of 37 samples are more than are taken: the selection must still see all of the image. */
START_TEST(a_selection_of_positions_is_representative) {
    struct quant_trial t;
    begin(&t, "input x: float32[N,2,60,60]\nconst w: float32[4,2,3,3] = random(1,-1,1)\n"
              "y = Conv(x, w) {pads=[1,1,1,1]}\n");
    trial_collect(&t, SAMPLES, 2);
    const struct linear *l = &t.scheme->linears[0];
    ck_assert_uint_lt(statistics_moments(t.statistics, 0)->count, SAMPLES * 3600);
    struct sums s = {.linear = l};
    run_naively(&t, &s);
    for (uint32_t r = 0; r < l->rows; r++) {
        double square = s.square[r] / (double)s.count;
        double estimate = quadratic(l->rows_float + r * l->columns, statistics_gram(t.statistics, 0, 0), l->columns);
        ck_assert_double_eq_tol(estimate, square, 0.03 * square);
    }
    trial_finish(&t);
}
END_TEST

START_TEST(wide_columns_keep_their_diagonal) {
    struct quant_trial t;
    begin(&t, "input x: float32[N,4097]\nconst w: float32[2,4097] = random(1,-1,1)\ny = Gemm(x, w) {transB=1}\n");
    trial_collect(&t, 3, 2);
    ck_assert_ptr_null(statistics_gram(t.statistics, 0, 0));
    ck_assert_double_gt(moments_importance(statistics_moments(t.statistics, 0), 0, 4096), 0);
    ck_assert_double_ne(statistics_mean(t.statistics, 0, 0)[4096], 0);
    trial_finish(&t);
}
END_TEST

static const char *const network =
    "input x: float32[N,3,12,12]\n"
    "const w: float32[8,3,3,3] = random(1,-1,1)\nconst b: float32[8] = random(2,-1,1)\n"
    "c = Conv(x, w, b) {pads=[1,1,1,1]}\nr = Relu(c)\np = MaxPool(r) {kernel_shape=[2,2], strides=[2,2]}\n"
    "const v: float32[8,8,3,3] = random(3,-0.3,0.3)\nconst d: float32[8] = random(4,-1,1)\n"
    "e = Conv(p, v, d)\ns = Sigmoid(e)\ng = GlobalAveragePool(s)\nf = Flatten(g)\n"
    "const u: float32[5,8] = random(5,-1,1)\ny = Gemm(f, u) {transB=1}\n";

static void assert_same_statistics(const struct quant_trial *a, const struct quant_trial *b) {
    for (size_t i = 0; i < a->scheme->point_count; i++) {
        double x = 0, y = 0;
        ck_assert(statistics_min(a->statistics, i) == statistics_min(b->statistics, i));
        ck_assert(statistics_max(a->statistics, i) == statistics_max(b->statistics, i));
        for (int bits = 2; bits <= 16; bits++) {
            ck_assert_int_eq(statistics_frac(a->statistics, i, bits, true, &x),
                             statistics_frac(b->statistics, i, bits, true, &y));
            ck_assert(x == y);
        }
    }
    for (size_t i = 0; i < a->scheme->linear_count; i++) {
        const struct linear *l = &a->scheme->linears[i];
        size_t bytes = (size_t)l->columns * l->columns * sizeof(double);
        ck_assert_mem_eq(statistics_gram(a->statistics, i, 0), statistics_gram(b->statistics, i, 0), bytes);
        const struct moments *m = statistics_moments(a->statistics, i), *n = statistics_moments(b->statistics, i);
        ck_assert_mem_eq(m->factors[0].upper, n->factors[0].upper, bytes);
        ck_assert_mem_eq(m->factors[0].order, n->factors[0].order, l->columns * sizeof(uint32_t));
    }
}

START_TEST(threads_do_not_change_a_bit) {
    struct quant_trial one, more;
    begin(&one, network);
    begin(&more, network);
    trial_collect(&one, 100, 1); /* more than a batch */
    for (int threads = 2; threads <= 5; threads++) {
        trial_collect(&more, 100, threads);
        assert_same_statistics(&one, &more);
    }
    trial_finish(&one);
    trial_finish(&more);
}
END_TEST

START_TEST(points_have_the_range_of_their_values) {
    struct quant_trial t;
    begin(&t, network);
    trial_collect(&t, SAMPLES, 2);
    const struct point *relu = scheme_point_of(t.scheme, graph_find(t.graph, "r"));
    const struct point *sigmoid = scheme_point_of(t.scheme, graph_find(t.graph, "s"));
    size_t r = (size_t)(relu - t.scheme->points), s = (size_t)(sigmoid - t.scheme->points);
    ck_assert(statistics_min(t.statistics, r) == 0 && statistics_max(t.statistics, r) > 1);
    ck_assert(statistics_max(t.statistics, s) <= 1);
    ck_assert_int_eq(statistics_frac(t.statistics, s, 8, false, NULL), 8);
    double clipped, covered, largest = statistics_max(t.statistics, r);
    int frac = statistics_frac(t.statistics, r, 2, false, &clipped);
    t.scheme->without = TECHNIQUE_CLIPPING;
    trial_collect(&t, SAMPLES, 2);
    int covering = statistics_frac(t.statistics, r, 2, false, &covered);
    ck_assert(covering <= frac_for_range(largest, 2, false) && frac > covering && clipped < covered);
    trial_finish(&t);
}
END_TEST

static enum pare_status refuse(void *user, struct context *ctx, size_t sample, struct tensor *inputs) {
    (void)user, (void)inputs;
    return sample < 5 ? PARE_OK : (fail)(ctx, PARE_ERROR_INPUT, "sample %zu is unreadable", sample);
}

START_TEST(empty_weights_stay_in_float) {
    static const char *const makers[] = {"const w: float32[0,4] = random(1,-1,1)\n  t = Gemm(x, w) {transB=1}",
                                         "const w: float32[4,0] = random(1,-1,1)\n  t = MatMul(x, w)"};
    struct quant_trial t;
    char text[256];
    (void)snprintf(text, sizeof text, "graph g {\n  input x: float32[N,4]\n  %s\n  output t\n}\n", makers[_i]);
    trial_begin(&t, text);
    ck_assert_uint_eq(t.scheme->linear_count, 0);
    trial_finish(&t);
}
END_TEST

START_TEST(failures_are_passed_on) {
    struct quant_trial t;
    begin(&t, network);
    struct statistics *st = NULL;
    ck_assert_int_eq(statistics_collect(&t.ctx, t.scheme, &(struct sample_source){refuse, NULL, NULL}, 9, &st),
                     PARE_ERROR_INPUT);
    ck_assert_str_eq(t.ctx.diag.message, "sample 5 is unreadable");
    ck_assert_ptr_null(st);
    context_clear(&t.ctx);
    ck_assert_int_eq(statistics_collect(&t.ctx, t.scheme, &(struct sample_source){trial_load, t.graph, NULL}, 0, &st),
                     PARE_ERROR_INPUT);
    trial_finish(&t);
}
END_TEST

/* ---- histograms ---- */

#define VALUES 20000

/* Uniform, bell-shaped, or with a heavy tail; some zeros. */
static void make_values(float *x, int kind, bool is_signed) {
    srand(7);
    for (int i = 0; i < VALUES; i++) {
        double a = 2.0 * rand() / RAND_MAX - 1, b = 2.0 * rand() / RAND_MAX - 1;
        double v = kind == 0 ? a : kind == 1 ? a + b : a * b * b * exp(3 * b);
        x[i] = rand() % 10 == 0 ? 0 : (float)(is_signed ? v : fabs(v));
    }
}

static double naive_error(const float *x, int bits, bool is_signed, int frac) {
    struct format f = {.bits = bits, .is_signed = is_signed, .frac = frac};
    double sum = 0;
    for (int i = 0; i < VALUES; i++) {
        double e = x[i] - dequantize(quantize(x[i], &f, 0), &f, 0);
        sum += e * e;
    }
    return sum / VALUES;
}

START_TEST(errors_are_those_of_the_values) {
    static float x[VALUES];
    struct arena a;
    struct histogram h;
    arena_init(&a);
    for (int is_signed = 0; is_signed < 2; is_signed++) {
        make_values(x, _i, is_signed);
        ck_assert(histogram_init(&h, &a, 2048));
        histogram_add(&h, x, VALUES);
        for (int bits = 2; bits <= 16; bits++) {
            double least = INFINITY, error = 0;
            int first = frac_for_range(fmax(h.high, -h.low), bits, is_signed);
            for (int frac = first - 3; frac <= first + 6; frac++) {
                double e = naive_error(x, bits, is_signed, frac);
                least = fmin(least, e);
                ck_assert_double_eq_tol(histogram_error(&h, bits, is_signed, frac), e, 0.12 * e);
            }
            int frac = histogram_frac(&h, bits, is_signed, &error);
            ck_assert_double_le(naive_error(x, bits, is_signed, frac), 1.1 * least);
            ck_assert(error == histogram_error(&h, bits, is_signed, frac));
        }
    }
    arena_free(&a);
}
END_TEST

static void assert_same_histogram(const struct histogram *a, const struct histogram *b) {
    ck_assert_int_eq(a->exponent, b->exponent);
    ck_assert_uint_eq(a->count, b->count);
    ck_assert(a->low == b->low && a->high == b->high);
    ck_assert_mem_eq(a->counts, b->counts, 2 * a->bins * sizeof(*a->counts));
}

START_TEST(order_and_merging_leave_no_trace) {
    static float x[VALUES];
    struct arena a;
    struct histogram whole, pieces[3], backwards;
    make_values(x, 2, true);
    x[VALUES / 2] = 1e4f;
    arena_init(&a);
    ck_assert(histogram_init(&whole, &a, 256) && histogram_init(&backwards, &a, 256));
    histogram_add(&whole, x, VALUES);
    for (int i = VALUES - 1; i >= 0; i--) {
        histogram_add(&backwards, x + i, 1);
    }
    assert_same_histogram(&whole, &backwards);
    for (int i = 0; i < 3; i++) {
        ck_assert(histogram_init(&pieces[i], &a, 256));
    }
    for (int i = 0; i < VALUES; i++) {
        histogram_add(&pieces[i % 7 % 3], x + i, 1);
    }
    for (int i = 1; i >= 0; i--) {
        histogram_merge(&pieces[2], &pieces[i]);
    }
    assert_same_histogram(&whole, &pieces[2]);
    arena_free(&a);
}
END_TEST

START_TEST(extreme_values_are_counted) {
    const float x[] = {0, -0.0f, NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, FLT_TRUE_MIN, -FLT_MIN, 1};
    struct arena a;
    struct histogram h;
    arena_init(&a);
    ck_assert(histogram_init(&h, &a, 512));
    double error = 1;
    ck_assert_int_eq(histogram_frac(&h, 8, true, &error), 0);
    ck_assert(error == 0);
    for (size_t i = sizeof x / sizeof *x; i-- > 0;) {
        histogram_add(&h, x + i, 1);
    }
    ck_assert_uint_eq(h.count, 7);
    ck_assert(h.low == -FLT_MAX && h.high == FLT_MAX);
    uint64_t counted = 0;
    for (uint32_t i = 0; i < 2 * h.bins; i++) {
        counted += h.counts[i];
    }
    ck_assert_uint_eq(counted, 5);
    int frac = histogram_frac(&h, 2, true, &error);
    ck_assert(frac >= -100 && frac <= 100 && isfinite(error));
    arena_free(&a);
}
END_TEST

int main(void) {
    Suite *s = suite_create("quant/statistics");
    TCase *t = tcase_create("statistics");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, moments_are_those_of_the_float_run, 0, sizeof linears / sizeof *linears);
    tcase_add_loop_test(t, diagonal_and_gram_agree, 0, sizeof linears / sizeof *linears);
    tcase_add_test(t, prelu_sees_the_negative_part);
    tcase_add_test(t, a_selection_of_positions_is_representative);
    tcase_add_test(t, wide_columns_keep_their_diagonal);
    tcase_add_test(t, threads_do_not_change_a_bit);
    tcase_add_test(t, points_have_the_range_of_their_values);
    tcase_add_loop_test(t, empty_weights_stay_in_float, 0, 2);
    tcase_add_test(t, failures_are_passed_on);
    tcase_add_loop_test(t, errors_are_those_of_the_values, 0, 3);
    tcase_add_test(t, order_and_merging_leave_no_trace);
    tcase_add_test(t, extreme_values_are_counted);
    suite_add_tcase(s, t);
    return suite_main(s);
}
