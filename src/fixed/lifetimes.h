/* When the values of a program must be in memory. */
#ifndef PARE_FIXED_LIFETIMES_H
#define PARE_FIXED_LIFETIMES_H

#include "fixed/executor.h"

/* Steps: inputs are written at 0, operator i runs at i + 1, outputs are read at op_count + 1. */
struct lifetime {
    uint32_t first, last;
    bool used; /* by an operator, or as an input or output */
};

/* One per value, in `scratch`; NULL when out of memory. */
struct lifetime *program_lifetimes(const struct program *p, struct arena *scratch);

/* The input (first, or `last` that is possible) whose place the output of operator `op` may take; -1: none. */
int program_overwritten_input(const struct program *p, const struct lifetime *lives, uint32_t op, bool last);
/* Bytes that are alive at a step; what is overwritten counts once. Over all steps the most of them is what any plan
 * needs. */
size_t program_live_bytes(const struct program *p, const struct lifetime *lives, uint32_t step);
size_t program_lower_bound(const struct program *p, const struct lifetime *lives);

/* Bytes of all codes of a value, and whether it lies in the arena of the program. */
size_t value_size(const struct pare_value *v);
bool value_in_arena(const struct pare_value *v, const struct lifetime *life);

#endif
