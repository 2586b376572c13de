/* Elementwise functions of one variable. */
#include "float/kernels.h"

#include <math.h>

/* Evaluated in double precision for every type; a and b are the operator's parameters. */
typedef double activation(double x, double a, double b);

/* Inlined with a known function, the loop over float32 vectorises. */
static inline enum pare_status map(struct float_call *c, activation *f, double a, double b) {
    const struct tensor *in = c->inputs[0];
    struct tensor *out = &c->outputs[0];
    if (!dtype_is_float(in->type)) {
        return call_refuse_type(c, in->type);
    }
    size_t count = tensor_count(in);
    if (in->type == DTYPE_FLOAT) {
        const float *x = in->data;
        float *y = out->data;
        for (size_t i = 0; i < count; i++) {
            y[i] = (float)f((double)x[i], a, b);
        }
        return PARE_OK;
    }
    for (size_t i = 0; i < count; i++) {
        tensor_set_double(out, i, f(tensor_get_double(in, i), a, b));
    }
    return PARE_OK;
}

static double sigmoid(double x, double a, double b) {
    (void)a, (void)b;
    return 1.0 / (1.0 + exp(-x));
}

static double hyperbolic_tangent(double x, double a, double b) {
    (void)a, (void)b;
    return tanh(x);
}

static double leaky_relu(double x, double a, double b) {
    (void)b;
    return x < 0.0 ? a * x : x;
}

static double hard_sigmoid(double x, double a, double b) {
    double y = a * x + b;
    return y < 0.0 ? 0.0 : y > 1.0 ? 1.0 : y;
}

static double hard_swish(double x, double a, double b) {
    return x * hard_sigmoid(x, a, b);
}

enum pare_status float_sigmoid(struct float_call *c) {
    return map(c, sigmoid, 0.0, 0.0);
}

enum pare_status float_tanh(struct float_call *c) {
    return map(c, hyperbolic_tangent, 0.0, 0.0);
}

enum pare_status float_leaky_relu(struct float_call *c) {
    return map(c, leaky_relu, (double)node_float(c->node, "alpha"), 0.0);
}

enum pare_status float_hard_sigmoid(struct float_call *c) {
    return map(c, hard_sigmoid, (double)node_float(c->node, "alpha"), (double)node_float(c->node, "beta"));
}

enum pare_status float_hard_swish(struct float_call *c) {
    return map(c, hard_swish, 1.0 / 6.0, 0.5);
}
