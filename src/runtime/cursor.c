#include "runtime/cursor.h"

#include "runtime/model.h"

struct pare_cursor pare_cursor_at(const struct pare_model *model, enum pare_section section, uint32_t offset) {
    uint32_t size = (uint32_t)(model->section[section + 1] - model->section[section]);
    struct pare_cursor c = {NULL, 0, offset > size};
    if (!c.failed) {
        c.data = model->section[section] + offset;
        c.left = size - offset;
    }
    return c;
}

const uint8_t *pare_take(struct pare_cursor *c, uint64_t size) {
    if (c->failed || size > c->left) {
        c->failed = true;
        return NULL;
    }
    const uint8_t *data = c->data;
    c->data += (size_t)size;
    c->left -= (uint32_t)size;
    return data;
}

uint32_t pare_take_number(struct pare_cursor *c, uint32_t most) {
    uint32_t number = 0;
    bool more = true;
    for (unsigned shift = 0; more; shift += 7) {
        const uint8_t *byte = pare_take(c, 1);
        /* More than 32 bits, or one byte too many. */
        if (byte == NULL || (shift == 28 && *byte > 0x0f) || (shift > 0 && *byte == 0)) {
            c->failed = true;
            return 0;
        }
        number |= (uint32_t)(*byte & 0x7f) << shift;
        more = *byte >= 0x80;
    }
    c->failed = number > most;
    return c->failed ? 0 : number;
}

int32_t pare_take_signed(struct pare_cursor *c) {
    uint32_t number = pare_take_u32(c);
    return (int32_t)(number >> 1) ^ -(int32_t)(number & 1);
}

uint32_t pare_take_u32(struct pare_cursor *c) {
    return pare_take_number(c, UINT32_MAX);
}

void pare_take_array(struct pare_cursor *c, uint32_t *out, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        out[i] = pare_take_u32(c);
    }
}
