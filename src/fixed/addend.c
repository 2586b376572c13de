#include "fixed/addend.h"

#include "fixed/requantize.h"

enum pare_status addend_plan(struct context *ctx, struct plan *plan, struct channels *channels,
                             struct addend_shifts *out) {
    uint32_t rows = plan->op->weights.rows;
    int addend = plan_input(plan, 1)->frac, output = plan_output(plan)->frac;
    out->sum = ARENA_ARRAY(&plan->arena, rows, uint8_t);
    out->codes = ARENA_ARRAY(&plan->arena, rows, uint8_t);
    if (out->sum == NULL || out->codes == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t row = 0; row < rows; row++) {
        int frac = channels->shift[row] + output;
        out->sum[row] = (uint8_t)(addend > frac ? addend - frac : 0);
        out->codes[row] = (uint8_t)(frac > addend ? frac - addend : 0);
        channels->bias[row] = (int64_t)((uint64_t)channels->bias[row] << out->sum[row]);
        channels->shift[row] += out->sum[row];
    }
    return PARE_OK;
}

/* v * 2^shift modulo 2^32. */
static uint32_t shifted(int32_t v, unsigned shift) {
    return (uint32_t)((uint64_t)(uint32_t)v << shift & UINT32_MAX);
}

void addend_product_codes(const struct plan *plan, const struct product *p, const struct tile *tile, uint32_t r,
                          size_t channel, const struct channels *channels, const struct addend_shifts *shifts,
                          const int32_t *addend, void *codes) {
    size_t lanes = plan->isa->lanes, first = r * lanes;
    unsigned up = shifts->sum[channel], addend_up = shifts->codes[channel];
    struct code_range range = plan_range(plan);
    if (!p->wide) {
        int32_t sums[ISA_MAX_LANES];
        for (size_t i = 0; i < lanes; i++) {
            sums[i] = (int32_t)(shifted(tile->narrow[first + i], up) + shifted(addend[i], addend_up));
        }
        plan->isa->requantize(sums, lanes, wrapping_int32(channels->bias[channel]), channels->shift[channel], &range,
                              codes);
        return;
    }
    int64_t sums[ISA_MAX_LANES];
    for (size_t i = 0; i < lanes; i++) { /* modulo 2^64: lanes in the padding hold anything */
        uint64_t products = (uint64_t)tile->wide[first + i] << up, added = (uint64_t)addend[i] << addend_up;
        sums[i] = (int64_t)(products + added + (uint64_t)channels->bias[channel]);
    }
    requantize_wide(sums, lanes, 0, channels->shift[channel], &range, codes);
}
