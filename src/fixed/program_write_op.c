/* Operators of a .pare file: records, parameters, coefficients. */
#include "fixed/file_writer.h"
#include "runtime/codes.h"
#include "runtime/format.h"

/* ---- parameters ---- */

static void write_array(struct buffer *b, const uint32_t *v, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        write_terse(b, v[i]);
    }
}

static void write_signed_array(struct buffer *b, const int32_t *v, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        write_terse(b, (uint32_t)v[i]);
    }
}

static enum pare_status write_window(struct file_writer *w, const struct pare_window *p) {
    struct buffer *b = &w->parameters;
    const uint32_t sizes[] = {p->in_c, p->in_h, p->in_w, p->out_c, p->out_h, p->out_w};
    const uint32_t small[] = {p->kernel_h,   p->kernel_w,   p->stride_h, p->stride_w,
                              p->dilation_h, p->dilation_w, p->pad_top,  p->pad_left,
                              p->pad_bottom, p->pad_right,  p->group,    p->count_include_pad};
    write_array(b, sizes, 6);
    for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++) {
        if (small[i] > UINT16_MAX) {
            return fail(w->ctx, PARE_ERROR_UNSUPPORTED, "a kernel, stride, dilation, padding or group is above 65535");
        }
        write_terse(b, small[i]);
    }
    return PARE_OK;
}

static unsigned least_zero_width(const struct pare_op *op) {
    unsigned bits = 1;
    for (uint32_t c = 0; c < op->u.window.in_c; c++) {
        while (zero_at(op, c) < code_min(bits, true) || zero_at(op, c) > code_max(bits, true)) {
            bits++;
        }
    }
    return bits;
}

/* Code `index` of what is packed; 16 bits at most. */
typedef int32_t packed_code(const void *of, uint32_t index);

/* Codes of `bits` bits each, bit against bit, the first in the least significant ones. */
static void write_packed_codes(struct buffer *b, const void *of, packed_code *code, uint32_t count, unsigned bits) {
    uint32_t reservoir = 0, mask = (1U << bits) - 1;
    unsigned have = 0;
    for (uint32_t i = 0; i < count; i++) {
        reservoir |= ((uint32_t)code(of, i) & mask) << have;
        for (have += bits; have >= 8; have -= 8) {
            write_u8(b, (uint8_t)(reservoir & 0xff));
            reservoir >>= 8;
        }
    }
    if (have > 0) {
        write_u8(b, (uint8_t)reservoir);
    }
}

static int32_t zero_code(const void *op, uint32_t channel) {
    return zero_at(op, channel);
}

static void write_zeros(struct buffer *b, const struct pare_op *op) {
    if (op->zero != NULL) {
        unsigned bits = least_zero_width(op);
        write_u8(b, (uint8_t)bits);
        write_packed_codes(b, op, zero_code, op->u.window.in_c, bits);
    }
}

static void write_binary(struct buffer *b, const struct pare_op *op) {
    uint32_t rank = op->u.binary.rank;
    write_terse(b, op->u.binary.subtract);
    write_terse(b, rank);
    write_array(b, op->u.binary.dims, rank);
    write_array(b, op->u.binary.stride[0], rank);
    write_array(b, op->u.binary.stride[1], rank);
}

static void write_concat(struct file_writer *w, const struct pare_op *op) {
    struct buffer *b = &w->parameters;
    write_terse(b, op->u.concat.outer);
    write_terse(b, op->u.concat.inner);
    write_array(b, op->u.concat.size, op->input_count);
    for (uint32_t i = 0; i < op->input_count; i++) {
        write_terse(b, w->index[op->inputs[i]]);
    }
}

static void write_copy(struct buffer *b, const struct pare_op *op) {
    uint32_t rank = op->u.copy.rank;
    write_terse(b, op->u.copy.fill);
    write_terse(b, (uint32_t)op->u.copy.fill_code);
    write_terse(b, op->u.copy.in_base);
    write_terse(b, op->u.copy.out_base);
    write_terse(b, rank);
    write_array(b, op->u.copy.dims, rank);
    write_signed_array(b, op->u.copy.in_stride, rank);
    write_signed_array(b, op->u.copy.out_stride, rank);
}

static enum pare_status write_parameters(struct file_writer *w, const struct pare_op *op) {
    struct buffer *b = &w->parameters;
    const struct pare_value *x = &w->program->values[op->inputs[0]], *y = &w->program->values[op->output];
    switch ((enum pare_kind)op->kind) {
    case PARE_CONV:
    case PARE_CONV_TRANSPOSE:
    case PARE_MAX_POOL:
    case PARE_AVERAGE_POOL:
        TRY(write_window(w, &op->u.window));
        write_zeros(b, op);
        return PARE_OK;
    case PARE_DENSE:
    case PARE_PRELU:
        write_array(b, (const uint32_t[]){op->weights.rows, op->weights.columns}, 2);
        return PARE_OK;
    case PARE_MATMUL:
        write_array(b,
                    (const uint32_t[]){op->u.matmul.batch, op->u.matmul.m, op->u.matmul.k, op->u.matmul.n,
                                       op->u.matmul.stride_a, op->u.matmul.stride_b},
                    6);
        return PARE_OK;
    case PARE_ADD:
    case PARE_MUL:
        write_binary(b, op);
        return PARE_OK;
    case PARE_CONCAT:
        write_concat(w, op);
        return PARE_OK;
    case PARE_REDUCE_MEAN:
        write_array(b, (const uint32_t[]){op->u.reduce.outer, op->u.reduce.reduced, op->u.reduce.inner}, 3);
        return PARE_OK;
    case PARE_TABLE:
        write_bytes(b, op->u.table.entries, (size_t)storage_size(y->storage) << x->bits);
        return PARE_OK;
    case PARE_COPY:
        write_copy(b, op);
        return PARE_OK;
    case PARE_GATHER:
        write_array(
            b, (const uint32_t[]){op->u.gather.outer, op->u.gather.in_axis, op->u.gather.out_axis, op->u.gather.inner},
            4);
        write_bytes(b, op->u.gather.indices, (size_t)op->u.gather.out_axis * 4);
        return PARE_OK;
    case PARE_REQUANTIZE:
        return PARE_OK;
    case PARE_HOST:
    case PARE_KIND_COUNT:
        break;
    }
    return fail(w->ctx, PARE_ERROR_INTERNAL, "an operator of an unknown kind");
}

/* ---- coefficients ---- */

/* The same rows, bit against bit. */
static enum pare_status write_rows_without_gaps(struct file_writer *w, const struct pare_weights *weights) {
    size_t bits = 0;
    uint8_t byte = 0;
    for (uint32_t r = 0; r < weights->rows; r++) {
        struct weight_row row = weight_row(weights, r);
        for (uint64_t i = 0; i < (uint64_t)weights->columns * weights->bits; i++) {
            uint64_t from = row.first_bit + i;
            byte |= (uint8_t)((row.data[from >> 3] >> (from & 7) & 1) << (bits & 7));
            if ((++bits & 7) == 0) {
                write_u8(&w->parameters, byte);
                byte = 0;
            }
        }
    }
    if ((bits & 7) != 0) {
        write_u8(&w->parameters, byte);
    }
    return PARE_OK;
}

/* `whole` tells whether the rows begin at whole bytes in a way that the file must say. */
static enum pare_status write_weights(struct file_writer *w, const struct pare_weights *weights, bool *whole) {
    uint64_t exact = (uint64_t)weights->columns * weights->bits, padded = (exact + 7) / 8 * 8;
    *whole = weights->bits > 0 && padded != exact && weights->row_bits == padded;
    if (weights->bits == 0) {
        return PARE_OK;
    }
    if (weights->row_bits != exact && !*whole) {
        return write_rows_without_gaps(w, weights);
    }
    write_bytes(&w->parameters, weights->data, (size_t)(((uint64_t)weights->rows * weights->row_bits + 7) / 8));
    return PARE_OK;
}

/* Fractions per row, and how they are packed. */
struct fracs {
    const int8_t *frac; /* NULL: one of 0 */
    bool per_row;
    unsigned packed_bits; /* in memory: frac_bits of struct pare_weights */
    uint32_t rows;        /* 1: not per row */
    int least;
    unsigned bits;
};

static int frac_of(const struct fracs *f, uint32_t row) {
    return frac_at(f->frac, f->per_row, f->packed_bits, row);
}

static struct fracs fracs_of(const int8_t *frac, bool per_row, unsigned packed_bits, uint32_t rows) {
    struct fracs f = {frac, per_row, packed_bits, frac != NULL && per_row ? rows : 1, 0, 1};
    int most = f.least = frac_of(&f, 0);
    for (uint32_t r = 1; r < f.rows; r++) {
        int each = frac_of(&f, r);
        f.least = each < f.least ? each : f.least;
        most = each > most ? each : most;
    }
    while (most - f.least >= 1 << f.bits) {
        f.bits++;
    }
    return f;
}

static size_t packed_size(const struct fracs *f) {
    return f->rows == 1 ? 1 : 2 + ((size_t)f->rows * f->bits + 7) / 8;
}

static bool can_be_packed(const struct fracs *f) {
    return f->rows == 1 || f->least + (1 << f->bits) - 1 <= INT8_MAX;
}

static int32_t frac_code(const void *fracs, uint32_t row) {
    const struct fracs *f = fracs;
    return frac_of(f, row) - f->least;
}

static void write_packed(struct buffer *b, const struct fracs *f) {
    write_u8(b, (uint8_t)f->least);
    write_u8(b, (uint8_t)f->bits);
    write_packed_codes(b, f, frac_code, f->rows, f->bits);
}

static void write_fracs(struct buffer *b, const struct fracs *f, bool packed) {
    if (packed && f->rows > 1) {
        write_packed(b, f);
        return;
    }
    for (uint32_t r = 0; r < f->rows; r++) {
        write_u8(b, (uint8_t)frac_of(f, r));
    }
}

/* Both kinds packed, or neither, as is smaller. */
static void write_all_fracs(struct buffer *b, const struct pare_weights *weights, const struct pare_bias *bias,
                            uint8_t *flags) {
    struct fracs w = fracs_of(weights->frac, weights->frac_per_row, weights->frac_bits, weights->rows);
    struct fracs c = fracs_of(bias->frac, bias->frac_per_row, bias->frac_bits, weights->rows);
    bool with_bias = bias->bits > 0;
    size_t plain = w.rows + (with_bias ? c.rows : 0), size = packed_size(&w) + (with_bias ? packed_size(&c) : 0);
    bool packed = size < plain && can_be_packed(&w) && (!with_bias || can_be_packed(&c));
    *flags |= packed ? PARE_OP_PACKED_FRACS : 0;
    write_fracs(b, &w, packed);
    if (with_bias) {
        write_fracs(b, &c, packed);
    }
}

static enum pare_status write_coefficients(struct file_writer *w, const struct pare_op *op, uint8_t *flags) {
    const struct pare_weights *weights = &op->weights;
    const struct pare_bias *bias = &op->bias;
    struct buffer *b = &w->parameters;
    bool whole;
    b->size = 0;
    TRY(write_weights(w, weights, &whole));
    *flags |= whole ? PARE_OP_WHOLE_BYTE_ROWS : 0;
    *flags |= weights->frac != NULL && weights->frac_per_row ? PARE_OP_WEIGHT_FRAC_PER_ROW : 0;
    if (bias->bits > 0) {
        write_bytes(b, bias->data, (size_t)(((uint64_t)weights->rows * bias->bits + 7) / 8));
    }
    write_all_fracs(b, weights, bias, flags);
    if (bias->bits > 0) {
        *flags |= bias->frac != NULL && bias->frac_per_row ? PARE_OP_BIAS_FRAC_PER_ROW : 0;
    }
    return b->failed ? fail_memory(w->ctx) : PARE_OK;
}

/* ---- operators ---- */

static bool has_weights(const struct pare_op *op) {
    return op->kind == PARE_CONV || op->kind == PARE_CONV_TRANSPOSE || op->kind == PARE_DENSE || op->kind == PARE_PRELU;
}

static enum pare_status check_bounds(struct file_writer *w, const struct pare_op *op, int32_t smallest) {
    bool inside =
        op->low >= smallest && op->high >= smallest && op->low <= op->high && op->high - smallest <= UINT16_MAX;
    return inside ? PARE_OK : fail(w->ctx, PARE_ERROR_INTERNAL, "its bounds lie outside of the output's format");
}

enum pare_status file_write_op(struct file_writer *w, const struct pare_op *op) {
    const struct pare_value *y = &w->program->values[op->output];
    int32_t smallest = code_min(y->bits, y->is_signed);
    uint8_t flags = PARE_OP_TERSE | (op->wide ? PARE_OP_WIDE : 0) | (op->zero != NULL ? PARE_OP_INPUT_ZERO : 0);
    uint32_t parameters = 0, coefficients = 0;
    TRY(check_bounds(w, op, smallest));
    w->parameters.size = 0;
    TRY(write_parameters(w, op));
    TRY(w->parameters.failed ? fail_memory(w->ctx) : PARE_OK);
    TRY(file_place_block(w, w->parameters.data, w->parameters.size, 1, &parameters));
    if (has_weights(op)) {
        TRY(write_coefficients(w, op, &flags));
        TRY(file_place_block(w, w->parameters.data, w->parameters.size, 4, &coefficients));
    }
    bool listed = op->kind == PARE_CONCAT;
    write_u8(&w->ops, op->kind);
    write_u8(&w->ops, flags);
    write_u8(&w->ops, op->input_count);
    write_u8(&w->ops, has_weights(op) ? op->weights.bits : 0);
    write_u8(&w->ops, has_weights(op) ? op->bias.bits : 0);
    write_u8(&w->ops, 0);
    write_u16(&w->ops, (uint16_t)w->index[op->output]);
    write_u16(&w->ops, (uint16_t)(listed ? 0 : w->index[op->inputs[0]]));
    write_u16(&w->ops, (uint16_t)(listed || op->input_count < 2 ? 0 : w->index[op->inputs[1]]));
    write_u16(&w->ops, (uint16_t)(op->low - smallest));
    write_u16(&w->ops, (uint16_t)(op->high - smallest));
    write_u32(&w->ops, parameters);
    write_u32(&w->ops, coefficients);
    return PARE_OK;
}
