#include "float/kernels.h"
#include "float/strided.h"
#include "graph/axes.h"

enum pare_status float_transpose(struct float_call *c) {
    const struct tensor *in = c->inputs[0];
    struct tensor *out = &c->outputs[0];
    int perm[TENSOR_MAX_RANK];
    TRY(axes_of_transpose(c->ctx, c->node, in->shape.rank, perm));
    int64_t strides[TENSOR_MAX_RANK];
    dense_strides(&in->shape, strides);
    struct strided block = {.rank = in->shape.rank};
    dense_strides(&out->shape, block.to);
    for (int i = 0; i < block.rank; i++) {
        block.dim[i] = out->shape.dim[i];
        block.from[i] = strides[perm[i]];
    }
    strided_copy(&block, in->data, out->data, dtype_size(in->type));
    return PARE_OK;
}
