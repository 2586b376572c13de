#include "float/kernels.h"

#include <string.h>

enum pare_status float_gather(struct float_call *c) {
    const struct tensor *in = c->inputs[0], *indices = c->inputs[1];
    int axis = axis_from_start(node_int(c->node, "axis"), in->shape.rank);
    int64_t length = in->shape.dim[axis];
    size_t outer = dims_product(&in->shape, 0, axis);
    size_t step = dims_product(&in->shape, axis + 1, in->shape.rank) * dtype_size(in->type);
    size_t picks = tensor_count(indices);
    const char *from = in->data;
    char *to = c->outputs[0].data;
    for (size_t k = 0; k < picks; k++) {
        int64_t index = tensor_get_int(indices, k);
        if (index < -length || index >= length) {
            return fail(c->ctx, PARE_ERROR_INPUT, "index %lld is outside axis %d of length %lld", (long long)index,
                        axis, (long long)length);
        }
        size_t at = (size_t)(index < 0 ? index + length : index);
        for (size_t i = 0; i < outer && step > 0; i++) {
            memcpy(to + (i * picks + k) * step, from + (i * (size_t)length + at) * step, step);
        }
    }
    return PARE_OK;
}
