#include "runtime/codes.h"
#include "runtime/model.h"
#include "runtime/parameters.h"

/* ---- values ---- */

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

static const char *place_value(const struct pare_model *model, uint32_t offset, bool constant, struct pare_value *v) {
    uint64_t size = (uint64_t)v->count * storage_size(v->storage);
    if (constant) {
        struct pare_cursor c = pare_cursor_at(model, PARE_DATA, offset);
        v->constant = pare_take(&c, size);
        return c.failed ? "a constant lies outside of the data section" : NULL;
    }
    v->offset = offset;
    bool inside = offset + size <= little_endian32(pare_header(model)->arena_size, 0);
    return inside ? NULL : "a value lies outside of the arena";
}

static bool take_format(const struct pare_file_value *record, struct pare_value *v) {
    bool two_bytes = (record->format & PARE_VALUE_TWO_BYTES) != 0;
    v->bits = (uint8_t)((record->format & PARE_VALUE_BITS) + 1);
    v->is_signed = (record->format & PARE_VALUE_SIGNED) != 0;
    v->storage = (uint8_t)((two_bytes ? PARE_U16 : PARE_U8) + (v->is_signed ? 1 : 0));
    v->frac = record->frac;
    return (record->format & ~PARE_VALUE_FORMAT) == 0 && (two_bytes || v->bits <= 8);
}

const char *pare_decode_value(const struct pare_model *model, uint32_t index, struct pare_value *out) {
    const struct pare_file_value *record =
        (const struct pare_file_value *)(const void *)model->section[PARE_VALUES] + index;
    memset(out, 0, sizeof(*out));
    if (!take_format(record, out)) {
        return "a value has an unknown format";
    }
    struct pare_cursor c = pare_cursor_at(model, PARE_NUMBERS, little_endian16(record->dims, 0));
    out->rank = (uint8_t)pare_take_number(&c, PARE_MAX_RANK);
    pare_take_array(&c, out->dims, out->rank);
    if (c.failed || !count_elements(out)) {
        return "a value has an impossible shape";
    }
    return place_value(model, little_endian32(record->offset, 0), index >= pare_first_constant(model), out);
}

/* ---- coefficients ---- */

/* Channels times taps of one output channel; 0 when that is no size. */
static uint32_t window_columns(const struct pare_window *w) {
    if (w->group == 0 || w->in_c % w->group != 0) {
        return 0;
    }
    uint64_t columns = (uint64_t)(w->in_c / w->group) * (w->kernel_h * w->kernel_w);
    return columns > UINT32_MAX ? 0 : (uint32_t)columns;
}

/* `count` codes, bit against bit. */
static const uint8_t *take_packed(struct pare_cursor *c, uint32_t count, unsigned bits) {
    return pare_take(c, ((uint64_t)count * bits + 7) / 8);
}

/* A width that says one less, or 0 for none. */
static uint8_t width_of(unsigned code) {
    return (uint8_t)(code + (code > 0 ? 1 : 0));
}

/* One fraction, or one per row, packed. */
static const int8_t *take_fracs(struct pare_cursor *c, uint32_t rows, unsigned format, uint8_t *bits) {
    unsigned code = format >> PARE_FRAC_BITS_SHIFT;
    *bits = (uint8_t)(code + (code == PARE_FRAC_BITS_CODE_OF_8 ? 1 : 0));
    const int8_t *frac = (const int8_t *)pare_take(c, 1);
    take_packed(c, rows, *bits);
    c->failed = c->failed || *frac + (1 << *bits) - 1 > INT8_MAX;
    return frac;
}

static void take_zero_points(struct pare_cursor *c, struct pare_op *op) {
    const uint8_t *bits = pare_take(c, 1);
    op->zero_bits = bits != NULL ? *bits : 0;
    op->zero = take_packed(c, op->u.window.in_c, op->zero_bits);
    c->failed = c->failed || op->zero_bits == 0 || op->zero_bits > 16;
}

/* Whether only what is there has bits that describe it. */
static bool formats_known(const uint8_t *formats) {
    bool weights = (formats[0] & PARE_WEIGHT_BITS) != 0, bias = (formats[1] & PARE_BIAS_BITS) != 0;
    return (weights || (formats[0] & PARE_WHOLE_BYTE_ROWS) == 0) && (bias || formats[1] == 0);
}

/* Sets how rows of weights lie; false when that is no shape. */
static bool take_rows(unsigned format, struct pare_op *op) {
    struct pare_weights *w = &op->weights;
    if (pare_kind_has_window(op->kind)) {
        w->columns = window_columns(&op->u.window);
    }
    w->bits = width_of(format & PARE_WEIGHT_BITS);
    uint64_t row_bits = (uint64_t)w->columns * w->bits;
    if ((format & PARE_WHOLE_BYTE_ROWS) != 0) {
        row_bits = (row_bits + 7) / 8 * 8;
    }
    w->row_bits = (uint32_t)row_bits;
    return w->columns > 0 && w->rows > 0 && row_bits <= UINT32_MAX - 7;
}

static void take_packed_rows(struct pare_cursor *c, const uint8_t *formats, struct pare_op *op) {
    struct pare_weights *w = &op->weights;
    struct pare_bias *bias = &op->bias;
    w->data = pare_take(c, ((uint64_t)w->rows * w->row_bits + 7) / 8);
    bias->bits = width_of(formats[1] & PARE_BIAS_BITS);
    bias->data = take_packed(c, w->rows, bias->bits);
    w->frac = take_fracs(c, w->rows, formats[0], &w->frac_bits);
    w->frac_per_row = w->frac_bits > 0;
    if (bias->bits > 0) {
        bias->frac = take_fracs(c, w->rows, formats[1], &bias->frac_bits);
        bias->frac_per_row = bias->frac_bits > 0;
    }
}

static const char *take_coefficients(struct pare_cursor *c, bool zero_points, struct pare_op *op) {
    const uint8_t *formats = pare_take(c, 2);
    if (formats != NULL) {
        if (!formats_known(formats) || !take_rows(formats[0], op)) {
            return "its weights have an impossible shape";
        }
        take_packed_rows(c, formats, op);
    }
    if (zero_points) {
        take_zero_points(c, op);
    }
    return c->failed ? "its weights lie outside of the data section" : NULL;
}

/* ---- operators ---- */

/* Channels, height and width of a shape; no channels, which no window allows, where there are no three or four dims. */
static void sizes_of(const struct pare_value *v, uint32_t *channels, uint32_t *height, uint32_t *width) {
    *channels = v->rank == 3 || v->rank == 4 ? v->dims[1] : 0;
    *height = v->rank == 4 ? v->dims[2] : 1;
    *width = v->rank == 4 ? v->dims[3] : v->dims[2];
}

static void take_sizes(struct pare_cursor *c, bool said, const struct pare_value *x, const struct pare_value *y,
                       struct pare_window *w) {
    sizes_of(x, &w->in_c, &w->in_h, &w->in_w);
    sizes_of(y, &w->out_c, &w->out_h, &w->out_w);
    uint32_t *const sizes[] = {&w->in_c, &w->in_h, &w->in_w, &w->out_c, &w->out_h, &w->out_w};
    for (unsigned i = 0; said && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        *sizes[i] = pare_take_u32(c);
    }
}

static void take_bounds(struct pare_cursor *c, bool said, const struct pare_value *y, struct pare_op *op) {
    op->low = code_min(y->bits, y->is_signed);
    op->high = code_max(y->bits, y->is_signed);
    if (said) {
        int32_t smallest = op->low;
        op->low = smallest + (int32_t)pare_take_number(c, UINT16_MAX);
        op->high = smallest + (int32_t)pare_take_number(c, UINT16_MAX);
    }
}

/* How many inputs there are, but of a Concat, which says it. */
static uint8_t input_count(const struct pare_file_op *record) {
    return pare_kind_has_two_inputs(record->kind) || (record->flags & PARE_OP_ADDEND) != 0 ? 2 : 1;
}

static const char *take_inputs(struct pare_cursor *c, const struct pare_model *model, const struct pare_file_op *record,
                               struct pare_op *op) {
    bool listed = op->kind == PARE_CONCAT;
    op->input_count = listed ? (uint8_t)pare_take_number(c, PARE_MAX_INPUTS) : input_count(record);
    bool in_range = op->input_count > 0;
    for (uint32_t i = 0; i < op->input_count; i++) {
        uint32_t before = listed ? 0 : record->inputs[i];
        op->inputs[i] = before > 0 ? op->output - before : pare_take_u32(c);
        in_range = in_range && op->inputs[i] < pare_value_count(model);
    }
    return in_range ? NULL : "it names a value that does not exist";
}

static const char *take_parameters(struct pare_cursor *c, unsigned flags, const struct pare_value *x,
                                   const struct pare_value *y, struct pare_op *op) {
    take_bounds(c, (flags & PARE_OP_BOUNDS) != 0, y, op);
    if (pare_kind_has_window(op->kind)) {
        take_sizes(c, (flags & PARE_OP_SIZES) != 0, x, y, &op->u.window);
    }
    pare_parameter_readers[op->kind](c, op);
    return c->failed ? "its parameters lie outside of the section of numbers" : NULL;
}

static const char *take_data(struct pare_cursor *c, unsigned flags, const struct pare_value *x,
                             const struct pare_value *y, struct pare_op *op) {
    if (pare_kind_has_weights(op->kind)) {
        return take_coefficients(c, (flags & PARE_OP_INPUT_ZERO) != 0, op);
    }
    if (op->kind == PARE_TABLE) { /* as many entries as the input has codes */
        op->u.table.entries = pare_take(c, (uint64_t)storage_size(y->storage) << x->bits);
    } else if (op->kind == PARE_GATHER) {
        op->u.gather.indices = pare_take(c, (uint64_t)op->u.gather.out_axis * 4);
    }
    return c->failed ? "its table lies outside of the data section" : NULL;
}

/* Whether inputs and data are 0 where the kind has none. */
static bool unused_fields_are_0(const struct pare_file_op *record) {
    unsigned kind = record->kind;
    bool data = pare_kind_has_weights(kind) || kind == PARE_TABLE || kind == PARE_GATHER;
    return (kind != PARE_CONCAT || record->inputs[0] == 0) &&
           ((kind != PARE_CONCAT && input_count(record) == 2) || record->inputs[1] == 0) &&
           (data || little_endian32(record->data, 0) == 0);
}

static const char *check_kind(const struct pare_file_op *record) {
    unsigned conv_only = PARE_OP_INPUT_ZERO | PARE_OP_ADDEND, flags = record->flags;
    bool known = record->kind < PARE_HOST && (flags & ~PARE_OP_FLAGS) == 0 &&
                 (record->kind == PARE_CONV || (flags & conv_only) == 0) &&
                 (pare_kind_has_window(record->kind) || (flags & PARE_OP_SIZES) == 0) && unused_fields_are_0(record);
    if (!known) {
        return "an operator of an unknown kind";
    }
    return pare_parameter_readers[record->kind] != NULL ? NULL : PARE_NOT_BUILT;
}

static const struct pare_file_op *record_of(const struct pare_model *model, uint32_t index) {
    return (const struct pare_file_op *)(const void *)model->section[PARE_OPERATORS] + index;
}

/* The kind, the inputs and the output; `numbers` then leads to the other parameters. */
static const char *begin_op(const struct pare_model *model, uint32_t index, struct pare_cursor *numbers,
                            struct pare_op *out) {
    const struct pare_file_op *record = record_of(model, index);
    *numbers = pare_cursor_at(model, PARE_NUMBERS, little_endian16(record->parameters, 0));
    out->kind = record->kind;
    out->input_count = 0;
    out->wide = (record->flags & PARE_OP_WIDE) != 0;
    out->output = pare_model_input_count(model) + index;
    const char *problem = check_kind(record);
    return problem != NULL ? problem : take_inputs(numbers, model, record, out);
}

void pare_decode_inputs(const struct pare_model *model, uint32_t index, struct pare_op *out) {
    struct pare_cursor numbers;
    begin_op(model, index, &numbers, out);
}

const char *pare_decode_op(const struct pare_model *model, uint32_t index, struct pare_op *out) {
    const struct pare_file_op *record = record_of(model, index);
    struct pare_cursor data = pare_cursor_at(model, PARE_DATA, little_endian32(record->data, 0)), numbers;
    struct pare_value x, y;
    memset(out, 0, sizeof(*out));
    const char *problem = begin_op(model, index, &numbers, out);
    problem = problem != NULL ? problem : pare_decode_value(model, out->inputs[0], &x);
    problem = problem != NULL ? problem : pare_decode_value(model, out->output, &y);
    problem = problem != NULL ? problem : take_parameters(&numbers, record->flags, &x, &y, out);
    return problem != NULL ? problem : take_data(&data, record->flags, &x, &y, out);
}
