/* What the tests of .pare files share. */
#ifndef PARE_TESTS_FILE_FIXTURE_H
#define PARE_TESTS_FILE_FIXTURE_H

#include "random_program.h"

#include <check.h>

static struct context ctx;

static inline void setup(void) {
    context_init(&ctx);
}

static inline void write_planned(struct random_program *r, struct buffer *file) {
    size_t peak = 0;
    buffer_init(file);
    ck_assert_msg(program_plan_arena(&ctx, &r->program, &peak) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_msg(program_write(&ctx, &r->program, file) == PARE_OK, "%s", ctx.diag.message);
}

/* Where a section of a file begins. */
static inline uint8_t *section_of(const struct buffer *file, enum pare_section section) {
    struct pare_model model;
    pare_model_open(file->data, file->size, &model);
    return file->data + (model.section[section] - model.bytes);
}

static inline void free_program(struct program *p) {
    struct arena *arena = p->arena;
    arena_free(arena);
    free(arena);
}

static inline void one_file(uint64_t seed, struct random_program *r, struct buffer *file) {
    random_seed(seed);
    random_program(r);
    write_planned(r, file);
}

#endif
