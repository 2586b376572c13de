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

/* Inputs and outputs of an opened network, which must outlive them. */
enum pare_status ports_of_network(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                  struct inspection *out);
/* The same of a graph. */
enum pare_status ports_of_graph(struct context *ctx, struct arena *arena, const struct graph *g,
                                struct inspection *out);
/* The same of a program that was lowered from `scheme`. */
enum pare_status ports_of_scheme(struct context *ctx, struct arena *arena, const struct scheme *scheme,
                                 const struct program *p, struct inspection *out);

/* A value's format, and how many elements it has in one sample. */
struct tensor_report codes_of_value(const struct pare_value *v);

#endif
