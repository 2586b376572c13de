#include "fixed/repack.h"

#include "runtime/codes.h"

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
