/* Sums of products of two rows: portable, or with the DSP instructions of Cortex-M4, M7 and M33. */
#ifndef PARE_RUNTIME_DOT_H
#define PARE_RUNTIME_DOT_H

#include "runtime/arith.h"

#include <string.h>

/* Weights, and codes less their zero points: 16 bits where the model's fit, which then only take half the memory. */
#if PARE_LONG_FACTORS
typedef int32_t pare_factor;
#else
typedef int16_t pare_factor;
#endif

#if !PARE_LONG_FACTORS && !PARE_WIDE && defined(__ARM_FEATURE_DSP)
#define PARE_DOT_DSP 1

/* sum + a[0] * b[0] + a[1] * b[1] of the halves of two words: what leaves 32 bits on the way comes back, since the
 * final sum fits. */
static inline int32_t multiply_two(int32_t a, int32_t b, int32_t sum) {
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}
#endif

/* sum + a[0] * b[0] + ... + a[count - 1] * b[count - 1]; count is a multiple of 4. That it fits was proven. */
static inline pare_accumulator pare_dot(const pare_factor *a, const pare_factor *b, uint32_t count,
                                        pare_accumulator sum) {
#ifdef PARE_DOT_DSP
    for (uint32_t i = 0; i < count; i += 4) {
        int32_t four_a[2], four_b[2];
        memcpy(four_a, a + i, sizeof(four_a));
        memcpy(four_b, b + i, sizeof(four_b));
        sum = multiply_two(four_a[0], four_b[0], sum);
        sum = multiply_two(four_a[1], four_b[1], sum);
    }
#else
    for (uint32_t i = 0; i < count; i += 4) {
        sum += (pare_accumulator)a[i] * b[i];
        sum += (pare_accumulator)a[i + 1] * b[i + 1];
        sum += (pare_accumulator)a[i + 2] * b[i + 2];
        sum += (pare_accumulator)a[i + 3] * b[i + 3];
    }
#endif
    return sum;
}

#endif
