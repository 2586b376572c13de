/* QONNX's quantisers, which stay in float: Quant, BipolarQuant and Trunc (Pappalardo et al. 2022, arXiv:2206.07527). */
#include "float/kernels.h"
#include "graph/broadcast.h"

#include <math.h>
#include <string.h>

typedef float round_function(float x);

static float half_up(float x) {
    return floorf(x + 0.5f);
}

static float half_down(float x) {
    return ceilf(x - 0.5f);
}

static float away_from_zero(float x) {
    return copysignf(ceilf(fabsf(x)), x);
}

static enum pare_status find_rounding(struct float_call *c, round_function **out) {
    static const struct {
        const char *name;
        round_function *round;
    } modes[] = {{"ROUND", rintf}, {"HALF_EVEN", rintf},   {"CEIL", ceilf},      {"FLOOR", floorf},
                 {"DOWN", truncf}, {"UP", away_from_zero}, {"HALF_UP", half_up}, {"HALF_DOWN", half_down}};
    const char *mode = node_string(c->node, "rounding_mode");
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(mode, modes[i].name) == 0) {
            *out = modes[i].round;
            return PARE_OK;
        }
    }
    return fail(c->ctx, PARE_ERROR_UNSUPPORTED, "rounding_mode `%.32s` is none of QONNX's", mode);
}

/* Scale and zero point of each element, both broadcast to the input. */
struct quantiser {
    const float *scale, *zero;
    int64_t scale_stride[TENSOR_MAX_RANK], zero_stride[TENSOR_MAX_RANK];
    round_function *round;
};

static enum pare_status quantiser_of(struct float_call *c, struct quantiser *q) {
    struct shape whole;
    for (int i = 0; i < 3; i++) {
        if (c->inputs[i]->type != DTYPE_FLOAT) {
            return fail(c->ctx, PARE_ERROR_UNSUPPORTED, "%s does not run on %s", c->node->op->name,
                        dtype_name(c->inputs[i]->type));
        }
        if (!broadcast_shape(&c->inputs[i]->shape, &c->inputs[0]->shape, &whole) ||
            !shape_equal(&whole, &c->inputs[0]->shape)) {
            return fail(c->ctx, PARE_ERROR_INPUT, "input %d does not broadcast to the first", i);
        }
    }
    q->scale = c->inputs[1]->data;
    q->zero = c->inputs[2]->data;
    broadcast_strides(&c->inputs[1]->shape, &whole, q->scale_stride);
    broadcast_strides(&c->inputs[2]->shape, &whole, q->zero_stride);
    return find_rounding(c, &q->round);
}

static void range_of(const struct float_call *c, float *low, float *high) {
    float bits = (float)tensor_get_double(c->inputs[3], 0);
    bool narrow = node_int(c->node, "narrow") != 0;
    if (node_int(c->node, "signed") != 0) {
        *high = exp2f(bits - 1) - 1;
        *low = narrow ? -*high : -*high - 1;
    } else {
        *low = 0;
        *high = exp2f(bits) - (narrow ? 2.0f : 1.0f);
    }
}

/* Saturated, then rounded, as QONNX does it. */
enum pare_status float_quant(struct float_call *c) {
    struct quantiser q;
    float low = 0, high = 0;
    const struct tensor *x = c->inputs[0];
    TRY(quantiser_of(c, &q));
    range_of(c, &low, &high);
    for (size_t i = 0, count = tensor_count(x); i < count; i++) {
        float scale = q.scale[broadcast_offset(&x->shape, q.scale_stride, (int64_t)i)];
        float zero = q.zero[broadcast_offset(&x->shape, q.zero_stride, (int64_t)i)];
        float code = q.round(fminf(fmaxf(((const float *)x->data)[i] / scale + zero, low), high));
        ((float *)c->outputs[0].data)[i] = (code - zero) * scale;
    }
    return PARE_OK;
}

/* The sign times the scale. */
enum pare_status float_bipolar_quant(struct float_call *c) {
    const struct tensor *x = c->inputs[0], *scale = c->inputs[1];
    struct shape whole;
    int64_t stride[TENSOR_MAX_RANK];
    if (x->type != DTYPE_FLOAT || scale->type != DTYPE_FLOAT || !broadcast_shape(&scale->shape, &x->shape, &whole) ||
        !shape_equal(&whole, &x->shape)) {
        return fail(c->ctx, PARE_ERROR_INPUT, "the scale must be float32, and broadcast to the input");
    }
    broadcast_strides(&scale->shape, &whole, stride);
    for (size_t i = 0, count = tensor_count(x); i < count; i++) {
        float s = ((const float *)scale->data)[broadcast_offset(&x->shape, stride, (int64_t)i)];
        ((float *)c->outputs[0].data)[i] = ((const float *)x->data)[i] >= 0 ? s : -s;
    }
    return PARE_OK;
}

/* Drops the lowest of in_bitwidth bits, so that out_bitwidth are left. */
enum pare_status float_trunc(struct float_call *c) {
    struct quantiser q;
    const struct tensor *x = c->inputs[0];
    TRY(quantiser_of(c, &q));
    float dropped = exp2f((float)(tensor_get_double(c->inputs[3], 0) - tensor_get_double(c->inputs[4], 0)));
    for (size_t i = 0, count = tensor_count(x); i < count; i++) {
        float scale = q.scale[broadcast_offset(&x->shape, q.scale_stride, (int64_t)i)];
        float zero = q.zero[broadcast_offset(&x->shape, q.zero_stride, (int64_t)i)];
        float code = rintf(((const float *)x->data)[i] / scale + zero);
        ((float *)c->outputs[0].data)[i] = (q.round(code / dropped) - zero) * scale;
    }
    return PARE_OK;
}
