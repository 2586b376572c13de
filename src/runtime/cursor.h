/* Reading the data section front to back: past its end everything is 0, and `failed` is set for good. */
#ifndef PARE_RUNTIME_CURSOR_H
#define PARE_RUNTIME_CURSOR_H

#include "pare/runtime.h"

struct pare_cursor {
    const uint8_t *data;
    uint32_t left;
    bool failed;
};

/* At the block whose offset a record holds. */
struct pare_cursor pare_cursor_at(const struct pare_model *model, const uint8_t *offset_field);
/* The next `size` bytes, or NULL. */
const uint8_t *pare_take(struct pare_cursor *c, uint64_t size);
uint32_t pare_take_u32(struct pare_cursor *c);
void pare_take_array(struct pare_cursor *c, uint32_t *out, uint32_t count);

#endif
