/* Single elements read and written as double or int64, and conversion between element types. */
#include "tensor/tensor.h"

#include <float.h>
#include <math.h>
#include <string.h>

struct integer_range {
    int64_t low, high;
};

static struct integer_range range_of(enum dtype type) {
    switch (type) {
    case DTYPE_BOOL:
        return (struct integer_range){0, 1};
    case DTYPE_UINT2:
        return (struct integer_range){0, 3};
    case DTYPE_INT2:
        return (struct integer_range){-2, 1};
    case DTYPE_UINT4:
        return (struct integer_range){0, 15};
    case DTYPE_INT4:
        return (struct integer_range){-8, 7};
    case DTYPE_UINT8:
        return (struct integer_range){0, UINT8_MAX};
    case DTYPE_INT8:
        return (struct integer_range){INT8_MIN, INT8_MAX};
    case DTYPE_UINT16:
        return (struct integer_range){0, UINT16_MAX};
    case DTYPE_INT16:
        return (struct integer_range){INT16_MIN, INT16_MAX};
    case DTYPE_UINT32:
        return (struct integer_range){0, UINT32_MAX};
    case DTYPE_INT32:
        return (struct integer_range){INT32_MIN, INT32_MAX};
    case DTYPE_UINT64:
        return (struct integer_range){0, INT64_MAX}; /* its upper half is handled apart */
    default:
        return (struct integer_range){INT64_MIN, INT64_MAX};
    }
}

/* Truncates, saturates; NaN gives 0. */
static int64_t double_to_int(double v) {
    if (isnan(v)) {
        return 0;
    }
    if (v >= 0x1p63) {
        return INT64_MAX;
    }
    return v <= -0x1p63 ? INT64_MIN : (int64_t)v;
}

double tensor_get_double(const struct tensor *t, size_t i) {
    switch (t->type) {
    case DTYPE_FLOAT:
        return (double)((const float *)t->data)[i];
    case DTYPE_DOUBLE:
        return ((const double *)t->data)[i];
    case DTYPE_FLOAT16:
        return (double)half_to_float(((const uint16_t *)t->data)[i]);
    case DTYPE_BFLOAT16:
        return (double)bfloat16_to_float(((const uint16_t *)t->data)[i]);
    case DTYPE_UINT64:
        return (double)((const uint64_t *)t->data)[i];
    case DTYPE_FLOAT8E4M3FN:
    case DTYPE_FLOAT8E4M3FNUZ:
    case DTYPE_FLOAT8E5M2:
    case DTYPE_FLOAT8E5M2FNUZ:
    case DTYPE_FLOAT8E8M0:
    case DTYPE_FLOAT4E2M1:
        return minifloat_to_double(t->type, ((const uint8_t *)t->data)[i]);
    default:
        return (double)tensor_get_int(t, i);
    }
}

int64_t tensor_get_int(const struct tensor *t, size_t i) {
    switch (t->type) {
    case DTYPE_BOOL:
    case DTYPE_UINT8:
    case DTYPE_UINT4:
    case DTYPE_UINT2:
        return ((const uint8_t *)t->data)[i];
    case DTYPE_INT8:
    case DTYPE_INT4:
    case DTYPE_INT2:
        return ((const int8_t *)t->data)[i];
    case DTYPE_UINT16:
        return ((const uint16_t *)t->data)[i];
    case DTYPE_INT16:
        return ((const int16_t *)t->data)[i];
    case DTYPE_UINT32:
        return ((const uint32_t *)t->data)[i];
    case DTYPE_INT32:
        return ((const int32_t *)t->data)[i];
    case DTYPE_INT64:
        return ((const int64_t *)t->data)[i];
    case DTYPE_UINT64: {
        uint64_t v = ((const uint64_t *)t->data)[i];
        return v > INT64_MAX ? INT64_MAX : (int64_t)v;
    }
    default:
        return dtype_is_float(t->type) ? double_to_int(tensor_get_double(t, i)) : 0;
    }
}

/* To float rounding to odd, so that a second rounding to fewer bits gives what one would have
 * (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", theorem 1). */
static float narrow_to_odd(double v) {
    float f = (float)v;
    if (isnan(v) || isinf(v) || (double)f == v) {
        return f;
    }
    if (isinf(f)) {
        return copysignf(FLT_MAX, f);
    }
    if (fabs((double)f) > fabs(v)) {
        f = nextafterf(f, 0.0f);
    }
    uint32_t bits = 0;
    memcpy(&bits, &f, sizeof bits);
    bits |= 1;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static void set_integer(struct tensor *t, size_t i, int64_t v) {
    struct integer_range r = range_of(t->type);
    v = v < r.low ? r.low : v > r.high ? r.high : v;
    switch (dtype_size(t->type)) {
    case 1:
        ((uint8_t *)t->data)[i] = (uint8_t)v;
        break;
    case 2:
        ((uint16_t *)t->data)[i] = (uint16_t)v;
        break;
    case 4:
        ((uint32_t *)t->data)[i] = (uint32_t)v;
        break;
    case 8:
        ((uint64_t *)t->data)[i] = (uint64_t)v;
        break;
    default:
        break;
    }
}

void tensor_set_double(struct tensor *t, size_t i, double v) {
    switch (t->type) {
    case DTYPE_FLOAT:
        ((float *)t->data)[i] = (float)v;
        break;
    case DTYPE_DOUBLE:
        ((double *)t->data)[i] = v;
        break;
    case DTYPE_FLOAT16:
        ((uint16_t *)t->data)[i] = float_to_half(narrow_to_odd(v));
        break;
    case DTYPE_BFLOAT16:
        ((uint16_t *)t->data)[i] = float_to_bfloat16(narrow_to_odd(v));
        break;
    case DTYPE_BOOL:
        ((uint8_t *)t->data)[i] = v != 0;
        break;
    case DTYPE_UINT64:
        ((uint64_t *)t->data)[i] = v >= 0x1p64 ? UINT64_MAX : v > 0 ? (uint64_t)rint(v) : 0;
        break;
    case DTYPE_FLOAT8E4M3FN:
    case DTYPE_FLOAT8E4M3FNUZ:
    case DTYPE_FLOAT8E5M2:
    case DTYPE_FLOAT8E5M2FNUZ:
    case DTYPE_FLOAT8E8M0:
    case DTYPE_FLOAT4E2M1:
        ((uint8_t *)t->data)[i] = minifloat_of(t->type, v, (struct minifloat_rounding){.saturate = true});
        break;
    default:
        set_integer(t, i, double_to_int(rint(v)));
        break;
    }
}

void tensor_set_int(struct tensor *t, size_t i, int64_t v) {
    switch (t->type) {
    case DTYPE_FLOAT:
        ((float *)t->data)[i] = (float)v;
        break;
    case DTYPE_BOOL:
        ((uint8_t *)t->data)[i] = v != 0;
        break;
    default:
        if (dtype_is_float(t->type)) {
            tensor_set_double(t, i, (double)v);
        } else {
            set_integer(t, i, v);
        }
        break;
    }
}

enum pare_status tensor_convert(struct context *ctx, struct arena *a, const struct tensor *t, enum dtype type,
                                struct tensor *out) {
    if (dtype_size(t->type) == 0) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "a tensor of %s cannot be converted", dtype_name(t->type));
    }
    TRY(tensor_new(ctx, a, type, &t->shape, out));
    size_t count = tensor_count(t);
    if (type == t->type) {
        if (count > 0) {
            memcpy(out->data, t->data, count * dtype_size(type));
        }
        return PARE_OK;
    }
    bool through_double = dtype_is_float(t->type) || (t->type == DTYPE_UINT64 && dtype_is_float(type));
    for (size_t i = 0; i < count; i++) {
        if (through_double) {
            tensor_set_double(out, i, tensor_get_double(t, i));
        } else {
            tensor_set_int(out, i, tensor_get_int(t, i));
        }
    }
    return PARE_OK;
}
