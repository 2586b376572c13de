/* Rounded parameters of a linear operator: packing, sums for the certificate, biases. */
#ifndef PARE_QUANT_PARAMETERS_H
#define PARE_QUANT_PARAMETERS_H

#include "quant/scheme.h"

/* Packs codes that were rounded to choice->format (whose rows axis is one fraction per row, or one for all) and sums
 * them up. All zeros become bits 0. `choice->codes` and the format's fractions must live in `a` or longer. */
enum pare_status weight_choice_finish(struct context *ctx, struct arena *a, const struct linear *l,
                                      struct weight_choice *choice);

#define ZERO_POINT_BITS 16 /* signed */

/* The code of a zero point (graph/zero_point.h) for an input of `frac` fraction bits, saturated to its width. */
int32_t zero_point_code(const struct node *zero_point, int64_t channel, int frac);

/* The bias at `l->bias_bits` for the current weights and input format: rounded to nearest after the correction of the
 * mean error, one fraction per row, the finest that fits and is at most weight frac + input frac. Made once, then
 * found. */
enum pare_status linear_bias_choice(struct context *ctx, struct arena *a, struct linear *l,
                                    const struct bias_choice **out);
/* A bias whose codes and fractions (one per row) are known becomes the current one, for the current weights and input
 * format; at most weight frac + input frac. `b` and what it points to must live in `a` or longer. */
enum pare_status linear_set_bias(struct context *ctx, struct arena *a, struct linear *l, struct bias_choice *b);

#endif
