/* Elementwise work goes block by block: codes are widened to 32 bits, worked on, and brought to the output's format. */
#ifndef PARE_FIXED_BLOCK_H
#define PARE_FIXED_BLOCK_H

#include "fixed/codes.h"
#include "fixed/plan.h"

#define BLOCK 256

static inline size_t block_size(size_t rest) {
    return rest < BLOCK ? rest : BLOCK;
}

/* Codes on their way from an input's format to the output's. */
struct mover {
    const struct isa *isa;
    uint8_t storage; /* of the input */
    int shift;
    bool same; /* nothing changes: bytes are copied */
    struct code_range range;
};

struct mover mover_of(const struct plan *plan, uint32_t input);
/* to[i] = from[i * step] in the output's format. */
void mover_run(const struct mover *mover, const void *from, ptrdiff_t step, size_t count, void *to);

#endif
