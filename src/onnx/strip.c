#include "onnx/strip.h"
#include "onnx/wire.h"

#include <string.h>

#define BULK 4096                        /* bytes of raw_data that stay in the file */
#define RAW_DATA 9                       /* of TensorProto */
#define NOTE ((1U << 29) - 1)            /* the highest field number there is: nobody's */
#define NOTE_SIZE (2 * sizeof(uint64_t)) /* offset and size */
#define LENGTH_SIZE 5                    /* a length that is filled in later takes all bytes that one may have */

struct strip {
    const uint8_t *begin;
    struct buffer *out;
};

static void write_varint(struct buffer *out, uint64_t v) {
    for (; v >= 0x80; v >>= 7) {
        write_u8(out, (uint8_t)(v | 0x80));
    }
    write_u8(out, (uint8_t)v);
}

static void set_length(struct buffer *out, size_t at, size_t length) {
    for (int i = 0; i < LENGTH_SIZE && !out->failed; i++) {
        out->data[at + (size_t)i] = (uint8_t)((length >> (7 * i) & 0x7f) | (i < LENGTH_SIZE - 1 ? 0x80 : 0));
    }
}

static void write_note(const struct strip *s, const struct wire_field *raw) {
    uint64_t note[] = {(uint64_t)(raw->payload - s->begin), raw->size};
    write_varint(s->out, (uint64_t)NOTE << 3 | WIRE_BYTES);
    write_varint(s->out, NOTE_SIZE);
    write_bytes(s->out, note, NOTE_SIZE);
}

static void strip_message(const struct strip *s, const ProtobufCMessageDescriptor *type, const uint8_t *data,
                          size_t size);

static void strip_nested(const struct strip *s, const ProtobufCMessageDescriptor *type, const struct wire_field *wire) {
    uint8_t zeros[LENGTH_SIZE] = {0};
    write_varint(s->out, (uint64_t)wire->number << 3 | WIRE_BYTES);
    size_t at = s->out->size;
    write_bytes(s->out, zeros, LENGTH_SIZE);
    strip_message(s, type, wire->payload, wire->size);
    set_length(s->out, at, s->out->size - at - LENGTH_SIZE);
}

/* The scan has bounded the depth. */
static void strip_message(const struct strip *s, const ProtobufCMessageDescriptor *type, const uint8_t *data,
                          size_t size) {
    struct reader reader;
    struct wire_field wire;
    reader_init(&reader, data, size);
    for (size_t begin = 0; wire_next(&reader, &wire); begin = reader.at) {
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(type, wire.number);
        bool nested = field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE && wire.type == WIRE_BYTES;
        bool bulk = type == &onnx__tensor_proto__descriptor && wire.number == RAW_DATA && wire.type == WIRE_BYTES &&
                    wire.size >= BULK;
        if (nested) {
            strip_nested(s, field->descriptor, &wire);
        } else if (bulk) {
            write_note(s, &wire);
        } else if (wire.number != NOTE) { /* a note of somebody else's would point anywhere */
            write_bytes(s->out, data + begin, reader.at - begin);
        }
    }
}

enum pare_status onnx_strip(struct context *ctx, const ProtobufCMessageDescriptor *type, const void *data, size_t size,
                            struct buffer *out) {
    struct strip s = {.begin = data, .out = out};
    strip_message(&s, type, data, size);
    return out->failed ? fail_memory(ctx) : PARE_OK;
}

/* protobuf-c keeps fields that it does not know, length in front. */
bool strip_find(const Onnx__TensorProto *tensor, const void *data, size_t size, const uint8_t **raw, size_t *raw_size) {
    uint64_t note[2];
    for (unsigned i = 0; data != NULL && i < tensor->base.n_unknown_fields; i++) {
        const ProtobufCMessageUnknownField *field = &tensor->base.unknown_fields[i];
        if (field->tag != NOTE || field->len != 1 + NOTE_SIZE) {
            continue;
        }
        memcpy(note, field->data + 1, NOTE_SIZE);
        if (note[0] > size || note[1] > size - note[0]) {
            return false;
        }
        *raw = (const uint8_t *)data + note[0];
        *raw_size = (size_t)note[1];
        return true;
    }
    return false;
}
