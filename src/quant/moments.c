#include "quant/moments.h"

#include "base/parallel.h"
#include "graph/op.h"
#include "quant/lapack.h"

#include <cblas.h>
#include <stdlib.h>

#define DAMPING 0.01
#define CAUTION 0.5         /* of the diagonal, where there is no input for a column */
#define TARGET_DAMPING 4    /* times as much: the weights as they are have been trained on more */
#define BLOCK ((size_t)96)  /* rows of a matrix that are computed together */
#define PANEL ((size_t)256) /* unfolded inputs that are multiplied at a time */

bool moments_bytes(const struct linear *l, size_t *bytes) {
    return size_multiply(l->columns, l->columns, bytes) && size_multiply(*bytes, l->groups, bytes) &&
           size_multiply(*bytes, 2 * sizeof(double), bytes);
}

static bool init_factors(struct arena *a, struct moments *m) {
    m->factors = ARENA_ARRAY(a, m->groups, struct gptq_factor);
    bool complete = m->factors != NULL;
    for (uint32_t g = 0; complete && g < m->groups; g++) {
        complete = gptq_factor_init(&m->factors[g], a, m->columns);
    }
    return complete;
}

static enum pare_status init_pairs(struct context *ctx, struct arena *a, struct moments *m) {
    m->mean_wanted = ARENA_ARRAY(a, m->rows, double);
    bool fits = m->gram != NULL || m->vectors != NULL;
    m->cross = m->gram == NULL ? NULL : arena_array(a, m->rows, m->columns * sizeof(double));
    m->target = fits ? arena_array(a, m->rows, m->columns * sizeof(float)) : NULL;
    bool complete = m->mean_wanted != NULL && (m->gram == NULL || m->cross != NULL) && (!fits || m->target != NULL);
    return complete ? PARE_OK : fail_memory(ctx);
}

static bool init_vectors(struct arena *a, const struct linear *l, size_t expected, bool paired, struct moments *m) {
    m->vectors = ARENA_ARRAY(a, 1, struct vectors);
    return m->vectors != NULL && vectors_init(m->vectors, a, l, expected, paired);
}

enum pare_status moments_init(struct context *ctx, struct arena *a, const struct linear *l, enum moments_detail detail,
                              size_t expected, bool paired, struct moments *out) {
    size_t vectors = (size_t)l->groups * l->columns;
    bool full = detail == MOMENTS_GRAM;
    *out = (struct moments){.groups = l->groups, .columns = l->columns, .rows = l->rows};
    out->centred = l->bias != NULL && l->node->op->id != OP_PRelu;
    out->mean = ARENA_ARRAY(a, vectors, double);
    out->diagonal = ARENA_ARRAY(a, vectors, double);
    out->gram = full ? arena_array(a, vectors, l->columns * sizeof(double)) : NULL;
    bool complete = out->mean != NULL && out->diagonal != NULL && (!full || out->gram != NULL);
    complete = complete && (!full || init_factors(a, out));
    complete = complete && (detail != MOMENTS_VECTORS || init_vectors(a, l, expected, paired, out));
    if (!complete) {
        return fail_memory(ctx);
    }
    return paired ? init_pairs(ctx, a, out) : PARE_OK;
}

/* ---- sums ---- */

static void add_vectors(struct moments *m, const float *x, size_t count) {
    size_t vectors = (size_t)m->groups * m->columns;
    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < vectors; c++) {
            double v = x[i * vectors + c];
            m->mean[c] += v;
            m->diagonal[c] += v * v;
        }
    }
}

static void widen(const float *x, size_t stride, size_t rows, size_t columns, double *panel) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            panel[r * columns + c] = x[r * stride + c];
        }
    }
}

/* Products of one panel of vectors of one group. */
struct panel {
    struct moments *moments;
    uint32_t group;
    size_t count;
    double *x; /* [count][columns] */
    double *y; /* [count][rows of the group] */
};

static size_t blocks_of(size_t rows) {
    return (rows + BLOCK - 1) / BLOCK;
}

static int block_rows(size_t rows, size_t first) {
    return (int)(rows - first < BLOCK ? rows - first : BLOCK);
}

static void add_gram_block(const struct panel *p, size_t first) {
    size_t n = p->moments->columns;
    double *gram = p->moments->gram + p->group * n * n;
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, block_rows(n, first), (int)(n - first), (int)p->count, 1.0,
                p->x + first, (int)n, p->x + first, (int)n, 1.0, gram + first * n + first, (int)n);
}

static void add_cross_block(const struct panel *p, size_t first) {
    size_t n = p->moments->columns, rows = p->moments->rows / p->moments->groups;
    double *cross = p->moments->cross + (p->group * rows + first) * n;
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, block_rows(rows, first), (int)n, (int)p->count, 1.0,
                p->y + first, (int)rows, p->x, (int)n, 1.0, cross, (int)n);
}

/* Some rows of the matrices, so that no sum depends on the number of threads. */
static enum pare_status add_block(void *user, struct context *ctx, size_t block, int worker) {
    (void)ctx, (void)worker;
    const struct panel *p = user;
    size_t grams = blocks_of(p->moments->columns);
    (block < grams ? add_gram_block : add_cross_block)(p, (block < grams ? block : block - grams) * BLOCK);
    return PARE_OK;
}

static enum pare_status add_products(struct context *ctx, struct moments *m, const float *x, const float *y,
                                     size_t count, double *panels) {
    size_t n = m->columns, stride = n * m->groups, rows = m->rows / m->groups;
    struct panel p = {.moments = m, .x = panels, .y = panels + PANEL * n};
    for (size_t first = 0; first < count; first += PANEL) {
        p.count = count - first < PANEL ? count - first : PANEL;
        for (p.group = 0; p.group < m->groups; p.group++) {
            widen(x + first * stride + p.group * n, stride, p.count, n, p.x);
            if (m->cross != NULL) {
                widen(y + first * m->rows + p.group * rows, m->rows, p.count, rows, p.y);
            }
            TRY(parallel_for(ctx, blocks_of(n) + (m->cross != NULL ? blocks_of(rows) : 0), add_block, &p));
        }
    }
    return PARE_OK;
}

enum pare_status moments_add(struct context *ctx, struct moments *m, const float *x, const float *y, size_t count) {
    m->count += count;
    add_vectors(m, x, count);
    for (size_t i = 0; m->mean_wanted != NULL && i < count * m->rows; i++) {
        m->mean_wanted[i % m->rows] += y[i];
    }
    if (m->vectors != NULL) {
        vectors_add(m->vectors, x, y, count);
    }
    if (m->gram == NULL) {
        return PARE_OK;
    }
    double *panels = calloc(PANEL * ((size_t)m->columns + m->rows), sizeof(*panels));
    if (panels == NULL) {
        return fail_memory(ctx);
    }
    enum pare_status status = add_products(ctx, m, x, y, count, panels);
    free(panels);
    return status;
}

/* ---- means ---- */

static void mirror(double *matrix, size_t n, double scale) {
    for (size_t i = 0; i < n; i++) {
        for (size_t k = i; k < n; k++) {
            matrix[i * n + k] *= scale;
            matrix[k * n + i] = matrix[i * n + k];
        }
    }
}

static enum pare_status factorise(struct context *ctx, struct moments *m) {
    double *h = calloc((size_t)m->columns * m->columns + 1, sizeof(*h));
    if (h == NULL) {
        return fail_memory(ctx);
    }
    enum pare_status status = PARE_OK;
    for (uint32_t g = 0; g < m->groups && status == PARE_OK; g++) {
        moments_objective(m, g, h);
        status = gptq_factor_compute(ctx, &m->factors[g], h, moments_damping(m, g));
    }
    free(h);
    return status;
}

/* ---- targets ---- */

/* E[y x^T] - W E[x x^T] of the rows of a group, centred where a bias takes up the means; `h` is the objective. */
static void residual_cross(const struct linear *l, const struct moments *m, uint32_t group, const double *h,
                           double *rows) {
    size_t n = m->columns, count = m->rows / m->groups, first = group * count;
    const double *wanted = m->centred ? m->mean_wanted : NULL;
    for (size_t r = 0; r < count; r++) {
        double mean = wanted == NULL ? 0 : wanted[first + r];
        for (size_t k = 0; k < n; k++) {
            rows[r * n + k] = m->cross[(first + r) * n + k] - mean * m->mean[group * n + k];
        }
        for (size_t k = 0; k < n; k++) {
            cblas_daxpy((int)n, -l->rows_float[(first + r) * n + k], h + k * n, 1, rows + r * n, 1);
        }
    }
}

/* `matrix` and `rows` are scratch of [columns][columns] and [rows of the group][columns]. */
static void fit_group(const struct linear *l, struct moments *m, uint32_t group, double *matrix, double *rows) {
    size_t n = m->columns, count = l->rows / l->groups, first = group * count * n;
    moments_objective(m, group, matrix);
    residual_cross(l, m, group, matrix, rows);
    for (size_t i = 0; i < count * n; i++) {
        m->target[first + i] = l->rows_float[first + i];
    }
    double damping = TARGET_DAMPING * moments_damping(m, group);
    for (size_t i = 0; i < n; i++) {
        matrix[i * n + i] += damping;
    }
    /* Symmetric, and the rows of C are the columns of LAPACK. Without a solution the weights stay the target. */
    int size = (int)n, sides = (int)count, info = 1;
    if (damping > 0) {
        dposv_("L", &size, &sides, matrix, &size, rows, &size, &info);
    }
    if (info == 0) {
        for (size_t i = 0; i < count * n; i++) {
            m->target[first + i] = (float)(l->rows_float[first + i] + rows[i]);
        }
    }
}

static enum pare_status fit_to_gram(struct context *ctx, const struct linear *l, struct moments *m) {
    double *matrix = calloc((size_t)m->columns * m->columns + 1, sizeof(*matrix));
    double *rows = calloc((size_t)l->rows / l->groups * m->columns + 1, sizeof(*rows));
    bool complete = matrix != NULL && rows != NULL;
    for (uint32_t g = 0; complete && g < m->groups; g++) {
        fit_group(l, m, g, matrix, rows);
    }
    free(matrix);
    free(rows);
    return complete ? PARE_OK : fail_memory(ctx);
}

static enum pare_status finish_vectors(struct context *ctx, const struct linear *l, struct moments *m) {
    vectors_finish(m->vectors, m->centred ? m->mean : NULL, m->centred ? m->mean_wanted : NULL);
    double damping = TARGET_DAMPING * moments_damping(m, 0);
    return m->target == NULL ? PARE_OK : vectors_fit(ctx, m->vectors, l->rows_float, damping, m->target);
}

enum pare_status moments_finish(struct context *ctx, const struct linear *l, struct moments *m) {
    double scale = m->count == 0 ? 0 : 1.0 / (double)m->count;
    size_t n = m->columns;
    for (size_t i = 0; i < m->groups * n; i++) {
        m->mean[i] *= scale;
        m->diagonal[i] *= scale;
    }
    for (size_t i = 0; m->mean_wanted != NULL && i < m->rows; i++) {
        m->mean_wanted[i] *= scale;
    }
    for (size_t i = 0; m->cross != NULL && i < m->rows * n; i++) {
        m->cross[i] *= scale;
    }
    for (uint32_t g = 0; g < m->groups && m->gram != NULL; g++) {
        mirror(m->gram + g * n * n, n, scale);
    }
    if (m->vectors != NULL) {
        return finish_vectors(ctx, l, m);
    }
    if (m->gram == NULL) {
        return PARE_OK;
    }
    TRY(m->cross != NULL ? fit_to_gram(ctx, l, m) : PARE_OK);
    return factorise(ctx, m);
}

/* ---- what rounding minimises ---- */

static double centred(const struct moments *m, double product, double mean_a, double mean_b) {
    return m->centred ? product - mean_a * mean_b : product;
}

void moments_objective(const struct moments *m, uint32_t group, double *h) {
    size_t n = m->columns;
    const double *gram = m->gram + group * n * n, *mean = m->mean + group * n;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++) {
            h[i * n + k] = centred(m, gram[i * n + k], mean[i], mean[k]);
        }
    }
}

double moments_importance(const struct moments *m, uint32_t group, uint32_t column) {
    size_t i = (size_t)group * m->columns + column;
    double importance = centred(m, m->diagonal[i], m->mean[i], m->mean[i]);
    return importance > 0 ? importance : 0;
}

double moments_scale(const struct moments *m, uint32_t group) {
    double sum = 0;
    for (uint32_t c = 0; c < m->columns; c++) {
        sum += moments_importance(m, group, c);
    }
    return sum / m->columns;
}

double moments_damping(const struct moments *m, uint32_t group) {
    double known = m->vectors != NULL ? (double)m->vectors->count : (double)m->count;
    return (DAMPING + CAUTION * m->columns / (m->columns + known)) * moments_scale(m, group);
}
