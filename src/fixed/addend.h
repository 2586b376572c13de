/* The second input of a convolution, added to its sums before they are rounded. */
#ifndef PARE_FIXED_ADDEND_H
#define PARE_FIXED_ADDEND_H

#include "fixed/product.h"
#include "fixed/weights.h"

/* Per output channel: how far its sums and the codes of the addend are shifted to the finer fraction of both. */
struct addend_shifts {
    uint8_t *sum, *codes;
};

/* Brings the biases and shifts of `channels`, finished but for this, to the finer fraction. Memory in plan->arena. */
enum pare_status addend_plan(struct context *ctx, struct plan *plan, struct channels *channels,
                             struct addend_shifts *out);
/* product_codes of row `r` of the tile, which is output channel `channel`, with one code of the addend per lane. */
void addend_product_codes(const struct plan *plan, const struct product *p, const struct tile *tile, uint32_t r,
                          size_t channel, const struct channels *channels, const struct addend_shifts *shifts,
                          const int32_t *addend, void *codes);

#endif
