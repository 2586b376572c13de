#include "float/product.h"

#include <cblas.h>
#include <limits.h>
#include <pthread.h>

static pthread_once_t single_threaded = PTHREAD_ONCE_INIT;

/* OpenBLAS's own threads would fight with the callers', and split sums by their number. */
static void make_single_threaded(void) {
    openblas_set_num_threads(1);
}

static bool fits_int(int64_t v) {
    return v <= INT_MAX;
}

static int leading_dimension(int64_t stride) {
    return stride > 0 ? (int)stride : 1;
}

static void scale_rows(int64_t m, int64_t n, float beta, float *result, int64_t stride) {
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++) {
            result[i * stride + j] = beta == 0.0f ? 0.0f : beta * result[i * stride + j];
        }
    }
}

enum pare_status matrix_product(struct context *ctx, int64_t m, int64_t n, int64_t k, float alpha, struct matrix a,
                                struct matrix b, float beta, float *result, int64_t stride) {
    if (!fits_int(m) || !fits_int(n) || !fits_int(k) || !fits_int(a.stride) || !fits_int(b.stride) ||
        !fits_int(stride)) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "matrix product of %lldx%lldx%lld is too large for CBLAS",
                    (long long)m, (long long)n, (long long)k);
    }
    if (m == 0 || n == 0) {
        return PARE_OK;
    }
    if (k == 0) {
        scale_rows(m, n, beta, result, stride);
        return PARE_OK;
    }
    pthread_once(&single_threaded, make_single_threaded);
    cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans,
                (int)m, (int)n, (int)k, alpha, a.data, leading_dimension(a.stride), b.data, leading_dimension(b.stride),
                beta, result, leading_dimension(stride));
    return PARE_OK;
}
