/* Copies in which every output axis picks its input positions from a list: Pad and nearest Resize. */
#ifndef PARE_FLOAT_MAPPED_H
#define PARE_FLOAT_MAPPED_H

#include "tensor/tensor.h"

/* Output index o of axis i reads input index source[i][o], or the fill element where that is negative. */
struct mapping {
    int64_t *source[TENSOR_MAX_RANK];
};

/* `fill` is one element, and may be NULL when no index is negative. Types and ranks of both agree. */
void mapped_copy(const struct mapping *m, const struct tensor *in, const void *fill, struct tensor *out);

#endif
