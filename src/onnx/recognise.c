#include "onnx/onnx.h"
#include "onnx/wire.h"

#include "onnx.pb-c.h"

static bool belongs(const struct wire_field *wire) {
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(&onnx__model_proto__descriptor, wire->number);
    if (field == NULL) {
        return false;
    }
    bool number = field->type == PROTOBUF_C_TYPE_INT64;
    return wire->type == (number ? WIRE_VARINT : WIRE_BYTES);
}

/* Every field at the top must be one of a model's. A file cut short is still recognised by those that are whole, so
 * that its reader can say what is wrong with it. */
bool onnx_recognise(const void *data, size_t size) {
    struct reader r;
    struct wire_field wire;
    int fields = 0;
    reader_init(&r, data, size);
    while (wire_next(&r, &wire)) {
        if (!belongs(&wire)) {
            return false;
        }
        fields++;
    }
    return fields > 0;
}
