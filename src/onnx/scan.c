#include "onnx/scan.h"
#include "onnx/wire.h"

#define DEPTH_MAX 100
#define MEMORY_BASE ((size_t)64 << 20)
#define MEMORY_PER_BYTE 32
#define FIELD_COST 40  /* protobuf-c's note of a field while it unpacks */
#define STRING_COST 40 /* a pointer and the allocator's smallest block */

struct scan {
    struct context *ctx;
    const uint8_t *begin;
    size_t memory_left;
};

static enum pare_status refuse(struct scan *s, const uint8_t *at, const char *type, const char *what) {
    return fail(s->ctx, PARE_ERROR_INPUT, "byte %zu: %s %s; export the model or fetch the file again",
                (size_t)(at - s->begin), type, what);
}

static bool charge(struct scan *s, size_t cost) {
    bool affordable = cost <= s->memory_left;
    s->memory_left -= affordable ? cost : s->memory_left;
    return affordable;
}

/* What unpacking a payload allocates beyond FIELD_COST. */
static size_t payload_cost(const ProtobufCFieldDescriptor *field, size_t size) {
    if (field == NULL) {
        return size + STRING_COST;
    }
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return ((const ProtobufCMessageDescriptor *)field->descriptor)->sizeof_message + STRING_COST;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return size + STRING_COST;
    default: /* packed varints: one byte can become eight */
        return size > SIZE_MAX / 8 - STRING_COST ? SIZE_MAX : size * 8 + STRING_COST;
    }
}

static enum pare_status scan_message(struct scan *s, const ProtobufCMessageDescriptor *type, const uint8_t *data,
                                     size_t size, int depth) {
    if (depth > DEPTH_MAX) {
        return refuse(s, data, type->short_name, "is nested deeper than 100 messages");
    }
    struct reader reader;
    struct wire_field wire;
    uint64_t seen = 0; /* singular messages, by their place in the descriptor: ONNX has fewer than 64 per message */
    reader_init(&reader, data, size);
    while (wire_next(&reader, &wire)) {
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(type, wire.number);
        if (!charge(s, FIELD_COST) || (wire.type == WIRE_BYTES && !charge(s, payload_cost(field, wire.size)))) {
            return refuse(s, data + reader.at, type->short_name, "would unpack to far more memory than a model needs");
        }
        if (field == NULL || field->type != PROTOBUF_C_TYPE_MESSAGE || wire.type != WIRE_BYTES) {
            continue;
        }
        uint64_t bit = UINT64_C(1) << ((size_t)(field - type->fields) & 63);
        if (field->label != PROTOBUF_C_LABEL_REPEATED && (seen & bit) != 0) {
            return refuse(s, wire.payload, field->name, "is given twice");
        }
        seen |= bit;
        TRY(scan_message(s, field->descriptor, wire.payload, wire.size, depth + 1));
    }
    if (reader.failed) {
        return refuse(s, data + reader.at, type->short_name, "is damaged or cut short");
    }
    return PARE_OK;
}

enum pare_status onnx_scan(struct context *ctx, const ProtobufCMessageDescriptor *type, const void *data, size_t size) {
    size_t per_byte =
        size > (SIZE_MAX - MEMORY_BASE) / MEMORY_PER_BYTE ? SIZE_MAX - MEMORY_BASE : size * MEMORY_PER_BYTE;
    struct scan s = {.ctx = ctx, .begin = data, .memory_left = MEMORY_BASE + per_byte};
    return scan_message(&s, type, data, size, 1);
}
