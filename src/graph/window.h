/* The one definition of how windows lie over an input: Conv, ConvTranspose and the pools. Used by shape inference, the
 * float kernels and the lowering alike.
 *
 * Conv, pools: output position o reads input positions o*stride - pad_begin + k*dilation for k in [0, kernel), those
 * outside [0, input) are padding. ConvTranspose: input position i adds to output positions i*stride - pad_begin +
 * k*dilation, those outside [0, output) are dropped; output positions that nothing reaches hold the bias. */
#ifndef PARE_GRAPH_WINDOW_H
#define PARE_GRAPH_WINDOW_H

#include "graph/graph.h"

#define WINDOW_MAX_RANK (TENSOR_MAX_RANK - 2)

/* Per spatial axis (dimension 2 + i of the input). With an unknown input size (-1), output is -1, and so are pads that
 * depend on it (auto_pad). */
struct window {
    int rank; /* spatial axes, 1..WINDOW_MAX_RANK */
    int64_t input[WINDOW_MAX_RANK], output[WINDOW_MAX_RANK];
    int64_t kernel[WINDOW_MAX_RANK], stride[WINDOW_MAX_RANK], dilation[WINDOW_MAX_RANK];
    int64_t pad_begin[WINDOW_MAX_RANK];
    int64_t pad_end[WINDOW_MAX_RANK]; /* as declared: with ceil_mode a last window may reach beyond it */
};

/* Resolves the attributes of a Conv, ConvTranspose, AveragePool or MaxPool node (auto_pad, ceil_mode with windows that
 * would begin in the end padding dropped, output_padding, output_shape) for input [N, C, spatial...]. `weight` is the
 * shape of input 1, or NULL for the pools; its unknown kernel sizes (-1) are taken from kernel_shape. PARE_ERROR_INPUT
 * without a node name in front when attributes contradict each other, the weight, or the input. */
enum pare_status window_resolve(struct context *ctx, const struct node *n, const struct shape *input,
                                const struct shape *weight, struct window *out);

/* The input that the windows of a MaxUnpool node cover, for its own input [N, C, spatial...]; unknown sizes stay -1. */
enum pare_status unpooled_shape(struct context *ctx, const struct node *n, const struct shape *input,
                                struct shape *out);

/* (kernel - 1) * dilation + 1 of an axis. */
int64_t window_extent(const struct window *w, int axis);

#endif
