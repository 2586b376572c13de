#include "graph/broadcast.h"

/* Dimension `i` of a shape that is aligned at the end of `rank` dimensions. */
static int64_t aligned_dim(const struct shape *s, int rank, int i) {
    int own = i - (rank - s->rank);
    return own < 0 ? 1 : s->dim[own];
}

bool broadcast_shape(const struct shape *a, const struct shape *b, struct shape *out) {
    struct shape result = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 0; i < result.rank; i++) {
        int64_t x = aligned_dim(a, result.rank, i);
        int64_t y = aligned_dim(b, result.rank, i);
        if (x != y && x != 1 && y != 1) {
            return false;
        }
        result.dim[i] = x == 1 ? y : x;
    }
    *out = result;
    return true;
}

void broadcast_strides(const struct shape *s, const struct shape *out, int64_t *stride) {
    int64_t step = 1;
    for (int i = out->rank - 1; i >= 0; i--) {
        int64_t dim = aligned_dim(s, out->rank, i);
        stride[i] = dim == 1 ? 0 : step;
        step *= dim;
    }
}

int64_t broadcast_offset(const struct shape *out, const int64_t *stride, int64_t index) {
    int64_t at = 0;
    for (int i = out->rank - 1; i >= 0; i--) {
        at += index % out->dim[i] * stride[i];
        index /= out->dim[i];
    }
    return at;
}
