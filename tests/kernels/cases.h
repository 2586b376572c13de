/* Seeded operators of random shape, format and content, extreme codes included. */
#ifndef PARE_TESTS_KERNELS_CASES_H
#define PARE_TESTS_KERNELS_CASES_H

#include "base/arena.h"
#include "runtime/program.h"

struct random {
    uint64_t state;
};

uint32_t random_below(struct random *r, uint32_t bound);             /* [0, bound) */
int32_t random_between(struct random *r, int32_t low, int32_t high); /* both included */

/* Inputs are values 0 to input_count - 1, the output is the next one. */
struct kernel_case {
    struct arena arena;
    struct pare_op op;
    struct pare_value values[PARE_MAX_INPUTS + 1];
    void *codes[PARE_MAX_INPUTS]; /* of the inputs */
};

/* How large a case may get. */
enum case_size { CASE_SMALL, CASE_LARGE };

/* Exits the test when memory is short. Free with arena_free(&c->arena). */
void case_make(struct kernel_case *c, struct random *r, uint8_t kind, enum case_size size);
/* A small convolution far inside of much padding. */
void case_make_padded(struct kernel_case *c, struct random *r, uint8_t kind);
/* A layer of given geometry with `bits` of weights and 8-bit activations, for benchmarks. */
void case_make_conv(struct kernel_case *c, struct random *r, const struct pare_window *window, unsigned bits);
void case_make_dense(struct kernel_case *c, struct random *r, uint32_t samples, uint32_t columns, uint32_t rows);

const char *kind_name(uint8_t kind);

#endif
