#include "fixed/text_section.h"

#include <zlib.h>

#define BEST_RATIO 1032 /* of deflate: no honest text is longer than so many times its section */

enum pare_status text_section_write(struct context *ctx, const void *text, size_t size, struct buffer *out) {
    if (size == 0) {
        return PARE_OK;
    }
    if (size > TEXT_SECTION_MOST) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "the names, or the metadata, of a compact file are at most 16 MB");
    }
    struct arena scratch;
    arena_init(&scratch);
    uLongf packed = compressBound((uLong)size);
    uint8_t *bytes = arena_alloc(&scratch, packed);
    bool done = bytes != NULL && compress2(bytes, &packed, text, (uLong)size, Z_BEST_COMPRESSION) == Z_OK;
    if (done) {
        write_u32(out, (uint32_t)size);
        write_bytes(out, bytes, packed);
    }
    arena_free(&scratch);
    return done && !out->failed ? PARE_OK : fail_memory(ctx);
}

enum pare_status text_section_read(struct context *ctx, struct arena *arena, const char *place, const uint8_t *bytes,
                                   size_t size, const char **text, size_t *length) {
    struct reader r;
    reader_init(&r, bytes, size);
    *length = read_u32(&r);
    uLongf unpacked = *length;
    uLong left = size - r.at;
    if (!r.failed && *length <= TEXT_SECTION_MOST && *length / BEST_RATIO <= left) {
        Bytef *room = arena_alloc(arena, *length + 1);
        if (room == NULL) {
            return fail_memory(ctx);
        }
        bool whole = uncompress2(room, &unpacked, bytes + r.at, &left) == Z_OK && unpacked == *length;
        if (whole && r.at + left == size) {
            *text = (const char *)room;
            return PARE_OK;
        }
    }
    return fail(ctx, PARE_ERROR_INPUT, "%s: its names or its metadata are damaged", place);
}
