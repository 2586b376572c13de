/* QuantizeLinear and DequantizeLinear nodes whose scales are powers of two and whose zero points are 0: their formats.
 */
#ifndef PARE_QUANT_SCALING_H
#define PARE_QUANT_SCALING_H

#include "quant/scheme.h"

/* Scales 2^-frac that are normal numbers of float32 beside codes of 16 bits. */
#define SCALING_FRAC_MAX 110

bool scaling_is_fixed_point(const struct node *n);
/* What the node's integers are, at the full width of their type: one fraction, or one per index of `axis`, allocated in
 * `a`. PARE_ERROR_UNSUPPORTED where scaling_is_fixed_point is false. */
enum pare_status scaling_format(struct context *ctx, struct arena *a, const struct node *n, struct format *out);

/* A float32 constant named after `name`: the format's step, or one per channel where they differ. */
enum pare_status scaling_add_scale(struct context *ctx, struct graph *g, const char *name, const struct format *f,
                                   struct value **out);
/* The axis of the weight tensor that has one index per output channel (of a group). */
int scaling_axis_of_weight(const struct linear *l);

#endif
