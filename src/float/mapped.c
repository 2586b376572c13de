#include "float/mapped.h"

#include "float/strided.h"

#include <string.h>

/* The copy's fixed part, and the output cursor that moves through it. */
struct cursor {
    const struct mapping *mapping;
    const struct shape *shape;
    int64_t stride[TENSOR_MAX_RANK]; /* of the input, in elements */
    int64_t block[TENSOR_MAX_RANK];  /* output elements of one step of an axis */
    const char *fill;
    size_t size;
    char *to;
};

static void put(struct cursor *k, const char *from) {
    if (k->size == sizeof(float)) {
        memcpy(k->to, from, sizeof(float));
    } else {
        memcpy(k->to, from, k->size);
    }
    k->to += k->size;
}

static void copy_axis(struct cursor *k, int axis, const char *from) {
    const int64_t *source = k->mapping->source[axis];
    bool innermost = axis == k->shape->rank - 1;
    for (int64_t o = 0; o < k->shape->dim[axis]; o++) {
        const char *at = source[o] < 0 ? NULL : from + (size_t)(source[o] * k->stride[axis]) * k->size;
        for (int64_t i = 0; at == NULL && i < k->block[axis]; i++) {
            put(k, k->fill);
        }
        if (at != NULL && innermost) {
            put(k, at);
        } else if (at != NULL) {
            copy_axis(k, axis + 1, at);
        }
    }
}

void mapped_copy(const struct mapping *m, const struct tensor *in, const void *fill, struct tensor *out) {
    size_t size = dtype_size(in->type);
    if (tensor_count(out) == 0) {
        return;
    }
    if (out->shape.rank == 0) {
        memcpy(out->data, in->data, size);
        return;
    }
    struct cursor k = {.mapping = m, .shape = &out->shape, .fill = fill, .size = size, .to = out->data};
    dense_strides(&in->shape, k.stride);
    dense_strides(&out->shape, k.block);
    copy_axis(&k, 0, in->data);
}
