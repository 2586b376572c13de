#include "graph/slice.h"

#include "float/kernels.h"
#include "float/strided.h"

static enum pare_status resolve(struct float_call *c, struct slice *s) {
    struct slice_inputs in = {0};
    int64_t *starts, *ends, *axes, *steps;
    int count;
    TRY(call_integers(c, 1, &starts, &in.length));
    TRY(call_integers(c, 2, &ends, &count));
    TRY(call_integers(c, 3, &axes, &count));
    TRY(call_integers(c, 4, &steps, &count));
    in.starts = starts;
    in.ends = ends;
    in.axes = axes;
    in.steps = steps;
    return slice_resolve(c->ctx, &in, &c->inputs[0]->shape, s);
}

enum pare_status float_slice(struct float_call *c) {
    struct slice s;
    TRY(resolve(c, &s));
    const struct tensor *in = c->inputs[0];
    struct tensor *out = &c->outputs[0];
    if (tensor_count(out) == 0) {
        return PARE_OK;
    }
    int64_t strides[TENSOR_MAX_RANK], first = 0;
    dense_strides(&in->shape, strides);
    struct strided block = {.rank = s.rank};
    dense_strides(&out->shape, block.to);
    for (int i = 0; i < s.rank; i++) {
        block.dim[i] = s.count[i];
        block.from[i] = strides[i] * s.step[i];
        first += strides[i] * s.start[i];
    }
    size_t size = dtype_size(in->type);
    strided_copy(&block, (const char *)in->data + (size_t)first * size, out->data, size);
    return PARE_OK;
}
