/* Nodes and constants for the dialects. */
#ifndef PARE_QUANT_DIALECT_BUILD_H
#define PARE_QUANT_DIALECT_BUILD_H

#include "graph/graph.h"

/* A node in front of `before`, with one new output called `name` or like it. */
enum pare_status build_node(struct context *ctx, struct node *before, const char *op, struct value *const *inputs,
                            int count, const char *name, struct value **out);
/* A constant without dimensions. */
enum pare_status build_scalar(struct context *ctx, struct graph *g, enum dtype type, double x, const char *name,
                              struct value **out);
/* op(x, c) in double precision. */
enum pare_status build_with_scalar(struct context *ctx, struct node *before, const char *op, struct value *x, double c,
                                   struct value **out);
enum pare_status build_cast(struct context *ctx, struct node *before, struct value *x, enum dtype type,
                            struct value **out);

#endif
