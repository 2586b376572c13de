/* Element-wise and pooling operators on codes, with the order of roundings of ONNX Runtime's kernels (x86-64), so that
 * the codes are its codes. */
#include "float/codes_call.h"
#include "graph/broadcast.h"

#include <float.h>
#include <math.h>

struct side {
    int32_t *codes;
    int64_t stride[TENSOR_MAX_RANK];
    float scale;
    int32_t zero;
};

static enum pare_status side_of(struct float_call *c, int index, bool centred, struct side *s) {
    TRY(call_centred(c, index, centred ? index + 2 : c->node->input_count, 0, &s->codes));
    broadcast_strides(&c->inputs[index]->shape, &c->outputs[0].shape, s->stride);
    s->scale = call_scale(c, index + 1, 1);
    s->zero = call_zero(c, index + 2);
    return PARE_OK;
}

/* The result of one pair of codes, before it is rounded. */
typedef float combine(const struct side *a, const struct side *b, float scale, int32_t zero, int32_t x, int32_t y);

static float combine_add(const struct side *a, const struct side *b, float scale, int32_t zero, int32_t x, int32_t y) {
    float ratio_a = a->scale / scale, ratio_b = b->scale / scale;
    float fixed = (float)zero - (ratio_a * (float)a->zero + ratio_b * (float)b->zero);
    return fmaf((float)x, ratio_a, fmaf((float)y, ratio_b, fixed));
}

static float combine_mul(const struct side *a, const struct side *b, float scale, int32_t zero, int32_t x, int32_t y) {
    float ratio = a->scale * b->scale / scale;
    return (float)(x * y) * ratio + (float)zero;
}

static enum pare_status qlinear_binary(struct float_call *c, combine *function, bool centred) {
    struct tensor *out = &c->outputs[0];
    struct side a, b;
    int32_t low, high, zero = call_zero(c, 7);
    float scale = call_scale(c, 6, 1);
    TRY(side_of(c, 0, centred, &a));
    TRY(side_of(c, 3, centred, &b));
    (void)codes_range(out->type, &low, &high);
    for (size_t i = 0, count = tensor_count(out); i < count; i++) {
        int32_t x = a.codes[broadcast_offset(&out->shape, a.stride, (int64_t)i)];
        int32_t y = b.codes[broadcast_offset(&out->shape, b.stride, (int64_t)i)];
        float sum = fminf(fmaxf(function(&a, &b, scale, zero, x, y), (float)low), (float)high);
        int32_t code = (int32_t)lrintf(sum);
        codes_store(out, i, 1, &code);
    }
    return PARE_OK;
}

enum pare_status float_qlinear_add(struct float_call *c) {
    return qlinear_binary(c, combine_add, false);
}

enum pare_status float_qlinear_mul(struct float_call *c) {
    return qlinear_binary(c, combine_mul, true);
}

/* The exact sum of a channel, divided and brought to the output's scale by one factor. */
enum pare_status float_qlinear_global_average_pool(struct float_call *c) {
    const struct shape *x = &c->inputs[0]->shape;
    size_t channels = dims_product(x, 0, 2), size = dims_product(x, 2, x->rank);
    int32_t *codes = NULL, *sums = call_scratch(c, channels, sizeof *sums);
    float scale = call_scale(c, 1, 1) / (call_scale(c, 3, 1) * (float)size);
    TRY(call_centred(c, 0, 2, 0, &codes));
    if (sums == NULL) {
        return PARE_ERROR_MEMORY;
    }
    for (size_t i = 0; i < channels * size; i++) {
        sums[i / size] = (int32_t)((uint32_t)sums[i / size] + (uint32_t)codes[i]);
    }
    struct requantize r = {.scale = &scale, .scales = 1, .rows = channels, .row = 1, .zero = call_zero(c, 4)};
    return call_requantize(c, &r, sums);
}

/* In float; the zero point is added before the rounding. */
enum pare_status float_qlinear_average_pool(struct float_call *c) {
    struct tensor x, y, *out = &c->outputs[0];
    struct float_call pool = *c;
    int32_t *codes = NULL, low, high;
    TRY(call_centred(c, 0, 2, 0, &codes));
    TRY(tensor_new(c->ctx, c->scratch, DTYPE_FLOAT, &c->inputs[0]->shape, &x));
    TRY(tensor_new(c->ctx, c->scratch, DTYPE_FLOAT, &out->shape, &y));
    for (size_t i = 0; i < tensor_count(&x); i++) {
        ((float *)x.data)[i] = call_scale(c, 1, 1) * (float)codes[i];
    }
    pool.inputs = (const struct tensor *[]){&x};
    pool.outputs = &y;
    TRY(float_average_pool(&pool));
    (void)codes_range(out->type, &low, &high);
    for (size_t i = 0; i < tensor_count(&y); i++) {
        float code = rintf(((const float *)y.data)[i] / call_scale(c, 3, 1) + (float)call_zero(c, 4));
        int32_t saturated = (int32_t)fminf(fmaxf(code, (float)low), (float)high);
        codes_store(out, i, 1, &saturated);
    }
    return PARE_OK;
}

/* ---- Softmax ---- */

#define CODES 256
#define RESERVED 5 /* of the logarithm of the largest float, as ONNX Runtime keeps it free */

/* exp of the distance from the largest code there can be, scaled up by as much as a sum of `length` terms allows. */
static void exponentials(float scale, size_t length, float *table) {
    double shift = log((double)(FLT_MAX / (float)length)) - RESERVED;
    shift = fmax(0, shift) / (double)scale;
    for (int i = 0; i < CODES; i++) {
        table[i] = (float)exp((i - (CODES - 1) + shift) * (double)scale);
    }
}

struct row {
    size_t first, step, length;
};

/* Codes move up so that the largest is the last of the table. */
static void softmax_row(const int32_t *codes, const struct row *row, const float *table, float scale, int32_t zero,
                        struct tensor *out) {
    int32_t largest = INT32_MIN, low, high;
    float sum = 0;
    (void)codes_range(out->type, &low, &high);
    for (size_t i = 0; i < row->length; i++) {
        int32_t code = codes[row->first + i * row->step];
        largest = code > largest ? code : largest;
    }
    for (size_t i = 0; i < row->length; i++) {
        sum += table[CODES - 1 + codes[row->first + i * row->step] - largest];
    }
    for (size_t i = 0; i < row->length; i++) {
        float share = table[CODES - 1 + codes[row->first + i * row->step] - largest] * scale / sum;
        int32_t code = (int32_t)lrintf(share) + zero;
        code = code > high ? high : code;
        codes_store(out, row->first + i * row->step, 1, &code);
    }
}

enum pare_status float_qlinear_softmax(struct float_call *c) {
    const struct shape *x = &c->inputs[0]->shape;
    int axis = axis_from_start(node_int(c->node, "axis"), x->rank);
    bool flat = node_int(c->node, "opset") < 13; /* all dimensions from the axis on were one row */
    size_t length = flat ? dims_product(x, axis, x->rank) : (size_t)x->dim[axis];
    size_t step = flat ? 1 : dims_product(x, axis + 1, x->rank), count = tensor_count(c->inputs[0]);
    float table[CODES], scale = floorf(1.0f / call_scale(c, 3, 1));
    int32_t *codes = NULL;
    TRY(call_centred(c, 0, c->node->input_count, 0, &codes));
    exponentials(call_scale(c, 1, 1), length, table);
    for (size_t i = 0; length > 0 && i < count / length; i++) {
        struct row row = {i / step * step * length + i % step, step, length};
        softmax_row(codes, &row, table, scale, call_zero(c, 4), &c->outputs[0]);
    }
    return PARE_OK;
}

/* ---- DynamicQuantizeLinear ---- */

enum pare_status float_dynamic_quantize(struct float_call *c) {
    const struct tensor *x = c->inputs[0];
    float low = 0, high = 0;
    for (size_t i = 0, count = tensor_count(x); i < count; i++) {
        low = fminf(low, ((const float *)x->data)[i]);
        high = fmaxf(high, ((const float *)x->data)[i]);
    }
    float scale = low == high ? 1.0f : (high - low) / (float)UINT8_MAX;
    float zero = rintf(fminf(fmaxf(0.0f - low / scale, 0.0f), (float)UINT8_MAX));
    for (size_t i = 0, count = tensor_count(x); i < count; i++) {
        float code = rintf(((const float *)x->data)[i] / scale) + zero;
        ((uint8_t *)c->outputs[0].data)[i] = (uint8_t)fminf(fmaxf(code, 0.0f), (float)UINT8_MAX);
    }
    *(float *)c->outputs[1].data = scale;
    *(uint8_t *)c->outputs[2].data = (uint8_t)zero;
    return PARE_OK;
}
