/* Shapes of the reductions. */
#include "graph/axes.h"
#include "graph/infer.h"

#include <inttypes.h>

static enum pare_status set_reduced(struct infer_call *c, enum dtype type, const bool reduced[TENSOR_MAX_RANK]) {
    const struct infer_value *x = infer_input(c, 0);
    bool keep = node_int(c->node, "keepdims") != 0;
    struct dim dims[TENSOR_MAX_RANK];
    int rank = 0;
    for (int i = 0; i < x->rank; i++) {
        if (!reduced[i]) {
            dims[rank++] = x->dims[i];
        } else if (keep) {
            dims[rank++] = dim_known(1);
        }
    }
    return infer_set(c, type, rank, dims);
}

enum pare_status infer_reduce(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const int64_t *axes = NULL;
    int count = 0;
    bool known = infer_ints(c, 1, &axes, &count);
    if (x->rank < 0 || !known) {
        struct dim dims[TENSOR_MAX_RANK];
        for (int i = 0; i < x->rank; i++) {
            dims[i] = dim_unknown();
        }
        return infer_set(c, x->type, node_int(c->node, "keepdims") != 0 ? x->rank : -1, dims);
    }
    bool reduced[TENSOR_MAX_RANK];
    if (axes_of_reduce(c->ctx, c->node, axes, count, x->rank, reduced) != PARE_OK) {
        return infer_fail_at(c);
    }
    return set_reduced(c, x->type, reduced);
}

enum pare_status infer_arg_reduce(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    int64_t given = node_int(c->node, "axis");
    int axis = 0;
    if (x->rank < 0) {
        return infer_set(c, DTYPE_INT64, -1, NULL);
    }
    if (!axis_resolve(given, x->rank, &axis)) {
        char text[INFER_TEXT_MAX];
        return infer_fail(c, "axis %" PRId64 " does not exist in %s", given, infer_text(x, text, sizeof text));
    }
    if (x->rank > 0 && x->dims[axis].value == 0) {
        char text[INFER_TEXT_MAX];
        return infer_fail(c, "axis %d of %s is empty", axis, infer_text(x, text, sizeof text));
    }
    bool reduced[TENSOR_MAX_RANK] = {false};
    reduced[axis] = true;
    return set_reduced(c, DTYPE_INT64, reduced);
}
