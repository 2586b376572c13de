/* Weights and biases out of their packed form. */
#ifndef PARE_FIXED_WEIGHTS_H
#define PARE_FIXED_WEIGHTS_H

#include "fixed/plan.h"

/* Per output channel: the bias at the fraction of the accumulator, less what all taps add where the input is at its
 * zero points, and the accumulator's further fraction bits. */
struct channels {
    int64_t *bias;
    int32_t *shift;
    bool one_shift; /* all entries of `shift` are equal */
};

/* codes[c] = weight c of the row. */
void weights_unpack_row(const struct pare_weights *weights, uint32_t row, int16_t *codes);
/* From plan->op; memory in plan->arena. */
enum pare_status channels_new(struct context *ctx, struct plan *plan, struct channels *channels);

#endif
