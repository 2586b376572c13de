#include "graph/axes.h"

#include <inttypes.h>

bool axis_resolve(int64_t axis, int rank, int *out) {
    if (axis < -rank || axis >= rank) {
        return false;
    }
    *out = (int)(axis < 0 ? axis + rank : axis);
    return true;
}

enum pare_status axes_mark(struct context *ctx, const int64_t *axes, int count, int rank,
                           bool marked[TENSOR_MAX_RANK]) {
    for (int i = 0; i < TENSOR_MAX_RANK; i++) {
        marked[i] = false;
    }
    for (int i = 0; i < count; i++) {
        int axis = 0;
        if (!axis_resolve(axes[i], rank, &axis)) {
            return fail(ctx, PARE_ERROR_INPUT, "axis %" PRId64 " does not exist in a tensor of rank %d", axes[i], rank);
        }
        if (marked[axis]) {
            return fail(ctx, PARE_ERROR_INPUT, "axis %d is named twice", axis);
        }
        marked[axis] = true;
    }
    return PARE_OK;
}

enum pare_status axes_of_reduce(struct context *ctx, const struct node *n, const int64_t *axes, int count, int rank,
                                bool reduced[TENSOR_MAX_RANK]) {
    TRY(axes_mark(ctx, axes, count, rank, reduced));
    bool all = count == 0 && node_int(n, "noop_with_empty_axes") == 0;
    for (int i = 0; all && i < rank; i++) {
        reduced[i] = true;
    }
    return PARE_OK;
}

enum pare_status axes_of_transpose(struct context *ctx, const struct node *n, int rank, int perm[TENSOR_MAX_RANK]) {
    size_t count = 0;
    const int64_t *given = node_ints(n, "perm", &count);
    for (int i = 0; i < rank; i++) {
        perm[i] = rank - 1 - i;
    }
    if (given == NULL) {
        return PARE_OK;
    }
    if (count != (size_t)rank) {
        return fail(ctx, PARE_ERROR_INPUT, "perm has %zu entries, the input has rank %d", count, rank);
    }
    bool marked[TENSOR_MAX_RANK];
    TRY(axes_mark(ctx, given, rank, rank, marked));
    for (int i = 0; i < rank; i++) {
        axis_resolve(given[i], rank, &perm[i]);
    }
    return PARE_OK;
}

void axes_of_factor(const struct node *n, int operand, int rank, int perm[TENSOR_MAX_RANK]) {
    bool batch = rank > 2 && node_int(n, operand == 0 ? "transBatchA" : "transBatchB") != 0;
    bool swap = rank > 1 && node_int(n, operand == 0 ? "transA" : "transB") != 0;
    for (int i = 0; i < rank; i++) {
        perm[i] = !batch || i == rank - 1 ? i : i == rank - 2 ? 0 : i + 1;
    }
    if (swap) {
        int last = perm[rank - 1];
        perm[rank - 1] = perm[rank - 2];
        perm[rank - 2] = last;
    }
}
