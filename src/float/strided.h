/* Copies between strided blocks: what Transpose, Slice, Concat, Split and Pad come down to. */
#ifndef PARE_FLOAT_STRIDED_H
#define PARE_FLOAT_STRIDED_H

#include "tensor/tensor.h"

/* A block of `rank` dimensions; strides in elements, of any sign. */
struct strided {
    int rank;
    int64_t dim[TENSOR_MAX_RANK];
    int64_t from[TENSOR_MAX_RANK];
    int64_t to[TENSOR_MAX_RANK];
};

/* Strides of a dense row-major tensor. */
void dense_strides(const struct shape *s, int64_t *strides);

/* Moves `index` to the next element of `shape`, and the `count` offsets with it, each by strides of its own. */
void strided_advance(const struct shape *shape, int64_t *index, int count, int64_t stride[][TENSOR_MAX_RANK],
                     int64_t *offsets);

/* Copies the block; `from` and `to` point to its element [0, 0, ...], each of `size` bytes. */
void strided_copy(const struct strided *block, const void *from, void *to, size_t size);

#endif
