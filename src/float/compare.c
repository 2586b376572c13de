/* Comparisons, logic and bits of two broadcast variables. */
#include "float/pairs.h"

#include <string.h>

/* Loops of its own per relation, so that NaN compares as C says. */
#define COMPARISON(name, relation)                                                                                     \
    static void name##_reals(struct float_call *c, const struct row *r) {                                              \
        bool *y = (bool *)c->outputs[0].data + r->y;                                                                   \
        for (size_t i = 0; i < r->count; i++) {                                                                        \
            y[i] = tensor_get_double(c->inputs[0], r->a + i * r->a_step)                                               \
                relation tensor_get_double(c->inputs[1], r->b + i * r->b_step);                                        \
        }                                                                                                              \
    }                                                                                                                  \
    static void name##_integers(struct float_call *c, const struct row *r) {                                           \
        enum dtype type = c->inputs[0]->type;                                                                          \
        bool *y = (bool *)c->outputs[0].data + r->y;                                                                   \
        for (size_t i = 0; i < r->count; i++) {                                                                        \
            y[i] = integer_key(integer_load(c->inputs[0], r->a + i * r->a_step), type)                                 \
                relation integer_key(integer_load(c->inputs[1], r->b + i * r->b_step), type);                          \
        }                                                                                                              \
    }                                                                                                                  \
    enum pare_status float_##name(struct float_call *c) {                                                              \
        pairs_walk(c, dtype_is_float(c->inputs[0]->type) ? name##_reals : name##_integers);                            \
        return PARE_OK;                                                                                                \
    }

COMPARISON(equal, ==)
COMPARISON(greater, >)
COMPARISON(greater_or_equal, >=)
COMPARISON(less, <)
COMPARISON(less_or_equal, <=)

static int64_t bits_and(int64_t a, int64_t b) {
    return a & b;
}

static int64_t bits_or(int64_t a, int64_t b) {
    return a | b;
}

static int64_t bits_xor(int64_t a, int64_t b) {
    return a ^ b;
}

PAIRS_INTEGER(and, bits_and)
PAIRS_INTEGER(or, bits_or)
PAIRS_INTEGER(xor, bits_xor)

static enum pare_status run_logic(struct float_call *c, row_function *visit) {
    if (c->inputs[0]->type != DTYPE_BOOL) {
        return call_refuse_type(c, c->inputs[0]->type);
    }
    pairs_walk(c, visit);
    return PARE_OK;
}

enum pare_status float_and(struct float_call *c) {
    return run_logic(c, and_integers);
}

enum pare_status float_or(struct float_call *c) {
    return run_logic(c, or_integers);
}

enum pare_status float_xor(struct float_call *c) {
    return run_logic(c, xor_integers);
}

enum pare_status float_bitwise_and(struct float_call *c) {
    return pairs_run(c, NULL, and_integers);
}

enum pare_status float_bitwise_or(struct float_call *c) {
    return pairs_run(c, NULL, or_integers);
}

enum pare_status float_bitwise_xor(struct float_call *c) {
    return pairs_run(c, NULL, xor_integers);
}

/* Shifts by all bits and more leave nothing. */
static int64_t shift_left(int64_t a, int64_t b) {
    return b < 0 || b > 63 ? 0 : (int64_t)((uint64_t)a << b);
}

static int64_t shift_right(int64_t a, int64_t b) {
    return b < 0 || b > 63 ? 0 : (int64_t)((uint64_t)a >> b);
}

PAIRS_INTEGER(left, shift_left)
PAIRS_INTEGER(right, shift_right)

enum pare_status float_bit_shift(struct float_call *c) {
    return pairs_run(c, NULL, strcmp(node_string(c->node, "direction"), "LEFT") == 0 ? left_integers : right_integers);
}
