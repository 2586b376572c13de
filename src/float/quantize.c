/* QuantizeLinear and DequantizeLinear, with a scale per tensor, per index of an axis, or per block along it. */
#include "float/codes.h"
#include "float/kernels.h"

#include <math.h>

#define CHUNK 256

/* How the tensor's elements find their scales: `outer` times `length` rows of `inner` elements. Row (o, a)
 * begins at scale (o * groups + a / block) * scale_step and advances by scale_step per element. */
struct scaling {
    size_t outer, length, inner;
    size_t block, groups, scale_step;
    bool per_axis;
};

static struct scaling scaling_of(const struct float_call *c) {
    const struct shape *shape = &c->inputs[0]->shape;
    const struct tensor *scale = c->inputs[1];
    int64_t block = node_int(c->node, "block_size");
    struct scaling s = {.outer = 1, .length = 1, .inner = tensor_count(c->inputs[0]), .block = 1, .groups = 1};
    if (block == 0 && tensor_count(scale) == 1) {
        return s; /* whatever the axis says */
    }
    int axis = axis_from_start(node_int(c->node, "axis"), shape->rank);
    s.outer = dims_product(shape, 0, axis);
    s.length = (size_t)shape->dim[axis];
    s.inner = dims_product(shape, axis + 1, shape->rank);
    s.per_axis = block == 0;
    s.block = block == 0 ? 1 : (size_t)block;
    s.groups = block == 0 ? s.length : (size_t)scale->shape.dim[axis];
    s.scale_step = block == 0 ? 0 : 1;
    return s;
}

static size_t first_scale(const struct scaling *s, size_t outer, size_t index) {
    if (s->scale_step != 0) {
        return (outer * s->groups + index / s->block) * s->inner;
    }
    return s->per_axis ? index : 0;
}

/* Up to CHUNK consecutive elements of one row, with the scale and zero point of each. */
struct chunk {
    size_t count;
    float scale[CHUNK];
    int32_t zero[CHUNK];
};

static void load_scales(const struct float_call *c, size_t first, size_t step, struct chunk *k) {
    const struct tensor *zero = call_input(c, 2);
    for (size_t i = 0; i < k->count; i++) {
        if (i > 0 && step == 0) {
            k->scale[i] = k->scale[0];
            k->zero[i] = k->zero[0];
            continue;
        }
        k->scale[i] = (float)tensor_get_double(c->inputs[1], first + i * step);
        k->zero[i] = zero != NULL ? (int32_t)tensor_get_int(zero, first + i * step) : 0;
    }
}

typedef void convert_chunk(struct float_call *c, size_t start, const struct chunk *k);

static void for_each_chunk(struct float_call *c, convert_chunk *convert) {
    struct scaling s = scaling_of(c);
    struct chunk k;
    for (size_t row = 0; row < s.outer * s.length; row++) {
        size_t scale = first_scale(&s, row / s.length, row % s.length);
        for (size_t at = 0; at < s.inner; at += CHUNK) {
            k.count = s.inner - at < CHUNK ? s.inner - at : CHUNK;
            load_scales(c, scale + at * s.scale_step, s.scale_step, &k);
            convert(c, row * s.inner + at, &k);
        }
    }
}

/* round(x / scale) + zero point, half to even, saturated (ONNX QuantizeLinear). In double precision the sum is
 * exact; a NaN becomes the zero point. */
static void quantize_chunk(struct float_call *c, size_t start, const struct chunk *k) {
    const float *x = (const float *)c->inputs[0]->data + start;
    int32_t codes[CHUNK], low = 0, high = 0;
    codes_range(c->outputs[0].type, &low, &high);
    for (size_t i = 0; i < k->count; i++) {
        double q = (double)rintf(x[i] / k->scale[i]);
        q = q != q ? 0.0 : q;
        q += (double)k->zero[i];
        q = q < (double)low ? (double)low : q;
        codes[i] = (int32_t)(q > (double)high ? (double)high : q);
    }
    codes_store(&c->outputs[0], start, k->count, codes);
}

/* Narrow floats have no zero point. */
static void narrow_chunk(struct float_call *c, size_t start, const struct chunk *k) {
    const float *x = (const float *)c->inputs[0]->data + start;
    struct tensor *out = &c->outputs[0];
    struct minifloat_rounding rounding = {.saturate = node_int(c->node, "saturate") != 0};
    for (size_t i = 0; i < k->count; i++) {
        ((uint8_t *)out->data)[start + i] = minifloat_of(out->type, (double)(x[i] / k->scale[i]), rounding);
    }
}

enum pare_status float_quantize(struct float_call *c) {
    int32_t low, high;
    bool narrow = dtype_is_minifloat(c->outputs[0].type);
    if (!narrow && !codes_range(c->outputs[0].type, &low, &high)) {
        return call_refuse_type(c, c->outputs[0].type);
    }
    if (c->inputs[0]->type == DTYPE_FLOAT) {
        for_each_chunk(c, narrow ? narrow_chunk : quantize_chunk);
        return PARE_OK;
    }
    struct tensor wide;
    TRY(tensor_convert(c->ctx, c->scratch, c->inputs[0], DTYPE_FLOAT, &wide));
    const struct tensor *inputs[] = {&wide, c->inputs[1], call_input(c, 2)};
    struct float_call widened = *c;
    widened.inputs = inputs;
    for_each_chunk(&widened, narrow ? narrow_chunk : quantize_chunk);
    return PARE_OK;
}

/* (code - zero point) * scale. */
static void dequantize_chunk(struct float_call *c, size_t start, const struct chunk *k) {
    struct tensor *out = &c->outputs[0];
    int32_t codes[CHUNK];
    codes_load(c->inputs[0], start, k->count, codes);
    for (size_t i = 0; i < k->count; i++) {
        float y = (float)((int64_t)codes[i] - k->zero[i]) * k->scale[i];
        if (out->type == DTYPE_FLOAT) {
            ((float *)out->data)[start + i] = y;
        } else {
            tensor_set_double(out, start + i, (double)y);
        }
    }
}

static void widen_chunk(struct float_call *c, size_t start, const struct chunk *k) {
    for (size_t i = 0; i < k->count; i++) {
        float x = (float)tensor_get_double(c->inputs[0], start + i);
        tensor_set_double(&c->outputs[0], start + i, (double)(x * k->scale[i]));
    }
}

enum pare_status float_dequantize(struct float_call *c) {
    int32_t low, high;
    if (dtype_is_minifloat(c->inputs[0]->type)) {
        for_each_chunk(c, widen_chunk);
        return PARE_OK;
    }
    if (!codes_range(c->inputs[0]->type, &low, &high)) {
        return call_refuse_type(c, c->inputs[0]->type);
    }
    for_each_chunk(c, dequantize_chunk);
    return PARE_OK;
}
