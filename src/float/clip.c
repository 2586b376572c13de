/* Relu and Clip: bounds, exact in every numeric type. A NaN stays a NaN. */
#include "float/kernels.h"

#include <math.h>

static void clamp_floats(const float *x, float *y, size_t count, float low, float high) {
    for (size_t i = 0; i < count; i++) {
        float v = x[i] < low ? low : x[i];
        y[i] = v > high ? high : v;
    }
}

static void clamp_doubles(const struct tensor *in, struct tensor *out, double low, double high) {
    for (size_t i = 0, count = tensor_count(in); i < count; i++) {
        double v = tensor_get_double(in, i);
        v = v < low ? low : v;
        tensor_set_double(out, i, v > high ? high : v);
    }
}

static void clamp_integers(const struct tensor *in, struct tensor *out, int64_t low, int64_t high) {
    for (size_t i = 0, count = tensor_count(in); i < count; i++) {
        int64_t v = tensor_get_int(in, i);
        v = v < low ? low : v;
        tensor_set_int(out, i, v > high ? high : v);
    }
}

/* `low` and `high` have one element each, or are NULL for no bound. */
static enum pare_status clamp(struct float_call *c, const struct tensor *low, const struct tensor *high) {
    const struct tensor *in = c->inputs[0];
    struct tensor *out = &c->outputs[0];
    if (in->type == DTYPE_STRING || in->type == DTYPE_UINT64) {
        return call_refuse_type(c, in->type);
    }
    if (!dtype_is_float(in->type)) {
        clamp_integers(in, out, low ? tensor_get_int(low, 0) : INT64_MIN, high ? tensor_get_int(high, 0) : INT64_MAX);
        return PARE_OK;
    }
    double least = low ? tensor_get_double(low, 0) : -HUGE_VAL;
    double most = high ? tensor_get_double(high, 0) : HUGE_VAL;
    if (in->type == DTYPE_FLOAT) {
        clamp_floats(in->data, out->data, tensor_count(in), (float)least, (float)most);
    } else {
        clamp_doubles(in, out, least, most);
    }
    return PARE_OK;
}

enum pare_status float_clip(struct float_call *c) {
    return clamp(c, call_input(c, 1), call_input(c, 2));
}

enum pare_status float_relu(struct float_call *c) {
    int64_t zero = 0; /* all bits zero: the zero of every type */
    struct tensor low = {.type = c->inputs[0]->type, .data = &zero};
    return clamp(c, &low, NULL);
}
