/* Concat and Split: the same copies in opposite directions. */
#include "float/kernels.h"

#include <string.h>

/* The run of bytes that one step of the axis and everything inside it take. */
static size_t step_bytes(const struct tensor *t, int axis) {
    return dims_product(&t->shape, axis + 1, t->shape.rank) * dtype_size(t->type);
}

enum pare_status float_concat(struct float_call *c) {
    struct tensor *out = &c->outputs[0];
    int axis = axis_from_start(node_int(c->node, "axis"), out->shape.rank);
    size_t outer = dims_product(&out->shape, 0, axis);
    size_t step = step_bytes(out, axis), row = (size_t)out->shape.dim[axis] * step;
    char *to = out->data;
    size_t at = 0;
    for (int k = 0; k < c->node->input_count; k++) {
        const char *from = c->inputs[k]->data;
        size_t part = (size_t)c->inputs[k]->shape.dim[axis] * step;
        for (size_t i = 0; i < outer && part > 0; i++) {
            memcpy(to + i * row + at, from + i * part, part);
        }
        at += part;
    }
    return PARE_OK;
}

enum pare_status float_split(struct float_call *c) {
    const struct tensor *in = c->inputs[0];
    int axis = axis_from_start(node_int(c->node, "axis"), in->shape.rank);
    size_t outer = dims_product(&in->shape, 0, axis);
    size_t step = step_bytes(in, axis), row = (size_t)in->shape.dim[axis] * step;
    const char *from = in->data;
    size_t at = 0;
    for (int k = 0; k < c->node->output_count; k++) {
        char *to = c->outputs[k].data;
        size_t part = (size_t)c->outputs[k].shape.dim[axis] * step;
        for (size_t i = 0; i < outer && part > 0 && to != NULL; i++) {
            memcpy(to + i * part, from + i * row + at, part);
        }
        at += part;
    }
    return PARE_OK;
}
