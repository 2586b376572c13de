/* Accumulators to codes, compiled once per instruction set. */
#ifndef PARE_FIXED_REQUANTIZE_H
#define PARE_FIXED_REQUANTIZE_H

#include "fixed/isa.h"
#include "runtime/arith.h"
#include "runtime/program.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* a + b modulo 2^32. */
ALWAYS_INLINE int32_t wrapping_add(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

ALWAYS_INLINE void narrow_codes(const int32_t *codes, size_t count, uint8_t storage, void *out) {
    if (storage == PARE_U8 || storage == PARE_I8) {
        uint8_t *bytes = out; /* the low byte of the code, signed or not */
        for (size_t i = 0; i < count; i++) {
            bytes[i] = (uint8_t)codes[i];
        }
    } else {
        uint16_t *halves = out;
        for (size_t i = 0; i < count; i++) {
            halves[i] = (uint16_t)codes[i];
        }
    }
}

ALWAYS_INLINE void widen_codes(const void *in, size_t count, uint8_t storage, int32_t *codes) {
    const uint8_t *u8 = in;
    const int8_t *i8 = in;
    const uint16_t *u16 = in;
    const int16_t *i16 = in;
    for (size_t i = 0; storage == PARE_U8 && i < count; i++) {
        codes[i] = u8[i];
    }
    for (size_t i = 0; storage == PARE_I8 && i < count; i++) {
        codes[i] = i8[i];
    }
    for (size_t i = 0; storage == PARE_U16 && i < count; i++) {
        codes[i] = u16[i];
    }
    for (size_t i = 0; storage == PARE_I16 && i < count; i++) {
        codes[i] = i16[i];
    }
}

/* The way of every accumulator: the isa_requantize of an instruction set is this, inlined where it may be vectorised.
 */
ALWAYS_INLINE void requantize_row(const int32_t *acc, size_t count, int32_t bias, int shift,
                                  const struct code_range *range, void *out) {
    int32_t codes[ISA_MAX_LANES];
    size_t size = range->storage == PARE_U8 || range->storage == PARE_I8 ? 1 : 2;
    for (size_t done = 0; done < count; done += ISA_MAX_LANES) {
        size_t n = count - done < ISA_MAX_LANES ? count - done : ISA_MAX_LANES;
        if (shift >= 1 && shift <= 31) {
            for (size_t i = 0; i < n; i++) {
                codes[i] = clamp32(round_right32(wrapping_add(acc[done + i], bias), shift), range->low, range->high);
            }
        } else {
            for (size_t i = 0; i < n; i++) {
                codes[i] = requantize32(wrapping_add(acc[done + i], bias), shift, range->low, range->high);
            }
        }
        narrow_codes(codes, n, range->storage, (char *)out + done * size);
    }
}

#endif
