/* Networks of other types than float32 that are quantised as if they were of it. */
#ifndef PARE_API_NARROW_H
#define PARE_API_NARROW_H

#include "api/network.h"

/* Brings the graph to float32 (passes_narrow), with a warning for every input whose type that changes, or one for the
 * whole. `place` begins it; NULL: nothing does. *changed may be NULL. */
enum pare_status graph_narrow(struct context *ctx, const char *place, struct graph **g, bool *changed);

/* The float network as it is quantised: `n` itself, or a copy in `arena` with a graph of its own. That is *owned (else
 * NULL), for graph_free. PARE_ERROR_UNSUPPORTED where an input is of another type even so. */
enum pare_status network_narrow(struct context *ctx, struct arena *arena, const struct pare_network **n,
                                struct graph **owned);

/* Why an input of this type cannot be quantised, and the way out. */
#define OTHER_INPUT "only inputs of float32, or that are cast to it at once, can be quantised; cut the model behind it"

#endif
