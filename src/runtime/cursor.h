/* Reading the data section front to back: past its end everything is 0, and `failed` is set for good. */
#ifndef PARE_RUNTIME_CURSOR_H
#define PARE_RUNTIME_CURSOR_H

#include "pare/runtime.h"

struct pare_cursor {
    const uint8_t *data;
    uint32_t left;
    bool terse; /* numbers take as many bytes as they need: LEB128 */
    bool failed;
};

/* At the block whose offset a record holds. */
struct pare_cursor pare_cursor_at(const struct pare_model *model, const uint8_t *offset_field, bool terse);
/* The next `size` bytes, or NULL. */
const uint8_t *pare_take(struct pare_cursor *c, uint64_t size);
/* A number of `size` bytes, 2 or 4, or a terse one. */
uint32_t pare_take_number(struct pare_cursor *c, unsigned size);
uint32_t pare_take_u32(struct pare_cursor *c);
void pare_take_array(struct pare_cursor *c, uint32_t *out, uint32_t count);

#endif
