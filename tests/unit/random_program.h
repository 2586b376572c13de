/* Seeded random programs: random operators side by side, their results rescaled at the end. */
#ifndef PARE_TESTS_RANDOM_PROGRAM_H
#define PARE_TESTS_RANDOM_PROGRAM_H

#include "fixed/executor.h"
#include "random_op.h"
#include "runtime/kernels.h"

#define MOST_PARTS 8

struct random_program {
    struct program program;
    struct arena arena;
    struct random_op parts[MOST_PARTS];
    uint32_t part_count;
    void **data; /* of every value, inputs and constants filled */
};

static inline uint32_t add_value(struct random_program *r, const struct pare_value *v, void *data) {
    struct program *p = &r->program;
    p->values[p->value_count] = *v;
    p->value_names[p->value_count] = arena_format(&r->arena, "value_%u", p->value_count);
    r->data[p->value_count] = data != NULL ? data : arena_alloc(&r->arena, (size_t)v->count * storage_size(v->storage));
    return p->value_count++;
}

static inline struct pare_op *add_op(struct random_program *r, const struct pare_op *op) {
    struct program *p = &r->program;
    p->ops[p->op_count] = *op;
    p->op_names[p->op_count] = arena_format(&r->arena, "op_%u", p->op_count);
    p->op_types[p->op_count] = "Test";
    return &p->ops[p->op_count++];
}

/* A random operator whose inputs are constants or inputs of the program. */
static inline void add_part(struct random_program *r) {
    struct random_op *part = &r->parts[r->part_count++];
    random_op(part, (enum pare_kind)pick(0, PARE_HOST - 1));
    struct pare_op *op = add_op(r, &part->op);
    for (uint32_t i = 0; i < op->input_count; i++) {
        struct pare_value v = part->values[i];
        v.constant = chance(20) ? part->data[i] : NULL;
        op->inputs[i] = add_value(r, &v, part->data[i]);
        if (v.constant == NULL) {
            r->program.inputs[r->program.input_count++] = op->inputs[i];
        }
    }
    op->output = add_value(r, &part->values[OUTPUT], part->data[OUTPUT]);
}

/* Rescales the output of an earlier operator into an output of the program. */
static inline void add_rescaling(struct random_program *r, uint32_t from) {
    struct program *p = &r->program;
    struct pare_value v = p->values[from];
    set_format(&v, 12);
    struct pare_op op = {.kind = PARE_REQUANTIZE, .input_count = 1, .inputs = {from}};
    op.low = code_min(v.bits, v.is_signed);
    op.high = code_max(v.bits, v.is_signed);
    op.output = p->outputs[p->output_count++] = add_value(r, &v, NULL);
    add_op(r, &op);
}

/* Freed with random_program_free. The arena is not planned yet. */
static inline void random_program(struct random_program *r) {
    struct program *p = &r->program;
    uint32_t parts = (uint32_t)pick(1, MOST_PARTS), values = MOST_PARTS * (MOST_VALUES + 1);
    memset(r, 0, sizeof(*r));
    arena_init(&r->arena);
    p->arena = &r->arena;
    p->values = ARENA_ARRAY(p->arena, values, struct pare_value);
    p->ops = ARENA_ARRAY(p->arena, 2 * MOST_PARTS, struct pare_op);
    p->value_names = ARENA_ARRAY(p->arena, values, const char *);
    p->op_names = ARENA_ARRAY(p->arena, 2 * MOST_PARTS, const char *);
    p->op_types = ARENA_ARRAY(p->arena, 2 * MOST_PARTS, const char *);
    p->inputs = ARENA_ARRAY(p->arena, values, uint32_t);
    p->outputs = ARENA_ARRAY(p->arena, values, uint32_t);
    p->metadata = "{\"made\": \"by a test\"}";
    r->data = ARENA_ARRAY(p->arena, values, void *);
    for (uint32_t i = 0; i < parts; i++) {
        add_part(r);
    }
    for (uint32_t i = 0; i < parts; i++) {
        add_rescaling(r, p->ops[i].output);
    }
}

static inline void random_program_free(struct random_program *r) {
    for (uint32_t i = 0; i < r->part_count; i++) {
        random_op_free(&r->parts[i]);
    }
    arena_free(&r->arena);
}

/* Every value computed by the reference kernels, each in memory of its own. */
static inline void run_plainly(struct random_program *r) {
    for (uint32_t i = 0; i < r->program.op_count; i++) {
        pare_run_op(&r->program.ops[i], r->program.values, r->data);
    }
}

/* Multiplications of one run of an open file, saturating. */
static inline uint64_t work_of(const struct pare_model *model) {
    uint64_t work = 0;
    for (uint32_t i = 0; i < pare_op_count(model); i++) {
        struct pare_op op;
        struct pare_value y;
        pare_decode_op(model, i, &op);
        pare_decode_value(model, op.output, &y);
        op.output = 0;
        uint64_t more = pare_op_work(&op, &y);
        work = more > UINT64_MAX - work ? UINT64_MAX : work + more;
    }
    return work;
}

/* A chain of rescalings of the given sizes; built on a random program for its memory. */
static inline void make_chain(struct random_program *r, const uint32_t *sizes, uint32_t count) {
    memset(r, 0, sizeof(*r));
    random_program(r);
    struct program *p = &r->program;
    p->value_count = p->op_count = p->input_count = p->output_count = 0;
    struct pare_value v = {.storage = PARE_I8, .bits = 8, .is_signed = true};
    for (uint32_t i = 0; i < count; i++) {
        set_flat(&v, sizes[i]);
        add_value(r, &v, NULL);
    }
    for (uint32_t i = 0; i + 1 < count; i++) {
        struct pare_op op = {.kind = PARE_REQUANTIZE, .input_count = 1, .inputs = {i}, .output = i + 1};
        add_op(r, &op);
    }
    p->inputs[p->input_count++] = 0;
    p->outputs[p->output_count++] = count - 1;
}

/* Makes the checksum right again after a change. */
static inline void repair_checksum(uint8_t *file, size_t size) {
    if (size >= sizeof(struct pare_file_header)) {
        uint32_t crc = pare_crc32(file + PARE_CRC_BEGIN, size - PARE_CRC_BEGIN);
        for (int i = 0; i < 4; i++) {
            ((struct pare_file_header *)(void *)file)->crc32[i] = (uint8_t)(crc >> 8 * i & 0xff);
        }
    }
}

/* A hash of all outputs. */
static inline uint64_t hash_outputs(const struct pare_model *model, void *const *outputs) {
    uint64_t hash = 0;
    for (uint32_t i = 0; i < pare_model_output_count(model); i++) {
        struct pare_port port;
        pare_model_output(model, i, &port);
        hash = hash_of(outputs[i], port.size, hash);
    }
    return hash;
}

/* Both tables of kernels give the same outputs. Whether the model ran. */
static inline bool run_with_both_kernels(struct pare_model *model, void *arena, void *const *inputs,
                                         void *const *outputs) {
    const void *const *in = (const void *const *)inputs;
    bool ran = pare_model_run(model, arena, in, outputs) == PARE_OK;
    uint64_t hash = hash_outputs(model, outputs);
    model->kernels = pare_block_kernels;
    if ((pare_model_run(model, arena, in, outputs) == PARE_OK) != ran || hash_outputs(model, outputs) != hash) {
        fprintf(stderr, "the kernels by blocks give other outputs\n");
        abort();
    }
    return ran;
}

/* Runs any file that opens, on zeros, unless it asks for much memory or time. Whether it was run. */
static inline bool run_hostile(const uint8_t *file, size_t size, uint64_t most_work) {
    struct pare_model model;
    struct pare_port port;
    if (pare_model_open(file, size, &model) != PARE_OK || pare_model_arena_size(&model) > 1 << 20 ||
        work_of(&model) > most_work) {
        return false;
    }
    uint32_t inputs = pare_model_input_count(&model), outputs = pare_model_output_count(&model);
    void **buffers = calloc(inputs + outputs + 1, sizeof(*buffers));
    void *arena = malloc(pare_model_arena_size(&model));
    bool complete = buffers != NULL && arena != NULL;
    for (uint32_t i = 0; complete && i < inputs + outputs; i++) {
        if (i < inputs) {
            pare_model_input(&model, i, &port);
        } else {
            pare_model_output(&model, i - inputs, &port);
        }
        buffers[i] = calloc(1, port.size);
        complete = buffers[i] != NULL;
    }
    bool ran = complete && run_with_both_kernels(&model, arena, buffers, buffers + inputs);
    for (uint32_t i = 0; buffers != NULL && i < inputs + outputs; i++) {
        free(buffers[i]);
    }
    free(buffers);
    free(arena);
    return ran;
}

#endif
