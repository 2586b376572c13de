/* Reading and writing codes: values of any storage, and packed weights and biases. Nothing here needs alignment. What
 * comes from a file (constants, tables, indices, weights) is little-endian; what the kernels write is in
 * the byte order of the machine. */
#ifndef PARE_RUNTIME_CODES_H
#define PARE_RUNTIME_CODES_H

#include "runtime/arith.h"
#include "runtime/program.h"

#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define PARE_BIG_ENDIAN 1
#else
#define PARE_BIG_ENDIAN 0
#endif

static inline uint32_t storage_size(unsigned storage) {
    return storage == PARE_U16 || storage == PARE_I16 ? 2 : 1;
}

/* Element `index` of an array in a file. */
static inline uint16_t little_endian16(const void *data, uint32_t index) {
    const uint8_t *b = (const uint8_t *)data + (size_t)index * 2;
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t little_endian32(const void *data, uint32_t index) {
    const uint8_t *b = (const uint8_t *)data + (size_t)index * 4;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* An array of codes to read. `sign` is the weight of the sign bit, 0 for unsigned storage. */
struct codes {
    const uint8_t *data;
    int32_t sign;
    bool two_bytes, swapped;
};

static inline struct codes codes_of(const void *data, unsigned storage, bool from_file) {
    struct codes c = {(const uint8_t *)data, 0, storage_size(storage) == 2, false};
    c.sign = storage == PARE_I8 ? 0x80 : storage == PARE_I16 ? 0x8000 : 0;
    c.swapped = PARE_BIG_ENDIAN && from_file && c.two_bytes;
    return c;
}

static inline int32_t code_at(const struct codes *c, uint32_t index) {
    uint16_t v = 0;
    if (c->two_bytes) {
        memcpy(&v, c->data + (size_t)index * 2, 2);
        v = c->swapped ? (uint16_t)(v >> 8 | v << 8) : v;
    } else {
        v = c->data[index];
    }
    return (v ^ c->sign) - c->sign;
}

/* Input `i` of an operator, and its output. */
static inline struct codes input_codes(const struct pare_op *op, const struct pare_value *values, void *const *data,
                                       uint32_t i) {
    const struct pare_value *v = &values[op->inputs[i]];
    return codes_of(data[op->inputs[i]], v->storage, v->constant != NULL);
}

static inline void write_code(void *data, unsigned storage, uint32_t index, int32_t code) {
    if (storage_size(storage) == 2) {
        uint16_t v = (uint16_t)((uint32_t)code & 0xffff);
        memcpy((uint8_t *)data + (size_t)index * 2, &v, 2);
    } else {
        ((uint8_t *)data)[index] = (uint8_t)((uint32_t)code & 0xff);
    }
}

/* `bits` (1 to 32) bits from bit `at` on, least significant first, as two's complement. Reads no byte that
 * holds none of them. */
static inline int32_t signed_bits(const uint8_t *data, uint32_t at, unsigned bits) {
    const uint8_t *byte = data + (at >> 3);
    unsigned skip = at & 7;
    uint64_t v = 0;
    for (unsigned have = 0; have < skip + bits; have += 8) {
        v |= (uint64_t)*byte++ << have;
    }
    int64_t sign = (int64_t)1 << (bits - 1);
    return (int32_t)(((int64_t)(v >> skip & (((uint64_t)sign << 1) - 1)) ^ sign) - sign);
}

/* Code `index` of an array of codes of `bits` bits, packed as biases are. For what is read once per channel. */
int32_t pare_packed_code(const uint8_t *data, unsigned bits, uint32_t index);

/* Bits that each zero point of a convolution takes where it lies. */
static inline unsigned zero_width(const struct pare_op *op) {
    return op->zero_bits == 0 ? 16 : op->zero_bits;
}

/* The zero point of an input channel of a convolution. */
static inline int32_t zero_at(const struct pare_op *op, uint32_t channel) {
    return op->zero == NULL ? 0 : pare_packed_code(op->zero, zero_width(op), channel);
}

/* The zero point that weight `column` of a row of a convolution meets. */
static inline int32_t zero_of_weight(const struct pare_op *op, uint32_t row, uint32_t column) {
    const struct pare_window *w = &op->u.window;
    uint32_t group = row / (w->out_c / w->group), channel = column / (w->kernel_h * w->kernel_w);
    return zero_at(op, group * (w->in_c / w->group) + channel);
}

/* One row of packed weights; with 0 bits, of nothing. */
struct weight_row {
    const uint8_t *data;
    uint32_t first_bit; /* 0..7 */
    unsigned bits;
};

static inline struct weight_row weight_row(const struct pare_weights *w, uint32_t row) {
    uint64_t at = (uint64_t)row * w->row_bits;
    static const uint8_t nothing[1] = {0};
    struct weight_row r = {w->bits == 0 ? nothing : w->data + (size_t)(at >> 3), (uint32_t)(at & 7), w->bits};
    return r;
}

static inline int32_t weight_at(const struct weight_row *r, uint32_t column) {
    return r->bits == 0 ? 0 : signed_bits(r->data, r->first_bit + column * r->bits, r->bits);
}

/* A fraction as struct pare_weights and struct pare_bias hold it; `bits` as their frac_bits. */
static inline int frac_at(const int8_t *frac, bool per_row, unsigned bits, uint32_t row) {
    if (frac == NULL || !per_row) {
        return frac == NULL ? 0 : frac[0];
    }
    if (bits == 0) {
        return frac[row];
    }
    int32_t above = pare_packed_code((const uint8_t *)frac + 1, bits, row);
    return frac[0] + (int)((uint32_t)above & ((1U << bits) - 1));
}

static inline int weight_frac(const struct pare_weights *w, uint32_t row) {
    return frac_at(w->frac, w->frac_per_row, w->frac_bits, row);
}

static inline int bias_frac(const struct pare_bias *b, uint32_t row) {
    return frac_at(b->frac, b->frac_per_row, b->frac_bits, row);
}

/* The bias code of a row; 0 where there is none. */
static inline int32_t bias_at(const struct pare_bias *b, uint32_t row) {
    return b->bits == 0 ? 0 : pare_packed_code(b->data, b->bits, row);
}

#endif
