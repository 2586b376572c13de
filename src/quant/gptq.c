#include "quant/gptq.h"

#include "quant/codes.h"
#include "quant/lapack.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

/* ---- the factor ---- */

bool gptq_factor_init(struct gptq_factor *f, struct arena *a, uint32_t columns) {
    f->columns = columns;
    f->order = ARENA_ARRAY(a, columns, uint32_t);
    f->upper = arena_array(a, (size_t)columns * columns, sizeof(double));
    return f->order != NULL && f->upper != NULL;
}

struct diagonal {
    double value;
    uint32_t column;
};

static int largest_first(const void *a, const void *b) {
    const struct diagonal *x = a, *y = b;
    if (x->value != y->value) {
        return x->value > y->value ? -1 : 1;
    }
    return x->column < y->column ? -1 : 1;
}

static enum pare_status set_order(struct context *ctx, struct gptq_factor *f, const double *h) {
    struct diagonal *d = malloc(f->columns * sizeof(*d));
    if (d == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t i = 0; i < f->columns; i++) {
        d[i] = (struct diagonal){h[(size_t)i * f->columns + i], i};
    }
    qsort(d, f->columns, sizeof(*d), largest_first);
    for (uint32_t i = 0; i < f->columns; i++) {
        f->order[i] = d[i].column;
    }
    free(d);
    return PARE_OK;
}

static void reverse(double *x, size_t count) {
    for (size_t i = 0; i < count / 2; i++) {
        double t = x[i];
        x[i] = x[count - 1 - i];
        x[count - 1 - i] = t;
    }
}

/* With everything in reverse order, H = L L^T becomes H = R R^T with R upper triangular, and U = R^-1. */
enum pare_status gptq_factor_compute(struct context *ctx, struct gptq_factor *f, const double *h, double damping) {
    uint32_t n = f->columns;
    int size = (int)n, info = 0;
    TRY(set_order(ctx, f, h));
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < n; k++) {
            f->upper[(size_t)i * n + k] = h[(size_t)f->order[i] * n + f->order[k]] + (i == k ? damping : 0);
        }
    }
    reverse(f->upper, (size_t)n * n);
    dpotrf_("U", &size, f->upper, &size, &info); /* upper by columns is lower by rows */
    if (info == 0) {
        dtrtri_("U", "N", &size, f->upper, &size, &info);
    }
    reverse(f->upper, (size_t)n * n);
    f->upper = info == 0 ? f->upper : NULL;
    return PARE_OK;
}

/* ---- rounding ---- */

/* Rounds columns [begin, end) of one row and spreads each error over the columns behind it in the block. */
static void round_block(const struct gptq_factor *f, uint32_t begin, uint32_t end, double *w, int frac,
                        struct grid_range range, double *errors, int32_t *codes) {
    double step = ldexp(1, -frac), scale = ldexp(1, frac);
    for (uint32_t i = begin; i < end; i++) {
        const double *u = f->upper + (size_t)i * f->columns;
        codes[i] = quantize_to(w[i] * scale, 0, range.low, range.high);
        double error = (w[i] - codes[i] * step) / u[i];
        for (uint32_t k = i + 1; k < end; k++) {
            w[k] -= error * u[k];
        }
        errors[i - begin] = error;
    }
}

void gptq_round(const struct gptq_factor *f, double *w, const int *fracs, size_t rows, struct grid_range range,
                double *errors, int32_t *codes) {
    size_t n = f->columns;
    for (uint32_t begin = 0; begin < n; begin += GPTQ_BLOCK) {
        uint32_t end = n - begin < GPTQ_BLOCK ? (uint32_t)n : begin + GPTQ_BLOCK;
        for (size_t r = 0; r < rows; r++) {
            round_block(f, begin, end, w + r * n, fracs[r], range, errors + r * GPTQ_BLOCK, codes + r * n);
        }
        if (end < n) {
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)(n - end), (int)(end - begin), -1.0,
                        errors, GPTQ_BLOCK, f->upper + begin * n + end, (int)n, 1.0, w + end, (int)n);
        }
    }
}

/* ---- coordinate descent ---- */

void coordinate_descent(const double *h, double damping, uint32_t columns, int frac, struct grid_range range,
                        int sweeps, double *difference, double *product, int32_t *codes) {
    double step = ldexp(1, -frac);
    bool moved = true;
    for (int sweep = 0; sweep < sweeps && moved; sweep++) {
        moved = false;
        for (uint32_t i = 0; i < columns; i++) {
            const double *row = h + (size_t)i * columns;
            double curvature = row[i] + damping;
            double wanted = curvature > 0 ? codes[i] + product[i] / (curvature * step) : codes[i];
            int32_t code = quantize_to(wanted, 0, range.low, range.high);
            if (code == codes[i]) {
                continue;
            }
            double change = (code - codes[i]) * step;
            cblas_daxpy((int)columns, -change, row, 1, product, 1);
            product[i] -= change * damping;
            difference[i] -= change;
            codes[i] = code;
            moved = true;
        }
    }
}
