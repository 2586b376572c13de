/* Arithmetic of two broadcast variables. */
#include "float/pairs.h"

#include <math.h>

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

/* With the sign of the divisor. */
static double modulo(double a, double b) {
    double r = fmod(a, b);
    return r != 0.0 && (r < 0.0) != (b < 0.0) ? r + b : r;
}

PAIRS_REAL(add, add)
PAIRS_INTEGER(add, integer_add)
PAIRS_REAL(subtract, subtract)
PAIRS_INTEGER(subtract, integer_subtract)
PAIRS_REAL(multiply, multiply)
PAIRS_INTEGER(multiply, integer_multiply)
PAIRS_REAL(divide, divide)
PAIRS_INTEGER(divide, integer_divide)
PAIRS_INTEGER(divide_unsigned, integer_divide_unsigned)
PAIRS_REAL(slope, slope)
PAIRS_INTEGER(slope, integer_slope)
PAIRS_REAL(remainder, fmod)
PAIRS_INTEGER(remainder, integer_remainder)
PAIRS_INTEGER(remainder_unsigned, integer_remainder_unsigned)
PAIRS_REAL(modulo, modulo)
PAIRS_INTEGER(modulo, integer_modulo)
PAIRS_REAL(power, pow)

enum pare_status float_add(struct float_call *c) {
    return pairs_run(c, add_reals, add_integers);
}

enum pare_status float_sub(struct float_call *c) {
    return pairs_run(c, subtract_reals, subtract_integers);
}

enum pare_status float_mul(struct float_call *c) {
    return pairs_run(c, multiply_reals, multiply_integers);
}

enum pare_status float_prelu(struct float_call *c) {
    return pairs_run(c, slope_reals, slope_integers);
}

static enum pare_status check_divisor(struct float_call *c) {
    const struct tensor *divisor = c->inputs[1];
    for (size_t i = 0; !dtype_is_float(divisor->type) && i < tensor_count(divisor); i++) {
        if (divisor->type != DTYPE_STRING && tensor_get_int(divisor, i) == 0) {
            return fail(c->ctx, PARE_ERROR_INPUT, "integer division by zero at element %zu of the divisor", i);
        }
    }
    return PARE_OK;
}

enum pare_status float_div(struct float_call *c) {
    bool is_unsigned = c->inputs[0]->type == DTYPE_UINT64;
    TRY(check_divisor(c));
    return pairs_run(c, divide_reals, is_unsigned ? divide_unsigned_integers : divide_integers);
}

enum pare_status float_mod(struct float_call *c) {
    bool is_unsigned = c->inputs[0]->type == DTYPE_UINT64, as_c = node_int(c->node, "fmod") != 0;
    TRY(check_divisor(c));
    return pairs_run(c, as_c ? remainder_reals : modulo_reals,
                     is_unsigned ? remainder_unsigned_integers
                     : as_c      ? remainder_integers
                                 : modulo_integers);
}

/* The exponent has a type of its own. */
static void power_integers(struct float_call *c, const struct row *r) {
    bool real = dtype_is_float(c->inputs[1]->type);
    for (size_t i = 0; i < r->count; i++) {
        size_t a = r->a + i * r->a_step, b = r->b + i * r->b_step;
        int64_t base = integer_load(c->inputs[0], a);
        if (real) {
            tensor_set_double(&c->outputs[0], r->y + i, trunc(pow((double)base, tensor_get_double(c->inputs[1], b))));
        } else {
            integer_store(&c->outputs[0], r->y + i, integer_power(base, integer_load(c->inputs[1], b)));
        }
    }
}

enum pare_status float_pow(struct float_call *c) {
    return pairs_run(c, power_reals, power_integers);
}
