/* Axes given as numbers, negative ones counted from the end. */
#ifndef PARE_GRAPH_AXES_H
#define PARE_GRAPH_AXES_H

#include "graph/graph.h"

/* False when outside [-rank, rank). */
bool axis_resolve(int64_t axis, int rank, int *out);
/* Marks each listed axis; PARE_ERROR_INPUT (no node name in front) when one is out of range or named twice. */
enum pare_status axes_mark(struct context *ctx, const int64_t *axes, int count, int rank, bool marked[TENSOR_MAX_RANK]);
/* Which axes a ReduceMean node reduces over, from the values of its axes input (NULL and 0 when omitted or empty). */
enum pare_status axes_of_reduce(struct context *ctx, const struct node *n, const int64_t *axes, int count, int rank,
                                bool reduced[TENSOR_MAX_RANK]);
/* The permutation of a Transpose node: output dimension i is input dimension perm[i]. Reversed when not given. */
enum pare_status axes_of_transpose(struct context *ctx, const struct node *n, int rank, int perm[TENSOR_MAX_RANK]);
/* The same of operand 0 or 1 of a FusedMatMul, before it is multiplied: with transBatch its first axis goes behind the
 * batch, then with trans the last two are swapped. */
void axes_of_factor(const struct node *n, int operand, int rank, int perm[TENSOR_MAX_RANK]);

#endif
