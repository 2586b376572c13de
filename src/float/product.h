/* Matrix products through CBLAS, each on the calling thread: samples are what runs in parallel. */
#ifndef PARE_FLOAT_PRODUCT_H
#define PARE_FLOAT_PRODUCT_H

#include "base/context.h"

#include <stdbool.h>
#include <stdint.h>

/* A row-major matrix as it lies in memory; `stride` elements from row to row. */
struct matrix {
    const float *data;
    int64_t stride;
    bool transposed; /* use it as its transpose */
};

/* result[m][n] = alpha * a[m][k] * b[k][n] + beta * result; row-major, `stride` elements from row to row. With
 * k = 0 the product is zero. PARE_ERROR_UNSUPPORTED when a size is above what CBLAS counts with. */
enum pare_status matrix_product(struct context *ctx, int64_t m, int64_t n, int64_t k, float alpha, struct matrix a,
                                struct matrix b, float beta, float *result, int64_t stride);

#endif
