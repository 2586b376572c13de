/* Writes a program as a .pare file; runtime/format.h is the specification. */
#include "fixed/file_writer.h"
#include "fixed/text_section.h"
#include "runtime/codes.h"
#include "runtime/format.h"
#include "runtime/model.h"

#include <string.h>

static const char *op_name(const struct program *p, uint32_t i) {
    return p->op_names != NULL && p->op_names[i] != NULL ? p->op_names[i] : "an operator without a name";
}

/* ---- blocks ---- */

static enum pare_status place_block(struct file_writer *w, struct block_section *section, const void *bytes,
                                    size_t size, uint32_t *offset) {
    uint64_t hash = hash_of(bytes, size, 0);
    *offset = 0;
    for (size_t i = 0; i < section->count; i++) {
        const struct block *b = &section->blocks[i];
        if (b->hash == hash && b->size == size && memcmp(section->bytes.data + b->offset, bytes, size) == 0) {
            *offset = b->offset;
            return PARE_OK;
        }
    }
    if (size == 0) {
        return PARE_OK;
    }
    if (size > UINT32_MAX || section->bytes.size > UINT32_MAX - size) {
        return fail(w->ctx, PARE_ERROR_UNSUPPORTED, "a compact file cannot be larger than 4 GB");
    }
    *offset = (uint32_t)section->bytes.size;
    section->blocks[section->count++] = (struct block){hash, *offset, (uint32_t)size};
    write_bytes(&section->bytes, bytes, size);
    return section->bytes.failed ? fail_memory(w->ctx) : PARE_OK;
}

enum pare_status file_place_numbers(struct file_writer *w, uint16_t *offset) {
    uint32_t at = 0;
    TRY(w->block.failed ? fail_memory(w->ctx) : PARE_OK);
    TRY(place_block(w, &w->numbers, w->block.data, w->block.size, &at));
    *offset = (uint16_t)at;
    return at <= UINT16_MAX
               ? PARE_OK
               : fail(
                     w->ctx, PARE_ERROR_UNSUPPORTED,
                     "a compact file has room for 64 KB of shapes and of sizes of operators, and these are more: split "
                     "the network, or write it as ONNX");
}

enum pare_status file_place_data(struct file_writer *w, const void *bytes, size_t size, uint32_t *offset) {
    return place_block(w, &w->data, bytes, size, offset);
}

void write_number(struct buffer *b, uint32_t number) {
    for (; number >= 0x80; number >>= 7) {
        write_u8(b, (uint8_t)(number | 0x80));
    }
    write_u8(b, (uint8_t)number);
}

/* ---- values ---- */

static enum pare_status place_dims(struct file_writer *w, const struct pare_value *value, uint16_t *offset) {
    w->block.size = 0;
    write_number(&w->block, value->rank);
    for (unsigned i = 0; i < value->rank; i++) {
        write_number(&w->block, value->dims[i]);
    }
    return file_place_numbers(w, offset);
}

static enum pare_status write_value(struct file_writer *w, uint32_t v) {
    const struct pare_value *value = &w->program->values[v];
    uint32_t offset = value->offset;
    uint16_t dims;
    if (value->frac < INT8_MIN || value->frac > INT8_MAX) {
        return fail(w->ctx, PARE_ERROR_UNSUPPORTED, "a compact file holds fractions of -128 to 127, not %d",
                    value->frac);
    }
    TRY(place_dims(w, value, &dims));
    if (value->constant != NULL) {
        TRY(file_place_data(w, value->constant, value_size(value), &offset));
    }
    write_u8(&w->values, (uint8_t)((value->bits - 1) | (value->is_signed ? PARE_VALUE_SIGNED : 0) |
                                   (storage_size(value->storage) == 2 ? PARE_VALUE_TWO_BYTES : 0)));
    write_u8(&w->values, (uint8_t)value->frac);
    write_u16(&w->values, dims);
    write_u32(&w->values, offset);
    w->index[v] = w->value_count;
    w->value[w->value_count++] = v;
    return PARE_OK;
}

/* Inputs, outputs of operators and constants, in that order. */
static enum pare_status write_values(struct file_writer *w) {
    const struct program *p = w->program;
    for (uint32_t i = 0; i < p->input_count; i++) {
        TRY(write_value(w, p->inputs[i]));
    }
    for (uint32_t i = 0; i < p->op_count; i++) {
        TRY(write_value(w, p->ops[i].output));
    }
    for (uint32_t v = 0; v < p->value_count; v++) {
        if (w->lives[v].used && p->values[v].constant != NULL) {
            TRY(write_value(w, v));
        }
    }
    return PARE_OK;
}

/* ---- operators, outputs, names ---- */

static enum pare_status write_ops(struct file_writer *w) {
    for (uint32_t i = 0; i < w->program->op_count; i++) {
        if (file_write_op(w, &w->program->ops[i]) != PARE_OK) {
            return fail_at(w->ctx, "%s", op_name(w->program, i));
        }
    }
    return PARE_OK;
}

static void write_outputs(struct file_writer *w) {
    const struct program *p = w->program;
    for (uint32_t i = 0; i < p->output_count; i++) {
        write_u16(&w->outputs, (uint16_t)w->index[p->outputs[i]]);
    }
}

static void write_name(struct buffer *b, const char *name) {
    write_bytes(b, name != NULL ? name : "", name != NULL ? strlen(name) + 1 : 1);
}

static enum pare_status write_names(struct file_writer *w) {
    const struct program *p = w->program;
    struct buffer *b = &w->block;
    if (p->value_names == NULL || p->op_names == NULL || p->op_types == NULL) {
        return PARE_OK;
    }
    b->size = 0;
    for (uint32_t i = 0; i < w->value_count; i++) {
        write_name(b, p->value_names[w->value[i]]);
    }
    for (uint32_t i = 0; i < p->op_count; i++) {
        write_name(b, p->op_names[i]);
        write_name(b, p->op_types[i]);
    }
    return b->failed ? fail_memory(w->ctx) : text_section_write(w->ctx, "names", b->data, b->size, &w->names);
}

static enum pare_status write_metadata(struct file_writer *w) {
    const char *text = w->program->metadata;
    return text_section_write(w->ctx, "metadata", text, text == NULL ? 0 : strlen(text), &w->metadata);
}

/* ---- the file ---- */

static uint32_t arena_size(const struct file_writer *w) {
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

static void write_header(const struct file_writer *w, size_t size, struct buffer *out) {
    const struct program *p = w->program;
    write_bytes(out, "PARE", 4);
    write_u16(out, PARE_FORMAT_MAJOR);
    write_u16(out, PARE_FORMAT_MINOR);
    write_u32(out, (uint32_t)size);
    write_u32(out, 0); /* CRC-32 */
    write_u32(out, arena_size(w));
    write_u16(out, (uint16_t)w->value_count);
    write_u16(out, (uint16_t)p->op_count);
    write_u16(out, (uint16_t)p->input_count);
    write_u16(out, (uint16_t)p->output_count);
    write_u32(out, (uint32_t)w->numbers.bytes.size);
    write_u32(out, (uint32_t)w->data.bytes.size);
    write_u32(out, (uint32_t)w->names.size);
    write_u32(out, (uint32_t)w->metadata.size);
}

static enum pare_status assemble(struct file_writer *w, struct buffer *out) {
    const struct buffer *sections[PARE_SECTION_COUNT] = {&w->values,     &w->ops,   &w->outputs, &w->numbers.bytes,
                                                         &w->data.bytes, &w->names, &w->metadata};
    size_t size = sizeof(struct pare_file_header), begin = out->size;
    for (int i = 0; i < PARE_SECTION_COUNT; i++) {
        if (sections[i]->failed || !size_add(size, sections[i]->size, &size)) {
            return fail_memory(w->ctx);
        }
    }
    if (size > UINT32_MAX) {
        return fail(w->ctx, PARE_ERROR_UNSUPPORTED, "a compact file cannot be larger than 4 GB");
    }
    write_header(w, size, out);
    for (int i = 0; i < PARE_SECTION_COUNT; i++) {
        write_bytes(out, sections[i]->data, sections[i]->size);
    }
    if (out->failed) {
        return fail_memory(w->ctx);
    }
    struct pare_file_header *header = (struct pare_file_header *)(void *)(out->data + begin);
    put_u32(header->crc32, pare_crc32(out->data + begin + PARE_CRC_BEGIN, size - PARE_CRC_BEGIN));
    return PARE_OK;
}

/* What was written is opened as any reader will. */
static enum pare_status verify(struct file_writer *w, const struct buffer *out, size_t begin) {
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
    if (model.problem == pare_shares_too_much) {
        return fail(w->ctx, PARE_ERROR_UNSUPPORTED, "%s: %s; split the network, or write it as ONNX", name,
                    model.problem);
    }
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

static enum pare_status write_program(struct file_writer *w, struct buffer *out) {
    const struct program *p = w->program;
    size_t begin = out->size;
    w->lives = program_lifetimes(p, &w->scratch);
    w->index = ARENA_ARRAY(&w->scratch, p->value_count, uint32_t);
    w->value = ARENA_ARRAY(&w->scratch, p->value_count, uint32_t);
    w->numbers.blocks = ARENA_ARRAY(&w->scratch, (size_t)p->value_count + p->op_count, struct block);
    w->data.blocks = ARENA_ARRAY(&w->scratch, (size_t)p->value_count + p->op_count, struct block);
    if (w->lives == NULL || w->index == NULL || w->value == NULL || w->numbers.blocks == NULL ||
        w->data.blocks == NULL) {
        return fail_memory(w->ctx);
    }
    TRY(write_values(w));
    TRY(write_ops(w));
    write_outputs(w);
    TRY(write_names(w));
    TRY(write_metadata(w));
    TRY(assemble(w, out));
    return verify(w, out, begin);
}

enum pare_status program_write(struct context *ctx, const struct program *p, struct buffer *out) {
    struct file_writer w = {.ctx = ctx, .program = p};
    struct buffer *const buffers[] = {&w.values,     &w.ops,   &w.outputs,  &w.numbers.bytes,
                                      &w.data.bytes, &w.names, &w.metadata, &w.block};
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
