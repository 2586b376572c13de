/* Max, Min, Sum and Mean of any number of broadcast inputs: two at a time, into the output. */
#include "float/extremes.h"
#include "float/pairs.h"
#include "float/strided.h"
#include "graph/broadcast.h"

#include <math.h>
#include <string.h>

static double add(double a, double b) {
    return a + b;
}

static int64_t unsigned_larger(int64_t a, int64_t b) {
    return (uint64_t)a > (uint64_t)b ? a : b;
}

static int64_t unsigned_smaller(int64_t a, int64_t b) {
    return (uint64_t)a < (uint64_t)b ? a : b;
}

PAIRS_REAL(add, add)
PAIRS_INTEGER(add, integer_add)
PAIRS_REAL(larger, larger)
PAIRS_INTEGER(larger, integer_larger)
PAIRS_INTEGER(unsigned_larger, unsigned_larger)
PAIRS_REAL(smaller, smaller)
PAIRS_INTEGER(smaller, integer_smaller)
PAIRS_INTEGER(unsigned_smaller, unsigned_smaller)

static void spread(const struct tensor *in, struct tensor *out) {
    struct strided block = {.rank = out->shape.rank};
    for (int i = 0; i < out->shape.rank; i++) {
        block.dim[i] = out->shape.dim[i];
    }
    broadcast_strides(&in->shape, &out->shape, block.from);
    dense_strides(&out->shape, block.to);
    strided_copy(&block, in->data, out->data, dtype_size(in->type));
}

enum pare_status float_expand(struct float_call *c) {
    spread(c->inputs[0], &c->outputs[0]);
    return PARE_OK;
}

static enum pare_status fold(struct float_call *c, row_function *real, row_function *integer) {
    struct float_call pair = *c;
    const struct tensor *inputs[2] = {&c->outputs[0], NULL};
    pair.inputs = inputs;
    spread(c->inputs[0], &c->outputs[0]);
    for (int i = 1; i < c->node->input_count; i++) {
        inputs[1] = c->inputs[i];
        TRY(pairs_run(&pair, real, integer));
    }
    return PARE_OK;
}

enum pare_status float_max(struct float_call *c) {
    bool is_unsigned = c->inputs[0]->type == DTYPE_UINT64;
    return fold(c, larger_reals, is_unsigned ? unsigned_larger_integers : larger_integers);
}

enum pare_status float_min(struct float_call *c) {
    bool is_unsigned = c->inputs[0]->type == DTYPE_UINT64;
    return fold(c, smaller_reals, is_unsigned ? unsigned_smaller_integers : smaller_integers);
}

enum pare_status float_sum(struct float_call *c) {
    return fold(c, add_reals, add_integers);
}

enum pare_status float_mean(struct float_call *c) {
    struct tensor *out = &c->outputs[0];
    TRY(fold(c, add_reals, NULL));
    for (size_t i = 0, count = tensor_count(out); i < count; i++) {
        tensor_set_double(out, i, tensor_get_double(out, i) / c->node->input_count);
    }
    return PARE_OK;
}

/* Where input 0 holds, input 1, else input 2. */
enum pare_status float_where(struct float_call *c) {
    struct tensor *out = &c->outputs[0];
    size_t size = dtype_size(out->type), count = tensor_count(out);
    int64_t stride[3][TENSOR_MAX_RANK], at[3] = {0}, index[TENSOR_MAX_RANK] = {0};
    for (int k = 0; k < 3; k++) {
        broadcast_strides(&c->inputs[k]->shape, &out->shape, stride[k]);
    }
    for (size_t i = 0; i < count; i++) {
        int from = ((const bool *)c->inputs[0]->data)[at[0]] ? 1 : 2;
        memcpy((char *)out->data + i * size, (const char *)c->inputs[from]->data + (size_t)at[from] * size, size);
        strided_advance(&out->shape, index, 3, stride, at);
    }
    return PARE_OK;
}
