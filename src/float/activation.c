/* Functions of one variable with parameters. */
#include "float/map.h"

#include <math.h>
#include <string.h>

/* A parameter as the attribute says it; float32 defaults are meant as the decimal numbers that they are given as. */
static double parameter(const struct float_call *c, const char *name) {
    return (double)node_float(c->node, name);
}

static bool is_float32(const struct float_call *c) {
    return c->inputs[0]->type == DTYPE_FLOAT;
}

static double leaky_relu(double x, double alpha, double b) {
    (void)b;
    return x < 0.0 ? alpha * x : x;
}

static double hard_sigmoid(double x, double alpha, double beta) {
    double y = alpha * x + beta;
    return y < 0.0 ? 0.0 : y > 1.0 ? 1.0 : y;
}

/* Steps rounded to float32 one by one, as float runtimes make them: 15/32 / 6 + 1/2 is 18.5 codes of 1/32 then, and
 * else a little more. */
static double hard_sigmoid_float32(double x, double alpha, double beta) {
    double y = (double)((float)(alpha * x) + (float)beta);
    return y < 0.0 ? 0.0 : y > 1.0 ? 1.0 : y;
}

static double hard_swish_float32(double x, double alpha, double beta) {
    return x * hard_sigmoid_float32(x, (double)(float)alpha, beta);
}

static double hard_swish(double x, double alpha, double beta) {
    return x * hard_sigmoid(x, alpha, beta);
}

static double elu(double x, double alpha, double b) {
    (void)b;
    return x < 0.0 ? alpha * expm1(x) : x;
}

static double selu(double x, double alpha, double gamma) {
    return gamma * (x <= 0.0 ? alpha * expm1(x) : x);
}

static double celu(double x, double alpha, double b) {
    (void)b;
    return x < 0.0 ? alpha * expm1(x / alpha) : x;
}

/* ONNX defines it as alpha * Elu(x / alpha), which is not x for every x of float32. */
static double celu_float32(double x, double alpha, double b) {
    return x < 0.0 ? celu(x, alpha, b) : alpha * (double)(float)(x / alpha);
}

static double thresholded_relu(double x, double alpha, double b) {
    (void)b;
    return x > alpha ? x : 0.0;
}

static double shrink(double x, double bias, double lambda) {
    return x < -lambda ? x + bias : x > lambda ? x - bias : 0.0;
}

static double swish(double x, double alpha, double b) {
    (void)b;
    return x / (1.0 + exp(-alpha * x));
}

static double gelu(double x, double a, double b) {
    (void)a, (void)b;
    return 0.5 * x * (1.0 + erf(x * 0.70710678118654752440));
}

/* The approximation by Hendrycks and Gimpel, "Gaussian Error Linear Units". */
static double gelu_tanh(double x, double a, double b) {
    (void)a, (void)b;
    return 0.5 * x * (1.0 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
}

enum pare_status float_leaky_relu(struct float_call *c) {
    return map_reals(c, leaky_relu, parameter(c, "alpha"), 0.0);
}

enum pare_status float_hard_sigmoid(struct float_call *c) {
    double alpha = parameter(c, "alpha"), beta = parameter(c, "beta");
    return is_float32(c) ? map_reals(c, hard_sigmoid_float32, alpha, beta) : map_reals(c, hard_sigmoid, alpha, beta);
}

enum pare_status float_hard_swish(struct float_call *c) {
    return is_float32(c) ? map_reals(c, hard_swish_float32, 1.0 / 6.0, 0.5) : map_reals(c, hard_swish, 1.0 / 6.0, 0.5);
}

enum pare_status float_elu(struct float_call *c) {
    return map_reals(c, elu, parameter(c, "alpha"), 0.0);
}

enum pare_status float_selu(struct float_call *c) {
    return map_reals(c, selu, parameter(c, "alpha"), parameter(c, "gamma"));
}

enum pare_status float_celu(struct float_call *c) {
    double alpha = parameter(c, "alpha");
    return is_float32(c) ? map_reals(c, celu_float32, alpha, 0.0) : map_reals(c, celu, alpha, 0.0);
}

enum pare_status float_thresholded_relu(struct float_call *c) {
    return map_reals(c, thresholded_relu, parameter(c, "alpha"), 0.0);
}

enum pare_status float_swish(struct float_call *c) {
    return map_reals(c, swish, parameter(c, "alpha"), 0.0);
}

enum pare_status float_gelu(struct float_call *c) {
    bool by_tanh = strcmp(node_string(c->node, "approximate"), "tanh") == 0;
    return by_tanh ? map_reals(c, gelu_tanh, 0.0, 0.0) : map_reals(c, gelu, 0.0, 0.0);
}

/* Integers, too; what does not fit is cut. */
enum pare_status float_shrink(struct float_call *c) {
    double bias = parameter(c, "bias"), lambda = parameter(c, "lambd");
    const struct tensor *in = c->inputs[0];
    if (dtype_is_float(in->type)) {
        return map_reals(c, shrink, bias, lambda);
    }
    for (size_t i = 0, count = tensor_count(in); i < count; i++) {
        tensor_set_int(&c->outputs[0], i, (int64_t)shrink(tensor_get_double(in, i), bias, lambda));
    }
    return PARE_OK;
}
