#include "float/strided.h"

#include <string.h>

void dense_strides(const struct shape *s, int64_t *strides) {
    int64_t stride = 1;
    for (int i = s->rank - 1; i >= 0; i--) {
        strides[i] = stride;
        stride *= s->dim[i];
    }
}

/* Drops dimensions of one, and joins those that are contiguous on both sides. */
static struct strided simplify(const struct strided *block) {
    struct strided s = {0};
    for (int i = 0; i < block->rank; i++) {
        if (block->dim[i] == 1) {
            continue;
        }
        int last = s.rank - 1;
        bool joins =
            s.rank > 0 && s.from[last] == block->from[i] * block->dim[i] && s.to[last] == block->to[i] * block->dim[i];
        if (joins) {
            s.dim[last] *= block->dim[i];
        } else {
            last = s.rank++;
            s.dim[last] = block->dim[i];
        }
        s.from[last] = block->from[i];
        s.to[last] = block->to[i];
    }
    if (s.rank == 0) {
        s.rank = 1;
        s.dim[0] = s.from[0] = s.to[0] = 1;
    }
    return s;
}

/* One row; memcpy of a constant size compiles to a load and a store. */
#define COPY_ROW(bytes)                                                                                                \
    for (int64_t i = 0; i < count; i++) {                                                                              \
        memcpy(to + i * to_stride * (bytes), from + i * from_stride * (bytes), (bytes));                               \
    }

static void copy_row(const char *from, int64_t from_stride, char *to, int64_t to_stride, int64_t count, int64_t size) {
    if (from_stride == 1 && to_stride == 1) {
        memcpy(to, from, (size_t)(count * size));
    } else if (size == 1) {
        COPY_ROW(1)
    } else if (size == 2) {
        COPY_ROW(2)
    } else if (size == 4) {
        COPY_ROW(4)
    } else {
        COPY_ROW(8)
    }
}

static void copy_block(const struct strided *s, int axis, const char *from, char *to, int64_t size) {
    if (axis == s->rank - 1) {
        copy_row(from, s->from[axis], to, s->to[axis], s->dim[axis], size);
        return;
    }
    for (int64_t i = 0; i < s->dim[axis]; i++) {
        copy_block(s, axis + 1, from + i * s->from[axis] * size, to + i * s->to[axis] * size, size);
    }
}

void strided_copy(const struct strided *block, const void *from, void *to, size_t size) {
    for (int i = 0; i < block->rank; i++) {
        if (block->dim[i] == 0) {
            return;
        }
    }
    struct strided s = simplify(block);
    copy_block(&s, 0, from, to, (int64_t)size);
}

void strided_advance(const struct shape *shape, int64_t *index, int count, int64_t stride[][TENSOR_MAX_RANK],
                     int64_t *offsets) {
    for (int i = shape->rank - 1; i >= 0; i--) {
        bool wraps = ++index[i] == shape->dim[i];
        for (int k = 0; k < count; k++) {
            offsets[k] += wraps ? -stride[k][i] * (shape->dim[i] - 1) : stride[k][i];
        }
        if (!wraps) {
            return;
        }
        index[i] = 0;
    }
}
