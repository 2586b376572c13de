/* The input of a linear operator as the columns of its rows see it, one unfolded vector per output position. */
#ifndef PARE_QUANT_COLUMNS_H
#define PARE_QUANT_COLUMNS_H

#include "graph/window.h"
#include "quant/scheme.h"

struct columns {
    const struct linear *linear;
    uint32_t groups, columns; /* the linear's */
    size_t input_count;       /* elements of the input, batch 1 */
    size_t positions;         /* output positions, batch 1 */
    int64_t channels, taps;   /* of one group; Conv and ConvTranspose */
    struct window window;
};

/* The input's shape must be known but for the batch. */
enum pare_status columns_of(struct context *ctx, const struct linear *l, struct columns *out);

/* Unfolds position `position` of `input` into out[groups][columns]: row r of the linear computes the product of its
 * weights with the vector of its group. Padding, values that are not finite and, for PRelu, positive values are 0. */
void columns_gather(const struct columns *c, const float *input, size_t position, float *out);

/* Where the output of `row` at a position lies in the operator's output. Not for PRelu. */
size_t columns_output(const struct columns *c, uint32_t row, size_t position);

#endif
