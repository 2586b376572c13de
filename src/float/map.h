/* Functions of one variable, element by element. */
#ifndef PARE_FLOAT_MAP_H
#define PARE_FLOAT_MAP_H

#include "float/kernels.h"

/* Evaluated in double precision for every type; a and b are the operator's parameters. */
typedef double real_map(double x, double a, double b);

/* Inlined with a known function, the loop over float32 vectorises. */
static inline enum pare_status map_reals(struct float_call *c, real_map *f, double a, double b) {
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

/* The same where the operator has no parameters. */
#define MAP(operator, function)                                                                                        \
    static double operator##_of(double x, double a, double b) {                                                        \
        (void)a, (void)b;                                                                                              \
        return function(x);                                                                                            \
    }                                                                                                                  \
    enum pare_status float_##operator(struct float_call *c) {                                                          \
        return map_reals(c, operator##_of, 0.0, 0.0);                                                                  \
    }

#endif
