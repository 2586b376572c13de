#include "onnx/encode.h"

#include <string.h>

void *encode_new(struct encoder *e, size_t size, const ProtobufCMessageDescriptor *type) {
    void *message = arena_alloc(e->arena, size);
    if (message != NULL) {
        protobuf_c_message_init(type, message);
    }
    return message;
}

char *encode_text(const char *text) {
    return (char *)text;
}

enum pare_status encode_pair(struct encoder *e, const char *key, const char *text, Onnx__StringStringEntryProto **out) {
    *out = ENCODE_NEW(e, Onnx__StringStringEntryProto, onnx__string_string_entry_proto__descriptor);
    if (*out == NULL) {
        return fail_memory(e->ctx);
    }
    (*out)->key = encode_text(key);
    (*out)->value = encode_text(text);
    return PARE_OK;
}

/* ---- tensors ---- */

static enum pare_status pack_small(struct encoder *e, const struct tensor *t, int bits, ProtobufCBinaryData *out) {
    size_t count = tensor_count(t), per_byte = 8 / (size_t)bits;
    const uint8_t *codes = t->data;
    out->len = (count + per_byte - 1) / per_byte;
    out->data = arena_alloc(e->arena, out->len);
    if (out->data == NULL) {
        return fail_memory(e->ctx);
    }
    for (size_t i = 0; i < count; i++) {
        unsigned code = codes[i] & ((1U << bits) - 1U);
        out->data[i / per_byte] |= (uint8_t)(code << (i % per_byte * (size_t)bits));
    }
    return PARE_OK;
}

enum pare_status encode_tensor(struct encoder *e, const char *name, const struct tensor *t, Onnx__TensorProto **out) {
    Onnx__TensorProto *p = ENCODE_NEW(e, Onnx__TensorProto, onnx__tensor_proto__descriptor);
    if (p == NULL) {
        return fail_memory(e->ctx);
    }
    *out = p;
    p->name = encode_text(name);
    p->n_dims = (size_t)t->shape.rank;
    p->dims = (int64_t *)t->shape.dim;
    p->has_data_type = 1;
    p->data_type = t->type;
    p->has_raw_data = 1;
    switch (t->type) {
    case DTYPE_INT4:
    case DTYPE_UINT4:
    case DTYPE_FLOAT4E2M1:
        return pack_small(e, t, 4, &p->raw_data);
    case DTYPE_INT2:
    case DTYPE_UINT2:
        return pack_small(e, t, 2, &p->raw_data);
    default:
        p->raw_data = (ProtobufCBinaryData){.len = tensor_bytes(t), .data = t->data};
        return PARE_OK;
    }
}

/* ---- attributes ---- */

#define KIND(name) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##name

static void encode_scalar(const struct attr *a, Onnx__AttributeProto *p) {
    switch (a->type) {
    case ATTR_INT:
        p->type = KIND(INT);
        p->has_i = 1;
        p->i = a->i;
        break;
    case ATTR_FLOAT:
        p->type = KIND(FLOAT);
        p->has_f = 1;
        p->f = a->f;
        break;
    case ATTR_STRING:
        p->type = KIND(STRING);
        p->has_s = 1;
        p->s = (ProtobufCBinaryData){.len = strlen(a->s), .data = (uint8_t *)a->s};
        break;
    case ATTR_INTS:
        p->type = KIND(INTS);
        p->n_ints = a->count;
        p->ints = a->ints;
        break;
    default:
        p->type = KIND(FLOATS);
        p->n_floats = a->count;
        p->floats = a->floats;
    }
}

/* Names with commas between them; an empty text is an empty list. */
static enum pare_status encode_strings(struct encoder *e, const char *text, Onnx__AttributeProto *p) {
    size_t count = text[0] != '\0';
    for (const char *at = text; *at != '\0'; at++) {
        count += *at == ',';
    }
    p->strings = ARENA_ARRAY(e->arena, count, ProtobufCBinaryData);
    if (p->strings == NULL) {
        return fail_memory(e->ctx);
    }
    for (p->n_strings = 0; p->n_strings < count; p->n_strings++) {
        size_t length = strcspn(text, ",");
        p->strings[p->n_strings] = (ProtobufCBinaryData){.len = length, .data = (uint8_t *)text};
        text += length + 1;
    }
    return PARE_OK;
}

enum pare_status encode_attribute(struct encoder *e, const struct attr *a, Onnx__AttributeProto **out) {
    Onnx__AttributeProto *p = ENCODE_NEW(e, Onnx__AttributeProto, onnx__attribute_proto__descriptor);
    if (p == NULL) {
        return fail_memory(e->ctx);
    }
    *out = p;
    p->name = encode_text(a->name);
    p->has_type = 1;
    if (a->type == ATTR_GRAPH) {
        p->type = KIND(GRAPH);
        p->g = ENCODE_NEW(e, Onnx__GraphProto, onnx__graph_proto__descriptor);
        return p->g == NULL ? fail_memory(e->ctx) : encode_graph(e, a->graph, p->g);
    }
    if (a->type == ATTR_STRINGS) {
        p->type = KIND(STRINGS);
        return encode_strings(e, a->s, p);
    }
    if (a->type == ATTR_TENSOR) {
        p->type = KIND(TENSOR);
        return encode_tensor(e, NULL, a->tensor, &p->t);
    }
    encode_scalar(a, p);
    return PARE_OK;
}

/* ---- types ---- */

static enum pare_status encode_dim(struct encoder *e, const struct dim *d, Onnx__TensorShapeProto__Dimension **out) {
    *out = ENCODE_NEW(e, Onnx__TensorShapeProto__Dimension, onnx__tensor_shape_proto__dimension__descriptor);
    if (*out == NULL) {
        return fail_memory(e->ctx);
    }
    if (d->value >= 0) {
        (*out)->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        (*out)->dim_value = d->value;
    } else if (d->symbol != NULL) {
        (*out)->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
        (*out)->dim_param = encode_text(d->symbol);
    }
    return PARE_OK;
}

static enum pare_status encode_shape(struct encoder *e, const struct value *v, Onnx__TensorShapeProto **out) {
    Onnx__TensorShapeProto *p = ENCODE_NEW(e, Onnx__TensorShapeProto, onnx__tensor_shape_proto__descriptor);
    if (p == NULL || (p->dim = ARENA_ARRAY(e->arena, (size_t)v->rank, Onnx__TensorShapeProto__Dimension *)) == NULL) {
        return fail_memory(e->ctx);
    }
    p->n_dim = (size_t)v->rank;
    for (int i = 0; i < v->rank; i++) {
        TRY(encode_dim(e, &v->dims[i], &p->dim[i]));
    }
    *out = p;
    return PARE_OK;
}

enum pare_status encode_value_info(struct encoder *e, const struct value *v, Onnx__ValueInfoProto **out) {
    Onnx__ValueInfoProto *p = ENCODE_NEW(e, Onnx__ValueInfoProto, onnx__value_info_proto__descriptor);
    Onnx__TypeProto *type = ENCODE_NEW(e, Onnx__TypeProto, onnx__type_proto__descriptor);
    Onnx__TypeProto__Tensor *tensor = ENCODE_NEW(e, Onnx__TypeProto__Tensor, onnx__type_proto__tensor__descriptor);
    if (p == NULL || type == NULL || tensor == NULL) {
        return fail_memory(e->ctx);
    }
    *out = p;
    p->name = encode_text(v->name);
    p->type = type;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    tensor->has_elem_type = 1;
    tensor->elem_type = v->type;
    return v->rank < 0 ? PARE_OK : encode_shape(e, v, &tensor->shape);
}
