/* Operators of a .pare file: records, parameters, coefficients. */
#include "fixed/file_writer.h"
#include "runtime/codes.h"
#include "runtime/format.h"

/* ---- parameters ---- */

static void write_array(struct buffer *b, const uint32_t *v, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        write_number(b, v[i]);
    }
}

static void write_signed(struct buffer *b, int32_t number) {
    write_number(b, number < 0 ? ~(uint32_t)number << 1 | 1 : (uint32_t)number << 1);
}

static void write_signed_array(struct buffer *b, const int32_t *v, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        write_signed(b, v[i]);
    }
}

/* Whether the sizes of the window are those of a shape. */
static bool has_sizes(const struct pare_value *v, uint32_t channels, uint32_t height, uint32_t width) {
    return (v->rank == 4 && v->dims[1] == channels && v->dims[2] == height && v->dims[3] == width) ||
           (v->rank == 3 && v->dims[1] == channels && height == 1 && v->dims[2] == width);
}

static bool says_sizes(const struct file_writer *w, const struct pare_op *op) {
    const struct pare_value *x = &w->program->values[op->inputs[0]], *y = &w->program->values[op->output];
    const struct pare_window *p = &op->u.window;
    return !has_sizes(x, p->in_c, p->in_h, p->in_w) || !has_sizes(y, p->out_c, p->out_h, p->out_w);
}

static enum pare_status write_window(struct file_writer *w, const struct pare_op *op) {
    struct buffer *b = &w->block;
    const struct pare_window *p = &op->u.window;
    const uint32_t fields[] = {p->kernel_h,   p->kernel_w,   p->stride_h, p->stride_w,
                               p->dilation_h, p->dilation_w, p->pad_top,  p->pad_left,
                               p->pad_bottom, p->pad_right,  p->group,    p->count_include_pad};
    if (says_sizes(w, op)) {
        write_array(b, (const uint32_t[]){p->in_c, p->in_h, p->in_w, p->out_c, p->out_h, p->out_w}, 6);
    }
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (fields[i] > UINT16_MAX) {
            return fail(w->ctx, PARE_ERROR_UNSUPPORTED, "a kernel, stride, dilation, padding or group is above 65535");
        }
        write_number(b, fields[i]);
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
    write_number(b, op->u.binary.subtract);
    write_number(b, rank);
    write_array(b, op->u.binary.dims, rank);
    write_array(b, op->u.binary.stride[0], rank);
    write_array(b, op->u.binary.stride[1], rank);
}

static void write_concat(struct buffer *b, const struct pare_op *op) {
    write_array(b, op->u.concat.size, op->input_count);
    write_number(b, op->u.concat.outer);
    write_number(b, op->u.concat.inner);
}

static void write_copy(struct buffer *b, const struct pare_op *op) {
    uint32_t rank = op->u.copy.rank;
    write_number(b, op->u.copy.fill);
    write_signed(b, op->u.copy.fill_code);
    write_number(b, op->u.copy.in_base);
    write_number(b, op->u.copy.out_base);
    write_number(b, rank);
    write_array(b, op->u.copy.dims, rank);
    write_signed_array(b, op->u.copy.in_stride, rank);
    write_signed_array(b, op->u.copy.out_stride, rank);
}

static enum pare_status write_parameters(struct file_writer *w, const struct pare_op *op) {
    struct buffer *b = &w->block;
    switch ((enum pare_kind)op->kind) {
    case PARE_CONV:
    case PARE_CONV_TRANSPOSE:
    case PARE_MAX_POOL:
    case PARE_AVERAGE_POOL:
        return write_window(w, op);
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
        write_concat(b, op);
        return PARE_OK;
    case PARE_REDUCE_MEAN:
        write_array(b, (const uint32_t[]){op->u.reduce.outer, op->u.reduce.reduced, op->u.reduce.inner}, 3);
        return PARE_OK;
    case PARE_COPY:
        write_copy(b, op);
        return PARE_OK;
    case PARE_GATHER:
        write_array(
            b, (const uint32_t[]){op->u.gather.outer, op->u.gather.in_axis, op->u.gather.out_axis, op->u.gather.inner},
            4);
        return PARE_OK;
    case PARE_TABLE:
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
static void write_rows_without_gaps(struct buffer *b, const struct pare_weights *weights) {
    size_t bits = 0;
    uint8_t byte = 0;
    for (uint32_t r = 0; r < weights->rows; r++) {
        struct weight_row row = weight_row(weights, r);
        for (uint64_t i = 0; i < (uint64_t)weights->columns * weights->bits; i++) {
            uint64_t from = row.first_bit + i;
            byte |= (uint8_t)((row.data[from >> 3] >> (from & 7) & 1) << (bits & 7));
            if ((++bits & 7) == 0) {
                write_u8(b, byte);
                byte = 0;
            }
        }
    }
    if ((bits & 7) != 0) {
        write_u8(b, byte);
    }
}

/* Whether rows begin at whole bytes in a way that the file must say. */
static bool has_whole_rows(const struct pare_weights *weights) {
    uint64_t exact = (uint64_t)weights->columns * weights->bits, padded = (exact + 7) / 8 * 8;
    return weights->bits > 0 && padded != exact && weights->row_bits == padded;
}

static void write_weights(struct buffer *b, const struct pare_weights *weights) {
    uint64_t exact = (uint64_t)weights->columns * weights->bits;
    if (weights->row_bits == exact || has_whole_rows(weights)) {
        write_bytes(b, weights->data, (size_t)(((uint64_t)weights->rows * weights->row_bits + 7) / 8));
    } else if (weights->bits > 0) {
        write_rows_without_gaps(b, weights);
    }
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
    struct fracs f = {frac, per_row, packed_bits, frac != NULL && per_row ? rows : 1, 0, 0};
    int most = f.least = frac_of(&f, 0);
    for (uint32_t r = 1; r < f.rows; r++) {
        int each = frac_of(&f, r);
        f.least = each < f.least ? each : f.least;
        most = each > most ? each : most;
    }
    while (most - f.least >= 1 << f.bits || f.bits == 7) { /* no file says 7 */
        f.bits++;
    }
    int room = INT8_MAX - (1 << f.bits) + 1; /* no more than 127 may be said */
    f.least = f.least < room ? f.least : room;
    return f;
}

static int32_t frac_code(const void *fracs, uint32_t row) {
    const struct fracs *f = fracs;
    return frac_of(f, row) - f->least;
}

static unsigned frac_format(const struct fracs *f) {
    return (f->bits == 8 ? PARE_FRAC_BITS_CODE_OF_8 : f->bits) << PARE_FRAC_BITS_SHIFT;
}

static void write_fracs(struct buffer *b, const struct fracs *f) {
    write_u8(b, (uint8_t)f->least);
    write_packed_codes(b, f, frac_code, f->rows, f->bits);
}

/* A width that says one less, or 0 for none. */
static unsigned width_code(unsigned bits) {
    return bits - (bits > 0);
}

static enum pare_status write_coefficients(struct file_writer *w, const struct pare_op *op) {
    const struct pare_weights *weights = &op->weights;
    const struct pare_bias *bias = &op->bias;
    struct fracs weight = fracs_of(weights->frac, weights->frac_per_row, weights->frac_bits, weights->rows);
    struct fracs of_bias =
        fracs_of(bias->frac, bias->frac_per_row, bias->frac_bits, bias->bits > 0 ? weights->rows : 1);
    struct buffer *b = &w->block;
    unsigned whole = has_whole_rows(weights) ? PARE_WHOLE_BYTE_ROWS : 0;
    write_u8(b, (uint8_t)(width_code(weights->bits) | whole | frac_format(&weight)));
    write_u8(b, (uint8_t)(width_code(bias->bits) | frac_format(&of_bias)));
    write_weights(b, weights);
    write_bytes(b, bias->data, (size_t)(((uint64_t)weights->rows * bias->bits + 7) / 8));
    write_fracs(b, &weight);
    if (bias->bits > 0) {
        write_fracs(b, &of_bias);
    }
    write_zeros(b, op);
    return b->failed ? fail_memory(w->ctx) : PARE_OK;
}

static enum pare_status place_op_data(struct file_writer *w, const struct pare_op *op, uint32_t *offset) {
    const struct pare_value *x = &w->program->values[op->inputs[0]], *y = &w->program->values[op->output];
    *offset = 0;
    if (pare_kind_has_weights(op->kind)) {
        w->block.size = 0;
        TRY(write_coefficients(w, op));
        return file_place_data(w, w->block.data, w->block.size, offset);
    }
    if (op->kind == PARE_TABLE) {
        return file_place_data(w, op->u.table.entries, (size_t)storage_size(y->storage) << x->bits, offset);
    }
    if (op->kind == PARE_GATHER) {
        return file_place_data(w, op->u.gather.indices, (size_t)op->u.gather.out_axis * 4, offset);
    }
    return PARE_OK;
}

/* ---- operators ---- */

static enum pare_status check_bounds(struct file_writer *w, const struct pare_op *op, int32_t smallest) {
    bool inside =
        op->low >= smallest && op->high >= smallest && op->low <= op->high && op->high - smallest <= UINT16_MAX;
    return inside ? PARE_OK : fail(w->ctx, PARE_ERROR_INTERNAL, "its bounds lie outside of the output's format");
}

static bool says_bounds(const struct pare_op *op, const struct pare_value *y) {
    return op->low != code_min(y->bits, y->is_signed) || op->high != code_max(y->bits, y->is_signed);
}

static uint8_t record_flags(const struct file_writer *w, const struct pare_op *op) {
    return (uint8_t)((op->wide ? PARE_OP_WIDE : 0) | (op->zero != NULL ? PARE_OP_INPUT_ZERO : 0) |
                     (says_bounds(op, &w->program->values[op->output]) ? PARE_OP_BOUNDS : 0) |
                     (op->kind == PARE_CONV && op->input_count == 2 ? PARE_OP_ADDEND : 0) |
                     (pare_kind_has_window(op->kind) && says_sizes(w, op) ? PARE_OP_SIZES : 0));
}

/* How many values before the output an input is; 0 where the record does not say it. */
static uint8_t input_in_record(const struct file_writer *w, const struct pare_op *op, uint32_t input) {
    uint32_t before = input < op->input_count ? w->index[op->output] - w->index[op->inputs[input]] : 0;
    return op->kind != PARE_CONCAT && before <= UINT8_MAX ? (uint8_t)before : 0;
}

static void write_inputs(struct file_writer *w, const struct pare_op *op) {
    if (op->kind == PARE_CONCAT) {
        write_number(&w->block, op->input_count);
    }
    for (uint32_t i = 0; i < op->input_count; i++) {
        if (input_in_record(w, op, i) == 0) {
            write_number(&w->block, w->index[op->inputs[i]]);
        }
    }
}

static enum pare_status place_parameters(struct file_writer *w, const struct pare_op *op, uint16_t *offset) {
    const struct pare_value *y = &w->program->values[op->output];
    int32_t smallest = code_min(y->bits, y->is_signed);
    TRY(check_bounds(w, op, smallest));
    w->block.size = 0;
    write_inputs(w, op);
    if (says_bounds(op, y)) {
        write_number(&w->block, (uint32_t)(op->low - smallest));
        write_number(&w->block, (uint32_t)(op->high - smallest));
    }
    TRY(write_parameters(w, op));
    return file_place_numbers(w, offset);
}

enum pare_status file_write_op(struct file_writer *w, const struct pare_op *op) {
    uint16_t parameters;
    uint32_t data;
    TRY(place_parameters(w, op, &parameters));
    TRY(place_op_data(w, op, &data));
    write_u8(&w->ops, op->kind);
    write_u8(&w->ops, record_flags(w, op));
    write_u8(&w->ops, input_in_record(w, op, 0));
    write_u8(&w->ops, input_in_record(w, op, 1));
    write_u16(&w->ops, parameters);
    write_u32(&w->ops, data);
    return PARE_OK;
}
