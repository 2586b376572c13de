#include "runtime/codes.h"
#include "runtime/model.h"

/* ---- reading the data section: past its end everything is 0, and `failed` is set ---- */

struct cursor {
    const uint8_t *data;
    uint32_t left;
    bool failed;
};

static struct cursor cursor_at(const struct pare_model *model, const uint8_t *offset_field) {
    uint32_t offset = little_endian32(offset_field, 0);
    uint32_t size = little_endian32(pare_header(model)->data_size, 0);
    struct cursor c = {NULL, 0, offset > size || offset % 4 != 0};
    if (!c.failed) {
        c.data = model->bytes + little_endian32(pare_header(model)->data, 0) + offset;
        c.left = size - offset;
    }
    return c;
}

static const uint8_t *take(struct cursor *c, uint64_t size) {
    if (c->failed || size > c->left) {
        c->failed = true;
        return NULL;
    }
    const uint8_t *data = c->data;
    c->data += (size_t)size;
    c->left -= (uint32_t)size;
    return data;
}

static uint32_t take_u32(struct cursor *c) {
    const uint8_t *data = take(c, 4);
    return data == NULL ? 0 : little_endian32(data, 0);
}

static int32_t as_signed(uint32_t v) {
    return v <= INT32_MAX ? (int32_t)v : -(int32_t)~v - 1;
}

static void take_array(struct cursor *c, uint32_t *out, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        out[i] = take_u32(c);
    }
}

static void take_signed_array(struct cursor *c, int32_t *out, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        out[i] = as_signed(take_u32(c));
    }
}

/* A rank; larger ones fail. */
static uint8_t take_rank(struct cursor *c) {
    uint32_t rank = take_u32(c);
    c->failed = c->failed || rank > PARE_MAX_RANK;
    return c->failed ? 0 : (uint8_t)rank;
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
        struct cursor c = cursor_at(model, record->offset);
        v->constant = take(&c, size);
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
    if (!storage_holds(v) || (record->flags & ~PARE_VALUE_FLAGS) != 0 || v->rank > PARE_MAX_RANK) {
        return "a value has an unknown format";
    }
    struct cursor c = cursor_at(model, record->dims);
    take_array(&c, v->dims, v->rank);
    if (c.failed || !count_elements(v)) {
        return "a value has an impossible shape";
    }
    return place_value(model, record, v);
}

/* ---- parameters ---- */

static void take_window(struct cursor *c, struct pare_window *w) {
    const uint8_t *bytes = take(c, sizeof(struct pare_file_window));
    if (bytes == NULL) {
        return;
    }
    const struct pare_file_window *f = (const struct pare_file_window *)(const void *)bytes;
    w->in_c = little_endian32(f->in_c, 0);
    w->in_h = little_endian32(f->in_h, 0);
    w->in_w = little_endian32(f->in_w, 0);
    w->out_c = little_endian32(f->out_c, 0);
    w->out_h = little_endian32(f->out_h, 0);
    w->out_w = little_endian32(f->out_w, 0);
    w->kernel_h = little_endian16(f->kernel_h, 0);
    w->kernel_w = little_endian16(f->kernel_w, 0);
    w->stride_h = little_endian16(f->stride_h, 0);
    w->stride_w = little_endian16(f->stride_w, 0);
    w->dilation_h = little_endian16(f->dilation_h, 0);
    w->dilation_w = little_endian16(f->dilation_w, 0);
    w->pad_top = little_endian16(f->pad_top, 0);
    w->pad_left = little_endian16(f->pad_left, 0);
    w->pad_bottom = little_endian16(f->pad_bottom, 0);
    w->pad_right = little_endian16(f->pad_right, 0);
    w->group = little_endian16(f->group, 0);
    w->count_include_pad = little_endian16(f->count_include_pad, 0) != 0;
}

static void take_matmul(struct cursor *c, struct pare_op *op) {
    op->u.matmul.batch = take_u32(c);
    op->u.matmul.m = take_u32(c);
    op->u.matmul.k = take_u32(c);
    op->u.matmul.n = take_u32(c);
    op->u.matmul.stride_a = take_u32(c);
    op->u.matmul.stride_b = take_u32(c);
}

static void take_binary(struct cursor *c, struct pare_op *op) {
    op->u.binary.subtract = take_u32(c) != 0;
    op->u.binary.rank = take_rank(c);
    take_array(c, op->u.binary.dims, op->u.binary.rank);
    take_array(c, op->u.binary.stride[0], op->u.binary.rank);
    take_array(c, op->u.binary.stride[1], op->u.binary.rank);
}

static void take_concat(struct cursor *c, struct pare_op *op) {
    op->u.concat.outer = take_u32(c);
    op->u.concat.inner = take_u32(c);
    take_array(c, op->u.concat.size, op->input_count);
    const uint8_t *inputs = take(c, (uint64_t)op->input_count * 2);
    for (uint32_t i = 0; inputs != NULL && i < op->input_count; i++) {
        op->inputs[i] = little_endian16(inputs, i);
    }
}

static void take_reduce(struct cursor *c, struct pare_op *op) {
    op->u.reduce.outer = take_u32(c);
    op->u.reduce.reduced = take_u32(c);
    op->u.reduce.inner = take_u32(c);
}

static void take_copy(struct cursor *c, struct pare_op *op) {
    op->u.copy.fill = take_u32(c) != 0;
    op->u.copy.fill_code = as_signed(take_u32(c));
    op->u.copy.in_base = take_u32(c);
    op->u.copy.out_base = take_u32(c);
    op->u.copy.rank = take_rank(c);
    take_array(c, op->u.copy.dims, op->u.copy.rank);
    take_signed_array(c, op->u.copy.in_stride, op->u.copy.rank);
    take_signed_array(c, op->u.copy.out_stride, op->u.copy.rank);
}

static void take_gather(struct cursor *c, struct pare_op *op) {
    op->u.gather.outer = take_u32(c);
    op->u.gather.in_axis = take_u32(c);
    op->u.gather.out_axis = take_u32(c);
    op->u.gather.inner = take_u32(c);
    op->u.gather.indices = (const uint32_t *)(const void *)take(c, (uint64_t)op->u.gather.out_axis * 4);
}

/* A table has as many entries as the input has codes. */
static const char *take_table(struct cursor *c, const struct pare_model *model, struct pare_op *op) {
    struct pare_placed_value x, y;
    const char *problem = pare_decode_value(model, op->inputs[0], &x);
    problem = problem != NULL ? problem : pare_decode_value(model, op->output, &y);
    if (problem == NULL) {
        op->u.table.entries = take(c, (uint64_t)storage_size(y.value.storage) << x.value.bits);
    }
    return problem;
}

static const char *take_parameters(const struct pare_model *model, struct cursor *c, bool input_zero,
                                   struct pare_op *op) {
    const char *problem = NULL;
    switch (op->kind) {
    case PARE_CONV:
    case PARE_CONV_TRANSPOSE:
    case PARE_MAX_POOL:
    case PARE_AVERAGE_POOL:
        take_window(c, &op->u.window);
        op->weights.rows = op->u.window.out_c;
        op->zero = input_zero ? take(c, (uint64_t)op->u.window.in_c * 2) : NULL;
        break;
    case PARE_DENSE:
    case PARE_PRELU:
        op->weights.rows = take_u32(c);
        op->weights.columns = take_u32(c);
        break;
    case PARE_MATMUL:
        take_matmul(c, op);
        break;
    case PARE_ADD:
    case PARE_MUL:
        take_binary(c, op);
        break;
    case PARE_CONCAT:
        take_concat(c, op);
        break;
    case PARE_REDUCE_MEAN:
        take_reduce(c, op);
        break;
    case PARE_TABLE:
        problem = take_table(c, model, op);
        break;
    case PARE_COPY:
        take_copy(c, op);
        break;
    case PARE_GATHER:
        take_gather(c, op);
        break;
    default:
        break;
    }
    return c->failed ? "its parameters lie outside of the data section" : problem;
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
    uint64_t taps = (uint64_t)w->kernel_h * w->kernel_w;
    uint64_t channels = w->in_c / w->group;
    return taps == 0 || channels > UINT32_MAX / taps ? 0 : (uint32_t)(channels * taps);
}

static const char *take_coefficients(const struct pare_model *model, const struct pare_file_op *record,
                                     struct pare_op *op) {
    struct pare_weights *w = &op->weights;
    struct cursor c = cursor_at(model, record->coefficients);
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
    w->data = take(&c, (w->rows * row_bits + 7) / 8);
    op->bias.bits = record->bias_bits;
    op->bias.frac_per_row = (record->flags & PARE_OP_BIAS_FRAC_PER_ROW) != 0;
    op->bias.data = take(&c, ((uint64_t)w->rows * record->bias_bits + 7) / 8);
    w->frac = (const int8_t *)take(&c, w->frac_per_row ? w->rows : 1);
    op->bias.frac = (const int8_t *)take(&c, record->bias_bits == 0 ? 0 : op->bias.frac_per_row ? w->rows : 1);
    return c.failed ? "its weights lie outside of the data section" : NULL;
}

/* ---- operators ---- */

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

static const char *take_values(const struct pare_model *model, const struct pare_file_op *record, struct pare_op *op) {
    uint32_t count = little_endian16(pare_header(model)->value_count, 0);
    op->output = little_endian16(record->output, 0);
    for (uint32_t i = 0; op->kind != PARE_CONCAT && i < 2 && i < op->input_count; i++) {
        op->inputs[i] = little_endian16(record->inputs[i], 0);
    }
    bool in_range = op->output < count && op->inputs[0] < count && op->inputs[1] < count;
    return in_range ? NULL : "it names a value that does not exist";
}

static bool inputs_in_range(const struct pare_model *model, const struct pare_op *op) {
    uint32_t count = little_endian16(pare_header(model)->value_count, 0);
    for (uint32_t i = 0; i < op->input_count; i++) {
        if (op->inputs[i] >= count) {
            return false;
        }
    }
    return true;
}

const char *pare_decode_op(const struct pare_model *model, uint32_t index, struct pare_op *out) {
    const uint8_t *records = model->bytes + little_endian32(pare_header(model)->ops, 0);
    const struct pare_file_op *record = (const struct pare_file_op *)(const void *)records + index;
    memset(out, 0, sizeof(*out));
    out->kind = record->kind;
    out->wide = (record->flags & PARE_OP_WIDE) != 0;
    out->input_count = record->input_count;
    uint32_t most = out->kind == PARE_CONCAT ? PARE_MAX_INPUTS : 2;
    bool input_zero = (record->flags & PARE_OP_INPUT_ZERO) != 0;
    if (out->kind >= PARE_HOST || (record->flags & ~PARE_OP_FLAGS) != 0 || (input_zero && out->kind != PARE_CONV) ||
        out->input_count == 0 || out->input_count > most) {
        return "an operator of an unknown kind";
    }
    struct cursor c = cursor_at(model, record->parameters);
    const char *problem = take_values(model, record, out);
    problem = problem != NULL ? problem : take_parameters(model, &c, input_zero, out);
    problem = problem != NULL ? problem : take_bounds(model, record, out);
    if (problem == NULL && has_weights(out->kind)) {
        problem = take_coefficients(model, record, out);
    }
    return problem != NULL || inputs_in_range(model, out) ? problem : "it names a value that does not exist";
}
