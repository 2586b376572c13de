/* Integer codes of any quantised type to and from a buffer of int32. */
#ifndef PARE_FLOAT_CODES_H
#define PARE_FLOAT_CODES_H

#include "tensor/tensor.h"

/* Whether the type holds codes; its range is then in *low and *high. */
bool codes_range(enum dtype type, int32_t *low, int32_t *high);
/* Elements [start, start + count); the type must hold codes. */
void codes_load(const struct tensor *t, size_t start, size_t count, int32_t *codes);
void codes_store(struct tensor *t, size_t start, size_t count, const int32_t *codes);

#endif
