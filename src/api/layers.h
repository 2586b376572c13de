/* The layers of a network as rows of an inspection. */
#ifndef PARE_API_LAYERS_H
#define PARE_API_LAYERS_H

#include "api/network.h"
#include "report/inspection.h"

/* Rows are allocated in `arena`; their names belong to the network. */
enum pare_status layers_of_graph(struct context *ctx, struct arena *arena, const struct graph *g,
                                 struct inspection *out);
enum pare_status layers_of_program(struct context *ctx, struct arena *arena, const struct program *p,
                                   struct inspection *out);

#endif
