/* When the values of a program must be in memory. */
#ifndef PARE_FIXED_LIFETIMES_H
#define PARE_FIXED_LIFETIMES_H

#include "fixed/executor.h"

/* Steps as in runtime/format.h: inputs are written at 0, operator i runs at i + 1, outputs are read at op_count + 1. */
struct lifetime {
    uint32_t first, last;
    bool used; /* by an operator, or as an input or output */
};

/* One per value, in `scratch`; NULL when out of memory. */
struct lifetime *program_lifetimes(const struct program *p, struct arena *scratch);

/* Bytes of all codes of a value, and whether it lies in the arena of the program. */
size_t value_size(const struct pare_value *v);
bool value_in_arena(const struct pare_value *v, const struct lifetime *life);

#endif
