/* Determinants, by elimination with the largest pivot of each column. */
#include "float/kernels.h"

#include <math.h>

static void swap_rows(double *m, size_t n, size_t a, size_t b) {
    for (size_t k = 0; a != b && k < n; k++) {
        double t = m[a * n + k];
        m[a * n + k] = m[b * n + k];
        m[b * n + k] = t;
    }
}

static size_t largest_pivot(const double *m, size_t n, size_t column) {
    size_t best = column;
    for (size_t i = column + 1; i < n; i++) {
        best = fabs(m[i * n + column]) > fabs(m[best * n + column]) ? i : best;
    }
    return best;
}

static double determinant(double *m, size_t n) {
    double result = 1.0;
    for (size_t k = 0; k < n; k++) {
        size_t pivot = largest_pivot(m, n, k);
        swap_rows(m, n, k, pivot);
        result *= pivot == k ? m[k * n + k] : -m[k * n + k];
        for (size_t i = k + 1; i < n && m[k * n + k] != 0.0; i++) {
            double factor = m[i * n + k] / m[k * n + k];
            for (size_t j = k; j < n; j++) {
                m[i * n + j] -= factor * m[k * n + j];
            }
        }
    }
    return result;
}

enum pare_status float_det(struct float_call *c) {
    const struct tensor *in = c->inputs[0];
    size_t n = (size_t)in->shape.dim[in->shape.rank - 1];
    double *m = call_scratch(c, n * n, sizeof *m);
    if (m == NULL) {
        return PARE_ERROR_MEMORY;
    }
    for (size_t i = 0, count = tensor_count(&c->outputs[0]); i < count; i++) {
        for (size_t k = 0; k < n * n; k++) {
            m[k] = tensor_get_double(in, i * n * n + k);
        }
        tensor_set_double(&c->outputs[0], i, determinant(m, n));
    }
    return PARE_OK;
}
