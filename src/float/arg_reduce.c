/* ArgMax and ArgMin. */
#include "float/integer.h"
#include "float/kernels.h"
#include "float/order.h"

/* Which of several elements, `stride` apart, is wanted. */
struct choice {
    size_t length, stride;
    bool smallest, last; /* of equal ones the first or the last */
};

static size_t choose(const struct tensor *t, size_t at, const struct choice *k) {
    size_t best = 0;
    for (size_t i = 1; i < k->length; i++) {
        int order = elements_compare(t, at + i * k->stride, at + best * k->stride);
        order = k->smallest ? -order : order;
        best = order > 0 || (k->last && order == 0) ? i : best;
    }
    return best;
}

static enum pare_status arg_reduce(struct float_call *c, bool smallest) {
    const struct tensor *in = c->inputs[0];
    int axis = axis_from_start(node_int(c->node, "axis"), in->shape.rank);
    size_t outer = dims_product(&in->shape, 0, axis), inner = dims_product(&in->shape, axis + 1, in->shape.rank);
    struct choice k = {.length = in->shape.rank > 0 ? (size_t)in->shape.dim[axis] : 1,
                       .stride = inner,
                       .smallest = smallest,
                       .last = node_int(c->node, "select_last_index") != 0};
    if (in->type == DTYPE_STRING) {
        return call_refuse_type(c, in->type);
    }
    if (k.length == 0) {
        return fail(c->ctx, PARE_ERROR_INPUT, "axis %d is empty: it has no largest element", axis);
    }
    int64_t *y = c->outputs[0].data;
    for (size_t i = 0; i < outer * inner; i++) {
        y[i] = (int64_t)choose(in, i / inner * k.length * inner + i % inner, &k);
    }
    return PARE_OK;
}

enum pare_status float_arg_max(struct float_call *c) {
    return arg_reduce(c, false);
}

enum pare_status float_arg_min(struct float_call *c) {
    return arg_reduce(c, true);
}
