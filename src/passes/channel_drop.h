/* Taking channels out that carry nothing: fewer rows in the linear operators that make them, fewer columns in those
 * that read them. */
#ifndef PARE_PASSES_CHANNEL_DROP_H
#define PARE_PASSES_CHANNEL_DROP_H

#include "passes/channel_scale.h"

/* Whether channels of the values can be taken out: only convolutions and Gemms without groups make and read them, the
 * latter behind a flattening too. */
bool channel_drop_possible(const struct scalable *s);
/* Takes out every channel c with drop[c]; at least one stays. What the graph computes stays the same where whatever the
 * exits read of these channels is zero. Where channel_drop_possible. */
enum pare_status channel_drop(struct context *ctx, const struct scalable *s, const bool *drop);

#endif
