/* Accumulators to codes, compiled once per instruction set. */
#ifndef PARE_FIXED_REQUANTIZE_H
#define PARE_FIXED_REQUANTIZE_H

#include "fixed/isa.h"
#include "runtime/codes.h"
#include "runtime/program.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* a + b modulo 2^32. */
ALWAYS_INLINE int32_t wrapping_add(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

/* v modulo 2^32. */
ALWAYS_INLINE int32_t wrapping_int32(int64_t v) {
    return (int32_t)((uint64_t)v & UINT32_MAX);
}

ALWAYS_INLINE void narrow_codes(const int32_t *codes, size_t count, uint8_t storage, void *out) {
    if (storage_size(storage) == 1) {
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

/* At most REQUANTIZE_CHUNK codes; a constant count is vectorised without a remainder. */
#define REQUANTIZE_CHUNK 16

ALWAYS_INLINE void requantize_chunk(const int32_t *acc, size_t count, int32_t bias, int shift,
                                    const struct code_range *range, void *out) {
    int32_t codes[REQUANTIZE_CHUNK];
    int32_t low = range->low, high = range->high;
    if (shift >= 1 && shift <= 31) {
        for (size_t i = 0; i < count; i++) {
            codes[i] = clamp32(round_right32(wrapping_add(acc[i], bias), shift), low, high);
        }
    } else if (shift == 0) {
        for (size_t i = 0; i < count; i++) {
            codes[i] = clamp32(wrapping_add(acc[i], bias), low, high);
        }
    } else {
        for (size_t i = 0; i < count; i++) {
            codes[i] = requantize32(wrapping_add(acc[i], bias), shift, low, high);
        }
    }
    narrow_codes(codes, count, range->storage, out);
}

/* The way of every accumulator: the isa_requantize of an instruction set is this, inlined where it may be vectorised.
 */
ALWAYS_INLINE void requantize_row(const int32_t *acc, size_t count, int32_t bias, int shift,
                                  const struct code_range *range, void *out) {
    char *to = out;
    size_t bytes = REQUANTIZE_CHUNK * storage_size(range->storage);
    for (; count >= REQUANTIZE_CHUNK; count -= REQUANTIZE_CHUNK, acc += REQUANTIZE_CHUNK, to += bytes) {
        requantize_chunk(acc, REQUANTIZE_CHUNK, bias, shift, range, to);
    }
    if (count > 0) {
        requantize_chunk(acc, count, bias, shift, range, to);
    }
}

/* The same for 64-bit accumulators; acc[i] + bias fits. */
ALWAYS_INLINE void requantize_wide(const int64_t *acc, size_t count, int64_t bias, int shift,
                                   const struct code_range *range, void *out) {
    for (size_t i = 0; i < count; i++) {
        int32_t code = requantize64(acc[i] + bias, shift, range->low, range->high);
        write_code(out, range->storage, (uint32_t)i, code);
    }
}

#endif
