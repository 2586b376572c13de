/* Cast and CastLike. Floats are cut towards zero; what the integer type then cannot hold loses its high bits. */
#include "float/integer.h"
#include "float/kernels.h"

#include <math.h>
#include <string.h>

static void cast_to_bool(const struct tensor *in, struct tensor *out, size_t i) {
    bool nonzero = dtype_is_float(in->type) ? tensor_get_double(in, i) != 0.0 : integer_load(in, i) != 0;
    tensor_set_int(out, i, nonzero);
}

/* Above the range of int64, where uint64 still has numbers. */
static void cast_to_uint64(const struct tensor *in, struct tensor *out, size_t i) {
    double v = tensor_get_double(in, i);
    if (dtype_is_float(in->type) && v >= 0x1p63 && v < 0x1p64) {
        ((uint64_t *)out->data)[i] = (uint64_t)v;
    } else {
        integer_store(out, i, integer_load(in, i));
    }
}

static void cast_element(const struct tensor *in, struct tensor *out, size_t i) {
    if (out->type == DTYPE_BOOL) {
        cast_to_bool(in, out, i);
    } else if (dtype_is_float(out->type)) {
        tensor_set_double(out, i, tensor_get_double(in, i));
    } else if (out->type == DTYPE_UINT64) {
        cast_to_uint64(in, out, i);
    } else {
        integer_store(out, i, integer_load(in, i));
    }
}

static void cast_to_minifloat(const struct float_call *c) {
    struct tensor *out = &c->outputs[0];
    const char *mode = node_string(c->node, "round_mode");
    struct minifloat_rounding rounding = {.saturate = node_int(c->node, "saturate") != 0};
    rounding.scale = strcmp(mode, "up") == 0     ? MINIFLOAT_UP
                     : strcmp(mode, "down") == 0 ? MINIFLOAT_DOWN
                                                 : MINIFLOAT_NEAREST;
    for (size_t i = 0, count = tensor_count(out); i < count; i++) {
        ((uint8_t *)out->data)[i] = minifloat_of(out->type, tensor_get_double(c->inputs[0], i), rounding);
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
    if (dtype_is_minifloat(out->type)) {
        cast_to_minifloat(c);
        return PARE_OK;
    }
    for (size_t i = 0, count = tensor_count(in); i < count; i++) {
        cast_element(in, out, i);
    }
    return PARE_OK;
}
