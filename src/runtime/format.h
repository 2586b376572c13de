/* The .pare file, version 1.3: this header is its specification.
 *
 * Everything is little-endian and may be read where it lies. Offsets are in bytes; those of sections count from the
 * beginning of the file, all others from the beginning of the data section. Bytes and flags without a name are 0.
 *
 *     header | values | operators | ports | data | names | metadata
 *
 * values, operators: arrays of the records below. ports: the 16-bit indices of the values that are inputs, then of
 * those that are outputs. data: blocks of dims, parameters (with the entries of tables and the indices of gathers),
 * coefficients and constants, each aligned to 4, but terse ones of dims or parameters, which begin at any byte; equal
 * blocks may share their bytes. names: NUL-terminated UTF-8, one name per value, then one name and one ONNX operator
 * type per operator. metadata: JSON text. Both are compressed since 1.2: the size of the text, 4 bytes, at most 16 MB,
 * then a zlib stream (RFC 1950); they may be stripped (size 0): nothing at run time depends on them.
 *
 * Terse blocks (since 1.2): where the record's flag says so, every number of its dims or parameters takes as many bytes
 * as it needs: 7 bits each from the least significant on, the high bit set in all bytes but the last (LEB128).
 *
 * Compatibility: a reader refuses another major version, and a minor version above its own; a minor version adds
 * operator kinds, flags or sections, and never changes what an older file means.
 *
 * Time, for the arena plan: inputs are written at step 0, operator i runs at step i + 1, outputs are read at
 * step `op_count + 1`. Two values in the arena whose steps meet do not share a byte, but for an operator that works in
 * place: since 1.1 an output may begin where an input begins whose last step is that of the operator, where every
 * element of the input is read before the output's element of the same index is written (pare_may_overwrite in
 * runtime/model.h). Files without such operators and without packed fractions were of version 1.0, others of 1.1,
 * before 1.2. A CONV may have a second input since 1.3; its element of an index is read before the output's is written.
 */
#ifndef PARE_RUNTIME_FORMAT_H
#define PARE_RUNTIME_FORMAT_H

#include "runtime/program.h"

#define PARE_FORMAT_MAJOR 1
#define PARE_FORMAT_MINOR 3

/* Bounds of a file, so that checking one takes bounded time. */
#define PARE_MAX_VALUES 4096
#define PARE_MAX_PORTS 256 /* inputs, and outputs */

#define PARE_STATIC_ASSERT(name, condition) typedef char name[(condition) ? 1 : -1] /* NOLINT(*-macro-parentheses) */

/*  0  "PARE"
 *  4  major version        6  minor version
 *  8  size of the file
 * 12  CRC-32 (polynomial 0xEDB88320, as in zip and png) of all bytes from 16 on
 * 16  size of the arena
 * 20  number of values    22  of operators    24  of inputs    26  of outputs
 * 28  values              32  operators       36  ports             (offsets)
 * 40  data                48  names           56  metadata          (offset, size) */
struct pare_file_header {
    uint8_t magic[4];
    uint8_t major[2], minor[2];
    uint8_t size[4];
    uint8_t crc32[4];
    uint8_t arena_size[4];
    uint8_t value_count[2], op_count[2], input_count[2], output_count[2];
    uint8_t values[4], ops[4], ports[4];
    uint8_t data[4], data_size[4];
    uint8_t names[4], names_size[4];
    uint8_t metadata[4], metadata_size[4];
};
PARE_STATIC_ASSERT(pare_file_header_has_64_bytes, sizeof(struct pare_file_header) == 64);

#define PARE_CRC_BEGIN 16

/*  0  enum pare_storage    1  bits    2  flags    3  rank
 *  4  frac, signed         6  step that writes it      8  last step that reads it
 * 12  offset in the arena, or of the constant's codes in the data section
 * 16  offset of the block of dims: rank x u32 */
struct pare_file_value {
    uint8_t storage, bits, flags, rank;
    uint8_t frac[2];
    uint8_t first[2], last[2];
    uint8_t unused[2];
    uint8_t offset[4];
    uint8_t dims[4];
};
PARE_STATIC_ASSERT(pare_file_value_has_20_bytes, sizeof(struct pare_file_value) == 20);

enum pare_value_flag {
    PARE_VALUE_SIGNED = 1,
    PARE_VALUE_CONSTANT = 2,
    PARE_VALUE_TERSE = 4, /* since 1.2: dims */
    PARE_VALUE_FLAGS = 7
};

/*  0  enum pare_kind       1  flags    2  number of inputs    3  bits of the weights    4  of the bias
 *  6  output               8  the first two inputs
 * 12  low                 14  high: bounds of the output code, counted from the smallest code of its format
 * 16  offset of the block of parameters, by kind, below
 * 20  offset of the block of coefficients (kinds with weights): packed weights, packed bias, then one signed
 *     byte of frac per row (or one) of the weights, then of the bias unless it has 0 bits. Where the flag says so,
 *     those per row are packed: the least as a signed byte, a byte that says how many bits (1 to 8), and per row that
 *     many, what it is above the least; at most 127 could be said with them.
 *     Rows of weights lie bit against bit, or each from a whole byte on where the flag says so. */
struct pare_file_op {
    uint8_t kind, flags, input_count, weight_bits, bias_bits;
    uint8_t unused;
    uint8_t output[2];
    uint8_t inputs[2][2];
    uint8_t low[2], high[2];
    uint8_t parameters[4];
    uint8_t coefficients[4];
};
PARE_STATIC_ASSERT(pare_file_op_has_24_bytes, sizeof(struct pare_file_op) == 24);

enum pare_op_flag {
    PARE_OP_WIDE = 1,
    PARE_OP_WEIGHT_FRAC_PER_ROW = 2,
    PARE_OP_BIAS_FRAC_PER_ROW = 4,
    PARE_OP_WHOLE_BYTE_ROWS = 8,
    PARE_OP_INPUT_ZERO = 16,   /* CONV only */
    PARE_OP_PACKED_FRACS = 32, /* since 1.1 */
    PARE_OP_TERSE = 64,        /* since 1.2: parameters */
    PARE_OP_FLAGS = 127
};

/* clang-format off */
/* Parameters, arrays of u32 unless said otherwise, in the words of struct pare_op. The entries of a table and the
 * indices of a gather are never terse:
 *
 * CONV           struct pare_file_window, then where the flag says so i16 zero[in_c]; in a terse block how many bits
 *                they have (1 to 16, a byte), and the codes, packed as biases are
 * CONV_TRANSPOSE struct pare_file_window
 * MAX_POOL       struct pare_file_window
 * AVERAGE_POOL   struct pare_file_window
 * DENSE          rows, columns
 * PRELU          rows, columns
 * MATMUL         batch, m, k, n, stride_a, stride_b
 * ADD            subtract, rank, dims[rank], stride[0][rank], stride[1][rank]
 * MUL            as ADD
 * CONCAT         outer, inner, size[inputs], then u16 inputs[inputs]: all of them
 * REDUCE_MEAN    outer, reduced, inner
 * TABLE          entries, in the storage of the output
 * REQUANTIZE     none
 * COPY           fill, fill_code, in_base, out_base, rank, dims[rank], in_stride[rank], out_stride[rank]
 * GATHER         outer, in_axis, out_axis, inner, indices[out_axis] */
/* clang-format on */

/*  0  in_c   4  in_h   8  in_w  12  out_c  16  out_h  20  out_w
 * 24  kernel_h 26 kernel_w  28  stride_h 30 stride_w  32  dilation_h 34 dilation_w
 * 36  pad_top  38 pad_left  40  pad_bottom 42 pad_right   44  group  46  count_include_pad */
struct pare_file_window {
    uint8_t in_c[4], in_h[4], in_w[4], out_c[4], out_h[4], out_w[4];
    uint8_t kernel_h[2], kernel_w[2], stride_h[2], stride_w[2], dilation_h[2], dilation_w[2];
    uint8_t pad_top[2], pad_left[2], pad_bottom[2], pad_right[2];
    uint8_t group[2], count_include_pad[2];
};
PARE_STATIC_ASSERT(pare_file_window_has_48_bytes, sizeof(struct pare_file_window) == 48);

#define PARE_WINDOW_SIZES 6 /* of 4 bytes; the other fields are of 2, and at most 65535 where they are terse */
#define PARE_WINDOW_FIELDS 18

#endif
