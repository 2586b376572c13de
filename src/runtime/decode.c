#include "runtime/codes.h"
#include "runtime/model.h"
#include "runtime/parameters.h"

/* Whether no flag is newer than the file. */
static bool version_has(const struct pare_model *model, unsigned flags, unsigned terse, unsigned packed_fracs) {
    unsigned minor = little_endian16(pare_header(model)->minor, 0);
    unsigned later = (minor < 2 ? terse : 0) | (minor < 1 ? packed_fracs : 0);
    return (flags & later) == 0;
}

/* ---- values ---- */

static bool storage_holds(const struct pare_value *v) {
    bool is_signed = v->storage == PARE_I8 || v->storage == PARE_I16;
    return v->storage <= PARE_I16 && v->bits >= 1 && v->bits <= storage_size(v->storage) * 8 &&
           v->is_signed == is_signed;
}

static bool count_elements(struct pare_value *v) {
    uint64_t count = 1;
    for (unsigned i = 0; i < v->rank; i++) {
        count *= v->dims[i];
        if (count == 0 || count > INT32_MAX) {
            return false;
        }
    }
    v->count = (uint32_t)count;
    return true;
}

static const char *place_value(const struct pare_model *model, const struct pare_file_value *record,
                               struct pare_value *v) {
    uint64_t size = (uint64_t)v->count * storage_size(v->storage);
    if (record->flags & PARE_VALUE_CONSTANT) {
        struct pare_cursor c = pare_cursor_at(model, record->offset, false);
        v->constant = pare_take(&c, size);
        return c.failed ? "a constant lies outside of the data section" : NULL;
    }
    v->offset = little_endian32(record->offset, 0);
    bool inside = v->offset + size <= little_endian32(pare_header(model)->arena_size, 0);
    return inside && v->offset % storage_size(v->storage) == 0 ? NULL : "a value lies outside of the arena";
}

const char *pare_decode_value(const struct pare_model *model, uint32_t index, struct pare_placed_value *out) {
    const uint8_t *records = model->bytes + little_endian32(pare_header(model)->values, 0);
    const struct pare_file_value *record = (const struct pare_file_value *)(const void *)records + index;
    struct pare_value *v = &out->value;
    memset(out, 0, sizeof(*out));
    v->storage = record->storage;
    v->bits = record->bits;
    v->is_signed = (record->flags & PARE_VALUE_SIGNED) != 0;
    v->frac = (int16_t)((little_endian16(record->frac, 0) ^ 0x8000) - 0x8000);
    v->rank = record->rank;
    out->first = little_endian16(record->first, 0);
    out->last = little_endian16(record->last, 0);
    bool known = (record->flags & ~PARE_VALUE_FLAGS) == 0 && version_has(model, record->flags, PARE_VALUE_TERSE, 0);
    if (!storage_holds(v) || !known || v->rank > PARE_MAX_RANK) {
        return "a value has an unknown format";
    }
    struct pare_cursor c = pare_cursor_at(model, record->dims, (record->flags & PARE_VALUE_TERSE) != 0);
    pare_take_array(&c, v->dims, v->rank);
    if (c.failed || !count_elements(v)) {
        return "a value has an impossible shape";
    }
    return place_value(model, record, v);
}

/* ---- coefficients ---- */

static bool has_weights(unsigned kind) {
    return kind == PARE_CONV || kind == PARE_CONV_TRANSPOSE || kind == PARE_DENSE || kind == PARE_PRELU;
}

/* Channels times taps of one output channel; 0 when that is no size. */
static uint32_t window_columns(const struct pare_window *w) {
    if (w->group == 0 || w->in_c % w->group != 0) {
        return 0;
    }
    uint64_t columns = (uint64_t)(w->in_c / w->group) * (w->kernel_h * w->kernel_w);
    return columns > UINT32_MAX ? 0 : (uint32_t)columns;
}

/* One fraction, or one per row, which may be packed. */
static const int8_t *take_fracs(struct pare_cursor *c, bool per_row, bool packed, uint32_t rows, uint8_t *bits) {
    packed = packed && per_row;
    const int8_t *frac = (const int8_t *)pare_take(c, packed ? 2 : per_row ? rows : 1);
    if (packed && frac != NULL) {
        *bits = (uint8_t)frac[1];
        pare_take(c, ((uint64_t)rows * *bits + 7) / 8);
        c->failed = c->failed || *bits < 1 || *bits > 8 || frac[0] + (1 << *bits) - 1 > INT8_MAX;
    }
    return frac;
}

static const char *take_coefficients(const struct pare_model *model, const struct pare_file_op *record,
                                     struct pare_op *op) {
    struct pare_weights *w = &op->weights;
    struct pare_cursor c = pare_cursor_at(model, record->coefficients, false);
    if (op->kind == PARE_CONV || op->kind == PARE_CONV_TRANSPOSE) {
        w->columns = window_columns(&op->u.window);
    }
    uint64_t row_bits = (uint64_t)w->columns * record->weight_bits;
    if (record->flags & PARE_OP_WHOLE_BYTE_ROWS) {
        row_bits = (row_bits + 7) / 8 * 8;
    }
    if (w->columns == 0 || w->rows == 0 || row_bits > UINT32_MAX - 7) {
        return "its weights have an impossible shape";
    }
    w->bits = record->weight_bits;
    w->row_bits = (uint32_t)row_bits;
    w->frac_per_row = (record->flags & PARE_OP_WEIGHT_FRAC_PER_ROW) != 0;
    w->data = pare_take(&c, (w->rows * row_bits + 7) / 8);
    op->bias.bits = record->bias_bits;
    op->bias.frac_per_row = (record->flags & PARE_OP_BIAS_FRAC_PER_ROW) != 0;
    op->bias.data = pare_take(&c, ((uint64_t)w->rows * record->bias_bits + 7) / 8);
    bool packed = (record->flags & PARE_OP_PACKED_FRACS) != 0;
    w->frac = take_fracs(&c, w->frac_per_row, packed, w->rows, &w->frac_bits);
    if (record->bias_bits > 0) {
        op->bias.frac = take_fracs(&c, op->bias.frac_per_row, packed, w->rows, &op->bias.frac_bits);
    }
    return c.failed ? "its weights lie outside of the data section" : NULL;
}

/* ---- operators ---- */

static const char *take_parameters(const struct pare_model *model, const struct pare_file_op *record,
                                   struct pare_op *op) {
    struct pare_cursor c = pare_cursor_at(model, record->parameters, (record->flags & PARE_OP_TERSE) != 0);
    pare_parameter_readers[op->kind](&c, model, op);
    if (record->flags & PARE_OP_INPUT_ZERO) {
        uint32_t bits = c.terse ? pare_take_number(&c, 1) : 16;
        op->zero = pare_take(&c, ((uint64_t)op->u.window.in_c * bits + 7) / 8);
        op->zero_bits = (uint8_t)bits;
        c.failed = c.failed || bits < 1 || bits > 16;
    }
    return c.failed ? "its parameters lie outside of the data section" : NULL;
}

static const char *take_bounds(const struct pare_model *model, const struct pare_file_op *record, struct pare_op *op) {
    struct pare_placed_value y;
    const char *problem = pare_decode_value(model, op->output, &y);
    if (problem == NULL) {
        int32_t smallest = code_min(y.value.bits, y.value.is_signed);
        op->low = smallest + little_endian16(record->low, 0);
        op->high = smallest + little_endian16(record->high, 0);
    }
    return problem;
}

/* The output, and the first two inputs where the block of parameters does not list them. */
static void take_values(const struct pare_file_op *record, struct pare_op *op) {
    op->output = little_endian16(record->output, 0);
    for (uint32_t i = 0; op->kind != PARE_CONCAT && i < op->input_count; i++) {
        op->inputs[i] = little_endian16(record->inputs[i], 0);
    }
}

static const char *check_values(const struct pare_model *model, const struct pare_op *op) {
    uint32_t count = little_endian16(pare_header(model)->value_count, 0);
    bool in_range = op->output < count;
    for (uint32_t i = 0; i < op->input_count; i++) {
        in_range = in_range && op->inputs[i] < count;
    }
    return in_range ? NULL : "it names a value that does not exist";
}

static const char *take_record(const struct pare_model *model, const struct pare_file_op *record, struct pare_op *op) {
    op->kind = record->kind;
    op->wide = (record->flags & PARE_OP_WIDE) != 0;
    op->input_count = record->input_count;
    bool adds = op->kind == PARE_CONV && op->input_count == 2;
    bool known = op->kind < PARE_HOST && (record->flags & ~PARE_OP_FLAGS) == 0 &&
                 version_has(model, record->flags, PARE_OP_TERSE, PARE_OP_PACKED_FRACS) &&
                 (op->kind == PARE_CONV || (record->flags & PARE_OP_INPUT_ZERO) == 0) &&
                 (!adds || little_endian16(pare_header(model)->minor, 0) >= 3);
    if (!known || op->input_count == 0 || op->input_count > (op->kind == PARE_CONCAT ? PARE_MAX_INPUTS : 2)) {
        return "an operator of an unknown kind";
    }
    return pare_parameter_readers[op->kind] != NULL ? NULL : PARE_NOT_BUILT;
}

const char *pare_decode_op(const struct pare_model *model, uint32_t index, struct pare_op *out) {
    const uint8_t *records = model->bytes + little_endian32(pare_header(model)->ops, 0);
    const struct pare_file_op *record = (const struct pare_file_op *)(const void *)records + index;
    memset(out, 0, sizeof(*out));
    const char *problem = take_record(model, record, out);
    if (problem != NULL) {
        return problem;
    }
    take_values(record, out);
    problem = check_values(model, out);
    problem = problem != NULL ? problem : take_parameters(model, record, out);
    problem = problem != NULL ? problem : check_values(model, out);
    problem = problem != NULL ? problem : take_bounds(model, record, out);
    return problem == NULL && has_weights(out->kind) ? take_coefficients(model, record, out) : problem;
}
