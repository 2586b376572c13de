#include "float/kernels.h"

#include <math.h>

/* Along `length` elements `stride` apart; the largest is subtracted first, so that exp cannot overflow. */
static void softmax_line(const float *x, float *y, size_t length, size_t stride) {
    float largest = -INFINITY;
    for (size_t i = 0; i < length; i++) {
        largest = fmaxf(largest, x[i * stride]);
    }
    double sum = 0.0;
    for (size_t i = 0; i < length; i++) {
        y[i * stride] = expf(x[i * stride] - largest);
        sum += (double)y[i * stride];
    }
    for (size_t i = 0; i < length; i++) {
        y[i * stride] = (float)((double)y[i * stride] / sum);
    }
}

enum pare_status float_softmax(struct float_call *c) {
    if (!call_is_float32(c)) {
        return call_widened(c, float_softmax);
    }
    const struct shape *shape = &c->inputs[0]->shape;
    const float *x = c->inputs[0]->data;
    float *y = c->outputs[0].data;
    if (shape->rank == 0) {
        softmax_line(x, y, 1, 1);
        return PARE_OK;
    }
    int axis = axis_from_start(node_int(c->node, "axis"), shape->rank);
    size_t outer = dims_product(shape, 0, axis), inner = dims_product(shape, axis + 1, shape->rank);
    size_t length = (size_t)shape->dim[axis];
    for (size_t i = 0; i < outer; i++) {
        for (size_t k = 0; k < inner; k++) {
            size_t at = i * length * inner + k;
            softmax_line(x + at, y + at, length, inner);
        }
    }
    return PARE_OK;
}
