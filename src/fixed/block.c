#include "fixed/block.h"

struct mover mover_of(const struct plan *plan, uint32_t input) {
    const struct pare_value *x = plan_input(plan, input), *y = plan_output(plan);
    struct mover mover = {
        .isa = plan->isa, .storage = x->storage, .shift = x->frac - y->frac, .range = plan_range(plan)};
    mover.same = mover.shift == 0 && x->storage == y->storage && plan->op->low <= code_min(x->bits, x->is_signed) &&
                 plan->op->high >= code_max(x->bits, x->is_signed);
    return mover;
}

static void copy_bytes(const uint8_t *from, ptrdiff_t step, size_t count, uint8_t *to) {
    for (size_t i = 0; i < count; i++) {
        to[i] = from[(ptrdiff_t)i * step];
    }
}

void mover_run(const struct mover *mover, const void *from, ptrdiff_t step, size_t count, void *to) {
    size_t in_size = storage_size(mover->storage), out_size = storage_size(mover->range.storage);
    if (mover->same && step == 1) {
        memcpy(to, from, count * in_size);
        return;
    }
    if (mover->same && in_size == 1) {
        copy_bytes(from, step, count, to);
        return;
    }
    int32_t codes[BLOCK];
    for (size_t done = 0; done < count; done += BLOCK) {
        size_t n = block_size(count - done);
        codes_to_int32((const char *)from + (ptrdiff_t)done * step * (ptrdiff_t)in_size, mover->storage, step, n,
                       codes);
        mover->isa->requantize(codes, n, 0, mover->shift, &mover->range, (char *)to + done * out_size);
    }
}
