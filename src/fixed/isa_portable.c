/* Plain C, written so that a compiler can vectorise it. */
#include "fixed/isa.h"
#include "fixed/requantize.h"

#define ROWS 4
#define LANES 16

/* The element pair products, added modulo 2^32. */
static inline uint32_t wrapping_dot(int32_t a, int32_t b) {
    int32_t low = (int16_t)(a & 0xffff) * (int16_t)(b & 0xffff);
    int32_t high = (int16_t)((uint32_t)a >> 16) * (int16_t)((uint32_t)b >> 16);
    return (uint32_t)low + (uint32_t)high;
}

static void multiply(size_t rows, size_t words, const int32_t *a, const int32_t *b, const uint32_t *offset,
                     int32_t *acc) {
    for (size_t r = 0; r < rows; r++) {
        uint32_t sum[LANES] = {0};
        for (size_t k = 0; k < words; k++) {
            const int32_t *column = b + offset[k];
            int32_t weight = a[k * rows + r];
            for (size_t c = 0; c < LANES; c++) {
                sum[c] += wrapping_dot(weight, column[c]);
            }
        }
        for (size_t c = 0; c < LANES; c++) {
            acc[r * LANES + c] = (int32_t)sum[c];
        }
    }
}

static bool available(void) {
    return true;
}

static void requantize(const int32_t *acc, size_t count, int32_t bias, int shift, const struct code_range *range,
                       void *out) {
    requantize_row(acc, count, bias, shift, range, out);
}

const struct isa isa_portable = {"portable", available, ROWS, LANES, multiply, NULL, requantize};
