/* The instruction sets: one row each, every function equal in all of them. */
#ifndef PARE_FIXED_ISA_H
#define PARE_FIXED_ISA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Largest `lanes` and `rows` of any instruction set. */
#define ISA_MAX_LANES 32
#define ISA_MAX_ROWS 12

/* A word holds two consecutive int16 elements of a sum, or four bytes, the first in its lowest bits.
 *   acc[r * lanes + c] = sum over k < words of dot(a[k * rows + r], b[offset[k] + c])   modulo 2^32
 * for r < rows, c < lanes. `b` is readable up to the last offset + lanes. */
typedef void isa_multiply(size_t rows, size_t words, const int32_t *a, const int32_t *b, const uint32_t *offset,
                          int32_t *acc);

/* Where accumulators become codes. */
struct code_range {
    int32_t low, high;
    uint8_t storage; /* enum pare_storage, not PARE_F32 */
};

/* out[i] = clamp(round(2^-shift * (acc[i] + bias))); the sum acc[i] + bias is exact modulo 2^32. */
typedef void isa_requantize(const int32_t *acc, size_t count, int32_t bias, int shift, const struct code_range *range,
                            void *out);

struct isa {
    const char *name;
    bool (*available)(void);      /* on the processor that runs this */
    uint32_t rows, lanes;         /* of the largest tile */
    isa_multiply *multiply;       /* words of int16 */
    isa_multiply *multiply_bytes; /* words of bytes, those of `a` signed, those of `b` unsigned; or NULL */
    isa_requantize *requantize;
};

extern const struct isa isa_portable;
#if defined(__x86_64__)
extern const struct isa isa_avx2;
extern const struct isa isa_avx512_vnni;
#endif

/* All that were compiled, the slowest first. */
extern const struct isa *const isa_all[];
extern const size_t isa_count;

const struct isa *isa_best(void);
const struct isa *isa_by_name(const char *name); /* NULL when unknown or not available */

#endif
