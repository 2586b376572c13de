/* The arithmetic of pare, once: every kernel, on the host and on a microcontroller, rounds with these functions.
 *
 * One rule: round half to even, then saturate (ONNX QuantizeLinear). Every function is defined for all arguments
 * named in its comment, without overflow and without shifting a negative number. With PARE_CHECKED the
 * functions also verify what their callers promise; a broken promise ends in PARE_CHECK, a trap unless defined. */
#ifndef PARE_RUNTIME_ARITH_H
#define PARE_RUNTIME_ARITH_H

#include <stdbool.h>
#include <stdint.h>

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

/* numerator * 2^exponent / denominator rounded half to even, once. denominator > 0. Where numerator * 2^exponent
 * leaves 64 bits the result saturates: its true size is then at least 2^31. */
static inline int64_t round_divide(int64_t numerator, int exponent, uint32_t denominator) {
    PARE_CHECK(denominator > 0);
    int64_t scaled = exponent > 0 ? saturating_left_shift64(numerator, exponent) : numerator;
    if (exponent > 0 && (scaled == INT64_MAX || scaled == INT64_MIN)) {
        return scaled;
    }
    int64_t d = denominator > 0 ? denominator : 1;
    int64_t quotient = scaled / d - (scaled % d < 0);
    uint64_t rest = (uint64_t)(scaled % d < 0 ? scaled % d + d : scaled % d);
    if (exponent >= 0) {
        return quotient + (rest * 2 + TIE_ROUNDS_UP((uint64_t)quotient) > denominator);
    }
    if (exponent < -63) {
        return 0;
    }
    /* The quotient is shifted on; what the division left over counts only to break a tie upwards. */
    int64_t result = floor_shift64(quotient, (unsigned)-exponent);
    uint64_t low = (uint64_t)quotient & (((uint64_t)1 << -exponent) - 1);
    uint64_t half = (uint64_t)1 << (-exponent - 1);
    return result + (low + (uint64_t)(rest > 0 || TIE_ROUNDS_UP((uint64_t)result)) > half);
}

/* v * 2^shift, promised to fit: aligning a bias or an addend to a finer fraction. */
static inline int64_t align_left(int64_t v, int shift) {
    PARE_CHECK(shift >= 0 && shift <= 62 && v <= (INT64_MAX >> shift) && v >= -(INT64_MAX >> shift));
    return v * ((int64_t)1 << shift);
}

/* An exact accumulator of 32 bits, or 64 when `wide`; that it fits was proven when the program was checked. */
static inline int64_t accumulate(int64_t accumulator, int64_t addend, bool wide) {
    int64_t sum = accumulator + addend;
    PARE_CHECK(wide || (sum >= INT32_MIN && sum <= INT32_MAX));
    (void)wide;
    return sum;
}

/* Smallest and largest code of a format of 1 to 32 bits (32: signed only). */
static inline int32_t code_min(unsigned bits, bool is_signed) {
    return is_signed ? -(int32_t)(((uint32_t)1 << (bits - 1)) - 1) - 1 : 0;
}

static inline int32_t code_max(unsigned bits, bool is_signed) {
    return (int32_t)(((uint32_t)1 << (is_signed ? bits - 1 : bits)) - 1);
}

#endif
