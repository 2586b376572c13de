#include "onnx/wire.h"

static uint64_t read_varint(struct reader *r) {
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        uint8_t byte = read_u8(r);
        if (shift < 63) {
            value |= (uint64_t)(byte & 0x7f) << shift;
        }
        if (byte < 0x80) {
            return value;
        }
    }
    r->failed = true;
    return 0;
}

static void read_payload(struct reader *r, struct wire_field *f) {
    switch (f->type) {
    case WIRE_VARINT:
        (void)read_varint(r);
        break;
    case WIRE_FIXED64:
        f->payload = read_bytes(r, f->size = 8);
        break;
    case WIRE_FIXED32:
        f->payload = read_bytes(r, f->size = 4);
        break;
    case WIRE_BYTES: {
        uint64_t size = read_varint(r);
        if (size > r->size - r->at) {
            r->failed = true;
            return;
        }
        f->payload = read_bytes(r, f->size = (size_t)size);
        break;
    }
    default:
        r->failed = true;
    }
}

bool wire_next(struct reader *r, struct wire_field *out) {
    if (r->failed || r->at >= r->size) {
        return false;
    }
    uint64_t key = read_varint(r);
    *out = (struct wire_field){.number = (uint32_t)(key >> 3), .type = (enum wire_type)(key & 7)};
    if (key > UINT32_MAX || out->number == 0) {
        r->failed = true;
    }
    if (!r->failed) {
        read_payload(r, out);
    }
    return !r->failed;
}
