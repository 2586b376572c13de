/* Every channel gets the fixed-point range that suits it: cross-layer equalisation. */
#ifndef PARE_QUANT_EQUALIZE_H
#define PARE_QUANT_EQUALIZE_H

#include "graph/graph.h"
#include "quant/observe.h"

/* Scales the channels of every value that allows it (passes/channel_scale.h), such that the fraction with the least
 * mean squared error at 4 bits is the same for all of them, and a step of exactly a power of two the best there is: one
 * fraction per tensor then does what a scale per channel would. What the graph computes stays the same but for float's
 * rounding. Measured on the first `count` samples of the source. */
enum pare_status equalize(struct context *ctx, struct graph *g, size_t count, const struct sample_source *source);

#endif
