#include "runtime/model.h"

#include "runtime/codes.h"
#include "runtime/kernels.h"

/* Records a problem for the caller; `place` is the value or operator meant. */
static enum pare_status refuse(struct pare_model *model, uint32_t place, const char *problem) {
    model->problem = problem;
    model->place = place;
    return PARE_ERROR_INPUT;
}

/* ---- header ---- */

uint32_t pare_crc32(const uint8_t *data, size_t size) {
    uint32_t crc = ~(uint32_t)0;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (0xEDB88320U & (0 - (crc & 1)));
        }
    }
    return ~crc;
}

static bool section_inside(const struct pare_model *model, const uint8_t *offset, uint64_t size, uint32_t alignment) {
    uint32_t at = little_endian32(offset, 0);
    return at % alignment == 0 && at <= model->size && size <= model->size - at;
}

static bool sections_inside(const struct pare_model *model) {
    const struct pare_file_header *h = pare_header(model);
    uint64_t values = little_endian16(h->value_count, 0), ops = little_endian16(h->op_count, 0);
    uint64_t ports = (uint64_t)little_endian16(h->input_count, 0) + little_endian16(h->output_count, 0);
    return section_inside(model, h->values, values * sizeof(struct pare_file_value), 4) &&
           section_inside(model, h->ops, ops * sizeof(struct pare_file_op), 4) &&
           section_inside(model, h->ports, ports * 2, 2) &&
           section_inside(model, h->data, little_endian32(h->data_size, 0), 4) &&
           section_inside(model, h->names, little_endian32(h->names_size, 0), 1) &&
           section_inside(model, h->metadata, little_endian32(h->metadata_size, 0), 1);
}

static enum pare_status check_header(struct pare_model *model) {
    const struct pare_file_header *h = pare_header(model);
    if (model->size < sizeof(*h) || memcmp(h->magic, "PARE", 4) != 0) {
        return refuse(model, UINT32_MAX, "not a .pare file");
    }
    if (little_endian16(h->major, 0) != PARE_FORMAT_MAJOR || little_endian16(h->minor, 0) > PARE_FORMAT_MINOR) {
        refuse(model, UINT32_MAX, "written in another version of the format; read it with a newer pare");
        return PARE_ERROR_UNSUPPORTED;
    }
    if (little_endian32(h->size, 0) != model->size) {
        return refuse(model, UINT32_MAX, "the file is truncated, or has bytes behind its end");
    }
    if (little_endian32(h->crc32, 0) != pare_crc32(model->bytes + PARE_CRC_BEGIN, model->size - PARE_CRC_BEGIN)) {
        return refuse(model, UINT32_MAX, "the checksum does not match: the file is damaged");
    }
    if (!sections_inside(model)) {
        return refuse(model, UINT32_MAX, "a section lies outside of the file");
    }
    if (little_endian16(h->value_count, 0) > PARE_MAX_VALUES || little_endian16(h->op_count, 0) > PARE_MAX_VALUES ||
        little_endian16(h->input_count, 0) > PARE_MAX_PORTS || little_endian16(h->output_count, 0) > PARE_MAX_PORTS) {
        return refuse(model, UINT32_MAX, "more values, operators, inputs or outputs than a file may have");
    }
    return PARE_OK;
}

/* ---- values ---- */

uint32_t pare_model_input_count(const struct pare_model *model) {
    return little_endian16(pare_header(model)->input_count, 0);
}

uint32_t pare_model_output_count(const struct pare_model *model) {
    return little_endian16(pare_header(model)->output_count, 0);
}

uint32_t pare_input_value(const struct pare_model *model, uint32_t index) {
    return little_endian16(model->bytes + little_endian32(pare_header(model)->ports, 0), index);
}

uint32_t pare_output_value(const struct pare_model *model, uint32_t index) {
    return pare_input_value(model, pare_model_input_count(model) + index);
}

static uint32_t op_count(const struct pare_model *model) {
    return little_endian16(pare_header(model)->op_count, 0);
}

static bool is_input(const struct pare_model *model, uint32_t value) {
    for (uint32_t i = 0; i < pare_model_input_count(model); i++) {
        if (pare_input_value(model, i) == value) {
            return true;
        }
    }
    return false;
}

static bool codes_in_format(const struct codes *codes, const struct pare_value *v) {
    int32_t low = code_min(v->bits, v->is_signed), high = code_max(v->bits, v->is_signed);
    for (uint32_t i = 0; i < v->count; i++) {
        int32_t code = code_at(codes, i);
        if (code < low || code > high) {
            return false;
        }
    }
    return true;
}

/* Whoever the file says writes a value does write it. */
static bool is_written(const struct pare_model *model, uint32_t index, const struct pare_placed_value *v) {
    if (v->first == 0) {
        return is_input(model, index);
    }
    if (v->first > op_count(model)) {
        return false;
    }
    const uint8_t *ops = model->bytes + little_endian32(pare_header(model)->ops, 0);
    const struct pare_file_op *writer = (const struct pare_file_op *)(const void *)ops + (v->first - 1);
    return little_endian16(writer->output, 0) == index;
}

static const char *check_value(const struct pare_model *model, uint32_t index) {
    struct pare_placed_value v;
    const char *problem = pare_decode_value(model, index, &v);
    if (problem != NULL) {
        return problem;
    }
    if (v.value.constant != NULL) {
        struct codes codes = codes_of(v.value.constant, v.value.storage, true);
        return codes_in_format(&codes, &v.value) ? NULL : "a constant holds a code outside of its format";
    }
    bool placed = v.first <= v.last && v.last <= op_count(model) + 1 && is_written(model, index, &v);
    return placed ? NULL : "a value is read before it is written, or never written";
}

static enum pare_status check_values(struct pare_model *model) {
    uint32_t count = little_endian16(pare_header(model)->value_count, 0);
    for (uint32_t i = 0; i < count; i++) {
        const char *problem = check_value(model, i);
        if (problem != NULL) {
            return refuse(model, i, problem);
        }
    }
    return PARE_OK;
}

static enum pare_status check_ports(struct pare_model *model) {
    uint32_t inputs = pare_model_input_count(model), outputs = pare_model_output_count(model);
    for (uint32_t i = 0; i < inputs + outputs; i++) {
        uint32_t value = pare_input_value(model, i);
        struct pare_placed_value v;
        if (value >= little_endian16(pare_header(model)->value_count, 0)) {
            return refuse(model, i, "an input or output names a value that does not exist");
        }
        pare_decode_value(model, value, &v);
        bool constant = v.value.constant != NULL;
        bool right = i < inputs ? !constant && v.first == 0 : constant || v.last == op_count(model) + 1;
        if (!right) {
            return refuse(model, value, "an input or output does not hold its place in the arena");
        }
    }
    return PARE_OK;
}

/* ---- operators ---- */

/* The values of one operator, which then counts them from 0: its inputs, then its output. */
struct operands {
    struct pare_op op;
    struct pare_value values[PARE_MAX_INPUTS + 1];
};

static const char *decode_operands(const struct pare_model *model, uint32_t index, struct operands *out) {
    struct pare_placed_value v;
    const char *problem = pare_decode_op(model, index, &out->op);
    for (uint32_t i = 0; problem == NULL && i < out->op.input_count; i++) {
        problem = pare_decode_value(model, out->op.inputs[i], &v);
        out->values[i] = v.value;
        out->op.inputs[i] = i;
        if (problem == NULL && v.value.constant == NULL && (v.first > index || v.last < index + 1)) {
            problem = "it reads a value outside of that value's time";
        }
    }
    if (problem == NULL) {
        problem = pare_decode_value(model, out->op.output, &v);
        out->values[out->op.input_count] = v.value;
        out->op.output = out->op.input_count;
        if (problem == NULL && (v.value.constant != NULL || v.first != index + 1)) {
            problem = "it writes a value outside of that value's time";
        }
    }
    return problem;
}

static enum pare_status check_ops(struct pare_model *model) {
    for (uint32_t i = 0; i < op_count(model); i++) {
        struct operands operands;
        const char *problem = decode_operands(model, i, &operands);
        problem = problem != NULL ? problem : pare_check_op(&operands.op, operands.values);
        if (problem != NULL) {
            model->in_operator = true;
            return refuse(model, i, problem);
        }
    }
    return PARE_OK;
}

/* ---- the arena ---- */

static bool values_meet(const struct pare_placed_value *a, const struct pare_placed_value *b) {
    if (a->value.constant != NULL || b->value.constant != NULL || a->first > b->last || b->first > a->last) {
        return false;
    }
    uint64_t end_a = a->value.offset + (uint64_t)a->value.count * storage_size(a->value.storage);
    uint64_t end_b = b->value.offset + (uint64_t)b->value.count * storage_size(b->value.storage);
    return a->value.offset < end_b && b->value.offset < end_a;
}

/* Whether the operator that writes `later` may do so where `earlier` lies, which it is the last to read. */
static bool works_in_place(const struct pare_model *model, uint32_t earlier, uint32_t later) {
    struct pare_placed_value a, b;
    struct pare_op op;
    struct operands operands;
    bool reads = false;
    pare_decode_value(model, earlier, &a);
    pare_decode_value(model, later, &b);
    if (a.first >= b.first || a.last != b.first || a.value.offset != b.value.offset) {
        return false;
    }
    pare_decode_op(model, b.first - 1, &op);
    decode_operands(model, b.first - 1, &operands);
    for (uint32_t i = 0; i < op.input_count; i++) {
        if (op.inputs[i] == earlier) {
            reads = true;
            if (!pare_may_overwrite(&operands.op, operands.values, i)) {
                return false;
            }
        }
    }
    return reads && op.output == later;
}

static bool shares_the_arena(const struct pare_model *model, uint32_t index) {
    struct pare_placed_value a, b;
    pare_decode_value(model, index, &a);
    for (uint32_t other = 0; other < index; other++) {
        pare_decode_value(model, other, &b);
        if (values_meet(&a, &b) && !works_in_place(model, index, other) && !works_in_place(model, other, index)) {
            return true;
        }
    }
    return false;
}

static enum pare_status check_arena(struct pare_model *model) {
    for (uint32_t i = 0; i < little_endian16(pare_header(model)->value_count, 0); i++) {
        if (shares_the_arena(model, i)) {
            return refuse(model, i, "two values that are needed at the same time overlap in the arena");
        }
    }
    return PARE_OK;
}

enum pare_status pare_model_open(const void *bytes, size_t size, struct pare_model *model) {
    memset(model, 0, sizeof(*model));
    model->bytes = (const uint8_t *)bytes;
    model->size = size;
    model->kernels = PARE_KERNELS;
    model->place = UINT32_MAX;
    if (bytes == NULL || ((uintptr_t)bytes & 3) != 0) {
        refuse(model, UINT32_MAX, "the file must lie in memory aligned to 4 bytes");
        return PARE_ERROR_USAGE;
    }
    enum pare_status status = check_header(model);
    status = status != PARE_OK ? status : check_values(model);
    status = status != PARE_OK ? status : check_ports(model);
    status = status != PARE_OK ? status : check_ops(model);
    return status != PARE_OK ? status : check_arena(model);
}

/* ---- questions ---- */

size_t pare_model_arena_size(const struct pare_model *model) {
    return little_endian32(pare_header(model)->arena_size, 0);
}

static enum pare_status describe(const struct pare_model *model, uint32_t value, struct pare_port *port) {
    struct pare_placed_value v;
    pare_decode_value(model, value, &v);
    port->storage = v.value.storage;
    port->bits = v.value.bits;
    port->rank = v.value.rank;
    port->is_signed = v.value.is_signed;
    port->frac = v.value.frac;
    memcpy(port->dims, v.value.dims, sizeof(port->dims));
    port->count = v.value.count;
    port->size = (size_t)v.value.count * storage_size(v.value.storage);
    return PARE_OK;
}

enum pare_status pare_model_input(const struct pare_model *model, uint32_t index, struct pare_port *port) {
    bool known = index < pare_model_input_count(model);
    return known ? describe(model, pare_input_value(model, index), port) : PARE_ERROR_USAGE;
}

enum pare_status pare_model_output(const struct pare_model *model, uint32_t index, struct pare_port *port) {
    bool known = index < pare_model_output_count(model);
    return known ? describe(model, pare_output_value(model, index), port) : PARE_ERROR_USAGE;
}

/* ---- running ---- */

static void *place_of(const struct pare_value *v, uint8_t *arena) {
    /* Kernels only read constants. */
    return v->constant != NULL ? (void *)(uintptr_t)v->constant : arena + v->offset;
}

static enum pare_status load_inputs(const struct pare_model *model, uint8_t *arena, const void *const *inputs) {
    for (uint32_t i = 0; i < pare_model_input_count(model); i++) {
        struct pare_placed_value v;
        pare_decode_value(model, pare_input_value(model, i), &v);
        struct codes codes = codes_of(inputs[i], v.value.storage, false);
        if (!codes_in_format(&codes, &v.value)) {
            return PARE_ERROR_INPUT;
        }
        memcpy(arena + v.value.offset, inputs[i], (size_t)v.value.count * storage_size(v.value.storage));
    }
    return PARE_OK;
}

static void store_outputs(const struct pare_model *model, uint8_t *arena, void *const *outputs) {
    for (uint32_t i = 0; i < pare_model_output_count(model); i++) {
        struct pare_placed_value v;
        pare_decode_value(model, pare_output_value(model, i), &v);
        struct codes codes = codes_of(place_of(&v.value, arena), v.value.storage, v.value.constant != NULL);
        for (uint32_t k = 0; k < v.value.count; k++) {
            write_code(outputs[i], v.value.storage, k, code_at(&codes, k));
        }
    }
}

static void run_op(const struct pare_model *model, uint32_t index, uint8_t *arena) {
    struct operands operands;
    void *data[PARE_MAX_INPUTS + 1];
    decode_operands(model, index, &operands);
    for (uint32_t i = 0; i <= operands.op.input_count; i++) {
        data[i] = place_of(&operands.values[i], arena);
    }
    model->kernels[operands.op.kind](&operands.op, operands.values, data);
}

enum pare_status pare_model_run(const struct pare_model *model, void *arena, const void *const *inputs,
                                void *const *outputs) {
    enum pare_status status = load_inputs(model, (uint8_t *)arena, inputs);
    if (status != PARE_OK) {
        return status;
    }
    for (uint32_t i = 0; i < op_count(model); i++) {
        run_op(model, i, (uint8_t *)arena);
    }
    store_outputs(model, (uint8_t *)arena, outputs);
    return PARE_OK;
}

const char *pare_status_text(enum pare_status status) {
    static const char *const texts[] = {
        "success",
        "wrong use",
        "broken input",
        "not supported",
        "accuracy bound not held",
        "reading or writing failed",
        "out of memory",
        "interrupted",
        "internal error",
    };
    return (unsigned)status < sizeof(texts) / sizeof(texts[0]) ? texts[status] : "unknown status";
}
