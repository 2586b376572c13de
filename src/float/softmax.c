/* Softmax, LogSoftmax and Hardmax: along `length` elements, `stride` apart. */
#include "float/kernels.h"

#include <math.h>

typedef void line_function(const float *x, float *y, size_t length, size_t stride);

/* The largest is subtracted first, so that exp cannot overflow. */
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

static void log_softmax_line(const float *x, float *y, size_t length, size_t stride) {
    double largest = -(double)INFINITY, sum = 0.0;
    for (size_t i = 0; i < length; i++) {
        largest = fmax(largest, (double)x[i * stride]);
    }
    for (size_t i = 0; i < length; i++) {
        sum += exp((double)x[i * stride] - largest);
    }
    for (size_t i = 0; i < length; i++) {
        y[i * stride] = (float)((double)x[i * stride] - largest - log(sum));
    }
}

/* One at the first of the largest, zero elsewhere. */
static void hardmax_line(const float *x, float *y, size_t length, size_t stride) {
    size_t best = 0;
    for (size_t i = 0; i < length; i++) {
        best = x[i * stride] > x[best * stride] ? i : best;
        y[i * stride] = 0.0f;
    }
    if (length > 0) {
        y[best * stride] = 1.0f;
    }
}

static enum pare_status for_each_line(struct float_call *c, line_function *f) {
    const struct shape *shape = &c->inputs[0]->shape;
    const float *x = c->inputs[0]->data;
    float *y = c->outputs[0].data;
    if (shape->rank == 0) {
        f(x, y, 1, 1);
        return PARE_OK;
    }
    int axis = axis_from_start(node_int(c->node, "axis"), shape->rank);
    size_t outer = dims_product(shape, 0, axis), inner = dims_product(shape, axis + 1, shape->rank);
    size_t length = (size_t)shape->dim[axis];
    for (size_t i = 0; i < outer; i++) {
        for (size_t k = 0; k < inner; k++) {
            size_t at = i * length * inner + k;
            f(x + at, y + at, length, inner);
        }
    }
    return PARE_OK;
}

enum pare_status float_softmax(struct float_call *c) {
    return call_is_float32(c) ? for_each_line(c, softmax_line) : call_widened(c, float_softmax);
}

enum pare_status float_log_softmax(struct float_call *c) {
    return call_is_float32(c) ? for_each_line(c, log_softmax_line) : call_widened(c, float_log_softmax);
}

enum pare_status float_hardmax(struct float_call *c) {
    return call_is_float32(c) ? for_each_line(c, hardmax_line) : call_widened(c, float_hardmax);
}
