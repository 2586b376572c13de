/* Reading a block front to back: past the end of its section everything is 0, and `failed` is set for good. */
#ifndef PARE_RUNTIME_CURSOR_H
#define PARE_RUNTIME_CURSOR_H

#include "pare/runtime.h"
#include "runtime/format.h"

struct pare_cursor {
    const uint8_t *data;
    uint32_t left;
    bool failed;
};

struct pare_cursor pare_cursor_at(const struct pare_model *model, enum pare_section section, uint32_t offset);
/* The next `size` bytes, or NULL. */
const uint8_t *pare_take(struct pare_cursor *c, uint64_t size);
/* A number of as many bytes as it needs (runtime/format.h); larger ones than `most` fail. */
uint32_t pare_take_number(struct pare_cursor *c, uint32_t most);
uint32_t pare_take_u32(struct pare_cursor *c);
int32_t pare_take_signed(struct pare_cursor *c);
void pare_take_array(struct pare_cursor *c, uint32_t *out, uint32_t count);

#endif
