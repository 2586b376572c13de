#include "fixed/axis.h"

/* No sum of two sizes leaves 32 bits. */
#define AXIS_MAX ((uint64_t)1 << 30)
/* Entries of all taps of all lattices. */
#define TAPS_MAX ((uint64_t)1 << 20)

bool axis_fits(const struct axis *a) {
    uint64_t lattices = a->stride < a->out_size ? a->stride : a->out_size;
    return a->kernel * lattices <= TAPS_MAX && (uint64_t)a->kernel * a->dilation <= AXIS_MAX &&
           (uint64_t)a->out_size * a->stride <= AXIS_MAX && (uint64_t)a->in_size * a->stride <= AXIS_MAX &&
           a->pad <= AXIS_MAX;
}

static enum pare_status axis_allocate(struct context *ctx, struct arena *arena, struct axis *a, uint32_t phases,
                                      uint32_t lattices) {
    a->phase = ARENA_ARRAY(arena, phases, uint32_t);
    a->lattices = ARENA_ARRAY(arena, lattices, struct lattice);
    a->lattice_count = lattices;
    if (a->phase == NULL || a->lattices == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t i = 0; i < lattices; i++) {
        a->lattices[i].taps = ARENA_ARRAY(arena, a->kernel, struct tap);
        if (a->lattices[i].taps == NULL) {
            return fail_memory(ctx);
        }
    }
    return PARE_OK;
}

/* The index of a phase, entered when it is new: phases that no tap reads are never built. */
static uint32_t axis_phase(struct axis *a, uint32_t phase) {
    for (uint32_t i = 0; i < a->phase_count; i++) {
        if (a->phase[i] == phase) {
            return i;
        }
    }
    a->phase[a->phase_count] = phase;
    return a->phase_count++;
}

enum pare_status axis_plan_conv(struct context *ctx, struct arena *arena, struct axis *a) {
    TRY(axis_allocate(ctx, arena, a, a->kernel < a->stride ? a->kernel : a->stride, 1));
    a->spacing = a->stride;
    a->margin = a->pad;
    a->extent = (a->kernel - 1) * a->dilation / a->stride + a->out_size;
    struct lattice *all = &a->lattices[0];
    *all = (struct lattice){.step = 1, .count = a->out_size, .tap_count = a->kernel, .taps = all->taps};
    for (uint32_t k = 0; k < a->kernel; k++) {
        uint32_t at = k * a->dilation;
        bool read = k % a->taps_per_word == 0;
        all->taps[k] = (struct tap){k, read ? axis_phase(a, at % a->stride) : 0, at / a->stride};
    }
    return PARE_OK;
}

/* Output o takes input (o + pad - k * dilation) / stride through tap k, where that is whole. */
static void lattice_taps(const struct axis *a, struct lattice *lattice) {
    for (uint32_t k = 0; k < a->kernel; k++) {
        int64_t at = (int64_t)lattice->start + a->pad - (int64_t)k * a->dilation;
        if (at % a->stride == 0) {
            int64_t index = at / (int64_t)a->stride + a->margin;
            lattice->taps[lattice->tap_count++] = (struct tap){k, 0, (uint32_t)index};
        }
    }
}

enum pare_status axis_plan_transpose(struct context *ctx, struct arena *arena, struct axis *a) {
    uint32_t lattices = a->stride < a->out_size ? a->stride : a->out_size;
    TRY(axis_allocate(ctx, arena, a, 1, lattices));
    a->spacing = 1;
    a->phase_count = 1;
    uint32_t reach = (a->kernel - 1) * a->dilation;
    a->margin = reach > a->pad ? (reach - a->pad) / a->stride : 0;
    a->extent = (uint32_t)((a->pad + (uint64_t)a->out_size - 1) / a->stride + (uint64_t)a->margin + 1);
    for (uint32_t i = 0; i < lattices; i++) {
        a->lattices[i].start = i;
        a->lattices[i].step = a->stride;
        a->lattices[i].count = (a->out_size - i + a->stride - 1) / a->stride;
        lattice_taps(a, &a->lattices[i]);
    }
    return PARE_OK;
}
