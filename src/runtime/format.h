/* The .pare file, version 2.0: this header is its specification.
 *
 * Everything is little-endian and may be read where it lies, at any address. Bytes and flags without a name are 0. The
 * sections fill the file in this order; the header says how long they are:
 *
 *     header | values | operators | outputs | numbers | data | names | metadata
 *
 * values, operators: arrays of the records below. Values are those of the inputs, in their order, then of what each
 * operator writes, in theirs, then constants. outputs: the 16-bit indices of the values that are outputs. numbers:
 * blocks of dims and of parameters. data: blocks of coefficients, tables, indices and constants. Equal blocks may share
 * their bytes; offsets count from the beginning of their section. names: NUL-terminated UTF-8, one name per value, then
 * one name and one ONNX operator type per operator. metadata: JSON text. Both are compressed: the size of the text, 4
 * bytes, at most 16 MB, then a zlib stream (RFC 1950); they may be stripped (size 0): nothing at run time depends on
 * them.
 *
 * A number takes as few bytes as it can: 7 bits each from the least significant on, the high bit set in all bytes
 * but the last (LEB128), 32 bits at most. A signed one n is written as 2n, or as -2n - 1 where it is negative.
 *
 * Compatibility: a reader refuses another major version, and a minor version above its own; a minor version adds
 * operator kinds, flags or sections, and never changes what an older file means.
 *
 * The arena: values are written in their order. Until its last reader has run, nothing is written over a value: an
 * output of the model to the end, any other up to the last operator that has it as an input. The output of that one may
 * begin where the value begins, and nowhere else within it, if both have the same number of codes, of as many bytes
 * each, and the value is the input of a TABLE, REQUANTIZE or PRELU, the second of a CONV, or one of an ADD or MUL that
 * is walked in order: where a dim is not 1, the stride is the product of the dims behind it. If the operator has the
 * value as an input twice, this holds for both. Any byte of the arena may begin a value, of two bytes per code too. */
#ifndef PARE_RUNTIME_FORMAT_H
#define PARE_RUNTIME_FORMAT_H

#include "runtime/program.h"

#define PARE_FORMAT_MAJOR 2
#define PARE_FORMAT_MINOR 0

/* Bounds of a file, so that checking one takes bounded time. */
#define PARE_MAX_VALUES 4096
#define PARE_MAX_PORTS 256 /* inputs, and outputs */
/* Offsets of two bytes: a block of numbers begins within the first 64 KB of its section. */
/* Blocks of data may be shared, but not without end: all weights, biases, fracs, zero points, entries, indices and
 * codes of constants, counted for each operator and constant, and all top and left padding, are at most 8 for each byte
 * of the file, which none that shares nothing exceeds, and these. */
#define PARE_SHARED_STEPS ((uint64_t)1 << 27)

#define PARE_STATIC_ASSERT(name, condition) typedef char name[(condition) ? 1 : -1] /* NOLINT(*-macro-parentheses) */

/*  0  "PARE"
 *  4  major version        6  minor version
 *  8  size of the file
 * 12  CRC-32 (polynomial 0xEDB88320, as in zip and png) of all bytes from 16 on
 * 16  size of the arena
 * 20  number of values    22  of operators    24  of inputs    26  of outputs
 * 28  size of the numbers 32  of the data     36  of the names 40  of the metadata */
struct pare_file_header {
    uint8_t magic[4];
    uint8_t major[2], minor[2];
    uint8_t size[4];
    uint8_t crc32[4];
    uint8_t arena_size[4];
    uint8_t value_count[2], op_count[2], input_count[2], output_count[2];
    uint8_t numbers_size[4], data_size[4], names_size[4], metadata_size[4];
};
PARE_STATIC_ASSERT(pare_file_header_has_44_bytes, sizeof(struct pare_file_header) == 44);

#define PARE_CRC_BEGIN 16

/* Of pare_model.section, which has one more, the end of the file. */
enum pare_section {
    PARE_VALUES,
    PARE_OPERATORS,
    PARE_OUTPUTS,
    PARE_NUMBERS,
    PARE_DATA,
    PARE_NAMES,
    PARE_METADATA,
    PARE_SECTION_COUNT
};

/*  0  bits less 1, and flags
 *  1  frac, signed
 *  2  offset of its dims: a block of numbers, the rank and the dims
 *  4  offset in the arena, or in the data of the codes of a constant */
struct pare_file_value {
    uint8_t format;
    int8_t frac;
    uint8_t dims[2];
    uint8_t offset[4];
};
PARE_STATIC_ASSERT(pare_file_value_has_8_bytes, sizeof(struct pare_file_value) == 8);

enum pare_value_format {
    PARE_VALUE_BITS = 15,
    PARE_VALUE_SIGNED = 16,
    PARE_VALUE_TWO_BYTES = 32, /* each code takes two, else one */
    PARE_VALUE_FORMAT = 63
};

/*  0  enum pare_kind       1  flags
 *  2  the first two inputs: how many values before the output; 0: the parameters say the index, or there is none
 *  4  offset of the parameters, a block of numbers
 *  6  offset in the data of the coefficients (kinds with weights), the entries (TABLE) or the indices (GATHER), else 0
 */
struct pare_file_op {
    uint8_t kind, flags;
    uint8_t inputs[2];
    uint8_t parameters[2];
    uint8_t data[4];
};
PARE_STATIC_ASSERT(pare_file_op_has_10_bytes, sizeof(struct pare_file_op) == 10);

enum pare_op_flag {
    PARE_OP_WIDE = 1,
    PARE_OP_BOUNDS = 2,      /* the parameters say the bounds of the output, else they are those of its format */
    PARE_OP_SIZES = 4,       /* kinds with a window: the parameters say the sizes, else they are those of the shapes */
    PARE_OP_ADDEND = 8,      /* CONV only: it has a second input */
    PARE_OP_INPUT_ZERO = 16, /* CONV only: it has zero points */
    PARE_OP_FLAGS = 31
};

/* clang-format off */
/* Parameters, in the words of struct pare_op: for a CONCAT how many inputs; the index of each input that the record does
 * not say; where the flag says so low and high, counted from the smallest code of the output's format; then by kind:
 *
 * CONV           where the flag says so in_c, in_h, in_w, out_c, out_h, out_w, else these are the second, third and
 *                fourth dim of input and output, or of three dims the second, 1 and the third; then kernel_h, kernel_w,
 *                stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, pad_bottom, pad_right, group, each at
 *                most 65535, and count_include_pad, 0 or 1
 * CONV_TRANSPOSE, MAX_POOL, AVERAGE_POOL    as CONV
 * DENSE          rows, columns
 * PRELU          rows, columns
 * MATMUL         batch, m, k, n, stride_a, stride_b
 * ADD            subtract (0 or 1), rank, dims[rank], stride[0][rank], stride[1][rank]
 * MUL            as ADD
 * CONCAT         size[] of each input, outer, inner
 * REDUCE_MEAN    outer, reduced, inner
 * TABLE          none; the entries are in the storage of the output
 * REQUANTIZE     none
 * COPY           fill (0 or 1), fill_code, in_base, out_base, rank, dims[rank], in_stride[rank], out_stride[rank]; fill_code and
 *                strides are signed
 * GATHER         outer, in_axis, out_axis, inner; there are out_axis indices, of 4 bytes each */
/* clang-format on */

/* Coefficients: two bytes, of the weights and of the bias, as below; packed weights; packed bias; the fracs of the
 * weights; where there is a bias, its fracs; where the flag says so, a byte that says how many bits each zero point of
 * the input has (1 to 16), and zero[in_c], packed as biases are.
 *
 * Fracs are a signed byte: that of all rows, or the least of them. Behind it each row has as many bits as the byte of
 * the weights or the bias says, packed as biases are: what it is above the least. At most 127 can be said so. */
enum pare_coefficient {
    PARE_WEIGHT_BITS = 15,       /* bits of each weight less 1; 0: there are none, all are 0 */
    PARE_WHOLE_BYTE_ROWS = 16,   /* each row of weights begins at a whole byte, else they lie bit against bit */
    PARE_BIAS_BITS = 31,         /* bits of each bias less 1; 0: there are none */
    PARE_FRAC_BITS_SHIFT = 5,    /* of both bytes, the upper three bits: bits that each row has for its frac, ... */
    PARE_FRAC_BITS_CODE_OF_8 = 7 /* ... 0 to 6, and this for 8 */
};

#endif
