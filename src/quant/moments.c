#include "quant/moments.h"

#include "graph/op.h"

#include <cblas.h>
#include <stdlib.h>

#define DAMPING 0.01
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

enum pare_status moments_init(struct context *ctx, struct arena *a, const struct linear *l, bool full,
                              struct moments *out) {
    size_t vectors = (size_t)l->groups * l->columns;
    *out = (struct moments){.groups = l->groups, .columns = l->columns};
    out->centred = l->bias != NULL && l->node->op->id != OP_PRelu;
    out->mean = ARENA_ARRAY(a, vectors, double);
    out->diagonal = ARENA_ARRAY(a, vectors, double);
    out->gram = full ? arena_array(a, vectors, l->columns * sizeof(double)) : NULL;
    bool complete = out->mean != NULL && out->diagonal != NULL && (!full || out->gram != NULL);
    return complete && (!full || init_factors(a, out)) ? PARE_OK : fail_memory(ctx);
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

static void add_products(struct moments *m, const float *x, size_t count, double *panel) {
    size_t n = m->columns, stride = n * m->groups;
    for (size_t first = 0; first < count; first += PANEL) {
        size_t rows = count - first < PANEL ? count - first : PANEL;
        for (uint32_t g = 0; g < m->groups; g++) {
            widen(x + first * stride + g * n, stride, rows, n, panel);
            cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)n, (int)rows, 1.0, panel, (int)n, 1.0,
                        m->gram + g * n * n, (int)n);
        }
    }
}

enum pare_status moments_add(struct context *ctx, struct moments *m, const float *x, size_t count) {
    m->count += count;
    add_vectors(m, x, count);
    if (m->gram == NULL) {
        return PARE_OK;
    }
    double *panel = calloc(PANEL * m->columns, sizeof(*panel));
    if (panel == NULL) {
        return fail_memory(ctx);
    }
    add_products(m, x, count, panel);
    free(panel);
    return PARE_OK;
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
    double *h = calloc((size_t)m->columns * m->columns, sizeof(*h));
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

enum pare_status moments_finish(struct context *ctx, struct moments *m) {
    double scale = m->count == 0 ? 0 : 1.0 / (double)m->count;
    size_t n = m->columns;
    for (size_t i = 0; i < m->groups * n; i++) {
        m->mean[i] *= scale;
        m->diagonal[i] *= scale;
    }
    for (uint32_t g = 0; g < m->groups && m->gram != NULL; g++) {
        mirror(m->gram + g * n * n, n, scale);
    }
    return m->gram == NULL ? PARE_OK : factorise(ctx, m);
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

double moments_damping(const struct moments *m, uint32_t group) {
    double sum = 0;
    for (uint32_t c = 0; c < m->columns; c++) {
        sum += moments_importance(m, group, c);
    }
    return DAMPING * sum / m->columns;
}
