/* Mathematical functions of one variable without parameters. */
#include "float/integer.h"
#include "float/map.h"

#include <math.h>

static double reciprocal(double x) {
    return 1.0 / x;
}

static double sigmoid(double x) {
    return 1.0 / (1.0 + exp(-x));
}

/* log(1 + exp(x)) without overflow. */
static double softplus(double x) {
    return (x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x)));
}

static double softsign(double x) {
    return x / (1.0 + fabs(x));
}

static double mish(double x) {
    return x * tanh(softplus(x));
}

MAP(acos, acos)
MAP(acosh, acosh)
MAP(asin, asin)
MAP(asinh, asinh)
MAP(atan, atan)
MAP(atanh, atanh)
MAP(ceil, ceil)
MAP(cos, cos)
MAP(cosh, cosh)
MAP(erf, erf)
MAP(exp, exp)
MAP(floor, floor)
MAP(log, log)
MAP(mish, mish)
MAP(reciprocal, reciprocal)
MAP(round, rint)
MAP(sigmoid, sigmoid)
MAP(sin, sin)
MAP(sinh, sinh)
MAP(softplus, softplus)
MAP(softsign, softsign)
MAP(sqrt, sqrt)
MAP(tan, tan)
MAP(tanh, tanh)

/* ---- those of integers, too ---- */

typedef int64_t integer_map(int64_t x);

static enum pare_status map_integers(struct float_call *c, integer_map *f) {
    const struct tensor *in = c->inputs[0];
    for (size_t i = 0, count = tensor_count(in); i < count; i++) {
        integer_store(&c->outputs[0], i, f(integer_load(in, i)));
    }
    return PARE_OK;
}

static double absolute(double x, double a, double b) {
    (void)a, (void)b;
    return fabs(x);
}

static int64_t integer_absolute(int64_t x) {
    return x < 0 ? integer_subtract(0, x) : x;
}

enum pare_status float_abs(struct float_call *c) {
    bool is_unsigned = c->inputs[0]->type == DTYPE_UINT64;
    return dtype_is_float(c->inputs[0]->type) ? map_reals(c, absolute, 0.0, 0.0)
           : is_unsigned                      ? float_copy(c)
                                              : map_integers(c, integer_absolute);
}

static double negative(double x, double a, double b) {
    (void)a, (void)b;
    return -x;
}

static int64_t integer_negative(int64_t x) {
    return integer_subtract(0, x);
}

enum pare_status float_neg(struct float_call *c) {
    return dtype_is_float(c->inputs[0]->type) ? map_reals(c, negative, 0.0, 0.0) : map_integers(c, integer_negative);
}

static double sign(double x, double a, double b) {
    (void)a, (void)b;
    return isnan(x) ? x : (double)((x > 0.0) - (x < 0.0));
}

static int64_t integer_sign(int64_t x) {
    return (x > 0) - (x < 0);
}

static int64_t unsigned_sign(int64_t x) {
    return x != 0;
}

enum pare_status float_sign(struct float_call *c) {
    bool is_unsigned = c->inputs[0]->type == DTYPE_UINT64;
    return dtype_is_float(c->inputs[0]->type) ? map_reals(c, sign, 0.0, 0.0)
                                              : map_integers(c, is_unsigned ? unsigned_sign : integer_sign);
}

static int64_t complement(int64_t x) {
    return ~x;
}

enum pare_status float_bitwise_not(struct float_call *c) {
    return dtype_is_float(c->inputs[0]->type) ? call_refuse_type(c, c->inputs[0]->type) : map_integers(c, complement);
}

static int64_t logical_not(int64_t x) {
    return x == 0;
}

enum pare_status float_not(struct float_call *c) {
    return c->inputs[0]->type != DTYPE_BOOL ? call_refuse_type(c, c->inputs[0]->type) : map_integers(c, logical_not);
}

/* ---- questions ---- */

enum pare_status float_is_nan(struct float_call *c) {
    bool *y = c->outputs[0].data;
    for (size_t i = 0, count = tensor_count(c->inputs[0]); i < count; i++) {
        y[i] = isnan(tensor_get_double(c->inputs[0], i));
    }
    return PARE_OK;
}

enum pare_status float_is_inf(struct float_call *c) {
    bool negatives = node_int(c->node, "detect_negative") != 0, positives = node_int(c->node, "detect_positive") != 0;
    bool *y = c->outputs[0].data;
    for (size_t i = 0, count = tensor_count(c->inputs[0]); i < count; i++) {
        double x = tensor_get_double(c->inputs[0], i);
        y[i] = isinf(x) && (x > 0.0 ? positives : negatives);
    }
    return PARE_OK;
}
