/* Inputs kept as they are: they must say what their Gram matrix says. */
#include "quant/moments.h"
#include "quant_trial.h"

#include "suite_main.h"

#define COLUMNS ((size_t)150) /* two blocks and a part */
#define ROWS ((size_t)7)
#define COUNT ((size_t)40)

static const char *const dense = "graph g {\ninput x: float32[N,150]\nconst w: float32[7,150] = random(1,-1,1)\n"
                                 "const b: float32[7] = random(2,-1,1)\ny = Gemm(x, w, b) {transB=1}\noutput y\n}\n";

struct both {
    struct quant_trial trial;
    struct arena arena;
    const struct linear *linear;
    struct moments by_gram, by_vectors;
    double objective[COLUMNS * COLUMNS];
};

static double uniform(void) {
    return 2.0 * rand() / RAND_MAX - 0.6;
}

static void collect(struct both *t, enum moments_detail detail, const float *x, const float *y, struct moments *m) {
    struct context *ctx = &t->trial.ctx;
    trial_ok(&t->trial, moments_init(ctx, &t->arena, t->linear, detail, COUNT, true, m));
    for (size_t i = 0; i < COUNT; i += 8) {
        trial_ok(&t->trial, moments_add(ctx, m, x + i * COLUMNS, y + i * ROWS, 8));
    }
    trial_ok(&t->trial, moments_finish(ctx, t->linear, m));
}

static struct both *both_begin(void) {
    struct both *t = calloc(1, sizeof(*t));
    static float x[COUNT * COLUMNS], y[COUNT * ROWS];
    trial_begin(&t->trial, dense);
    arena_init(&t->arena);
    t->linear = &t->trial.scheme->linears[0];
    srand(3);
    for (size_t i = 0; i < COUNT * COLUMNS; i++) {
        x[i] = (float)uniform();
    }
    for (size_t i = 0; i < COUNT * ROWS; i++) {
        y[i] = (float)(3 * uniform());
    }
    collect(t, MOMENTS_GRAM, x, y, &t->by_gram);
    collect(t, MOMENTS_VECTORS, x, y, &t->by_vectors);
    moments_objective(&t->by_gram, 0, t->objective);
    return t;
}

static void both_finish(struct both *t) {
    arena_free(&t->arena);
    trial_finish(&t->trial);
    free(t);
}

START_TEST(targets_are_those_by_the_gram_matrix) {
    struct both *t = both_begin();
    ck_assert_ptr_null(t->by_vectors.gram);
    ck_assert_double_eq_tol(moments_damping(&t->by_vectors, 0), moments_damping(&t->by_gram, 0), 1e-12);
    double moved = 0;
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        ck_assert_float_eq_tol(t->by_vectors.target[i], t->by_gram.target[i], 1e-4F);
        moved = fmax(moved, fabsf(t->by_gram.target[i] - t->linear->rows_float[i]));
    }
    ck_assert_double_gt(moved, 0.05);
    both_finish(t);
}
END_TEST

/* d (H + damping I) d^T */
static double damped(const struct both *t, const double *d, double damping) {
    double sum = 0;
    for (size_t i = 0; i < COLUMNS; i++) {
        sum += damping * d[i] * d[i];
        for (size_t k = 0; k < COLUMNS; k++) {
            sum += d[i] * t->objective[i * COLUMNS + k] * d[k];
        }
    }
    return sum;
}

START_TEST(errors_are_those_by_the_gram_matrix) {
    struct both *t = both_begin();
    struct vectors_scratch scratch;
    static double d[ROWS * COLUMNS];
    double errors[ROWS];
    ck_assert(vectors_scratch_init(&scratch, &t->arena, t->by_vectors.vectors, ROWS));
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        d[i] = uniform();
    }
    vectors_errors(t->by_vectors.vectors, d, ROWS, &scratch, errors);
    for (size_t r = 0; r < ROWS; r++) {
        double expected = damped(t, d + r * COLUMNS, 0);
        ck_assert_double_eq_tol(errors[r], expected, 1e-4 * expected);
    }
    both_finish(t);
}
END_TEST

/* To nearest at fraction r % 3. */
static void round_rows(const struct both *t, int *fracs, int32_t *codes, double *d) {
    for (size_t r = 0; r < ROWS; r++) {
        fracs[r] = (int)(r % 3);
        for (size_t c = 0; c < COLUMNS; c++) {
            size_t i = r * COLUMNS + c;
            double code = nearbyint(ldexp(t->linear->rows_float[i], fracs[r]));
            codes[i] = (int32_t)fmin(fmax(code, -2), 1);
            d[i] = t->linear->rows_float[i] - ldexp(codes[i], -fracs[r]);
        }
    }
}

/* Until no single code can move, which coordinate descent on the whole matrix would find as well. */
START_TEST(descent_ends_where_no_single_code_helps) {
    struct both *t = both_begin();
    struct vectors_scratch scratch;
    static double d[ROWS * COLUMNS];
    static int32_t codes[ROWS * COLUMNS];
    int fracs[ROWS];
    double before[ROWS], damping = 0.1 * moments_scale(&t->by_gram, 0);
    ck_assert(vectors_scratch_init(&scratch, &t->arena, t->by_vectors.vectors, ROWS));
    round_rows(t, fracs, codes, d);
    for (size_t r = 0; r < ROWS; r++) {
        before[r] = damped(t, d + r * COLUMNS, damping);
    }
    vectors_descend(t->by_vectors.vectors, damping, fracs, ROWS, (struct grid_range){-2, 1}, 100, d, codes, &scratch);
    for (size_t r = 0; r < ROWS; r++) {
        double *row = d + r * COLUMNS, step = ldexp(1, -fracs[r]), after = damped(t, row, damping);
        ck_assert_double_lt(after, 0.9 * before[r]);
        for (size_t c = 0; c < COLUMNS; c++) {
            int32_t code = codes[r * COLUMNS + c];
            ck_assert(code >= -2 && code <= 1);
            ck_assert_double_eq_tol(row[c], t->linear->rows_float[r * COLUMNS + c] - code * step, 1e-12);
            for (int move = -1; move <= 1; move += 2) {
                row[c] -= move * step;
                bool allowed = code + move >= -2 && code + move <= 1;
                ck_assert(!allowed || damped(t, row, damping) > after * (1 - 1e-4));
                row[c] += move * step;
            }
        }
    }
    both_finish(t);
}
END_TEST

START_TEST(many_are_thinned_evenly) {
    struct both *t = both_begin();
    struct vectors v;
    static float x[COLUMNS];
    ck_assert(vectors_init(&v, &t->arena, t->linear, 5000, false));
    for (int i = 0; i < 5000; i++) {
        x[0] = (float)i;
        vectors_add(&v, x, NULL, 1);
    }
    ck_assert_uint_eq(v.count, 1667);
    for (size_t i = 0; i < v.count; i++) {
        ck_assert(v.x[i * COLUMNS] == (float)(3 * i));
    }
    both_finish(t);
}
END_TEST

START_TEST(what_is_too_large_is_not_kept) {
    struct both *t = both_begin();
    size_t bytes = 0;
    struct linear l = *t->linear;
    ck_assert(vectors_possible(&l, 1024, &bytes));
    ck_assert_uint_eq(bytes, 1024 * (150 + 7) * sizeof(float) + 150 * 64 * sizeof(double));
    ck_assert(!vectors_possible(&l, 0, &bytes));
    l.rows = UINT32_MAX / 2;
    ck_assert(!vectors_possible(&l, 1024, &bytes));
    l = *t->linear;
    l.columns = 1U << 20;
    ck_assert(!vectors_possible(&l, 1024, &bytes));
    l = *t->linear;
    l.groups = 2;
    ck_assert(!vectors_possible(&l, 1024, &bytes));
    both_finish(t);
}
END_TEST

int main(void) {
    Suite *s = suite_create("quant/vectors");
    TCase *t = tcase_create("vectors");
    tcase_add_test(t, targets_are_those_by_the_gram_matrix);
    tcase_add_test(t, errors_are_those_by_the_gram_matrix);
    tcase_add_test(t, descent_ends_where_no_single_code_helps);
    tcase_add_test(t, many_are_thinned_evenly);
    tcase_add_test(t, what_is_too_large_is_not_kept);
    suite_add_tcase(s, t);
    return suite_main(s);
}
