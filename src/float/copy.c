/* Operators that pass elements on as they are, or say something about shapes. */
#include "float/kernels.h"

#include <string.h>

enum pare_status float_copy(struct float_call *c) {
    size_t bytes = tensor_bytes(&c->outputs[0]);
    if (bytes > 0) {
        memcpy(c->outputs[0].data, c->inputs[0]->data, bytes);
    }
    return PARE_OK;
}

/* Nothing is dropped: shape inference refuses the training mode. */
enum pare_status float_dropout(struct float_call *c) {
    if (c->node->output_count > 1 && c->outputs[1].data != NULL) {
        memset(c->outputs[1].data, 1, tensor_bytes(&c->outputs[1]));
    }
    return float_copy(c);
}

enum pare_status float_shape(struct float_call *c) {
    const struct shape *in = &c->inputs[0]->shape;
    int64_t start = node_int(c->node, "start");
    start = start < 0 ? start + in->rank : start;
    start = start < 0 ? 0 : start;
    for (size_t i = 0, count = tensor_count(&c->outputs[0]); i < count; i++) {
        tensor_set_int(&c->outputs[0], i, in->dim[start + (int64_t)i]);
    }
    return PARE_OK;
}

enum pare_status float_size(struct float_call *c) {
    *(int64_t *)c->outputs[0].data = (int64_t)tensor_count(c->inputs[0]);
    return PARE_OK;
}

enum pare_status float_constant_of_shape(struct float_call *c) {
    const struct attr *value = node_attr(c->node, "value");
    struct tensor *out = &c->outputs[0];
    size_t size = dtype_size(out->type), count = tensor_count(out);
    if (value == NULL) {
        memset(out->data, 0, size * count);
        return PARE_OK;
    }
    for (size_t i = 0; i < count; i++) {
        memcpy((char *)out->data + i * size, value->tensor->data, size);
    }
    return PARE_OK;
}
