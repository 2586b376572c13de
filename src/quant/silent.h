/* Channels that a network does not use: zero wherever they are read, on every sample. Behind Relu there are many, and a
 * fixed-point program would keep and multiply their zeros. */
#ifndef PARE_QUANT_SILENT_H
#define PARE_QUANT_SILENT_H

#include "quant/dropped.h"
#include "quant/observe.h"

/* With fewer samples nothing is taken out. A channel that is silent on n samples is, at 95 %, silent on all but 3/n of
 * all others (Hanley and Lippman-Hand 1983); what several of them lose together, the held-out samples tell. */
#define SILENT_SAMPLES_MIN ((size_t)300)

/* Takes the silent channels out of the graph, which computes the same on the samples as before; memory of the list in
 * `a`. */
enum pare_status drop_silent_channels(struct context *ctx, struct arena *a, struct graph *g, size_t count,
                                      const struct sample_source *source, struct dropped_list *out);

#endif
