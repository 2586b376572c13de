/* AVX-512 with VNNI: tiles of 12 rows and 32 columns, 24 accumulators in registers. */
#include "fixed/isa.h"
#include "fixed/requantize.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#define VECTOR 16
#define VECTORS 2
#define ROWS 12

static inline __attribute__((always_inline)) TARGET __m512i multiply_add(bool bytes, __m512i sum, __m512i b,
                                                                         __m512i a) {
    return bytes ? _mm512_dpbusd_epi32(sum, b, a) : _mm512_dpwssd_epi32(sum, b, a);
}

static inline __attribute__((always_inline)) TARGET void multiply_rows(bool bytes, size_t rows, size_t words,
                                                                       const int32_t *a, const int32_t *b,
                                                                       const uint32_t *offset, int32_t *acc) {
    __m512i sum[ROWS][VECTORS];
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++) {
        sum[r][0] = _mm512_setzero_si512();
        sum[r][1] = _mm512_setzero_si512();
    }
    for (size_t k = 0; k < words; k++) {
        const int32_t *column = b + offset[k];
        __m512i b0 = _mm512_loadu_si512(column), b1 = _mm512_loadu_si512(column + VECTOR);
#pragma GCC unroll 12
        for (size_t r = 0; r < rows; r++) {
            __m512i weight = _mm512_set1_epi32(a[k * rows + r]);
            sum[r][0] = multiply_add(bytes, sum[r][0], b0, weight);
            sum[r][1] = multiply_add(bytes, sum[r][1], b1, weight);
        }
    }
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++) {
        _mm512_storeu_si512(acc + (r * VECTORS) * VECTOR, sum[r][0]);
        _mm512_storeu_si512(acc + (r * VECTORS + 1) * VECTOR, sum[r][1]);
    }
}

#define CASE(bytes, n)                                                                                                 \
    case n:                                                                                                            \
        multiply_rows(bytes, n, words, a, b, offset, acc);                                                             \
        break

static TARGET void multiply(size_t rows, size_t words, const int32_t *a, const int32_t *b, const uint32_t *offset,
                            int32_t *acc) {
    switch (rows) {
        CASE(false, 1);
        CASE(false, 2);
        CASE(false, 3);
        CASE(false, 4);
        CASE(false, 5);
        CASE(false, 6);
        CASE(false, 7);
        CASE(false, 8);
        CASE(false, 9);
        CASE(false, 10);
        CASE(false, 11);
        CASE(false, 12);
    }
}

static TARGET void multiply_bytes(size_t rows, size_t words, const int32_t *a, const int32_t *b, const uint32_t *offset,
                                  int32_t *acc) {
    switch (rows) {
        CASE(true, 1);
        CASE(true, 2);
        CASE(true, 3);
        CASE(true, 4);
        CASE(true, 5);
        CASE(true, 6);
        CASE(true, 7);
        CASE(true, 8);
        CASE(true, 9);
        CASE(true, 10);
        CASE(true, 11);
        CASE(true, 12);
    }
}

static TARGET void requantize(const int32_t *acc, size_t count, int32_t bias, int shift, const struct code_range *range,
                              void *out) {
    requantize_row(acc, count, bias, shift, range, out);
}

static bool available(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vnni");
}

const struct isa isa_avx512_vnni = {"avx512_vnni", available,      ROWS,      VECTOR *VECTORS,
                                    multiply,      multiply_bytes, requantize};
#else
typedef int isa_avx512_is_empty;
#endif
