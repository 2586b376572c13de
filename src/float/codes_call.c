#include "float/codes_call.h"

#include <math.h>

enum pare_status call_centred(struct float_call *c, int index, int zero, int axis, int32_t **out) {
    const struct tensor *t = c->inputs[index], *z = call_input(c, zero);
    size_t count = tensor_count(t), zeros = z == NULL ? 0 : tensor_count(z);
    size_t inner = axis < t->shape.rank ? dims_product(&t->shape, axis + 1, t->shape.rank) : 1;
    int32_t low, high;
    if (!codes_range(t->type, &low, &high)) {
        return call_refuse_type(c, t->type);
    }
    *out = call_scratch(c, count, sizeof **out);
    int32_t *zero_codes = call_scratch(c, zeros, sizeof *zero_codes);
    if (*out == NULL || zero_codes == NULL) {
        return PARE_ERROR_MEMORY;
    }
    codes_load(t, 0, count, *out);
    if (zeros > 0) {
        codes_load(z, 0, zeros, zero_codes);
    }
    for (size_t i = 0; zeros > 0 && i < count; i++) {
        (*out)[i] -= zero_codes[zeros == 1 ? 0 : i / inner % zeros];
    }
    return PARE_OK;
}

float call_scale(const struct float_call *c, int index, float missing) {
    const struct tensor *t = call_input(c, index);
    return t == NULL ? missing : (float)tensor_get_double(t, 0);
}

int32_t call_zero(const struct float_call *c, int index) {
    const struct tensor *t = call_input(c, index);
    return t == NULL ? 0 : (int32_t)tensor_get_int(t, 0);
}

/* Saturated before it is rounded, so that the number fits an int. */
static int32_t requantize(int32_t sum, float scale, int32_t zero, int32_t low, int32_t high) {
    float x = (float)sum * scale;
    x = fmaxf(x, (float)(low - zero));
    x = fminf(x, (float)(high - zero));
    return (int32_t)lrintf(x) + zero;
}

enum pare_status call_requantize(struct float_call *c, const struct requantize *r, const int32_t *sums) {
    struct tensor *out = &c->outputs[0];
    int32_t low, high;
    int32_t *codes = call_scratch(c, r->row, sizeof *codes);
    if (codes == NULL) {
        return PARE_ERROR_MEMORY;
    }
    if (!codes_range(out->type, &low, &high)) {
        return call_refuse_type(c, out->type);
    }
    for (size_t row = 0; row < r->rows; row++) {
        for (size_t i = 0; i < r->row; i++) {
            size_t channel = r->inner ? i : row % r->scales;
            uint32_t add = r->add == NULL ? 0 : (uint32_t)r->add[channel];
            int32_t sum = (int32_t)((uint32_t)sums[row * r->row + i] + add);
            codes[i] = requantize(sum, r->scale[r->scales == 1 ? 0 : channel], r->zero, low, high);
        }
        codes_store(out, row * r->row, r->row, codes);
    }
    return PARE_OK;
}
