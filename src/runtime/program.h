/* The integer program: what the file holds, what every executor runs, and the only arithmetic there is.
 *
 * C99, freestanding. A program is a list of operators over values; every value is a dense row-major tensor in ONNX's
 * axis order for ONE sample (the batch axis has size 1). Real value = code * 2^-frac.
 *
 * Every operator computes an exact integer accumulator per output element, brings it to the output's fraction
 * with ONE rounding (half to even), and clamps it to [low, high]; operators that only move codes too, where the
 * fractions differ. pare_check_op (runtime/model.h) says what a program must keep to.
 *
 * Arrays that a file may hold (constants, table entries, indices) are little-endian and need no alignment. */
#ifndef PARE_RUNTIME_PROGRAM_H
#define PARE_RUNTIME_PROGRAM_H

#include "runtime/kinds.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARE_MAX_RANK 6
#define PARE_MAX_INPUTS 16 /* the lowering splits a longer Concat */

enum pare_storage {
    PARE_U8 = 0,
    PARE_I8 = 1,
    PARE_U16 = 2,
    PARE_I16 = 3,
    PARE_F32 = 4 /* on the host only: between operators that stay in float */
};

struct pare_value {
    uint8_t storage; /* enum pare_storage */
    uint8_t bits;    /* 1..16 */
    bool is_signed;
    int16_t frac;
    uint8_t rank; /* 0..PARE_MAX_RANK */
    uint32_t dims[PARE_MAX_RANK];
    uint32_t count;       /* product of dims */
    uint32_t offset;      /* in the arena, bytes; unused for constants */
    const void *constant; /* codes in `storage`, or NULL */
};

enum pare_kind {
    PARE_CONV, /* 2-D (1-D has height 1), groups, dilation; weights [out_c][in_c / group][kernel_h][kernel_w]; a second
                * input, of the output's shape, is added before the one rounding */
    PARE_CONV_TRANSPOSE, /* weights reordered to [out_c][in_c / group][kernel_h][kernel_w] */
    PARE_DENSE,          /* rows of the input (count / columns of them) times weights [out][columns] */
    PARE_MATMUL,         /* two activations, [batch][m][k] x [batch][k][n] */
    PARE_ADD,            /* two inputs, broadcast; the second subtracted when `subtract` */
    PARE_MUL,            /* two inputs, broadcast */
    PARE_PRELU,          /* weights: one slope per channel (axis 1), or one for all */
    PARE_CONCAT,
    PARE_MAX_POOL,     /* padding never wins: it is skipped */
    PARE_AVERAGE_POOL, /* exact sum, one rational rounding */
    PARE_REDUCE_MEAN,  /* over one contiguous run of axes: [outer][reduced][inner] */
    PARE_TABLE,        /* one entry per input code */
    PARE_REQUANTIZE,   /* another format, or bounds on the same one */
    PARE_COPY,         /* strided: Transpose, Slice, Split, constant Pad, integer nearest Resize, Expand */
    PARE_GATHER,       /* constant indices on one axis: [outer][axis][inner] */
    PARE_HOST,         /* a float step of the host program; never in a file */
    PARE_KIND_COUNT
};

static inline bool pare_kind_has_window(unsigned kind) {
    return kind == PARE_CONV || kind == PARE_CONV_TRANSPOSE || kind == PARE_MAX_POOL || kind == PARE_AVERAGE_POOL;
}

static inline bool pare_kind_has_weights(unsigned kind) {
    return kind == PARE_CONV || kind == PARE_CONV_TRANSPOSE || kind == PARE_DENSE || kind == PARE_PRELU;
}

/* Always; a CONV may have two. */
static inline bool pare_kind_has_two_inputs(unsigned kind) {
    return kind == PARE_MATMUL || kind == PARE_ADD || kind == PARE_MUL;
}

struct pare_window { /* CONV, CONV_TRANSPOSE, MAX_POOL, AVERAGE_POOL */
    uint32_t in_c, in_h, in_w, out_c, out_h, out_w;
    uint32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    uint32_t pad_top, pad_left;     /* what lies outside below and right follows from the sizes */
    uint32_t group;                 /* 1 for pools */
    bool count_include_pad;         /* AVERAGE_POOL: divide by the window's size within the padded input ... */
    uint32_t pad_bottom, pad_right; /* ... which these bound */
};

/* Row r of a weight matrix is `columns` codes of `bits` bits, two's complement, least significant bit first,
 * starting at bit r * row_bits of `data`. bits 0: all zeros, no data. */
struct pare_weights {
    uint8_t bits; /* 0, 2..16 */
    uint32_t rows, columns;
    uint32_t row_bits; /* >= columns * bits */
    const uint8_t *data;
    bool frac_per_row;
    const int8_t *frac; /* rows entries, or 1 */
    uint8_t frac_bits;  /* 0: a byte each; else packed as in a file: runtime/format.h */
};

/* One bias per row, the same packing with one column. frac <= weight frac + input frac, row by row. */
struct pare_bias {
    uint8_t bits; /* 0, 2..32 */
    const uint8_t *data;
    bool frac_per_row;
    const int8_t *frac;
    uint8_t frac_bits;
};

struct pare_op {
    uint8_t kind; /* enum pare_kind */
    bool wide;    /* 64-bit accumulators, else 32 */
    uint8_t input_count;
    uint32_t inputs[PARE_MAX_INPUTS]; /* indices of values */
    uint32_t output;
    int32_t low, high;           /* bounds of the output code: saturation, with Relu and Clip folded in */
    struct pare_weights weights; /* CONV, CONV_TRANSPOSE, DENSE, PRELU */
    struct pare_bias bias;
    /* CONV: the zero point of each of the in_c input channels, signed codes packed as biases are, subtracted from the
     * channel's codes; what lies outside of the input still counts as 0 after that. NULL: all 0, as for every other
     * kind. */
    const uint8_t *zero;
    uint8_t zero_bits; /* of each; 0 stands for 16 */
    union {
        struct pare_window window;
        struct {
            uint32_t batch, m, k, n;
            uint32_t stride_a, stride_b; /* elements per batch, 0 = shared */
        } matmul;
        struct {
            uint8_t rank;
            bool subtract;
            uint32_t dims[PARE_MAX_RANK];
            uint32_t stride[2][PARE_MAX_RANK];
        } binary;
        struct {
            uint32_t outer, inner;
            uint32_t size[PARE_MAX_INPUTS]; /* along the axis, per input */
        } concat;
        struct {
            uint32_t outer, reduced, inner;
        } reduce;
        struct {
            const void *entries; /* output storage, index = code - smallest code of the input's format */
        } table;
        struct {
            uint8_t rank;
            bool fill;
            int32_t fill_code;
            uint32_t dims[PARE_MAX_RANK];
            int32_t in_stride[PARE_MAX_RANK], out_stride[PARE_MAX_RANK];
            uint32_t in_base, out_base;
        } copy;
        struct {
            uint32_t outer, in_axis, out_axis, inner;
            const void *indices; /* 32-bit words */
        } gather;
        struct {
            uint32_t step;
        } host; /* index of the host's own table */
    } u;
};

#endif
