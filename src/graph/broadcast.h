/* Multidirectional broadcasting (as in NumPy): shapes are aligned at their last dimension. */
#ifndef PARE_GRAPH_BROADCAST_H
#define PARE_GRAPH_BROADCAST_H

#include "tensor/tensor.h"

/* False when two dimensions differ and neither is 1. */
bool broadcast_shape(const struct shape *a, const struct shape *b, struct shape *out);
/* Strides in elements by which operand `s` is walked along the dimensions of `out`, that it broadcasts to: 0 where it
 * repeats. `stride` has out->rank entries. */
void broadcast_strides(const struct shape *s, const struct shape *out, int64_t *stride);
/* The offset of the operand's element behind element `index` of `out`. */
int64_t broadcast_offset(const struct shape *out, const int64_t *stride, int64_t index);

#endif
