/* Writes a program as a .pare file; runtime/format.h is the specification. */
#include "fixed/lifetimes.h"
#include "runtime/codes.h"
#include "runtime/format.h"
#include "runtime/model.h"

#include <string.h>

/* Bytes already in the data section, which equal ones may share. */
struct block {
    uint64_t hash;
    uint32_t offset, size;
};

struct writer {
    struct context *ctx;
    const struct program *program;
    struct arena scratch;
    struct lifetime *lives;
    uint32_t *index;      /* of each value of the program in the file; unused ones are left out */
    uint32_t value_count; /* in the file */
    struct block *blocks; /* three per value or operator at most */
    size_t block_count;
    struct buffer values, ops, ports, data, names;
    struct buffer parameters; /* of the operator at hand */
};

static const char *op_name(const struct program *p, uint32_t i) {
    return p->op_names != NULL && p->op_names[i] != NULL ? p->op_names[i] : "an operator without a name";
}

/* ---- the data section ---- */

static enum pare_status place_block(struct writer *w, const void *bytes, size_t size, uint32_t *offset) {
    uint64_t hash = hash_of(bytes, size, 0);
    *offset = 0;
    for (size_t i = 0; i < w->block_count; i++) {
        const struct block *b = &w->blocks[i];
        if (b->hash == hash && b->size == size && memcmp(w->data.data + b->offset, bytes, size) == 0) {
            *offset = b->offset;
            return PARE_OK;
        }
    }
    if (size == 0) {
        return PARE_OK;
    }
    write_align(&w->data, 4);
    if (size > UINT32_MAX || w->data.size > UINT32_MAX - size) {
        return fail(w->ctx, PARE_ERROR_UNSUPPORTED, "a compact file cannot be larger than 4 GB");
    }
    *offset = (uint32_t)w->data.size;
    w->blocks[w->block_count++] = (struct block){hash, *offset, (uint32_t)size};
    write_bytes(&w->data, bytes, size);
    return w->data.failed ? fail_memory(w->ctx) : PARE_OK;
}

/* ---- values ---- */

static enum pare_status write_value(struct writer *w, uint32_t v) {
    const struct pare_value *value = &w->program->values[v];
    uint32_t offset = value->offset, dims = 0;
    struct buffer *b = &w->parameters;
    b->size = 0;
    for (unsigned i = 0; i < value->rank; i++) {
        write_u32(b, value->dims[i]);
    }
    if (b->failed) {
        return fail_memory(w->ctx);
    }
    TRY(place_block(w, b->data, b->size, &dims));
    bool constant = value->constant != NULL;
    if (constant) {
        TRY(place_block(w, value->constant, value_size(value), &offset));
    }
    write_u8(&w->values, value->storage);
    write_u8(&w->values, value->bits);
    write_u8(&w->values, (uint8_t)((value->is_signed ? PARE_VALUE_SIGNED : 0) | (constant ? PARE_VALUE_CONSTANT : 0)));
    write_u8(&w->values, value->rank);
    write_u16(&w->values, (uint16_t)value->frac);
    write_u16(&w->values, (uint16_t)(constant ? 0 : w->lives[v].first));
    write_u16(&w->values, (uint16_t)(constant ? 0 : w->lives[v].last));
    write_u16(&w->values, 0);
    write_u32(&w->values, offset);
    write_u32(&w->values, dims);
    return PARE_OK;
}

static enum pare_status write_values(struct writer *w) {
    for (uint32_t v = 0; v < w->program->value_count; v++) {
        w->index[v] = w->value_count;
        if (w->lives[v].used) {
            TRY(write_value(w, v));
            w->value_count++;
        }
    }
    return PARE_OK;
}

/* ---- parameters ---- */

static void write_array(struct buffer *b, const uint32_t *v, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        write_u32(b, v[i]);
    }
}

static void write_signed_array(struct buffer *b, const int32_t *v, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        write_u32(b, (uint32_t)v[i]);
    }
}

static enum pare_status write_window(struct writer *w, const struct pare_window *p) {
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
        write_u16(b, (uint16_t)small[i]);
    }
    return PARE_OK;
}

static void write_binary(struct buffer *b, const struct pare_op *op) {
    uint32_t rank = op->u.binary.rank;
    write_u32(b, op->u.binary.subtract);
    write_u32(b, rank);
    write_array(b, op->u.binary.dims, rank);
    write_array(b, op->u.binary.stride[0], rank);
    write_array(b, op->u.binary.stride[1], rank);
}

static void write_concat(struct writer *w, const struct pare_op *op) {
    struct buffer *b = &w->parameters;
    write_u32(b, op->u.concat.outer);
    write_u32(b, op->u.concat.inner);
    write_array(b, op->u.concat.size, op->input_count);
    for (uint32_t i = 0; i < op->input_count; i++) {
        write_u16(b, (uint16_t)w->index[op->inputs[i]]);
    }
}

static void write_copy(struct buffer *b, const struct pare_op *op) {
    uint32_t rank = op->u.copy.rank;
    write_u32(b, op->u.copy.fill);
    write_u32(b, (uint32_t)op->u.copy.fill_code);
    write_u32(b, op->u.copy.in_base);
    write_u32(b, op->u.copy.out_base);
    write_u32(b, rank);
    write_array(b, op->u.copy.dims, rank);
    write_signed_array(b, op->u.copy.in_stride, rank);
    write_signed_array(b, op->u.copy.out_stride, rank);
}

static enum pare_status write_parameters(struct writer *w, const struct pare_op *op) {
    struct buffer *b = &w->parameters;
    const struct pare_value *x = &w->program->values[op->inputs[0]], *y = &w->program->values[op->output];
    switch ((enum pare_kind)op->kind) {
    case PARE_CONV:
    case PARE_CONV_TRANSPOSE:
    case PARE_MAX_POOL:
    case PARE_AVERAGE_POOL:
        return write_window(w, &op->u.window);
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
static enum pare_status write_repacked(struct writer *w, const struct pare_weights *weights) {
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
static enum pare_status write_weights(struct writer *w, const struct pare_weights *weights, bool *whole) {
    uint64_t exact = (uint64_t)weights->columns * weights->bits, padded = (exact + 7) / 8 * 8;
    *whole = weights->bits > 0 && padded != exact && weights->row_bits == padded;
    if (weights->bits == 0) {
        return PARE_OK;
    }
    if (weights->row_bits != exact && !*whole) {
        return write_repacked(w, weights);
    }
    write_bytes(&w->parameters, weights->data, (size_t)(((uint64_t)weights->rows * weights->row_bits + 7) / 8));
    return PARE_OK;
}

static void write_fracs(struct buffer *b, const int8_t *frac, bool per_row, uint32_t rows) {
    if (frac == NULL) {
        write_u8(b, 0);
    } else {
        write_bytes(b, frac, per_row ? rows : 1);
    }
}

static enum pare_status write_coefficients(struct writer *w, const struct pare_op *op, uint8_t *flags) {
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
    write_fracs(b, weights->frac, weights->frac_per_row, weights->rows);
    if (bias->bits > 0) {
        write_fracs(b, bias->frac, bias->frac_per_row, weights->rows);
        *flags |= bias->frac != NULL && bias->frac_per_row ? PARE_OP_BIAS_FRAC_PER_ROW : 0;
    }
    return b->failed ? fail_memory(w->ctx) : PARE_OK;
}

/* ---- operators ---- */

static bool has_weights(const struct pare_op *op) {
    return op->kind == PARE_CONV || op->kind == PARE_CONV_TRANSPOSE || op->kind == PARE_DENSE || op->kind == PARE_PRELU;
}

static enum pare_status check_bounds(struct writer *w, const struct pare_op *op, int32_t smallest) {
    bool inside =
        op->low >= smallest && op->high >= smallest && op->low <= op->high && op->high - smallest <= UINT16_MAX;
    return inside ? PARE_OK : fail(w->ctx, PARE_ERROR_INTERNAL, "its bounds lie outside of the output's format");
}

static enum pare_status write_op(struct writer *w, const struct pare_op *op) {
    const struct pare_value *y = &w->program->values[op->output];
    int32_t smallest = code_min(y->bits, y->is_signed);
    uint8_t flags = op->wide ? PARE_OP_WIDE : 0;
    uint32_t parameters = 0, coefficients = 0;
    TRY(check_bounds(w, op, smallest));
    w->parameters.size = 0;
    TRY(write_parameters(w, op));
    TRY(w->parameters.failed ? fail_memory(w->ctx) : PARE_OK);
    TRY(place_block(w, w->parameters.data, w->parameters.size, &parameters));
    if (has_weights(op)) {
        TRY(write_coefficients(w, op, &flags));
        TRY(place_block(w, w->parameters.data, w->parameters.size, &coefficients));
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

static enum pare_status write_ops(struct writer *w) {
    for (uint32_t i = 0; i < w->program->op_count; i++) {
        if (write_op(w, &w->program->ops[i]) != PARE_OK) {
            return fail_at(w->ctx, "%s", op_name(w->program, i));
        }
    }
    return PARE_OK;
}

/* ---- ports, names ---- */

static void write_ports(struct writer *w) {
    const struct program *p = w->program;
    for (uint32_t i = 0; i < p->input_count; i++) {
        write_u16(&w->ports, (uint16_t)w->index[p->inputs[i]]);
    }
    for (uint32_t i = 0; i < p->output_count; i++) {
        write_u16(&w->ports, (uint16_t)w->index[p->outputs[i]]);
    }
    write_align(&w->ports, 4);
}

static void write_name(struct buffer *b, const char *name) {
    write_bytes(b, name != NULL ? name : "", name != NULL ? strlen(name) + 1 : 1);
}

static void write_names(struct writer *w) {
    const struct program *p = w->program;
    if (p->value_names == NULL || p->op_names == NULL || p->op_types == NULL) {
        return;
    }
    for (uint32_t v = 0; v < p->value_count; v++) {
        if (w->lives[v].used) {
            write_name(&w->names, p->value_names[v]);
        }
    }
    for (uint32_t i = 0; i < p->op_count; i++) {
        write_name(&w->names, p->op_names[i]);
        write_name(&w->names, p->op_types[i]);
    }
}

/* ---- the file ---- */

static uint32_t arena_size(const struct writer *w) {
    size_t end = 0;
    for (uint32_t v = 0; v < w->program->value_count; v++) {
        const struct pare_value *value = &w->program->values[v];
        if (value_in_arena(value, &w->lives[v]) && value->offset + value_size(value) > end) {
            end = value->offset + value_size(value);
        }
    }
    return end > UINT32_MAX ? UINT32_MAX : (uint32_t)end;
}

static void put_u32(uint8_t *field, uint32_t v) {
    for (int i = 0; i < 4; i++) {
        field[i] = (uint8_t)(v >> 8 * i & 0xff);
    }
}

static enum pare_status assemble(struct writer *w, struct buffer *out) {
    const struct program *p = w->program;
    size_t metadata_size = p->metadata == NULL ? 0 : strlen(p->metadata);
    const struct buffer *sections[] = {&w->values, &w->ops, &w->ports, &w->data, &w->names};
    size_t offset[6], at = sizeof(struct pare_file_header);
    for (int i = 0; i < 5; i++) {
        offset[i] = at;
        if (sections[i]->failed || !size_add(at, sections[i]->size, &at)) {
            return fail_memory(w->ctx);
        }
    }
    offset[5] = at;
    if (metadata_size > UINT32_MAX || at > UINT32_MAX - metadata_size) {
        return fail(w->ctx, PARE_ERROR_UNSUPPORTED, "a compact file cannot be larger than 4 GB");
    }
    size_t begin = out->size;
    write_bytes(out, "PARE", 4);
    write_u16(out, PARE_FORMAT_MAJOR);
    write_u16(out, PARE_FORMAT_MINOR);
    write_u32(out, (uint32_t)(at + metadata_size));
    write_u32(out, 0);
    write_u32(out, arena_size(w));
    write_u16(out, (uint16_t)w->value_count);
    write_u16(out, (uint16_t)p->op_count);
    write_u16(out, (uint16_t)p->input_count);
    write_u16(out, (uint16_t)p->output_count);
    for (int i = 0; i < 4; i++) {
        write_u32(out, (uint32_t)offset[i]);
    }
    write_u32(out, (uint32_t)w->data.size);
    write_u32(out, (uint32_t)offset[4]);
    write_u32(out, (uint32_t)w->names.size);
    write_u32(out, (uint32_t)offset[5]);
    write_u32(out, (uint32_t)metadata_size);
    for (int i = 0; i < 5; i++) {
        write_bytes(out, sections[i]->data, sections[i]->size);
    }
    write_bytes(out, p->metadata, metadata_size);
    if (out->failed) {
        return fail_memory(w->ctx);
    }
    struct pare_file_header *header = (struct pare_file_header *)(void *)(out->data + begin);
    size_t size = out->size - begin;
    put_u32(header->crc32, pare_crc32(out->data + begin + PARE_CRC_BEGIN, size - PARE_CRC_BEGIN));
    return PARE_OK;
}

/* What was written is opened as any reader will. */
static enum pare_status verify(struct writer *w, const struct buffer *out, size_t begin) {
    struct pare_model model;
    void *copy = arena_alloc(&w->scratch, out->size - begin);
    if (copy == NULL) {
        return fail_memory(w->ctx);
    }
    memcpy(copy, out->data + begin, out->size - begin);
    if (pare_model_open(copy, out->size - begin, &model) == PARE_OK) {
        return PARE_OK;
    }
    const char *name = model.in_operator ? op_name(w->program, model.place) : "the compact file";
    return fail(w->ctx, PARE_ERROR_INTERNAL, "%s: %s", name, model.problem);
}

static enum pare_status check_steps(struct context *ctx, const struct program *p) {
    struct buffer names;
    buffer_init(&names);
    for (uint32_t i = 0; i < p->op_count; i++) {
        if (p->ops[i].kind == PARE_HOST) {
            write_format(&names, "%s%s (%s)", names.size > 0 ? ", " : "", op_name(p, i),
                         p->op_types != NULL ? p->op_types[i] : "float");
        }
    }
    enum pare_status status = PARE_OK;
    if (names.failed) {
        status = fail_memory(ctx);
    } else if (names.size > 0) {
        status = fail(ctx, PARE_ERROR_UNSUPPORTED,
                      "a compact file holds integer operators only, and these stay in float: %.*s", (int)names.size,
                      (const char *)names.data);
    }
    buffer_free(&names);
    return status;
}

static enum pare_status check_size(struct context *ctx, const struct program *p) {
    bool fits = p->value_count <= PARE_MAX_VALUES && p->op_count <= PARE_MAX_VALUES &&
                p->input_count <= PARE_MAX_PORTS && p->output_count <= PARE_MAX_PORTS;
    return fits ? PARE_OK
                : fail(ctx, PARE_ERROR_UNSUPPORTED,
                       "a compact file has at most %d values and operators, and %d inputs and outputs", PARE_MAX_VALUES,
                       PARE_MAX_PORTS);
}

static enum pare_status write_program(struct writer *w, struct buffer *out) {
    const struct program *p = w->program;
    size_t begin = out->size;
    w->lives = program_lifetimes(p, &w->scratch);
    w->index = ARENA_ARRAY(&w->scratch, p->value_count, uint32_t);
    w->blocks = ARENA_ARRAY(&w->scratch, 2 * ((size_t)p->value_count + p->op_count), struct block);
    if (w->lives == NULL || w->index == NULL || w->blocks == NULL) {
        return fail_memory(w->ctx);
    }
    TRY(write_values(w));
    TRY(write_ops(w));
    write_ports(w);
    write_names(w);
    TRY(assemble(w, out));
    return verify(w, out, begin);
}

enum pare_status program_write(struct context *ctx, const struct program *p, struct buffer *out) {
    struct writer w = {.ctx = ctx, .program = p};
    struct buffer *const buffers[] = {&w.values, &w.ops, &w.ports, &w.data, &w.names, &w.parameters};
    TRY(check_steps(ctx, p));
    TRY(check_size(ctx, p));
    arena_init(&w.scratch);
    for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++) {
        buffer_init(buffers[i]);
    }
    enum pare_status status = write_program(&w, out);
    for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++) {
        buffer_free(buffers[i]);
    }
    arena_free(&w.scratch);
    return status;
}
