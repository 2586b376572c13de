#include "runtime/cursor.h"

#include "runtime/codes.h"
#include "runtime/model.h"

struct pare_cursor pare_cursor_at(const struct pare_model *model, const uint8_t *offset_field) {
    uint32_t offset = little_endian32(offset_field, 0);
    uint32_t size = little_endian32(pare_header(model)->data_size, 0);
    struct pare_cursor c = {NULL, 0, offset > size || offset % 4 != 0};
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

uint32_t pare_take_u32(struct pare_cursor *c) {
    const uint8_t *data = pare_take(c, 4);
    return data == NULL ? 0 : little_endian32(data, 0);
}

void pare_take_array(struct pare_cursor *c, uint32_t *out, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        out[i] = pare_take_u32(c);
    }
}
