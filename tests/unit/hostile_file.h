/* What the tests of broken and of large .pare files share. */
#ifndef PARE_TESTS_HOSTILE_FILE_H
#define PARE_TESTS_HOSTILE_FILE_H

#include "file_fixture.h"

static inline struct pare_file_op *op_records(const struct buffer *file) {
    return (struct pare_file_op *)(void *)section_of(file, PARE_OPERATORS);
}

/* What opening the file with its checksum repaired says about operator 0, or "" where it opens. */
static inline const char *first_problem(const struct buffer *file) {
    struct pare_model model;
    repair_checksum(file->data, file->size);
    if (pare_model_open(file->data, file->size, &model) == PARE_OK) {
        return "";
    }
    return model.in_operator && model.place == 0 ? model.problem : "another place";
}

static inline struct pare_op first_op(const struct buffer *file) {
    struct pare_model model;
    struct pare_op op;
    ck_assert_int_eq(pare_model_open(file->data, file->size, &model), PARE_OK);
    ck_assert_ptr_null(pare_decode_op(&model, 0, &op));
    return op;
}

static inline void put(uint8_t *field, uint32_t v, int size) {
    for (int i = 0; i < size; i++) {
        field[i] = (uint8_t)(v >> 8 * i & 0xff);
    }
}

enum { MANY = 1000 };

static struct pare_value many_values[MANY + 1];
static struct pare_op many_ops[MANY];

/* A chain of `count` equal operators with a row for each code, whose values of `codes` codes lie in two places by
 * turns. */
static inline struct program chain_of(struct random_program *r, const struct pare_op *op, uint32_t count,
                                      uint32_t codes) {
    static uint32_t input, output;
    random_seed(1);
    make_chain(r, &codes, 1);
    for (uint32_t i = 0; i <= count; i++) {
        many_values[i] = r->program.values[0];
        many_values[i].offset = i % 2 * codes;
    }
    for (uint32_t i = 0; i < count; i++) {
        many_ops[i] = *op;
        many_ops[i].inputs[0] = many_ops[i].inputs[1] = i;
        many_ops[i].output = i + 1;
    }
    struct program p = {.values = many_values, .ops = many_ops, .inputs = &input, .outputs = &output};
    output = count;
    p.value_count = count + 1;
    p.op_count = count;
    p.input_count = p.output_count = 1;
    return p;
}

#endif
