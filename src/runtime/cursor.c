#include "runtime/cursor.h"

#include "runtime/codes.h"
#include "runtime/model.h"

struct pare_cursor pare_cursor_at(const struct pare_model *model, const uint8_t *offset_field, bool terse) {
    uint32_t offset = little_endian32(offset_field, 0);
    uint32_t size = little_endian32(pare_header(model)->data_size, 0);
    struct pare_cursor c = {NULL, 0, terse, offset > size || (!terse && offset % 4 != 0)};
    if (!c.failed) {
        c.data = model->bytes + little_endian32(pare_header(model)->data, 0) + offset;
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

/* 7 bits of each byte while its high bit is set, where the block is terse; else `size` whole bytes. */
uint32_t pare_take_number(struct pare_cursor *c, unsigned size) {
    uint32_t number = 0;
    bool more = true;
    for (unsigned i = 0; more; i++) {
        const uint8_t *byte = pare_take(c, 1);
        if (byte == NULL) {
            return 0;
        }
        number |= (uint32_t)(c->terse ? *byte & 0x7f : *byte) << (c->terse ? 7 : 8) * i;
        more = c->terse ? *byte >= 0x80 : i + 1 < size;
        if (i == 4 && *byte > 0x0f) { /* more than 32 bits */
            c->failed = true;
            return 0;
        }
    }
    return number;
}

uint32_t pare_take_u32(struct pare_cursor *c) {
    return pare_take_number(c, 4);
}

void pare_take_array(struct pare_cursor *c, uint32_t *out, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        out[i] = pare_take_u32(c);
    }
}
