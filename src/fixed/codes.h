/* Codes of any storage, widened and narrowed. */
#ifndef PARE_FIXED_CODES_H
#define PARE_FIXED_CODES_H

#include "runtime/codes.h"
#include "runtime/program.h"

/* A code is 256 * its high part + its low part, the low one in [0, 255]. */
enum code_part { CODE_WHOLE, CODE_LOW, CODE_HIGH };

/* out[i] = that part of codes[i * step], i < count; a step may be 0 or negative. CODE_WHOLE must fit int16. */
void codes_to_int16(const void *codes, uint8_t storage, enum code_part part, ptrdiff_t step, size_t count,
                    int16_t *out);
/* out[i] = codes[i * step] */
void codes_to_int32(const void *codes, uint8_t storage, ptrdiff_t step, size_t count, int32_t *out);
/* Whether every code of the value fits int16. */
bool codes_fit_int16(const struct pare_value *value);

/* The same of one code. */
static inline int16_t part_of_code(int32_t code, enum code_part part) {
    int32_t v = part == CODE_WHOLE ? code : part == CODE_LOW ? code & 255 : floor_shift32(code, 8);
    return (int16_t)v;
}

static inline bool storage_is_byte(uint8_t storage) {
    return storage_size(storage) == 1;
}

/* Two int16 elements in a word, the first in its low half. */
static inline int32_t code_pair(int16_t first, int16_t second) {
    return (int32_t)((uint32_t)(uint16_t)first | (uint32_t)(uint16_t)second << 16);
}

/* Four byte elements in a word. */
static inline int32_t code_bytes(int16_t a, int16_t b, int16_t c, int16_t d) {
    uint32_t low = (uint32_t)(a & 255) | (uint32_t)(b & 255) << 8;
    return (int32_t)(low | (uint32_t)(c & 255) << 16 | (uint32_t)(d & 255) << 24);
}

#endif
