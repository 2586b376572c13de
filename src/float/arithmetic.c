/* Add, Sub, Mul, Div and PRelu: functions of two broadcast variables. */
#include "float/integer.h"
#include "float/kernels.h"
#include "float/strided.h"
#include "graph/broadcast.h"

/* For float32 a double result rounds to what a float operation gives: 53 bits are more than 2 * 24 + 1. */
typedef double real_function(double a, double b);
typedef int64_t integer_function(int64_t a, int64_t b);

/* Both inputs' strides over the output's dimensions, 0 where they are broadcast. */
struct pair {
    struct shape out;
    int64_t a[TENSOR_MAX_RANK], b[TENSOR_MAX_RANK];
};

/* Joins dimensions over which both inputs advance evenly: most calls become one or two loops. */
static void pair_simplify(struct pair *p) {
    int rank = 0;
    for (int i = 0; i < p->out.rank; i++) {
        int64_t dim = p->out.dim[i];
        if (dim == 1) {
            continue;
        }
        bool joins = rank > 0 && p->a[rank - 1] == p->a[i] * dim && p->b[rank - 1] == p->b[i] * dim;
        p->out.dim[rank - joins] = joins ? p->out.dim[rank - 1] * dim : dim;
        p->a[rank - joins] = p->a[i];
        p->b[rank - joins] = p->b[i];
        rank += !joins;
    }
    if (rank == 0) {
        p->out.dim[rank] = p->a[rank] = p->b[rank] = 1;
        rank = 1;
    }
    p->out.rank = rank;
}

/* One row of `count` outputs; offsets in elements. */
struct row {
    size_t a, b, y, count, a_step, b_step;
};

typedef void row_function(struct float_call *c, const struct row *r);

static void walk(struct float_call *c, const struct pair *p, row_function *visit) {
    int last = p->out.rank - 1;
    size_t count = (size_t)p->out.dim[last], rows = dims_product(&p->out, 0, last);
    struct row r = {.count = count, .a_step = (size_t)p->a[last], .b_step = (size_t)p->b[last]};
    int64_t index[TENSOR_MAX_RANK] = {0};
    for (size_t row = 0; row < rows; row++) {
        visit(c, &r);
        r.y += count;
        for (int i = last - 1; i >= 0; i--) {
            r.a += (size_t)p->a[i];
            r.b += (size_t)p->b[i];
            if (++index[i] < p->out.dim[i]) {
                break;
            }
            r.a -= (size_t)(p->a[i] * p->out.dim[i]);
            r.b -= (size_t)(p->b[i] * p->out.dim[i]);
            index[i] = 0;
        }
    }
}

/* Inlined with a known function; the usual strides get loops of their own, which vectorise. */
static inline void real_row(struct float_call *c, const struct row *r, real_function *f) {
    if (c->inputs[0]->type != DTYPE_FLOAT) {
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
        int64_t a = tensor_get_int(c->inputs[0], r->a + i * r->a_step);
        int64_t b = tensor_get_int(c->inputs[1], r->b + i * r->b_step);
        tensor_set_int(&c->outputs[0], r->y + i, integer_wrap(f(a, b), c->outputs[0].type));
    }
}

static enum pare_status run(struct float_call *c, row_function *real, row_function *integer) {
    const struct tensor *a = c->inputs[0], *b = c->inputs[1];
    if (a->type == DTYPE_STRING || a->type == DTYPE_BOOL) {
        return call_refuse_type(c, a->type);
    }
    struct pair p = {.out = c->outputs[0].shape};
    if (tensor_count(&c->outputs[0]) == 0) {
        return PARE_OK;
    }
    broadcast_strides(&a->shape, &p.out, p.a);
    broadcast_strides(&b->shape, &p.out, p.b);
    pair_simplify(&p);
    walk(c, &p, dtype_is_float(a->type) ? real : integer);
    return PARE_OK;
}

#define OPERATOR(name, real, integer)                                                                                  \
    static void name##_reals(struct float_call *c, const struct row *r) {                                              \
        real_row(c, r, real);                                                                                          \
    }                                                                                                                  \
    static void name##_integers(struct float_call *c, const struct row *r) {                                           \
        integer_row(c, r, integer);                                                                                    \
    }

static double add(double a, double b) {
    return a + b;
}

static double subtract(double a, double b) {
    return a - b;
}

static double multiply(double a, double b) {
    return a * b;
}

static double divide(double a, double b) {
    return a / b;
}

static double slope(double x, double s) {
    return x < 0.0 ? s * x : x;
}

static int64_t integer_slope(int64_t x, int64_t s) {
    return x < 0 ? integer_multiply(s, x) : x;
}

OPERATOR(add, add, integer_add)
OPERATOR(subtract, subtract, integer_subtract)
OPERATOR(multiply, multiply, integer_multiply)
OPERATOR(divide, divide, integer_divide)
OPERATOR(slope, slope, integer_slope)

enum pare_status float_add(struct float_call *c) {
    return run(c, add_reals, add_integers);
}

enum pare_status float_sub(struct float_call *c) {
    return run(c, subtract_reals, subtract_integers);
}

enum pare_status float_mul(struct float_call *c) {
    return run(c, multiply_reals, multiply_integers);
}

enum pare_status float_prelu(struct float_call *c) {
    return run(c, slope_reals, slope_integers);
}

enum pare_status float_div(struct float_call *c) {
    const struct tensor *divisor = c->inputs[1];
    for (size_t i = 0; !dtype_is_float(divisor->type) && i < tensor_count(divisor); i++) {
        if (divisor->type != DTYPE_STRING && tensor_get_int(divisor, i) == 0) {
            return fail(c->ctx, PARE_ERROR_INPUT, "integer division by zero at element %zu of the divisor", i);
        }
    }
    return run(c, divide_reals, divide_integers);
}
