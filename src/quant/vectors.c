#include "quant/vectors.h"

#include "graph/op.h"
#include "quant/lapack.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_MAX ((size_t)2048)
#define BYTES_MAX ((size_t)1 << 28)
#define WORK_MAX ((size_t)1 << 33) /* multiplications of the vectors with all rows */

static size_t blocks_of(uint32_t columns) {
    return ((size_t)columns + VECTORS_BLOCK - 1) / VECTORS_BLOCK;
}

static size_t kept_of(size_t expected, size_t stride) {
    return (expected + stride - 1) / stride;
}

static size_t stride_of(size_t expected) {
    return expected <= COUNT_MAX ? 1 : (expected + COUNT_MAX - 1) / COUNT_MAX;
}

bool vectors_possible(const struct linear *l, size_t expected, size_t *bytes) {
    size_t kept = kept_of(expected, stride_of(expected)), grams = l->columns * VECTORS_BLOCK * sizeof(double), work;
    return l->groups == 1 && l->node->op->id != OP_PRelu && expected > 0 &&
           size_multiply(kept * sizeof(float), (size_t)l->columns + l->rows, bytes) && size_add(*bytes, grams, bytes) &&
           *bytes <= BYTES_MAX && size_multiply(kept * l->columns, l->rows, &work) && work <= WORK_MAX;
}

bool vectors_init(struct vectors *v, struct arena *a, const struct linear *l, size_t expected, bool paired) {
    *v = (struct vectors){.columns = l->columns, .rows = l->rows, .stride = stride_of(expected)};
    v->capacity = kept_of(expected, v->stride);
    v->x = arena_array(a, v->capacity, v->columns * sizeof(float));
    v->y = paired ? arena_array(a, v->capacity, v->rows * sizeof(float)) : NULL;
    v->grams = arena_array(a, blocks_of(v->columns), VECTORS_BLOCK * VECTORS_BLOCK * sizeof(double));
    return v->x != NULL && v->grams != NULL && (!paired || v->y != NULL);
}

void vectors_add(struct vectors *v, const float *x, const float *y, size_t count) {
    for (size_t i = 0; i < count; i++, v->added++) {
        if (v->added % v->stride != 0 || v->count == v->capacity) {
            continue;
        }
        memcpy(v->x + v->count * v->columns, x + i * v->columns, v->columns * sizeof(*x));
        if (v->y != NULL) {
            memcpy(v->y + v->count * v->rows, y + i * v->rows, v->rows * sizeof(*y));
        }
        v->count++;
    }
}

/* ---- blocks of columns ---- */

static int width_of(const struct vectors *v, uint32_t first) {
    return v->columns - first < VECTORS_BLOCK ? (int)(v->columns - first) : VECTORS_BLOCK;
}

static double *gram_of(const struct vectors *v, uint32_t first) {
    return v->grams + (size_t)first * VECTORS_BLOCK;
}

static void compute_gram(const struct vectors *v, uint32_t first) {
    int width = width_of(v, first);
    float products[VECTORS_BLOCK * VECTORS_BLOCK];
    const float *x = v->x + first;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, width, width, (int)v->count, 1, x, (int)v->columns, x,
                (int)v->columns, 0, products, width);
    for (int i = 0; i < width * width; i++) {
        gram_of(v, first)[i] = products[i];
    }
}

static void centre(float *x, size_t count, size_t width, const double *mean) {
    double scale = 1 / sqrt((double)count);
    for (size_t i = 0; i < count * width; i++) {
        x[i] = (float)((x[i] - (mean == NULL ? 0 : mean[i % width])) * scale);
    }
}

void vectors_finish(struct vectors *v, const double *mean, const double *mean_wanted) {
    centre(v->x, v->count, v->columns, mean);
    if (v->y != NULL) {
        centre(v->y, v->count, v->rows, mean_wanted);
    }
    for (uint32_t first = 0; first < v->columns; first += VECTORS_BLOCK) {
        compute_gram(v, first);
    }
}

/* ---- targets ---- */

/* X X^T + damping I; the upper half, which LAPACK, by columns, takes for the lower one. */
static void set_system(const struct vectors *v, double damping, float *products, double *matrix) {
    cblas_ssyrk(CblasRowMajor, CblasUpper, CblasNoTrans, (int)v->count, (int)v->columns, 1, v->x, (int)v->columns, 0,
                products, (int)v->count);
    for (size_t i = 0; i < v->count; i++) {
        for (size_t k = i; k < v->count; k++) {
            matrix[i * v->count + k] = products[i * v->count + k] + (i == k ? damping : 0);
        }
    }
}

/* What the rows miss on each vector, as the columns of LAPACK. */
static void set_missing(const struct vectors *v, const float *weights, float *made, double *missing) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)v->rows, (int)v->count, (int)v->columns, 1, weights,
                (int)v->columns, v->x, (int)v->columns, 0, made, (int)v->count);
    for (size_t r = 0; r < v->rows; r++) {
        for (size_t i = 0; i < v->count; i++) {
            missing[r * v->count + i] = (double)v->y[i * v->rows + r] - made[r * v->count + i];
        }
    }
}

static void solve(const struct vectors *v, const float *weights, double damping, float *floats, double *doubles,
                  float *out) {
    int count = (int)v->count, rows = (int)v->rows, info = 1;
    double *matrix = doubles, *missing = doubles + v->count * v->count;
    set_system(v, damping, floats, matrix);
    set_missing(v, weights, floats, missing);
    memcpy(out, weights, (size_t)v->rows * v->columns * sizeof(*out));
    if (damping > 0) {
        dposv_("L", &count, &rows, matrix, &count, missing, &count, &info);
    }
    if (info != 0) { /* without a solution the weights stay the target */
        return;
    }
    for (size_t i = 0; i < v->rows * v->count; i++) {
        floats[i] = (float)missing[i];
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, (int)v->columns, count, 1, floats, count, v->x,
                (int)v->columns, 1, out, (int)v->columns);
}

enum pare_status vectors_fit(struct context *ctx, const struct vectors *v, const float *weights, double damping,
                             float *out) {
    if (v->count == 0) {
        memcpy(out, weights, (size_t)v->rows * v->columns * sizeof(*out));
        return PARE_OK;
    }
    size_t larger = v->count > v->rows ? v->count : v->rows;
    float *floats = calloc(v->count * larger + 1, sizeof(*floats));
    double *doubles = calloc(v->count * (v->count + v->rows) + 1, sizeof(*doubles));
    bool complete = floats != NULL && doubles != NULL;
    if (complete) {
        solve(v, weights, damping, floats, doubles, out);
    }
    free(floats);
    free(doubles);
    return complete ? PARE_OK : fail_memory(ctx);
}

/* ---- rounding ---- */

/* seen += changes X^T of a block of columns. */
static void see(const struct vectors *v, uint32_t first, const float *changes, size_t rows, float *seen) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)v->count, width_of(v, first), 1, changes,
                VECTORS_BLOCK, v->x + first, (int)v->columns, 1, seen, (int)v->count);
}

static void take_block(const struct vectors *v, const double *d, size_t rows, uint32_t first, float *block) {
    for (size_t r = 0; r < rows; r++) {
        for (int i = 0; i < width_of(v, first); i++) {
            block[r * VECTORS_BLOCK + (size_t)i] = (float)d[r * v->columns + first + (size_t)i];
        }
    }
}

static void see_all(const struct vectors *v, const double *d, size_t rows, float *changes, float *seen) {
    memset(seen, 0, rows * v->count * sizeof(*seen));
    for (uint32_t first = 0; first < v->columns; first += VECTORS_BLOCK) {
        take_block(v, d, rows, first, changes);
        see(v, first, changes, rows, seen);
    }
}

bool vectors_scratch_init(struct vectors_scratch *s, struct arena *a, const struct vectors *v, size_t rows) {
    s->seen = arena_array(a, rows, v->count * sizeof(float));
    s->changes = ARENA_ARRAY(a, rows * VECTORS_BLOCK, float);
    s->products = ARENA_ARRAY(a, rows * VECTORS_BLOCK, double);
    return s->seen != NULL && s->changes != NULL && s->products != NULL;
}

void vectors_errors(const struct vectors *v, const double *d, size_t rows, const struct vectors_scratch *scratch,
                    double *errors) {
    see_all(v, d, rows, scratch->changes, scratch->seen);
    for (size_t r = 0; r < rows; r++) {
        const float *seen = scratch->seen + r * v->count;
        errors[r] = cblas_dsdot((int)v->count, seen, 1, seen, 1);
    }
}

/* Products of the rows with the objective, of the block's columns. */
static void multiply_block(const struct vectors *v, double damping, uint32_t first, size_t rows, const double *d,
                           const struct vectors_scratch *scratch) {
    int width = width_of(v, first);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, width, (int)v->count, 1, scratch->seen,
                (int)v->count, v->x + first, (int)v->columns, 0, scratch->changes, VECTORS_BLOCK);
    for (size_t r = 0; r < rows; r++) {
        for (int i = 0; i < width; i++) {
            scratch->products[r * VECTORS_BLOCK + (size_t)i] =
                scratch->changes[r * VECTORS_BLOCK + (size_t)i] + damping * d[r * v->columns + first + (size_t)i];
        }
    }
}

/* What became of d less what it was. */
static void take_changes(const struct vectors *v, uint32_t first, size_t rows, const double *d, float *changes) {
    for (size_t r = 0; r < rows; r++) {
        for (int i = 0; i < width_of(v, first); i++) {
            float *change = &changes[r * VECTORS_BLOCK + (size_t)i];
            *change = (float)(d[r * v->columns + first + (size_t)i] - *change);
        }
    }
}

void vectors_descend(const struct vectors *v, double damping, const int *fracs, size_t rows, struct grid_range range,
                     int sweeps, double *d, int32_t *codes, const struct vectors_scratch *scratch) {
    see_all(v, d, rows, scratch->changes, scratch->seen);
    for (int sweep = 0; sweep < sweeps; sweep++) {
        for (uint32_t first = 0; first < v->columns; first += VECTORS_BLOCK) {
            multiply_block(v, damping, first, rows, d, scratch);
            take_block(v, d, rows, first, scratch->changes);
            for (size_t r = 0; r < rows; r++) {
                size_t at = r * v->columns + first;
                coordinate_descent(gram_of(v, first), damping, (uint32_t)width_of(v, first), fracs[r], range, 1, d + at,
                                   scratch->products + r * VECTORS_BLOCK, codes + at);
            }
            take_changes(v, first, rows, d, scratch->changes);
            see(v, first, scratch->changes, rows, scratch->seen);
        }
    }
}
