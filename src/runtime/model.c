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

PARE_STATIC_ASSERT(pare_model_has_all_sections,
                   sizeof(((struct pare_model *)0)->section) == (PARE_SECTION_COUNT + 1) * sizeof(const uint8_t *));

/* Whether the sections fill the file, and where they begin. */
static bool find_sections(struct pare_model *model) {
    const struct pare_file_header *h = pare_header(model);
    const uint32_t sizes[PARE_SECTION_COUNT] = {
        (uint32_t)(pare_value_count(model) * sizeof(struct pare_file_value)),
        (uint32_t)(pare_op_count(model) * sizeof(struct pare_file_op)),
        pare_model_output_count(model) * 2,
        little_endian32(h->numbers_size, 0),
        little_endian32(h->data_size, 0),
        little_endian32(h->names_size, 0),
        little_endian32(h->metadata_size, 0),
    };
    const uint8_t *at = model->bytes + sizeof(*h);
    size_t left = model->size - sizeof(*h);
    for (unsigned i = 0; i < PARE_SECTION_COUNT; i++) {
        model->section[i] = at;
        if (sizes[i] > left) {
            return false;
        }
        at += sizes[i];
        left -= sizes[i];
    }
    model->section[PARE_SECTION_COUNT] = at;
    return left == 0;
}

static enum pare_status check_counts(struct pare_model *model) {
    uint32_t values = pare_value_count(model);
    if (values > PARE_MAX_VALUES || pare_model_input_count(model) > PARE_MAX_PORTS ||
        pare_model_output_count(model) > PARE_MAX_PORTS) {
        return refuse(model, UINT32_MAX, "more values, inputs or outputs than a file may have");
    }
    if (values < pare_first_constant(model)) {
        return refuse(model, UINT32_MAX, "fewer values than inputs and operators");
    }
    return PARE_OK;
}

static enum pare_status check_header(struct pare_model *model) {
    const struct pare_file_header *h = pare_header(model);
    if (model->size < sizeof(*h) || memcmp(h->magic, "PARE", 4) != 0) {
        return refuse(model, UINT32_MAX, "not a .pare file");
    }
    if (little_endian16(h->major, 0) < PARE_FORMAT_MAJOR) {
        refuse(model, UINT32_MAX, "written in an older version of the format; write it again with this pare");
        return PARE_ERROR_UNSUPPORTED;
    }
    if (little_endian16(h->major, 0) > PARE_FORMAT_MAJOR || little_endian16(h->minor, 0) > PARE_FORMAT_MINOR) {
        refuse(model, UINT32_MAX, "written in another version of the format; read it with a newer pare");
        return PARE_ERROR_UNSUPPORTED;
    }
    if (little_endian32(h->size, 0) != model->size) {
        return refuse(model, UINT32_MAX, "the file is truncated, or has bytes behind its end");
    }
    if (little_endian32(h->crc32, 0) != pare_crc32(model->bytes + PARE_CRC_BEGIN, model->size - PARE_CRC_BEGIN)) {
        return refuse(model, UINT32_MAX, "the checksum does not match: the file is damaged");
    }
    if (!find_sections(model)) {
        return refuse(model, UINT32_MAX, "the sections are not as long as the file");
    }
    return check_counts(model);
}

/* ---- values ---- */

/* A model that is not open has no bytes, and so no inputs and outputs. */
uint32_t pare_model_input_count(const struct pare_model *model) {
    return model->bytes == NULL ? 0 : little_endian16(pare_header(model)->input_count, 0);
}

uint32_t pare_model_output_count(const struct pare_model *model) {
    return model->bytes == NULL ? 0 : little_endian16(pare_header(model)->output_count, 0);
}

uint32_t pare_value_count(const struct pare_model *model) {
    return little_endian16(pare_header(model)->value_count, 0);
}

uint32_t pare_op_count(const struct pare_model *model) {
    return little_endian16(pare_header(model)->op_count, 0);
}

uint32_t pare_first_constant(const struct pare_model *model) {
    return pare_model_input_count(model) + pare_op_count(model);
}

uint32_t pare_output_value(const struct pare_model *model, uint32_t index) {
    return little_endian16(model->section[PARE_OUTPUTS], index);
}

const char pare_shares_too_much[] = "it and those before it share more data than a file may";

/* Takes the steps of one check off what is left (PARE_SHARED_STEPS). */
static bool pay(uint64_t *steps, uint64_t price) {
    bool enough = price <= *steps;
    *steps -= enough ? price : 0;
    return enough;
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

static const char *check_value(const struct pare_model *model, uint32_t index, uint64_t *steps) {
    struct pare_value v;
    const char *problem = pare_decode_value(model, index, &v);
    if (problem != NULL || v.constant == NULL) {
        return problem;
    }
    if (!pay(steps, v.count)) {
        return pare_shares_too_much;
    }
    struct codes codes = codes_of(v.constant, v.storage, true);
    return codes_in_format(&codes, &v) ? NULL : "a constant holds a code outside of its format";
}

static enum pare_status check_values(struct pare_model *model, uint64_t *steps) {
    for (uint32_t i = 0; i < pare_value_count(model); i++) {
        const char *problem = check_value(model, i, steps);
        if (problem != NULL) {
            return refuse(model, i, problem);
        }
    }
    return PARE_OK;
}

static enum pare_status check_outputs(struct pare_model *model) {
    for (uint32_t i = 0; i < pare_model_output_count(model); i++) {
        if (pare_output_value(model, i) >= pare_value_count(model)) {
            return refuse(model, pare_output_value(model, i), "an output is a value that does not exist");
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
    struct pare_op *op = &out->op;
    const char *problem = pare_decode_op(model, index, op);
    for (uint32_t i = 0; problem == NULL && i < op->input_count; i++) {
        if (op->inputs[i] >= op->output && op->inputs[i] < pare_first_constant(model)) {
            return "it reads a value before it is written";
        }
        problem = pare_decode_value(model, op->inputs[i], &out->values[i]);
        op->inputs[i] = i;
    }
    if (problem == NULL) {
        problem = pare_decode_value(model, op->output, &out->values[op->input_count]);
        op->output = op->input_count;
    }
    return problem;
}

static const char overlaps[] = "two values that are needed at the same time overlap in the arena";

static bool overlap(const struct pare_value *a, const struct pare_value *b) {
    uint64_t end_a = a->offset + (uint64_t)a->count * storage_size(a->storage);
    uint64_t end_b = b->offset + (uint64_t)b->count * storage_size(b->storage);
    return a->offset < end_b && b->offset < end_a;
}

/* Whether an operator may write its output where it lies while it reads its inputs. */
static bool may_write(const struct operands *operands) {
    const struct pare_value *y = &operands->values[operands->op.output];
    for (uint32_t i = 0; i < operands->op.input_count; i++) {
        const struct pare_value *x = &operands->values[i];
        if (x->constant == NULL && overlap(x, y) &&
            (x->offset != y->offset || !pare_may_overwrite(&operands->op, operands->values, i))) {
            return false;
        }
    }
    return true;
}

/* What pare_check_op walks: coefficients, entries, and windows that begin in the padding. */
static uint64_t steps_of(const struct operands *operands) {
    const struct pare_op *op = &operands->op;
    const struct pare_weights *w = &op->weights;
    uint64_t steps = w->bits > 0 ? (uint64_t)w->rows * w->columns : 0;
    if (pare_kind_has_window(op->kind)) {
        steps += (uint64_t)op->u.window.pad_top + op->u.window.pad_left + (op->zero != NULL ? op->u.window.in_c : 0);
    } else if (op->kind == PARE_TABLE) {
        steps += (uint32_t)1 << operands->values[0].bits;
    } else if (op->kind == PARE_GATHER) {
        steps += op->u.gather.out_axis;
    }
    return steps + (op->bias.bits > 0 || w->frac_per_row ? w->rows : 0);
}

static enum pare_status check_ops(struct pare_model *model, uint64_t *steps) {
    for (uint32_t i = 0; i < pare_op_count(model); i++) {
        struct operands operands;
        const char *problem = decode_operands(model, i, &operands);
        problem = problem != NULL || pay(steps, steps_of(&operands)) ? problem : pare_shares_too_much;
        problem = problem != NULL ? problem : pare_check_op(&operands.op, operands.values);
        problem = problem != NULL || may_write(&operands) ? problem : overlaps;
        if (problem != NULL) {
            model->in_operator = true;
            return refuse(model, i, problem);
        }
    }
    return PARE_OK;
}

/* ---- the arena ---- */

#define LIVES 64 /* values followed at a time: the whole table would not fit on a small stack */

/* Values [first, first + count): their bytes of the arena, and the index of the value that their last reader writes. */
struct lives {
    uint32_t first, count;
    uint32_t begin[LIVES], end[LIVES], last[LIVES];
};

static void read_by(struct lives *lives, uint32_t value, uint32_t reader) {
    if (value - lives->first < lives->count) {
        lives->last[value - lives->first] = reader;
    }
}

static void find_lives(const struct pare_model *model, struct lives *lives) {
    struct pare_value v;
    for (uint32_t i = 0; i < lives->count; i++) {
        pare_decode_value(model, lives->first + i, &v);
        lives->begin[i] = v.offset;
        lives->end[i] = v.offset + v.count * storage_size(v.storage);
        lives->last[i] = 0;
    }
    for (uint32_t k = 0; k < pare_op_count(model); k++) {
        struct pare_op op;
        pare_decode_inputs(model, k, &op);
        for (uint32_t i = 0; i < op.input_count; i++) {
            read_by(lives, op.inputs[i], op.output);
        }
    }
    for (uint32_t i = 0; i < pare_model_output_count(model); i++) {
        read_by(lives, pare_output_value(model, i), pare_first_constant(model));
    }
}

/* The first value that is written over one of these while that is still needed; what their last readers write
 * themselves may_write has checked. `end` where there is none. */
static uint32_t find_overwriting(const struct pare_model *model, const struct lives *lives, uint32_t end) {
    struct pare_value v;
    for (uint32_t value = lives->first + 1; value < end; value++) {
        pare_decode_value(model, value, &v);
        uint32_t begin = v.offset, size = v.count * storage_size(v.storage);
        for (uint32_t i = 0; i < lives->count && lives->first + i < value; i++) {
            if (value < lives->last[i] && lives->begin[i] < begin + size && begin < lives->end[i]) {
                return value;
            }
        }
    }
    return end;
}

static enum pare_status check_arena(struct pare_model *model) {
    uint32_t end = pare_first_constant(model);
    struct lives lives;
    for (lives.first = 0; lives.first < end; lives.first += LIVES) {
        lives.count = end - lives.first < LIVES ? end - lives.first : LIVES;
        find_lives(model, &lives);
        uint32_t value = find_overwriting(model, &lives, end);
        if (value < end) {
            return refuse(model, value, overlaps);
        }
    }
    return PARE_OK;
}

static enum pare_status check_file(struct pare_model *model) {
    enum pare_status status = check_header(model);
    uint64_t steps = PARE_SHARED_STEPS + (uint64_t)model->size * 8;
    status = status != PARE_OK ? status : check_values(model, &steps);
    status = status != PARE_OK ? status : check_outputs(model);
    status = status != PARE_OK ? status : check_ops(model, &steps);
    return status != PARE_OK ? status : check_arena(model);
}

enum pare_status pare_model_open(const void *bytes, size_t size, struct pare_model *model) {
    memset(model, 0, sizeof(*model));
    model->bytes = (const uint8_t *)bytes;
    model->size = size;
    model->kernels = PARE_KERNELS;
    model->place = UINT32_MAX;
    if (bytes == NULL) {
        refuse(model, UINT32_MAX, "there is no file");
        return PARE_ERROR_USAGE;
    }
    enum pare_status status = check_file(model);
    if (status != PARE_OK) {
        model->bytes = NULL;
    }
    return status;
}

/* ---- questions ---- */

size_t pare_model_arena_size(const struct pare_model *model) {
    return model->bytes == NULL ? 0 : little_endian32(pare_header(model)->arena_size, 0);
}

static enum pare_status describe(const struct pare_model *model, uint32_t value, struct pare_port *port) {
    struct pare_value v;
    pare_decode_value(model, value, &v);
    port->storage = v.storage;
    port->bits = v.bits;
    port->rank = v.rank;
    port->is_signed = v.is_signed;
    port->frac = v.frac;
    memcpy(port->dims, v.dims, sizeof(port->dims));
    port->count = v.count;
    port->size = (size_t)v.count * storage_size(v.storage);
    return PARE_OK;
}

enum pare_status pare_model_input(const struct pare_model *model, uint32_t index, struct pare_port *port) {
    bool known = index < pare_model_input_count(model);
    return known ? describe(model, index, port) : PARE_ERROR_USAGE;
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
        struct pare_value v;
        pare_decode_value(model, i, &v);
        struct codes codes = codes_of(inputs[i], v.storage, false);
        if (!codes_in_format(&codes, &v)) {
            return PARE_ERROR_INPUT;
        }
        memcpy(arena + v.offset, inputs[i], (size_t)v.count * storage_size(v.storage));
    }
    return PARE_OK;
}

static void store_outputs(const struct pare_model *model, uint8_t *arena, void *const *outputs) {
    for (uint32_t i = 0; i < pare_model_output_count(model); i++) {
        struct pare_value v;
        pare_decode_value(model, pare_output_value(model, i), &v);
        struct codes codes = codes_of(place_of(&v, arena), v.storage, v.constant != NULL);
        for (uint32_t k = 0; k < v.count; k++) {
            write_code(outputs[i], v.storage, k, code_at(&codes, k));
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

static bool are_given(const void *const *pointers, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (pointers == NULL || pointers[i] == NULL) {
            return false;
        }
    }
    return true;
}

enum pare_status pare_model_run(const struct pare_model *model, void *arena, const void *const *inputs,
                                void *const *outputs) {
    if (model->bytes == NULL || arena == NULL || !are_given(inputs, pare_model_input_count(model)) ||
        !are_given((const void *const *)outputs, pare_model_output_count(model))) {
        return PARE_ERROR_USAGE;
    }
    enum pare_status status = load_inputs(model, (uint8_t *)arena, inputs);
    if (status != PARE_OK) {
        return status;
    }
    for (uint32_t i = 0; i < pare_op_count(model); i++) {
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
