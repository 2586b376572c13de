#include "fixed/repack.h"

#include "runtime/codes.h"

#include <string.h>

const char *packing_name(enum packing packing) {
    static const char *const names[] = {[PACKING_SIZE] = "size", [PACKING_SPEED] = "speed"};
    return names[packing];
}

static void put_code(uint8_t *data, uint64_t at, int32_t code, unsigned bits) {
    for (unsigned i = 0; i < bits; i++, at++) {
        data[at >> 3] |= (uint8_t)(((uint32_t)code >> i & 1) << (at & 7));
    }
}

static enum pare_status repack(struct context *ctx, struct arena *arena, struct pare_weights *w, uint8_t bits) {
    uint32_t row_bits = w->columns * bits;
    uint8_t *data = ARENA_ARRAY(arena, (size_t)(((uint64_t)w->rows * row_bits + 7) / 8), uint8_t);
    if (data == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t r = 0; r < w->rows; r++) {
        struct weight_row row = weight_row(w, r);
        for (uint32_t c = 0; c < w->columns; c++) {
            put_code(data, (uint64_t)r * row_bits + (uint64_t)c * bits, weight_at(&row, c), bits);
        }
    }
    w->data = data;
    w->bits = bits;
    w->row_bits = row_bits;
    return PARE_OK;
}

enum pare_status program_repack(struct context *ctx, struct program *p, enum packing packing) {
    for (uint32_t i = 0; packing != PACKING_KEEP && i < p->op_count; i++) {
        struct pare_weights *w = &p->ops[i].weights;
        uint8_t bits = packing == PACKING_SIZE ? w->bits : w->bits <= 8 ? 8 : 16;
        if (w->bits > 0 && (uint64_t)w->columns * bits <= UINT32_MAX - 7) {
            TRY(repack(ctx, p->arena, w, bits));
        }
    }
    return PARE_OK;
}

static enum pare_status repack_and_write(struct context *ctx, struct program *p, enum packing packing,
                                         struct buffer *out) {
    struct pare_op *ops = ARENA_ARRAY(p->arena, p->op_count, struct pare_op);
    if (ops == NULL) {
        return fail_memory(ctx);
    }
    memcpy(ops, p->ops, p->op_count * sizeof(*ops));
    p->ops = ops;
    TRY(program_repack(ctx, p, packing));
    return program_write(ctx, p, out);
}

enum pare_status program_write_packed(struct context *ctx, const struct program *p, enum packing packing,
                                      struct buffer *out) {
    struct arena arena;
    struct program packed = *p;
    arena_init(&arena);
    packed.arena = &arena;
    enum pare_status status = repack_and_write(ctx, &packed, packing, out);
    arena_free(&arena);
    return status;
}
