/* A per-channel y = a * x + b, moved forwards over the operators that read y into all linear operators behind them. */
#ifndef PARE_PASSES_FORWARD_H
#define PARE_PASSES_FORWARD_H

#include "passes/affine.h"

/* Whether whatever reads f(v) can read v instead and take f upon itself. f->input is not looked at. */
enum pare_status forward_possible(struct context *ctx, struct arena *scratch, const struct value *v,
                                  const struct affine *f, bool *possible);
/* Does so, where forward_possible has said yes: readers of `v` compute what they would with f(v). `v` itself and what
 * computes it stay. A padded Conv gets the zero point of graph/zero_point.h where f(0) is not 0. */
enum pare_status forward_apply(struct context *ctx, struct arena *scratch, const struct value *v,
                               const struct affine *f);

/* The same for one use of a value, the others left alone. */
enum pare_status forward_use_possible(struct context *ctx, struct arena *scratch, const struct use *use,
                                      const struct affine *f, bool *possible);
enum pare_status forward_use_apply(struct context *ctx, struct arena *scratch, const struct use *use,
                                   const struct affine *f);

/* Whether the node maps every channel of its input to the same one of its only output, and scales with it: Relu and
 * pooling. */
bool forward_keeps_channels(const struct node *n);

#endif
