#include "fixed/text_section.h"

#include <zlib.h>

#define BEST_RATIO 1032 /* of deflate: no honest text is longer than so many times its section */

/* zlib's failures, by whose fault they are. */
static enum pare_status fail_zlib(struct context *ctx, const char *place, const char *what, int code) {
    if (code == Z_MEM_ERROR) {
        return fail_memory(ctx);
    }
    return place == NULL ? fail(ctx, PARE_ERROR_INTERNAL, "the %s cannot be compressed: %s", what, zError(code))
                         : fail(ctx, PARE_ERROR_INPUT, "%s: its %s are damaged", place, what);
}

enum pare_status text_section_write(struct context *ctx, const char *what, const void *text, size_t size,
                                    struct buffer *out) {
    if (size == 0) {
        return PARE_OK;
    }
    if (size > TEXT_SECTION_MOST) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "the %s of a compact file are at most 16 MB", what);
    }
    struct arena scratch;
    arena_init(&scratch);
    uLongf packed = compressBound((uLong)size);
    uint8_t *bytes = arena_alloc(&scratch, packed);
    int code = bytes == NULL ? Z_MEM_ERROR : compress2(bytes, &packed, text, (uLong)size, Z_BEST_COMPRESSION);
    if (code == Z_OK) {
        write_u32(out, (uint32_t)size);
        write_bytes(out, bytes, packed);
    }
    arena_free(&scratch);
    code = code == Z_OK && out->failed ? Z_MEM_ERROR : code;
    return code == Z_OK ? PARE_OK : fail_zlib(ctx, NULL, what, code);
}

enum pare_status text_section_read(struct context *ctx, struct arena *arena, const char *place, const char *what,
                                   const uint8_t *bytes, size_t size, const char **text, size_t *length) {
    struct reader r;
    reader_init(&r, bytes, size);
    *length = read_u32(&r);
    uLongf unpacked = *length;
    uLong left = size - r.at;
    if (r.failed || *length > TEXT_SECTION_MOST || *length / BEST_RATIO > left) {
        return fail_zlib(ctx, place, what, Z_DATA_ERROR);
    }
    Bytef *room = arena_alloc(arena, *length + 1);
    int code = room == NULL ? Z_MEM_ERROR : uncompress2(room, &unpacked, bytes + r.at, &left);
    bool whole = unpacked == *length && r.at + left == size;
    if (code != Z_OK || !whole) {
        return fail_zlib(ctx, place, what, code == Z_OK ? Z_DATA_ERROR : code);
    }
    *text = (const char *)room;
    return PARE_OK;
}
