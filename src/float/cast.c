/* Cast. Floats are cut towards zero; what the integer type then cannot hold loses its high bits. */
#include "float/integer.h"
#include "float/kernels.h"

static void cast_to_bool(const struct tensor *in, struct tensor *out, size_t i) {
    bool nonzero = dtype_is_float(in->type) ? tensor_get_double(in, i) != 0.0 : tensor_get_int(in, i) != 0;
    tensor_set_int(out, i, nonzero);
}

static void cast_element(const struct tensor *in, struct tensor *out, size_t i) {
    if (out->type == DTYPE_BOOL) {
        cast_to_bool(in, out, i);
    } else if (dtype_is_float(out->type)) {
        tensor_set_double(out, i, tensor_get_double(in, i));
    } else {
        tensor_set_int(out, i, integer_wrap(tensor_get_int(in, i), out->type));
    }
}

enum pare_status float_cast(struct float_call *c) {
    const struct tensor *in = c->inputs[0];
    struct tensor *out = &c->outputs[0];
    if (in->type == out->type) {
        return float_copy(c);
    }
    if (in->type == DTYPE_STRING || dtype_size(in->type) == 0) {
        return call_refuse_type(c, in->type);
    }
    if (out->type == DTYPE_STRING || dtype_size(out->type) == 0) {
        return call_refuse_type(c, out->type);
    }
    for (size_t i = 0, count = tensor_count(in); i < count; i++) {
        cast_element(in, out, i);
    }
    return PARE_OK;
}
