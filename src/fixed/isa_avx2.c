/* AVX2: tiles of 6 rows and 16 columns, 12 accumulators in registers. */
#include "fixed/isa.h"
#include "fixed/requantize.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#define VECTOR 8
#define VECTORS 2
#define ROWS 6

static inline __attribute__((always_inline)) TARGET __m256i load(const int32_t *p) {
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline __attribute__((always_inline)) TARGET void
multiply_rows(size_t rows, size_t words, const int32_t *a, const int32_t *b, const uint32_t *offset, int32_t *acc) {
    __m256i sum[ROWS][VECTORS];
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++) {
        sum[r][0] = _mm256_setzero_si256();
        sum[r][1] = _mm256_setzero_si256();
    }
    for (size_t k = 0; k < words; k++) {
        const int32_t *column = b + offset[k];
        __m256i b0 = load(column), b1 = load(column + VECTOR);
#pragma GCC unroll 6
        for (size_t r = 0; r < rows; r++) {
            __m256i weight = _mm256_set1_epi32(a[k * rows + r]);
            sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(b0, weight));
            sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(b1, weight));
        }
    }
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++) {
        for (size_t v = 0; v < VECTORS; v++) {
            _mm256_storeu_si256((__m256i *)(void *)(acc + (r * VECTORS + v) * VECTOR), sum[r][v]);
        }
    }
}

#define CASE(n)                                                                                                        \
    case n:                                                                                                            \
        multiply_rows(n, words, a, b, offset, acc);                                                                    \
        break

static TARGET void multiply(size_t rows, size_t words, const int32_t *a, const int32_t *b, const uint32_t *offset,
                            int32_t *acc) {
    switch (rows) {
        CASE(1);
        CASE(2);
        CASE(3);
        CASE(4);
        CASE(5);
        CASE(6);
    }
}

static TARGET void requantize(const int32_t *acc, size_t count, int32_t bias, int shift, const struct code_range *range,
                              void *out) {
    requantize_row(acc, count, bias, shift, range, out);
}

static bool available(void) {
    return __builtin_cpu_supports("avx2");
}

const struct isa isa_avx2 = {"avx2", available, ROWS, VECTOR *VECTORS, multiply, NULL, requantize};
#else
typedef int isa_avx2_is_empty;
#endif
