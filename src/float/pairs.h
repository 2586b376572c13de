/* Functions of two broadcast variables, row by row. */
#ifndef PARE_FLOAT_PAIRS_H
#define PARE_FLOAT_PAIRS_H

#include "float/integer.h"
#include "float/kernels.h"

/* For float32 a double result rounds to what a float operation gives: 53 bits are more than 2 * 24 + 1. */
typedef double real_function(double a, double b);
typedef int64_t integer_function(int64_t a, int64_t b);

/* One row of `count` outputs; offsets in elements. */
struct row {
    size_t a, b, y, count, a_step, b_step;
};

typedef void row_function(struct float_call *c, const struct row *r);

/* Every row of output 0, with inputs 0 and 1 broadcast to it. */
void pairs_walk(struct float_call *c, row_function *visit);
/* The same by the function for the type of input 0; PARE_ERROR_UNSUPPORTED where it is NULL, or the type no number. */
enum pare_status pairs_run(struct float_call *c, row_function *real, row_function *integer);

/* Inlined with a known function; the usual strides get loops of their own, which vectorise. */
static inline void real_row(struct float_call *c, const struct row *r, real_function *f) {
    if (c->inputs[0]->type != DTYPE_FLOAT || c->inputs[1]->type != DTYPE_FLOAT) {
        for (size_t i = 0; i < r->count; i++) {
            double a = tensor_get_double(c->inputs[0], r->a + i * r->a_step);
            double b = tensor_get_double(c->inputs[1], r->b + i * r->b_step);
            tensor_set_double(&c->outputs[0], r->y + i, f(a, b));
        }
        return;
    }
    const float *a = (const float *)c->inputs[0]->data + r->a, *b = (const float *)c->inputs[1]->data + r->b;
    float *y = (float *)c->outputs[0].data + r->y;
    if (r->a_step == 1 && r->b_step == 1) {
        for (size_t i = 0; i < r->count; i++) {
            y[i] = (float)f((double)a[i], (double)b[i]);
        }
    } else if (r->a_step == 1 && r->b_step == 0) {
        for (size_t i = 0; i < r->count; i++) {
            y[i] = (float)f((double)a[i], (double)b[0]);
        }
    } else {
        for (size_t i = 0; i < r->count; i++) {
            y[i] = (float)f((double)a[i * r->a_step], (double)b[i * r->b_step]);
        }
    }
}

static inline void integer_row(struct float_call *c, const struct row *r, integer_function *f) {
    for (size_t i = 0; i < r->count; i++) {
        int64_t a = integer_load(c->inputs[0], r->a + i * r->a_step);
        int64_t b = integer_load(c->inputs[1], r->b + i * r->b_step);
        integer_store(&c->outputs[0], r->y + i, f(a, b));
    }
}

#define PAIRS_REAL(name, function)                                                                                     \
    static void name##_reals(struct float_call *c, const struct row *r) {                                              \
        real_row(c, r, function);                                                                                      \
    }

#define PAIRS_INTEGER(name, function)                                                                                  \
    static void name##_integers(struct float_call *c, const struct row *r) {                                           \
        integer_row(c, r, function);                                                                                   \
    }

#endif
