/* Gemm and MatMul. */
#include "float/kernels.h"
#include "float/product.h"
#include "graph/broadcast.h"

static void set_bias(const struct tensor *bias, struct tensor *out) {
    const float *from = bias->data;
    float *y = out->data;
    int64_t stride[TENSOR_MAX_RANK];
    broadcast_strides(&bias->shape, &out->shape, stride);
    for (int64_t i = 0; i < out->shape.dim[0]; i++) {
        for (int64_t k = 0; k < out->shape.dim[1]; k++) {
            y[i * out->shape.dim[1] + k] = from[i * stride[0] + k * stride[1]];
        }
    }
}

enum pare_status float_gemm(struct float_call *c) {
    if (!call_is_float32(c)) {
        return call_widened(c, float_gemm);
    }
    const struct tensor *a = c->inputs[0], *b = c->inputs[1], *bias = call_input(c, 2);
    struct tensor *out = &c->outputs[0];
    bool a_transposed = node_int(c->node, "transA") != 0, b_transposed = node_int(c->node, "transB") != 0;
    int64_t m = out->shape.dim[0], n = out->shape.dim[1], k = a->shape.dim[a_transposed ? 0 : 1];
    float beta = 0.0f;
    if (bias != NULL) {
        set_bias(bias, out);
        beta = node_float(c->node, "beta");
    }
    struct matrix left = {a->data, a->shape.dim[1], a_transposed}, right = {b->data, b->shape.dim[1], b_transposed};
    return matrix_product(c->ctx, m, n, k, node_float(c->node, "alpha"), left, right, beta, out->data, n);
}

/* An operand as a stack of matrices; vectors become matrices of one row (left) or one column (right). */
static struct shape stacked(const struct tensor *t, bool is_left) {
    struct shape s = t->shape;
    if (s.rank == 1) {
        s.rank = 2;
        s.dim[is_left ? 1 : 0] = t->shape.dim[0];
        s.dim[is_left ? 0 : 1] = 1;
    }
    return s;
}

/* Offset of the matrix that stands at `index` of the broadcast stack. */
static int64_t matrix_offset(const struct shape *stack, const int64_t *stride, int64_t index, int64_t size) {
    int64_t at = 0;
    for (int i = stack->rank - 1; i >= 0; i--) {
        at += index % stack->dim[i] * stride[i];
        index /= stack->dim[i];
    }
    return at * size;
}

/* The result's stack: the dimensions before the last two of both, broadcast. */
static bool broadcast_stacks(struct shape a, struct shape b, struct shape *stack, int64_t *a_stride,
                             int64_t *b_stride) {
    a.rank -= 2;
    b.rank -= 2;
    if (!broadcast_shape(&a, &b, stack)) {
        return false;
    }
    broadcast_strides(&a, stack, a_stride);
    broadcast_strides(&b, stack, b_stride);
    return true;
}

enum pare_status float_matmul(struct float_call *c) {
    if (!call_is_float32(c)) {
        return call_widened(c, float_matmul);
    }
    struct shape a = stacked(c->inputs[0], true), b = stacked(c->inputs[1], false), stack;
    int64_t a_stride[TENSOR_MAX_RANK], b_stride[TENSOR_MAX_RANK];
    int64_t m = a.dim[a.rank - 2], k = a.dim[a.rank - 1], n = b.dim[b.rank - 1];
    if (!broadcast_stacks(a, b, &stack, a_stride, b_stride)) {
        return fail(c->ctx, PARE_ERROR_INTERNAL, "the stacks of matrices do not broadcast");
    }
    /* One product where a stack of left matrices meets a single right one, as in a dense layer over time. */
    if (b.rank == 2) {
        m *= (int64_t)dims_product(&stack, 0, stack.rank);
        stack.rank = 0;
    }
    const float *left = c->inputs[0]->data, *right = c->inputs[1]->data;
    float *y = c->outputs[0].data;
    for (int64_t i = 0; i < (int64_t)dims_product(&stack, 0, stack.rank); i++) {
        struct matrix l = {left + matrix_offset(&stack, a_stride, i, m * k), k, false};
        struct matrix r = {right + matrix_offset(&stack, b_stride, i, k * n), n, false};
        TRY(matrix_product(c->ctx, m, n, k, 1.0f, l, r, 0.0f, y + i * m * n, n));
    }
    return PARE_OK;
}
