/* Rounding of weights: GPTQ against its definition, choices against naive errors, limits of fractions. */
#include "quant/codes.h"
#include "quant/round.h"
#include "quant_trial.h"

#include "suite_main.h"

#include <stdio.h>

#define SAMPLES ((size_t)60)

static const char *const layers[] = {
    "input x: float32[N,4,7,7]\nconst w: float32[6,4,3,3] = random(1,-1,1)\nconst b: float32[6] = random(2,-1,1)\n"
    "y = Conv(x, w, b) {pads=[1,1,1,1]}\n",
    "input x: float32[N,6,7,7]\nconst w: float32[6,1,3,3] = random(1,-1,1)\nconst b: float32[6] = random(2,-1,1)\n"
    "y = Conv(x, w, b) {group=6}\n",
    "input x: float32[N,6,5,5]\nconst w: float32[6,2,3,3] = random(1,-1,1)\nconst b: float32[4] = random(2,-1,1)\n"
    "y = ConvTranspose(x, w, b) {group=2}\n",
    "input x: float32[N,6,5,5]\nconst w: float32[6,2,3,3] = random(1,-1,1)\ny = ConvTranspose(x, w) "
    "{strides=[2,2]}\n",
    "input x: float32[N,130]\nconst w: float32[70,130] = random(1,-1,1)\nconst b: float32[70] = random(2,-1,1)\n"
    "y = Gemm(x, w, b) {transB=1}\n", /* more columns than samples, more rows than are rounded at once */
    "input x: float32[N,2,40]\nconst w: float32[40,5] = random(1,-1,1)\ny = MatMul(x, w)\n",
    "input x: float32[N,3,4,4]\nconst w: float32[3,1,1] = [0.11,0.23,-0.3]\ny = PRelu(x, w)\n",
    "input x: float32[N,4097]\nconst w: float32[3,4097] = random(1,-1,1)\ny = Gemm(x, w) {transB=1}\n",
};
#define LAYERS ((int)(sizeof layers / sizeof *layers))

struct rounding_trial {
    struct quant_trial q;
    struct arena arena;
    const struct linear *linear;
};

static void begin(struct rounding_trial *t, const char *statements, size_t samples) {
    char text[2048];
    snprintf(text, sizeof text, "graph g {\n%soutput y\n}\n", statements);
    trial_begin(&t->q, text);
    arena_init(&t->arena);
    ck_assert_uint_eq(t->q.scheme->linear_count, 1);
    t->linear = &t->q.scheme->linears[0];
    if (samples > 0) {
        trial_collect(&t->q, samples, 2);
    }
}

static void end(struct rounding_trial *t) {
    arena_free(&t->arena);
    trial_finish(&t->q);
}

static struct weight_choice round_at(struct rounding_trial *t, int bits, int input_frac, enum rounding rounding) {
    struct weight_choice w;
    const struct moments *m = t->q.statistics == NULL ? NULL : statistics_moments(t->q.statistics, 0);
    trial_ok(&t->q, round_weights(&t->q.ctx, &t->arena, t->q.scheme, 0, m, bits, input_frac, rounding, &w));
    return w;
}

static double difference(const struct rounding_trial *t, const struct weight_choice *w, uint32_t r, uint32_t c) {
    size_t at = (size_t)r * t->linear->columns + c;
    return t->linear->rows_float[at] - dequantize(w->codes[at], &w->format, (int)r);
}

static double seen_error(const struct rounding_trial *t, const struct weight_choice *w, uint32_t r) {
    const struct vectors *v = statistics_moments(t->q.statistics, 0)->vectors;
    double sum = 0;
    for (size_t i = 0; i < v->count; i++) {
        double seen = 0;
        for (uint32_t c = 0; c < v->columns; c++) {
            seen += difference(t, w, r, c) * v->x[i * v->columns + c];
        }
        sum += seen * seen;
    }
    return sum;
}

/* Mean square of what row r's output loses, or variance where a bias takes up the mean. */
static double naive_error(const struct rounding_trial *t, const struct weight_choice *w, uint32_t r) {
    const struct linear *l = t->linear;
    const struct moments *m = statistics_moments(t->q.statistics, 0);
    uint32_t group = r / (l->rows / l->groups), n = l->columns;
    if (m->vectors != NULL) {
        return seen_error(t, w, r);
    }
    const double *gram = statistics_gram(t->q.statistics, 0, group), *mean = statistics_mean(t->q.statistics, 0, group);
    double sum = 0, shift = 0;
    for (uint32_t c = 0; c < n; c++) {
        double d = difference(t, w, r, c);
        shift += d * mean[c];
        for (uint32_t k = 0; k < n; k++) {
            sum += d * difference(t, w, r, k) * gram[(size_t)c * n + k];
        }
    }
    return l->bias != NULL ? sum - shift * shift : sum;
}

static bool shares_fraction(const struct rounding_trial *t) {
    return t->linear->groups > 1 && node_is(t->linear->node, "ConvTranspose");
}

/* ---- whole layers ---- */

START_TEST(second_order_is_never_worse_than_nearest) {
    struct rounding_trial t;
    begin(&t, layers[_i], SAMPLES);
    for (int bits = 2; bits <= 10; bits++) {
        struct weight_choice nearest = round_at(&t, bits, 4, ROUND_NEAREST);
        struct weight_choice second = round_at(&t, bits, 4, ROUND_SECOND_ORDER);
        double sum = 0;
        for (uint32_t r = 0; r < t.linear->rows; r++) {
            double a = naive_error(&t, &nearest, r), b = naive_error(&t, &second, r);
            ck_assert(shares_fraction(&t) || b <= a + 1e-9 * a + 1e-15);
            sum += b / t.linear->rows;
        }
        ck_assert_double_le(second.output_error, nearest.output_error * (1 + 1e-9) + 1e-15);
        ck_assert_double_eq_tol(second.output_error, sum, 1e-6 * sum + 1e-15);
    }
    end(&t);
}
END_TEST

START_TEST(second_order_gains) {
    struct rounding_trial t;
    begin(&t, layers[0], SAMPLES);
    for (int bits = 2; bits <= 8; bits++) {
        ck_assert_double_lt(round_at(&t, bits, 4, ROUND_SECOND_ORDER).output_error,
                            0.98 * round_at(&t, bits, 4, ROUND_NEAREST).output_error);
    }
    end(&t);
}
END_TEST

/* The finest fraction tried for the row with the largest weights, which bounds those of other rows only below. */
static int finest_needed(const struct linear *l, int bits) {
    double largest = 0;
    for (size_t i = 0; i < (size_t)l->rows * l->columns; i++) {
        largest = fmax(largest, fabs(l->rows_float[i]));
    }
    return frac_for_range(largest, bits, true) + 3;
}

START_TEST(codes_and_fractions_are_within_their_limits) {
    struct rounding_trial t;
    begin(&t, layers[_i], SAMPLES);
    for (int bits = 2; bits <= 16; bits++) {
        struct weight_choice w = round_at(&t, bits, 9, ROUND_SECOND_ORDER);
        int coarsest = 1000, finest = -1000;
        for (uint32_t r = 0; r < t.linear->rows; r++) {
            int frac = format_frac(&w.format, (int)r);
            coarsest = frac < coarsest ? frac : coarsest;
            finest = frac > finest ? frac : finest;
            bool as_needed = frac <= finest_needed(t.linear, bits);
            ck_assert(as_needed || ldexp(fabs(t.linear->bias_float[r]), frac + 9) < 1 << 22);
        }
        ck_assert(finest - coarsest <= 16 && finest <= 100 && coarsest >= -100);
        for (size_t i = 0; i < (size_t)t.linear->rows * t.linear->columns; i++) {
            ck_assert(w.codes[i] >= format_min(&w.format) && w.codes[i] <= format_max(&w.format));
        }
        ck_assert_uint_eq(w.packed.bits, (unsigned)bits);
        ck_assert(!shares_fraction(&t) || coarsest == finest);
    }
    end(&t);
}
END_TEST

START_TEST(without_channel_fractions_the_best_for_all_rows_is_taken) {
    struct rounding_trial t;
    begin(&t, layers[_i], SAMPLES);
    struct weight_choice free_rows = round_at(&t, 3, 4, ROUND_NEAREST);
    t.q.scheme->without = TECHNIQUE_CHANNEL_FRACTIONS;
    struct weight_choice shared = round_at(&t, 3, 4, ROUND_NEAREST);
    ck_assert_ptr_null(shared.format.channel_frac);
    ck_assert_double_ge(shared.output_error, free_rows.output_error);
    for (int frac = shared.format.frac - 2; frac <= shared.format.frac + 2; frac++) {
        struct weight_choice other = shared;
        int32_t *codes = ARENA_ARRAY(&t.arena, (size_t)t.linear->rows * t.linear->columns, int32_t);
        double sum = 0;
        for (size_t i = 0; i < (size_t)t.linear->rows * t.linear->columns; i++) {
            codes[i] = quantize_to(ldexp(t.linear->rows_float[i], frac), 0, -4, 3);
        }
        other.codes = codes;
        other.format.frac = frac;
        for (uint32_t r = 0; r < t.linear->rows; r++) {
            sum += naive_error(&t, &other, r) / t.linear->rows;
        }
        ck_assert_double_ge(sum, shared.output_error * (1 - 1e-6) - 1e-15);
    }
    end(&t);
}
END_TEST

START_TEST(every_technique_can_be_left_out) {
    struct rounding_trial t;
    begin(&t, layers[0], SAMPLES);
    size_t size = (size_t)t.linear->rows * t.linear->columns * sizeof(int32_t);
    struct weight_choice nearest = round_at(&t, 3, 4, ROUND_NEAREST), all = round_at(&t, 3, 4, ROUND_SECOND_ORDER);
    t.q.scheme->without = TECHNIQUE_SECOND_ORDER | TECHNIQUE_COORDINATE_DESCENT;
    struct weight_choice neither = round_at(&t, 3, 4, ROUND_SECOND_ORDER);
    t.q.scheme->without = TECHNIQUE_SECOND_ORDER;
    struct weight_choice descent = round_at(&t, 3, 4, ROUND_SECOND_ORDER);
    t.q.scheme->without = TECHNIQUE_COORDINATE_DESCENT;
    struct weight_choice second = round_at(&t, 3, 4, ROUND_SECOND_ORDER);
    ck_assert_mem_eq(neither.codes, nearest.codes, size);
    ck_assert(descent.output_error < nearest.output_error && second.output_error < nearest.output_error);
    ck_assert(all.output_error < descent.output_error && all.output_error < second.output_error);
    t.q.scheme->without = TECHNIQUE_CLIPPING;
    struct weight_choice covering = round_at(&t, 2, 4, ROUND_SECOND_ORDER);
    for (uint32_t r = 0; r < t.linear->rows; r++) {
        double largest = 0;
        for (uint32_t c = 0; c < t.linear->columns; c++) {
            largest = fmax(largest, fabs(t.linear->rows_float[(size_t)r * t.linear->columns + c]));
        }
        ck_assert_int_le(format_frac(&covering.format, (int)r), frac_for_range(largest, 2, true));
    }
    t.q.scheme->without = TECHNIQUE_BIAS_CORRECTION;
    trial_collect(&t.q, SAMPLES, 2);
    ck_assert_ptr_null(round_at(&t, 3, 4, ROUND_SECOND_ORDER).mean_shift);
    ck_assert_ptr_nonnull(all.mean_shift);
    end(&t);
}
END_TEST

START_TEST(the_mean_shift_is_the_mean_error) {
    struct rounding_trial t;
    begin(&t, layers[_i], SAMPLES);
    struct weight_choice w = round_at(&t, 3, 4, ROUND_SECOND_ORDER);
    ck_assert((w.mean_shift == NULL) == (t.linear->bias == NULL));
    for (uint32_t r = 0; w.mean_shift != NULL && r < t.linear->rows; r++) {
        const double *mean = statistics_mean(t.q.statistics, 0, r / (t.linear->rows / t.linear->groups));
        double sum = 0;
        for (uint32_t c = 0; c < t.linear->columns; c++) {
            sum += difference(&t, &w, r, c) * mean[c];
        }
        ck_assert_double_eq_tol(w.mean_shift[r], sum, 1e-6);
    }
    end(&t);
}
END_TEST

static double squares(const struct rounding_trial *t, const struct weight_choice *w, uint32_t r) {
    double sum = 0;
    for (uint32_t c = 0; c < t->linear->columns; c++) {
        sum += difference(t, w, r, c) * difference(t, w, r, c);
    }
    return sum;
}

/* No fraction of a row, with codes to nearest, has a smaller squared error. */
START_TEST(without_statistics_weights_are_nearest) {
    struct rounding_trial t;
    begin(&t, layers[0], 0);
    for (int bits = 2; bits <= 8; bits++) {
        struct weight_choice w = round_at(&t, bits, 0, ROUND_SECOND_ORDER);
        ck_assert_ptr_null(w.mean_shift);
        for (uint32_t r = 0; r < t.linear->rows; r++) {
            double chosen = squares(&t, &w, r);
            for (int frac = -2; frac < 12; frac++) {
                struct format f = {.bits = bits, .is_signed = true, .frac = frac};
                double sum = 0;
                for (uint32_t c = 0; c < t.linear->columns; c++) {
                    double x = t.linear->rows_float[(size_t)r * t.linear->columns + c];
                    double d = x - dequantize(quantize(x, &f, 0), &f, 0);
                    sum += d * d;
                }
                ck_assert_double_le(chosen, sum * (1 + 1e-12));
            }
        }
    }
    end(&t);
}
END_TEST

START_TEST(zeros_take_no_bits) {
    struct rounding_trial t;
    begin(&t,
          "input x: float32[N,9]\nconst w: float32[4,9] = splat(0)\nconst b: float32[4] = [0,3,-0.001,500]\n"
          "y = Gemm(x, w, b) {transB=1}\n",
          SAMPLES);
    struct weight_choice w = round_at(&t, 4, 8, ROUND_SECOND_ORDER);
    ck_assert_int_eq(w.format.bits, 0);
    ck_assert(w.output_error == 0);
    for (int r = 0; r < 4; r++) {
        ck_assert(w.mean_shift[r] == 0);
        ck_assert_double_lt(ldexp(fabs(t.linear->bias_float[r]), format_frac(&w.format, r) + 8), 1 << 22);
    }
    end(&t);
}
END_TEST

/* Rows of very different size, of zeros, of one huge weight; inputs that are always zero. */
START_TEST(odd_rows_are_rounded) {
    struct rounding_trial t;
    begin(&t,
          "input x: float32[N,3]\nconst z: float32[3] = [0,1,1]\nm = Mul(x, z)\n"
          "const w: float32[3,5] = [1e-9,0,1,1e30,1, 2e-9,0,2,1,3, 3e-9,0,3,1,1e-30]\ny = Gemm(m, w)\n",
          SAMPLES);
    for (int bits = 2; bits <= 16; bits++) {
        struct weight_choice w = round_at(&t, bits, 7, ROUND_SECOND_ORDER);
        int coarsest = 1000, finest = -1000;
        for (int r = 0; r < 5; r++) {
            int frac = format_frac(&w.format, r);
            coarsest = frac < coarsest ? frac : coarsest;
            finest = frac > finest ? frac : finest;
        }
        ck_assert(finest - coarsest <= 16 && coarsest >= -100);
        ck_assert(isfinite(w.output_error));
    }
    end(&t);
}
END_TEST

START_TEST(threads_do_not_change_a_code) {
    struct rounding_trial a, b;
    begin(&a, layers[_i], 0);
    begin(&b, layers[_i], 0);
    trial_collect(&a.q, SAMPLES, 1);
    trial_collect(&b.q, SAMPLES, 3);
    struct weight_choice v = round_at(&a, 4, 4, ROUND_SECOND_ORDER), w = round_at(&b, 4, 4, ROUND_SECOND_ORDER);
    ck_assert(v.output_error == w.output_error);
    ck_assert_mem_eq(v.codes, w.codes, (size_t)a.linear->rows * a.linear->columns * sizeof(int32_t));
    end(&a);
    end(&b);
}
END_TEST

/* ---- the algorithms ---- */

#define COLUMNS 45 /* more than a block */

struct problem {
    double h[COLUMNS * COLUMNS], w[COLUMNS];
};

/* A random positive definite matrix: products of fewer vectors than columns, and a little of the identity. */
static void make_problem(struct problem *p, unsigned seed) {
    static double x[20][COLUMNS];
    srand(seed);
    for (int s = 0; s < 20; s++) {
        for (int c = 0; c < COLUMNS; c++) {
            x[s][c] = 2.0 * rand() / RAND_MAX - 0.7;
        }
    }
    for (int i = 0; i < COLUMNS; i++) {
        p->w[i] = 2.0 * rand() / RAND_MAX - 1;
        for (int k = 0; k < COLUMNS; k++) {
            p->h[i * COLUMNS + k] = i == k ? 0.05 : 0;
            for (int s = 0; s < 20; s++) {
                p->h[i * COLUMNS + k] += x[s][i] * x[s][k] / 20;
            }
        }
    }
}

/* Solves a x = b by elimination; a is positive definite. */
static void solve(double *a, double *b, int n, int stride) {
    for (int i = 0; i < n; i++) {
        for (int k = i + 1; k < n; k++) {
            double f = a[k * stride + i] / a[i * stride + i];
            for (int c = i; c < n; c++) {
                a[k * stride + c] -= f * a[i * stride + c];
            }
            b[k] -= f * b[i];
        }
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++) {
            b[i] -= a[i * stride + k] * b[k];
        }
        b[i] /= a[i * stride + i];
    }
}

/* What weight order[i] should be, given the codes before it, when those behind it may be any real number. */
static double wanted(const struct problem *p, const uint32_t *order, const double *d, int i) {
    static double a[COLUMNS * COLUMNS], b[COLUMNS];
    int free_count = COLUMNS - i;
    for (int r = 0; r < free_count; r++) {
        const double *row = p->h + order[i + r] * COLUMNS;
        b[r] = 0;
        for (int k = 0; k < i; k++) {
            b[r] -= row[order[k]] * d[k];
        }
        for (int c = 0; c < free_count; c++) {
            a[r * COLUMNS + c] = row[order[i + c]];
        }
    }
    solve(a, b, free_count, COLUMNS);
    return p->w[order[i]] - b[0];
}

START_TEST(gptq_rounds_what_is_best_given_the_codes_so_far) {
    struct problem p;
    struct arena arena;
    struct context ctx;
    struct gptq_factor f;
    struct grid_range range = {-4, 3};
    int frac = 2, ties = 0;
    double w[COLUMNS], d[COLUMNS] = {0}, errors[GPTQ_BLOCK];
    int32_t codes[COLUMNS];
    make_problem(&p, (unsigned)_i + 1);
    context_init(&ctx);
    arena_init(&arena);
    ck_assert(gptq_factor_init(&f, &arena, COLUMNS));
    ck_assert_int_eq(gptq_factor_compute(&ctx, &f, p.h, 0), PARE_OK);
    for (int i = 0; i < COLUMNS; i++) {
        w[i] = p.w[f.order[i]];
        ck_assert(i == 0 || p.h[f.order[i - 1] * (COLUMNS + 1)] >= p.h[f.order[i] * (COLUMNS + 1)]);
    }
    gptq_round(&f, w, &frac, 1, range, errors, codes);
    for (int i = 0; i < COLUMNS; i++) {
        double best = wanted(&p, f.order, d, i) * 4;
        bool tie = fabs(best - floor(best) - 0.5) < 1e-6;
        ties += tie;
        ck_assert(tie || codes[i] == quantize_to(best, 0, range.low, range.high));
        d[i] = p.w[f.order[i]] - codes[i] / 4.0;
    }
    ck_assert_int_lt(ties, 3);
    arena_free(&arena);
}
END_TEST

static double error_of(const struct problem *p, const int32_t *codes, double damping) {
    double sum = 0;
    for (int i = 0; i < COLUMNS; i++) {
        double d = p->w[i] - codes[i] / 4.0;
        sum += damping * d * d;
        for (int k = 0; k < COLUMNS; k++) {
            sum += d * (p->w[k] - codes[k] / 4.0) * p->h[i * COLUMNS + k];
        }
    }
    return sum;
}

START_TEST(coordinate_descent_ends_where_no_single_code_helps) {
    struct problem p;
    double d[COLUMNS], product[COLUMNS], damping = 0.01;
    int32_t codes[COLUMNS];
    make_problem(&p, (unsigned)_i + 1);
    for (int i = 0; i < COLUMNS; i++) {
        codes[i] = quantize_to(p.w[i], 2, -4, 3);
        d[i] = p.w[i] - codes[i] / 4.0;
    }
    for (int i = 0; i < COLUMNS; i++) {
        product[i] = damping * d[i];
        for (int k = 0; k < COLUMNS; k++) {
            product[i] += p.h[i * COLUMNS + k] * d[k];
        }
    }
    double before = error_of(&p, codes, damping);
    coordinate_descent(p.h, damping, COLUMNS, 2, (struct grid_range){-4, 3}, 1000, d, product, codes);
    double after = error_of(&p, codes, damping);
    ck_assert_double_lt(after, before);
    for (int i = 0; i < COLUMNS; i++) {
        ck_assert_double_eq_tol(d[i], p.w[i] - codes[i] / 4.0, 1e-12);
        for (int change = -1; change <= 1; change += 2) {
            codes[i] += change;
            bool allowed = codes[i] >= -4 && codes[i] <= 3;
            ck_assert(!allowed || error_of(&p, codes, damping) >= after - 1e-12);
            codes[i] -= change;
        }
    }
}
END_TEST

START_TEST(an_indefinite_matrix_has_no_factor) {
    double h[4] = {1, 2, 2, 1};
    struct arena arena;
    struct context ctx;
    struct gptq_factor f;
    context_init(&ctx);
    arena_init(&arena);
    ck_assert(gptq_factor_init(&f, &arena, 2));
    ck_assert_int_eq(gptq_factor_compute(&ctx, &f, h, 0), PARE_OK);
    ck_assert_ptr_null(f.upper);
    arena_free(&arena);
}
END_TEST

int main(void) {
    Suite *s = suite_create("quant/round");
    TCase *t = tcase_create("round");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, second_order_is_never_worse_than_nearest, 0, LAYERS);
    tcase_add_test(t, second_order_gains);
    tcase_add_loop_test(t, codes_and_fractions_are_within_their_limits, 0, LAYERS);
    tcase_add_loop_test(t, without_channel_fractions_the_best_for_all_rows_is_taken, 0, LAYERS);
    tcase_add_test(t, every_technique_can_be_left_out);
    tcase_add_loop_test(t, the_mean_shift_is_the_mean_error, 0, LAYERS);
    tcase_add_test(t, without_statistics_weights_are_nearest);
    tcase_add_test(t, zeros_take_no_bits);
    tcase_add_test(t, odd_rows_are_rounded);
    tcase_add_loop_test(t, threads_do_not_change_a_code, 0, LAYERS);
    tcase_add_loop_test(t, gptq_rounds_what_is_best_given_the_codes_so_far, 0, 20);
    tcase_add_loop_test(t, coordinate_descent_ends_where_no_single_code_helps, 0, 20);
    tcase_add_test(t, an_indefinite_matrix_has_no_factor);
    suite_add_tcase(s, t);
    return suite_main(s);
}
