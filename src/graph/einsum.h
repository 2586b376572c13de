/* Equations of Einsum. */
#ifndef PARE_GRAPH_EINSUM_H
#define PARE_GRAPH_EINSUM_H

#include "graph/graph.h"

#define EINSUM_MAX_INPUTS 16
#define EINSUM_MAX_LABELS 64

/* Each dimension of an operand by its label: 0 to 51 are letters, further ones the dimensions behind "...", the last of
 * them being the first label from the end. */
struct einsum_term {
    int rank;
    int label[TENSOR_MAX_RANK];
};

struct einsum {
    int inputs;
    struct einsum_term input[EINSUM_MAX_INPUTS], output;
};

/* `ranks` has one entry per input. PARE_ERROR_INPUT without a node name in front when the equation is none, or does not
 * fit. */
enum pare_status einsum_parse(struct context *ctx, const char *equation, const int *ranks, int inputs,
                              struct einsum *out);

#endif
