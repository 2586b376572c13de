/* Which channels have been taken out of a network, by the layers that made them. */
#ifndef PARE_QUANT_DROPPED_H
#define PARE_QUANT_DROPPED_H

#include "passes/channel_scale.h"

/* What was taken out of a linear operator. */
struct dropped_channels {
    const char *name;          /* the node's */
    int64_t dropped, channels; /* of so many that it had */
    const bool *gone;          /* [channels] */
};

struct dropped_list {
    struct dropped_channels *items;
    size_t count, capacity;
};

enum pare_status dropped_copy(struct context *ctx, struct arena *a, const struct dropped_list *from,
                              struct dropped_list *out);

/* Channels of those that are left of a scalable's, of what makes them and of depthwise convolutions behind; memory in
 * `a`. To be called before they go. */
enum pare_status dropped_add(struct context *ctx, struct arena *a, struct dropped_list *list, const struct scalable *s,
                             const bool *drop);
const struct dropped_channels *dropped_of(const struct dropped_list *list, const char *name); /* or NULL */

#endif
