/* Ranges of Slice and Pad. */
#ifndef PARE_GRAPH_SLICE_H
#define PARE_GRAPH_SLICE_H

#include "graph/graph.h"

/* Output index o along axis i is input index start[i] + o * step[i], for o in [0, count[i]). */
struct slice {
    int rank;
    int64_t start[TENSOR_MAX_RANK], step[TENSOR_MAX_RANK], count[TENSOR_MAX_RANK];
    bool keeps_all[TENSOR_MAX_RANK]; /* whatever the size of the axis */
};

/* The inputs starts, ends, axes and steps of a Slice node as integers; `length` entries each, axes and steps may be
 * NULL. */
struct slice_inputs {
    int length;
    const int64_t *starts, *ends, *axes, *steps;
};

/* Axes of unknown size (-1) have count -1, unless the slice keeps all of them (start 0, step 1) or its bounds decide.
 * PARE_ERROR_INPUT (no node name in front) on axes out of range or a step of 0. */
enum pare_status slice_resolve(struct context *ctx, const struct slice_inputs *in, const struct shape *input,
                               struct slice *out);

/* Elements added (or, when negative, taken away) before and behind each axis by a Pad node. `axes` may be NULL: all. */
struct padding {
    int rank;
    int64_t begin[TENSOR_MAX_RANK], end[TENSOR_MAX_RANK];
};

enum pare_status padding_resolve(struct context *ctx, const int64_t *pads, int pad_count, const int64_t *axes,
                                 int axis_count, int rank, struct padding *out);

#endif
