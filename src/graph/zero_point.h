/* Zero points of convolutions: Sub(x, p) in front of a Conv, with one constant per channel.
 *
 * Its padding makes x - p zero outside of x, not x: what BatchNormalization leaves behind where it is folded forwards,
 * and the zero point of asymmetric quantisation with one per channel. */
#ifndef PARE_GRAPH_ZERO_POINT_H
#define PARE_GRAPH_ZERO_POINT_H

#include "graph/graph.h"

/* Whether the node subtracts a constant, one for all or one per index of axis 1, and only Convs with constant weights
 * read the difference. */
bool node_is_zero_point(const struct node *n);
/* What such a node subtracts from channel `channel`. */
double zero_point_of(const struct node *n, int64_t channel);

#endif
