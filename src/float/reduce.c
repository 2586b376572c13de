/* ReduceMean and ArgMax. */
#include "float/kernels.h"
#include "graph/axes.h"

/* Sums in double precision: each input element is added to the sum that its kept axes point to. */
struct sums {
    const struct shape *shape;
    int64_t stride[TENSOR_MAX_RANK]; /* of the sums, 0 where an axis is reduced */
    const float *next;               /* input element */
    double *sum;
};

static void add_axis(struct sums *s, int axis, double *sum) {
    if (axis == s->shape->rank) {
        *sum += (double)*s->next++;
        return;
    }
    int64_t length = s->shape->dim[axis], stride = s->stride[axis];
    if (axis < s->shape->rank - 1) {
        for (int64_t i = 0; i < length; i++) {
            add_axis(s, axis + 1, sum + i * stride);
        }
        return;
    }
    for (int64_t i = 0; i < length; i++) {
        sum[i * stride] += (double)s->next[i];
    }
    s->next += length;
}

enum pare_status float_reduce_mean(struct float_call *c) {
    if (!call_is_float32(c)) {
        return call_widened(c, float_reduce_mean);
    }
    const struct tensor *in = c->inputs[0];
    struct tensor *out = &c->outputs[0];
    int64_t *axes;
    int axis_count;
    bool reduced[TENSOR_MAX_RANK];
    TRY(call_integers(c, 1, &axes, &axis_count));
    TRY(axes_of_reduce(c->ctx, c->node, axes, axis_count, in->shape.rank, reduced));
    struct sums s = {.shape = &in->shape, .next = in->data};
    int64_t stride = 1, terms = 1;
    for (int i = in->shape.rank - 1; i >= 0; i--) {
        s.stride[i] = reduced[i] ? 0 : stride;
        *(reduced[i] ? &terms : &stride) *= in->shape.dim[i];
    }
    s.sum = call_scratch(c, tensor_count(out), sizeof *s.sum);
    if (s.sum == NULL) {
        return PARE_ERROR_MEMORY;
    }
    if (tensor_count(in) > 0) {
        add_axis(&s, 0, s.sum);
    }
    float *y = out->data;
    for (size_t i = 0; i < tensor_count(out); i++) {
        y[i] = (float)(s.sum[i] / (double)terms);
    }
    return PARE_OK;
}

/* Index of the largest of `length` elements, `stride` apart; of equal ones the first or the last. */
static size_t largest(const struct tensor *t, size_t at, size_t length, size_t stride, bool last) {
    bool is_float = dtype_is_float(t->type);
    size_t best = 0;
    for (size_t i = 1; i < length; i++) {
        size_t a = at + i * stride, b = at + best * stride;
        bool greater =
            is_float ? tensor_get_double(t, a) > tensor_get_double(t, b) : tensor_get_int(t, a) > tensor_get_int(t, b);
        bool equal = is_float ? tensor_get_double(t, a) == tensor_get_double(t, b)
                              : tensor_get_int(t, a) == tensor_get_int(t, b);
        best = greater || (last && equal) ? i : best;
    }
    return best;
}

enum pare_status float_arg_max(struct float_call *c) {
    const struct tensor *in = c->inputs[0];
    int axis = axis_from_start(node_int(c->node, "axis"), in->shape.rank);
    bool last = node_int(c->node, "select_last_index") != 0;
    size_t outer = dims_product(&in->shape, 0, axis), inner = dims_product(&in->shape, axis + 1, in->shape.rank);
    size_t length = in->shape.rank > 0 ? (size_t)in->shape.dim[axis] : 1;
    if (in->type == DTYPE_STRING) {
        return call_refuse_type(c, in->type);
    }
    if (length == 0) {
        return fail(c->ctx, PARE_ERROR_INPUT, "axis %d is empty: it has no largest element", axis);
    }
    int64_t *y = c->outputs[0].data;
    for (size_t i = 0; i < outer * inner; i++) {
        size_t at = i / inner * length * inner + i % inner;
        y[i] = (int64_t)largest(in, at, length, inner, last);
    }
    return PARE_OK;
}
