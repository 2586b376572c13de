/* Subgraphs: run within the graph around them, whose values they see. */
#ifndef PARE_FLOAT_SCOPE_H
#define PARE_FLOAT_SCOPE_H

#include "float/float.h"

/* A run of a graph (run.c). */
struct run;

/* float_run_node for a node that may hold subgraphs; `scope` is the run of the node's graph. */
enum pare_status float_run_node_in(struct context *ctx, const struct run *scope, const struct node *n,
                                   const struct tensor *const *inputs, struct tensor *outputs);

/* Runs a subgraph of the call's node. `inputs` in the order of g->inputs; outputs are allocated on the heap. */
enum pare_status call_subgraph(struct float_call *c, const struct graph *g, const struct tensor *inputs,
                               struct tensor *outputs);

#endif
