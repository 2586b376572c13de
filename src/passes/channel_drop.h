/* Taking channels out: fewer rows in the linear operators that make them, fewer columns in those that read them. */
#ifndef PARE_PASSES_CHANNEL_DROP_H
#define PARE_PASSES_CHANNEL_DROP_H

#include "passes/channel_scale.h"

/* A linear operator that reads channels: channel c is its input channels (or, of a Gemm, columns) first + c * repeat
 * and the repeat - 1 behind it. */
struct channel_reader {
    struct node *node;
    int64_t first, repeat;
    bool passes; /* a depthwise convolution, whose output channels go with them: its readers are in the list, too */
};

/* All that read the channels of the values, behind zero points, depthwise convolutions, Concat, pooling and flattening
 * too; memory in `a`.
 * *possible is false when something else does, or when groups are in the way: then channels cannot be taken out. */
enum pare_status channel_readers(struct context *ctx, struct arena *a, const struct scalable *s,
                                 struct channel_reader **out, size_t *count, bool *possible);
/* Takes out every channel c with drop[c]; at least one stays. What the graph computes stays the same where whatever the
 * readers read of these channels is zero. Where channel_readers has found it possible. */
enum pare_status channel_drop(struct context *ctx, const struct scalable *s, const bool *drop);

#endif
