/* Channels that a network does not use: zero wherever they are read, on every sample. Behind Relu there are many, and a
 * fixed-point program would keep and multiply their zeros. */
#ifndef PARE_QUANT_SILENT_H
#define PARE_QUANT_SILENT_H

#include "passes/channel_scale.h"
#include "quant/observe.h"

/* With fewer samples nothing is taken out. A channel that is silent on n samples is, at 95 %, silent on all but 3/n of
 * all others (Hanley and Lippman-Hand 1983); what several of them lose together, the held-out samples tell. */
#define SILENT_SAMPLES_MIN ((size_t)300)

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

/* Takes the silent channels out of the graph, which computes the same on the samples as before; memory of the list in
 * `a`. */
enum pare_status drop_silent_channels(struct context *ctx, struct arena *a, struct graph *g, size_t count,
                                      const struct sample_source *source, struct dropped_list *out);

#endif
