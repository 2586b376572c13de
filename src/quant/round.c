/* Rows are tried at several fractions with each method; the attempt with the least error at the output wins. */
#include "quant/round.h"

#include "graph/op.h"
#include "quant/codes.h"
#include "quant/moments.h"
#include "quant/scaling.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#define COARSER 1 /* than the fraction that covers a row's range */
#define FINER 3
#define ROW_SPREAD 16
#define BIAS_BITS 22
/* Rows rounded together share products of matrices; their scratch holds at most so many elements. */
#define ROWS_AT_ONCE ((uint32_t)64)
#define SCRATCH_ELEMENTS ((uint32_t)1 << 22)
#define SWEEPS 4

/* The rounding of some rows of one group, in scratch memory. [rows][columns] unless said otherwise. */
struct rounder {
    const struct linear *linear;
    const struct moments *moments;    /* NULL: nothing is known */
    const struct gptq_factor *factor; /* NULL: nearest */
    struct grid_range range;
    uint32_t without; /* mask of enum technique */
    int bits;
    uint32_t columns, first, rows;
    bool polishes;
    double damping;
    double *objective;             /* [columns][columns] */
    const struct vectors *vectors; /* instead of an objective; where both are NULL: only `importance` */
    struct vectors_scratch seen;
    double *importance; /* [columns], its diagonal */
    double *weights, *difference, *product;
    double *errors; /* [rows][GPTQ_BLOCK] */
    int32_t *permuted, *codes;
    int *fracs;          /* [rows] of the attempt */
    int *lowest, *limit; /* [all rows] what fractions may be */
    int32_t *best_codes; /* [all rows][columns] */
    int *best_fracs;     /* [all rows] */
    double *best_errors; /* [all rows]: at the output */
    double *best_scores; /* [all rows]: with damping */
    double *limits;      /* [all rows]: errors at the output that no attempt may exceed */
    double *row_errors;  /* [rows] */
};

/* ---- which fractions ---- */

/* What is rounded: the weights, or what suits the inputs better that the integer program computes. */
static const float *targets_of(const struct linear *l, const struct moments *m) {
    return m != NULL && m->target != NULL ? m->target : l->rows_float;
}

static double largest_of(const float *x, uint32_t count) {
    double largest = 0;
    for (uint32_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(x[i]));
    }
    return largest;
}

/* The finest fraction that sums of row r need: finer ones make the aligned bias, or what is added to them, larger than
 * 2^BIAS_BITS. */
static int finest_sum(const struct linear *l, uint32_t r) {
    int exponent = 0;
    if (l->bias_float[r] == 0) {
        return l->finest_sum;
    }
    (void)frexp(l->bias_float[r], &exponent);
    return BIAS_BITS - exponent < l->finest_sum ? BIAS_BITS - exponent : l->finest_sum;
}

/* For each row the coarsest fraction to try by its weights alone; FRAC_LIMIT for zeros. Returns the least. */
static int natural_fractions(struct rounder *k) {
    const struct linear *l = k->linear;
    const float *weights = targets_of(l, k->moments);
    int least = FRAC_LIMIT;
    for (uint32_t r = 0; r < l->rows; r++) {
        double largest = largest_of(weights + (size_t)r * l->columns, l->columns);
        int frac = largest > 0 ? frac_for_range(largest, k->bits, true) - COARSER : FRAC_LIMIT;
        k->lowest[r] = frac < -FRAC_LIMIT ? -FRAC_LIMIT : frac;
        least = k->lowest[r] < least ? k->lowest[r] : least;
    }
    return least;
}

static int clamp_frac(int frac, int low, int high) {
    return frac < low ? low : frac > high ? high : frac;
}

/* For each row the coarsest and the finest fraction to try. All may be as fine as the row of the largest weights;
 * finer ones as long as the sums stay small, and up to ROW_SPREAD. */
static void fraction_ranges(struct rounder *k, int input_frac) {
    const struct linear *l = k->linear;
    int coarsest = natural_fractions(k), tries = COARSER + (k->without & TECHNIQUE_CLIPPING ? 0 : FINER);
    bool all_zero = coarsest == FRAC_LIMIT; /* any will do */
    int low = all_zero ? -FRAC_LIMIT : coarsest + tries, high = all_zero ? 0 : coarsest + ROW_SPREAD;
    for (uint32_t r = 0; r < l->rows; r++) {
        bool zero = k->lowest[r] == FRAC_LIMIT;
        int limit = clamp_frac(finest_sum(l, r) - input_frac, low, high);
        k->lowest[r] = k->lowest[r] > limit ? limit : k->lowest[r];
        k->limit[r] = zero || limit < k->lowest[r] + tries ? limit : k->lowest[r] + tries;
    }
}

/* ---- one attempt ---- */

static double *row_of(double *matrix, const struct rounder *k, uint32_t r) {
    return matrix + (size_t)r * k->columns;
}

static const float *weights_of(const struct rounder *k, uint32_t r) {
    return targets_of(k->linear, k->moments) + (size_t)(k->first + r) * k->columns;
}

static void round_nearest(struct rounder *k) {
    for (uint32_t r = 0; r < k->rows; r++) {
        const float *w = weights_of(k, r);
        double scale = ldexp(1, k->fracs[r]);
        for (uint32_t c = 0; c < k->columns; c++) {
            k->codes[(size_t)r * k->columns + c] = quantize_to(w[c] * scale, 0, k->range.low, k->range.high);
        }
    }
}

static void round_second_order(struct rounder *k) {
    const uint32_t *order = k->factor->order;
    for (uint32_t r = 0; r < k->rows; r++) {
        const float *w = weights_of(k, r);
        for (uint32_t c = 0; c < k->columns; c++) {
            k->weights[(size_t)r * k->columns + c] = w[order[c]];
        }
    }
    gptq_round(k->factor, k->weights, k->fracs, k->rows, k->range, k->errors, k->permuted);
    for (uint32_t r = 0; r < k->rows; r++) {
        size_t at = (size_t)r * k->columns;
        for (uint32_t c = 0; c < k->columns; c++) {
            k->codes[at + order[c]] = k->permuted[at + c];
        }
    }
}

/* row_errors of `difference`, and, but for vectors, `product`: its rows times the objective. */
static void measure_differences(struct rounder *k) {
    if (k->vectors != NULL) {
        vectors_errors(k->vectors, k->difference, k->rows, &k->seen, k->row_errors);
        return;
    }
    if (k->objective != NULL) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)k->rows, (int)k->columns, (int)k->columns, 1.0,
                    k->difference, (int)k->columns, k->objective, (int)k->columns, 0.0, k->product, (int)k->columns);
    }
    for (size_t i = 0; k->objective == NULL && i < (size_t)k->rows * k->columns; i++) {
        k->product[i] = k->difference[i] * k->importance[i % k->columns];
    }
    for (uint32_t r = 0; r < k->rows; r++) {
        double error = cblas_ddot((int)k->columns, row_of(k->difference, k, r), 1, row_of(k->product, k, r), 1);
        k->row_errors[r] = error > 0 ? error : 0; /* rounding of the sum */
    }
}

static void subtract(struct rounder *k, const int32_t *codes, const int *fracs) {
    for (uint32_t r = 0; r < k->rows; r++) {
        const float *w = weights_of(k, r);
        double step = ldexp(1, -fracs[r]), *d = row_of(k->difference, k, r);
        for (uint32_t c = 0; c < k->columns; c++) {
            d[c] = w[c] - codes[(size_t)r * k->columns + c] * step;
        }
    }
}

static double score_of(const struct rounder *k, uint32_t r) {
    const double *d = k->difference + (size_t)r * k->columns;
    return k->row_errors[r] + k->damping * cblas_ddot((int)k->columns, d, 1, d, 1);
}

/* Rows whose attempt is better than what they have take it. */
static void keep_better(struct rounder *k) {
    subtract(k, k->codes, k->fracs);
    measure_differences(k);
    for (uint32_t r = 0; r < k->rows; r++) {
        uint32_t all = k->first + r;
        double score = score_of(k, r);
        if (score < k->best_scores[all] && k->row_errors[r] <= k->limits[all]) {
            k->best_scores[all] = score;
            k->best_errors[all] = k->row_errors[r];
            k->best_fracs[all] = k->fracs[r];
            memcpy(k->best_codes + (size_t)all * k->columns, k->codes + (size_t)r * k->columns,
                   k->columns * sizeof(*k->codes));
        }
    }
}

/* ---- the rows of a group ---- */

static void try_fractions(struct rounder *k, void (*round)(struct rounder *)) {
    for (int finer = 0; finer <= COARSER + FINER; finer++) {
        for (uint32_t r = 0; r < k->rows; r++) {
            int frac = k->lowest[k->first + r] + finer, limit = k->limit[k->first + r];
            k->fracs[r] = frac < limit ? frac : limit;
        }
        round(k);
        keep_better(k);
    }
}

static void descend_by_vectors(struct rounder *k) {
    vectors_descend(k->vectors, k->damping, k->fracs, k->rows, k->range, SWEEPS, k->difference, k->codes, &k->seen);
}

static void descend(struct rounder *k) {
    measure_differences(k);
    cblas_daxpy((int)(k->rows * k->columns), k->damping, k->difference, 1, k->product, 1);
    for (uint32_t r = 0; r < k->rows; r++) {
        coordinate_descent(k->objective, k->damping, k->columns, k->fracs[r], k->range, SWEEPS,
                           row_of(k->difference, k, r), row_of(k->product, k, r), k->codes + (size_t)r * k->columns);
    }
}

/* From the best attempt on. */
static void polish(struct rounder *k) {
    size_t first = (size_t)k->first * k->columns;
    memcpy(k->codes, k->best_codes + first, (size_t)k->rows * k->columns * sizeof(*k->codes));
    memcpy(k->fracs, k->best_fracs + k->first, k->rows * sizeof(*k->fracs));
    subtract(k, k->codes, k->fracs);
    (k->vectors != NULL ? descend_by_vectors : descend)(k);
    keep_better(k);
}

/* Damping keeps the codes from fitting the calibration samples' noise, and decides between attempts too, but none may
 * be worse than what nearest was chosen on the samples themselves. */
static void round_rows(struct rounder *k) {
    for (uint32_t r = 0; r < k->rows; r++) {
        uint32_t all = k->first + r;
        k->best_scores[all] = k->best_errors[all] = k->limits[all] = INFINITY;
    }
    try_fractions(k, round_nearest);
    memcpy(k->limits + k->first, k->best_errors + k->first, k->rows * sizeof(*k->limits));
    if (k->factor != NULL && !(k->without & TECHNIQUE_SECOND_ORDER)) {
        try_fractions(k, round_second_order);
    }
    if (k->polishes) {
        polish(k);
    }
}

/* ---- scratch ---- */

static uint32_t rows_at_once(uint32_t columns) {
    uint32_t rows = SCRATCH_ELEMENTS / columns;
    return rows < 1 ? 1 : rows > ROWS_AT_ONCE ? ROWS_AT_ONCE : rows;
}

static bool allocate_scratch(struct arena *a, struct rounder *k) {
    size_t rows = rows_at_once(k->columns), size = rows * k->columns;
    k->weights = ARENA_ARRAY(a, size, double);
    k->difference = ARENA_ARRAY(a, size, double);
    k->product = ARENA_ARRAY(a, size, double);
    k->errors = ARENA_ARRAY(a, rows * GPTQ_BLOCK, double);
    k->permuted = ARENA_ARRAY(a, size, int32_t);
    k->codes = ARENA_ARRAY(a, size, int32_t);
    k->fracs = ARENA_ARRAY(a, rows, int);
    k->importance = ARENA_ARRAY(a, k->columns, double);
    bool full = k->moments != NULL && k->moments->gram != NULL;
    k->objective = full ? arena_array(a, k->columns, k->columns * sizeof(double)) : NULL;
    k->vectors = k->moments != NULL ? k->moments->vectors : NULL;
    k->row_errors = ARENA_ARRAY(a, rows, double);
    if (k->vectors != NULL && !vectors_scratch_init(&k->seen, a, k->vectors, rows)) {
        return false;
    }
    return k->row_errors != NULL && k->weights != NULL && k->difference != NULL && k->product != NULL &&
           k->errors != NULL && k->permuted != NULL && k->codes != NULL && k->fracs != NULL && k->importance != NULL &&
           (!full || k->objective != NULL);
}

static bool allocate_result(struct arena *a, struct arena *scratch, struct rounder *k) {
    uint32_t rows = k->linear->rows;
    k->lowest = ARENA_ARRAY(scratch, rows, int);
    k->limit = ARENA_ARRAY(scratch, rows, int);
    k->best_errors = ARENA_ARRAY(scratch, rows, double);
    k->best_scores = ARENA_ARRAY(scratch, rows, double);
    k->limits = ARENA_ARRAY(scratch, rows, double);
    k->best_fracs = ARENA_ARRAY(a, rows, int);
    k->best_codes = arena_array(a, rows, k->columns * sizeof(int32_t));
    return k->lowest != NULL && k->limit != NULL && k->best_errors != NULL && k->best_scores != NULL &&
           k->limits != NULL && k->best_fracs != NULL && k->best_codes != NULL;
}

/* ---- all rows ---- */

static void set_objective(struct rounder *k, uint32_t group, bool second_order) {
    const struct moments *m = k->moments;
    for (uint32_t c = 0; c < k->columns; c++) {
        k->importance[c] = m == NULL ? 1 : moments_importance(m, group, c);
    }
    if (k->objective != NULL) {
        moments_objective(m, group, k->objective);
    }
    bool factored = k->objective != NULL && m->factors[group].upper != NULL;
    k->factor = second_order && factored ? &m->factors[group] : NULL;
    k->polishes =
        (k->factor != NULL || (second_order && k->vectors != NULL)) && !(k->without & TECHNIQUE_COORDINATE_DESCENT);
    k->damping = k->objective == NULL && k->vectors == NULL ? 0 : moments_damping(m, group);
}

static void round_groups(struct rounder *k, bool second_order) {
    uint32_t per_group = k->linear->rows / k->linear->groups, step = rows_at_once(k->columns);
    for (uint32_t g = 0; g < k->linear->groups; g++) {
        set_objective(k, g, second_order);
        for (uint32_t done = 0; done < per_group; done += k->rows) {
            k->first = g * per_group + done;
            k->rows = per_group - done < step ? per_group - done : step;
            round_rows(k);
        }
    }
}

/* ---- the result ---- */

/* One fraction for all where they agree: there is less to store. */
static struct format row_format(const struct rounder *k) {
    const int *fracs = k->best_fracs;
    bool same = true;
    for (uint32_t r = 1; r < k->linear->rows; r++) {
        same = same && fracs[r] == fracs[0];
    }
    struct format f = {.bits = k->bits, .is_signed = true, .frac = fracs[0]};
    if (!same) {
        f.axis = scaling_axis_of_weight(k->linear);
        f.channels = (int)k->linear->rows;
        f.channel_frac = k->best_fracs;
    }
    return f;
}

/* The mean of what rounding takes away from each output, which the bias gives back. */
static const float *mean_shift(struct arena *a, const struct rounder *k) {
    const struct linear *l = k->linear;
    float *shift = ARENA_ARRAY(a, l->rows, float);
    for (uint32_t r = 0; shift != NULL && r < l->rows; r++) {
        size_t at = (size_t)r * k->columns;
        size_t group = (size_t)(r / (l->rows / l->groups)) * k->columns;
        const double *mean = k->moments->mean + group, *wanted = k->moments->mean_wanted;
        double step = ldexp(1, -k->best_fracs[r]), sum = wanted == NULL ? 0 : wanted[r];
        for (uint32_t c = 0; c < k->columns; c++) {
            sum += ((wanted == NULL ? l->rows_float[at + c] : 0) - k->best_codes[at + c] * step) * mean[c];
        }
        shift[r] = (float)sum;
    }
    return shift;
}

static enum pare_status finish(struct context *ctx, struct arena *a, const struct rounder *k,
                               struct weight_choice *out) {
    *out = (struct weight_choice){.format = row_format(k), .codes = k->best_codes};
    out->is_fitted = k->moments != NULL && k->moments->mean_wanted != NULL;
    for (uint32_t r = 0; r < k->linear->rows; r++) {
        out->output_error += k->best_errors[r] / k->linear->rows;
    }
    if (k->moments != NULL && k->moments->centred) {
        out->mean_shift = mean_shift(a, k);
        if (out->mean_shift == NULL) {
            return fail_memory(ctx);
        }
    }
    return weight_choice_finish(ctx, a, k->linear, out);
}

/* ONNX has one scale per output channel of a group of a ConvTranspose, rows are those of all groups. */
static bool shares_fraction(const struct rounder *k) {
    bool grouped = k->linear->node->op->id == OP_ConvTranspose && k->linear->groups > 1;
    return grouped || k->without & TECHNIQUE_CHANNEL_FRACTIONS;
}

static int least_of(const int *x, uint32_t count) {
    int least = x[0];
    for (uint32_t i = 1; i < count; i++) {
        least = x[i] < least ? x[i] : least;
    }
    return least;
}

/* All rows at one fraction; their scores together. */
static double round_shared(struct rounder *k, int frac, bool second_order) {
    double error = 0;
    for (uint32_t r = 0; r < k->linear->rows; r++) {
        k->lowest[r] = k->limit[r] = frac;
    }
    round_groups(k, second_order);
    for (uint32_t r = 0; r < k->linear->rows; r++) {
        error += k->best_scores[r];
    }
    return error;
}

/* At the one fraction that is best for all rows together. */
static void round_at_best_fraction(struct rounder *k, bool second_order) {
    int first = least_of(k->lowest, k->linear->rows), last = least_of(k->limit, k->linear->rows), best = first;
    double least = INFINITY;
    for (int frac = first; frac <= last; frac++) {
        double error = round_shared(k, frac, second_order);
        best = error < least ? frac : best;
        least = fmin(error, least);
    }
    round_shared(k, best, second_order);
}

enum pare_status round_weights(struct context *ctx, struct arena *a, const struct scheme *s, size_t index,
                               const struct moments *moments, int bits, int input_frac, enum rounding rounding,
                               struct weight_choice *out) {
    const struct linear *l = &s->linears[index];
    struct format range = {.bits = bits, .is_signed = true};
    struct rounder k = {.linear = l, .without = s->without, .bits = bits, .columns = l->columns};
    k.range = (struct grid_range){format_min(&range), format_max(&range)};
    k.moments = moments;
    struct arena scratch;
    arena_init(&scratch);
    enum pare_status status = PARE_OK;
    if (!allocate_scratch(&scratch, &k) || !allocate_result(a, &scratch, &k)) {
        status = fail_memory(ctx);
    } else {
        fraction_ranges(&k, input_frac);
        (shares_fraction(&k) ? round_at_best_fraction : round_groups)(&k, rounding == ROUND_SECOND_ORDER);
        status = finish(ctx, a, &k, out);
    }
    arena_free(&scratch);
    return status;
}
