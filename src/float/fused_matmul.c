/* FusedMatMul: alpha times a product of transposed operands. */
#include "float/kernels.h"
#include "float/strided.h"
#include "graph/axes.h"

static enum pare_status transpose(struct float_call *c, int operand, struct tensor *out) {
    const struct tensor *in = c->inputs[operand];
    struct strided block = {.rank = in->shape.rank};
    struct shape shape = in->shape;
    int64_t strides[TENSOR_MAX_RANK];
    int perm[TENSOR_MAX_RANK];
    axes_of_factor(c->node, operand, block.rank, perm);
    dense_strides(&in->shape, strides);
    for (int i = 0; i < block.rank; i++) {
        shape.dim[i] = block.dim[i] = in->shape.dim[perm[i]];
        block.from[i] = strides[perm[i]];
    }
    TRY(tensor_new(c->ctx, c->scratch, in->type, &shape, out));
    dense_strides(&shape, block.to);
    strided_copy(&block, in->data, out->data, dtype_size(in->type));
    return PARE_OK;
}

enum pare_status float_fused_matmul(struct float_call *c) {
    struct tensor turned[2];
    const struct tensor *inputs[2] = {&turned[0], &turned[1]};
    struct float_call product = *c;
    float alpha = node_float(c->node, "alpha");
    if (!call_is_float32(c)) {
        return call_widened(c, float_fused_matmul);
    }
    for (int k = 0; k < 2; k++) {
        TRY(transpose(c, k, &turned[k]));
    }
    product.inputs = inputs;
    TRY(float_matmul(&product));
    float *y = c->outputs[0].data;
    for (size_t i = 0, count = tensor_count(&c->outputs[0]); alpha != 1.0F && i < count; i++) {
        y[i] *= alpha;
    }
    return PARE_OK;
}
