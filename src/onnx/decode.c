/* Every encoding is first brought to one image, the bytes that raw_data would have; only this image is expanded. */
#include "onnx/decode.h"

#include "base/bytes.h"
#include "base/file.h"
#include "onnx/strip.h"

#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensor data of ONNX files are little-endian, and so must the host be"
#endif

struct image {
    const uint8_t *bytes;
    size_t size;
    bool mapped; /* part of the model's file, which is read once */
};

enum dtype onnx_held_type(int32_t data_type) {
    switch (data_type) {
    case DTYPE_FLOAT16:
    case DTYPE_BFLOAT16:
        return DTYPE_FLOAT;
    case DTYPE_NONE:
    case DTYPE_STRING:
        return DTYPE_NONE;
    default:
        return dtype_size((enum dtype)data_type) == 0 ? DTYPE_NONE : (enum dtype)data_type;
    }
}

const char *onnx_type_name(int32_t data_type) {
    const ProtobufCEnumValue *v =
        protobuf_c_enum_descriptor_get_value(&onnx__tensor_proto__data_type__descriptor, data_type);
    return v == NULL ? "unknown" : v->name;
}

static int stored_bits(int32_t data_type) {
    switch (data_type) {
    case DTYPE_UINT4:
    case DTYPE_INT4:
    case DTYPE_FLOAT4E2M1:
        return 4;
    case DTYPE_UINT2:
    case DTYPE_INT2:
        return 2;
    case DTYPE_FLOAT16:
    case DTYPE_BFLOAT16:
        return 16;
    default:
        return 8 * (int)dtype_size((enum dtype)data_type);
    }
}

static size_t image_size(int32_t data_type, size_t count) {
    int bits = stored_bits(data_type);
    size_t per_byte = bits < 8 ? (size_t)(8 / bits) : 1;
    return bits < 8 ? (count + per_byte - 1) / per_byte : count * (size_t)(bits / 8);
}

static enum pare_status read_shape(struct context *ctx, const Onnx__TensorProto *proto, struct shape *out) {
    size_t count = 0;
    if (proto->n_dims > TENSOR_MAX_RANK) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "%zu dimensions; pare holds tensors of up to %d", proto->n_dims,
                    TENSOR_MAX_RANK);
    }
    out->rank = (int)proto->n_dims;
    for (int i = 0; i < out->rank; i++) {
        out->dim[i] = proto->dims[i];
    }
    if (!shape_count(out, &count)) {
        char text[128];
        return fail(ctx, PARE_ERROR_INPUT, "the shape %s is impossible", shape_text(out, text, sizeof text));
    }
    return PARE_OK;
}

/* ---- the image ---- */

/* int32_data holds one element of up to 16 bits, or one byte of packed ones, per entry: both signed and unsigned
 * readings of the stored bits are seen in files. */
static enum pare_status narrow_ints(struct context *ctx, struct arena *scratch, const int32_t *data, size_t count,
                                    int width, struct image *out) {
    int32_t low = -(INT32_C(1) << (8 * width - 1)), high = (INT32_C(1) << (8 * width)) - 1;
    uint8_t *bytes = arena_array(scratch, count, (size_t)width);
    if (bytes == NULL) {
        return fail_memory(ctx);
    }
    for (size_t i = 0; i < count; i++) {
        if (data[i] < low || data[i] > high) {
            return fail(ctx, PARE_ERROR_INPUT, "element %zu is %d, which does not fit its type", i, data[i]);
        }
        for (int b = 0; b < width; b++) {
            bytes[i * (size_t)width + (size_t)b] = (uint8_t)((uint32_t)data[i] >> (8 * b));
        }
    }
    *out = (struct image){.bytes = bytes, .size = count * (size_t)width};
    return PARE_OK;
}

static enum pare_status narrow_uint64(struct context *ctx, struct arena *scratch, const uint64_t *data, size_t count,
                                      struct image *out) {
    uint32_t *narrow = ARENA_ARRAY(scratch, count, uint32_t);
    if (narrow == NULL) {
        return fail_memory(ctx);
    }
    for (size_t i = 0; i < count; i++) {
        if (data[i] > UINT32_MAX) {
            return fail(ctx, PARE_ERROR_INPUT, "element %zu does not fit uint32", i);
        }
        narrow[i] = (uint32_t)data[i];
    }
    *out = (struct image){.bytes = (const uint8_t *)narrow, .size = count * sizeof *narrow};
    return PARE_OK;
}

static enum pare_status typed_image(struct context *ctx, struct arena *scratch, const Onnx__TensorProto *p,
                                    struct image *out) {
    switch (p->data_type) {
    case DTYPE_FLOAT:
        *out = (struct image){.bytes = (const uint8_t *)p->float_data, .size = p->n_float_data * sizeof(float)};
        return PARE_OK;
    case DTYPE_DOUBLE:
        *out = (struct image){.bytes = (const uint8_t *)p->double_data, .size = p->n_double_data * sizeof(double)};
        return PARE_OK;
    case DTYPE_INT32:
        *out = (struct image){.bytes = (const uint8_t *)p->int32_data, .size = p->n_int32_data * sizeof(int32_t)};
        return PARE_OK;
    case DTYPE_INT64:
        *out = (struct image){.bytes = (const uint8_t *)p->int64_data, .size = p->n_int64_data * sizeof(int64_t)};
        return PARE_OK;
    case DTYPE_UINT64:
        *out = (struct image){.bytes = (const uint8_t *)p->uint64_data, .size = p->n_uint64_data * sizeof(uint64_t)};
        return PARE_OK;
    case DTYPE_UINT32:
        return narrow_uint64(ctx, scratch, p->uint64_data, p->n_uint64_data, out);
    default:
        return narrow_ints(ctx, scratch, p->int32_data, p->n_int32_data, stored_bits(p->data_type) == 16 ? 2 : 1, out);
    }
}

static enum pare_status find_image(struct context *ctx, struct external *external, const Onnx__TensorProto *p,
                                   size_t count, struct image *out) {
    size_t expected = image_size(p->data_type, count);
    if (p->segment != NULL) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "the tensor is stored in segments");
    }
    if (p->has_data_location && p->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL) {
        out->size = expected;
        out->mapped = true;
        return external_bytes(ctx, external, p, expected, &out->bytes);
    }
    if (strip_find(p, external->model, external->model_size, &out->bytes, &out->size)) {
        out->mapped = external->mapped;
    } else if (p->has_raw_data) {
        *out = (struct image){.bytes = p->raw_data.data, .size = p->raw_data.len};
    } else {
        TRY(typed_image(ctx, external->arena, p, out));
    }
    if (out->size != expected) {
        return fail(ctx, PARE_ERROR_INPUT, "%zu bytes of %s data are given, expected %zu for its %zu elements",
                    out->size, onnx_type_name(p->data_type), expected, count);
    }
    return PARE_OK;
}

/* ---- the elements ---- */

/* The first of several elements stands in the lowest bits (ONNX IR, 4-bit and 2-bit integer types). */
static void unpack_small(const uint8_t *image, size_t count, int bits, bool is_signed, uint8_t *out) {
    unsigned per_byte = 8U / (unsigned)bits, mask = (1U << bits) - 1U, sign = is_signed ? 1U << (bits - 1) : 0;
    for (size_t i = 0; i < count; i++) {
        unsigned code = ((unsigned)image[i / per_byte] >> (i % per_byte * (unsigned)bits)) & mask;
        out[i] = (uint8_t)((code ^ sign) - sign);
    }
}

static void widen(const uint8_t *image, size_t count, float (*to_float)(uint16_t), float *out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = to_float((uint16_t)(image[2 * i] | image[2 * i + 1] << 8));
    }
}

static void expand(const uint8_t *image, int32_t data_type, size_t count, const struct tensor *out) {
    switch (data_type) {
    case DTYPE_FLOAT16:
        widen(image, count, half_to_float, out->data);
        break;
    case DTYPE_BFLOAT16:
        widen(image, count, bfloat16_to_float, out->data);
        break;
    case DTYPE_UINT4:
    case DTYPE_INT4:
    case DTYPE_FLOAT4E2M1:
    case DTYPE_UINT2:
    case DTYPE_INT2:
        unpack_small(image, count, stored_bits(data_type), data_type == DTYPE_INT4 || data_type == DTYPE_INT2,
                     out->data);
        break;
    case DTYPE_BOOL:
        for (size_t i = 0; i < count; i++) {
            ((uint8_t *)out->data)[i] = image[i] != 0;
        }
        break;
    default:
        if (count > 0) {
            memcpy(out->data, image, count * dtype_size(out->type));
        }
    }
}

static enum pare_status decode(struct context *ctx, struct arena *a, struct external *external,
                               const Onnx__TensorProto *proto, struct tensor *out) {
    struct shape shape;
    struct image image = {0};
    enum dtype type = onnx_held_type(proto->data_type);
    if (type == DTYPE_NONE) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "elements of type %s (%d)", onnx_type_name(proto->data_type),
                    proto->data_type);
    }
    TRY(read_shape(ctx, proto, &shape));
    size_t count = 0;
    (void)shape_count(&shape, &count);
    TRY(find_image(ctx, external, proto, count, &image));
    TRY(tensor_new(ctx, a, type, &shape, out));
    if (image.bytes != NULL) { /* it is for a tensor without elements */
        expand(image.bytes, proto->data_type, count, out);
    }
    if (image.mapped) {
        file_release(image.bytes, image.size);
    }
    return PARE_OK;
}

enum pare_status onnx_decode_tensor(struct context *ctx, struct arena *a, struct external *external,
                                    const Onnx__TensorProto *proto, struct tensor *out) {
    enum pare_status status = decode(ctx, a, external, proto, out);
    if (status != PARE_OK && proto->name != NULL && proto->name[0] != '\0') {
        return fail_at(ctx, "tensor `%.128s`", proto->name);
    }
    return status;
}
