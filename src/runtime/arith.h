/* The arithmetic of pare, once: every kernel, on the host and on a microcontroller, rounds with these functions.
 *
 * One rule: round half to even, then saturate (ONNX QuantizeLinear). Every function is defined for all arguments
 * named in its comment, without overflow and without shifting a negative number. With PARE_CHECKED the
 * functions also verify what their callers promise; a broken promise ends in PARE_CHECK, a trap unless defined. */
#ifndef PARE_RUNTIME_ARITH_H
#define PARE_RUNTIME_ARITH_H

#include "runtime/kinds.h"

#include <stdbool.h>
#include <stdint.h>

/* Holds every sum of a program: 64 bits, or 32 in a build for models without wide operators. */
#if PARE_WIDE
typedef int64_t pare_accumulator;
typedef uint64_t pare_accumulator_bits;
#define PARE_ACCUMULATOR_MAX INT64_MAX
#define PARE_ACCUMULATOR_MIN INT64_MIN
#define PARE_ACCUMULATOR_BITS 64
#else
typedef int32_t pare_accumulator;
typedef uint32_t pare_accumulator_bits;
#define PARE_ACCUMULATOR_MAX INT32_MAX
#define PARE_ACCUMULATOR_MIN INT32_MIN
#define PARE_ACCUMULATOR_BITS 32
#endif

#ifndef PARE_CHECK
#ifdef PARE_CHECKED
#define PARE_CHECK(promise) ((promise) ? (void)0 : __builtin_trap())
#else
#define PARE_CHECK(promise) ((void)0)
#endif
#endif

/* Half a unit rounds up from odd quotients only. PARE_ROUND_HALF_UP is a fault: the cross-checks must see it. */
#ifdef PARE_ROUND_HALF_UP
#define TIE_ROUNDS_UP(quotient) ((void)(quotient), 1u)
#else
#define TIE_ROUNDS_UP(quotient) ((quotient)&1u)
#endif

/* floor(v / 2^shift), shift in [0, 31]. */
static inline int32_t floor_shift32(int32_t v, unsigned shift) {
    uint32_t sign = 0 - (uint32_t)(v < 0);
    return (int32_t)(((uint32_t)v ^ sign) >> shift) ^ -(int32_t)(v < 0);
}

/* floor(v / 2^shift), shift in [0, 63]. */
static inline int64_t floor_shift64(int64_t v, unsigned shift) {
    uint64_t sign = 0 - (uint64_t)(v < 0);
    return (int64_t)(((uint64_t)v ^ sign) >> shift) ^ -(int64_t)(v < 0);
}

/* v * 2^shift for any shift >= 0, saturated to the type: then outside every code range, so that a clamp to one
 * gives the same as the exact product. */
static inline int32_t saturating_left_shift32(int32_t v, int shift) {
    if (v == 0) {
        return 0;
    }
    if (shift > 30 || v > (INT32_MAX >> shift) || v < -(INT32_MAX >> shift)) {
        return v < 0 ? INT32_MIN : INT32_MAX;
    }
    return v * ((int32_t)1 << shift);
}

static inline int64_t saturating_left_shift64(int64_t v, int shift) {
    if (v == 0) {
        return 0;
    }
    if (shift > 62 || v > (INT64_MAX >> shift) || v < -(INT64_MAX >> shift)) {
        return v < 0 ? INT64_MIN : INT64_MAX;
    }
    return v * ((int64_t)1 << shift);
}

/* v / 2^shift rounded half to even, for shift in [1, 31]: the inner loop of every 32-bit kernel, without a branch. */
static inline int32_t round_right32(int32_t v, int shift) {
    int32_t quotient = floor_shift32(v, (unsigned)shift);
    uint32_t remainder = (uint32_t)v & (((uint32_t)1 << shift) - 1);
    uint32_t half = (uint32_t)1 << (shift - 1);
    return quotient + (int32_t)(remainder + TIE_ROUNDS_UP((uint32_t)quotient) > half);
}

/* The same in 64 bits, shift in [1, 63]. */
static inline int64_t round_right64(int64_t v, int shift) {
    int64_t quotient = floor_shift64(v, (unsigned)shift);
    uint64_t remainder = (uint64_t)v & (((uint64_t)1 << shift) - 1);
    uint64_t half = (uint64_t)1 << (shift - 1);
    return quotient + (int64_t)(remainder + TIE_ROUNDS_UP((uint64_t)quotient) > half);
}

/* v * 2^-shift rounded half to even, for any shift; to the left it saturates, see above. */
static inline int32_t round_shift32(int32_t v, int shift) {
    if (shift <= 0) {
        return saturating_left_shift32(v, shift < -31 ? 31 : -shift);
    }
    return shift > 31 ? 0 : round_right32(v, shift);
}

static inline int64_t round_shift64(int64_t v, int shift) {
    if (shift <= 0) {
        return saturating_left_shift64(v, shift < -63 ? 63 : -shift);
    }
    return shift > 63 ? 0 : round_right64(v, shift);
}

/* The nearest of [low, high]. */
static inline int32_t clamp32(int32_t v, int32_t low, int32_t high) {
    PARE_CHECK(low <= high);
    return v < low ? low : v > high ? high : v;
}

static inline int32_t clamp64(int64_t v, int32_t low, int32_t high) {
    PARE_CHECK(low <= high);
    return v < low ? low : v > high ? high : (int32_t)v;
}

/* An accumulator with `shift` more fraction bits than the output, brought to an output code. */
static inline int32_t requantize32(int32_t accumulator, int shift, int32_t low, int32_t high) {
    return clamp32(round_shift32(accumulator, shift), low, high);
}

static inline int32_t requantize64(int64_t accumulator, int shift, int32_t low, int32_t high) {
    return clamp64(round_shift64(accumulator, shift), low, high);
}

static inline int32_t requantize_code(pare_accumulator accumulator, int shift, int32_t low, int32_t high) {
#if PARE_WIDE
    return requantize64(accumulator, shift, low, high);
#else
    return requantize32(accumulator, shift, low, high);
#endif
}

static inline int32_t clamp_code(pare_accumulator v, int32_t low, int32_t high) {
#if PARE_WIDE
    return clamp64(v, low, high);
#else
    return clamp32(v, low, high);
#endif
}

static inline pare_accumulator saturating_left_shift(pare_accumulator v, int shift) {
#if PARE_WIDE
    return saturating_left_shift64(v, shift);
#else
    return saturating_left_shift32(v, shift);
#endif
}

static inline pare_accumulator floor_shift(pare_accumulator v, unsigned shift) {
#if PARE_WIDE
    return floor_shift64(v, shift);
#else
    return floor_shift32(v, shift);
#endif
}

/* numerator * 2^exponent / denominator rounded half to even, once. denominator > 0. Where numerator * 2^exponent
 * leaves 64 bits the result saturates: its true size is then at least 2^31. With accumulators of 32 bits the checks
 * have made sure that it fits them, and the denominator too. */
static inline pare_accumulator round_divide(pare_accumulator numerator, int exponent, uint32_t denominator) {
    PARE_CHECK(denominator > 0 && (PARE_WIDE || denominator <= INT32_MAX));
    pare_accumulator scaled = exponent > 0 ? saturating_left_shift(numerator, exponent) : numerator;
    if (exponent > 0 && (scaled == PARE_ACCUMULATOR_MAX || scaled == PARE_ACCUMULATOR_MIN)) {
        return scaled;
    }
    pare_accumulator d = denominator > 0 ? (pare_accumulator)denominator : 1;
    pare_accumulator quotient = scaled / d, remainder = scaled - quotient * d;
    quotient -= remainder < 0;
    pare_accumulator_bits rest = (pare_accumulator_bits)(remainder < 0 ? remainder + d : remainder);
    if (exponent >= 0) {
        return quotient + (rest * 2 + TIE_ROUNDS_UP((pare_accumulator_bits)quotient) > denominator);
    }
    if (exponent <= -PARE_ACCUMULATOR_BITS) {
        return 0;
    }
    /* The quotient is shifted on; what the division left over counts only to break a tie upwards. */
    pare_accumulator result = floor_shift(quotient, (unsigned)-exponent);
    pare_accumulator_bits half = (pare_accumulator_bits)1 << (-exponent - 1);
    pare_accumulator_bits low = (pare_accumulator_bits)quotient & (half * 2 - 1);
    return result + (low + (rest > 0 || TIE_ROUNDS_UP((pare_accumulator_bits)result)) > half);
}

/* v * 2^shift, promised to fit: aligning a bias or an addend to a finer fraction. */
static inline pare_accumulator align_left(pare_accumulator v, int shift) {
    PARE_CHECK(shift >= 0 && shift < PARE_ACCUMULATOR_BITS);
    PARE_CHECK(v <= (PARE_ACCUMULATOR_MAX >> shift) && v >= -(PARE_ACCUMULATOR_MAX >> shift) - 1);
    return (pare_accumulator)((pare_accumulator_bits)v << shift);
}

/* An exact accumulator of 32 bits, or 64 when `wide`; that it fits was proven when the program was checked. */
static inline pare_accumulator accumulate(pare_accumulator accumulator, pare_accumulator addend, bool wide) {
    PARE_CHECK(wide || ((int64_t)accumulator + addend >= INT32_MIN && (int64_t)accumulator + addend <= INT32_MAX));
    (void)wide;
    return accumulator + addend;
}

/* Smallest and largest code of a format of 1 to 32 bits (32: signed only). */
static inline int32_t code_min(unsigned bits, bool is_signed) {
    return is_signed ? -(int32_t)(((uint32_t)1 << (bits - 1)) - 1) - 1 : 0;
}

static inline int32_t code_max(unsigned bits, bool is_signed) {
    return (int32_t)(((uint32_t)1 << (is_signed ? bits - 1 : bits)) - 1);
}

#endif
