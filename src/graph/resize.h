/* Sizes and coordinates of Resize (ONNX operator Resize-19, in float32 as ONNX Runtime computes them). */
#ifndef PARE_GRAPH_RESIZE_H
#define PARE_GRAPH_RESIZE_H

#include "graph/graph.h"

enum resize_mode { RESIZE_NEAREST, RESIZE_LINEAR, RESIZE_CUBIC };

enum resize_coordinate {
    RESIZE_HALF_PIXEL,
    RESIZE_HALF_PIXEL_SYMMETRIC,
    RESIZE_PYTORCH_HALF_PIXEL,
    RESIZE_ALIGN_CORNERS,
    RESIZE_ASYMMETRIC,
    RESIZE_TF_CROP_AND_RESIZE
};

enum resize_nearest { RESIZE_ROUND_PREFER_FLOOR, RESIZE_ROUND_PREFER_CEIL, RESIZE_FLOOR, RESIZE_CEIL };

struct resize {
    int rank;
    enum resize_mode mode;
    enum resize_coordinate coordinate;
    enum resize_nearest nearest;
    int64_t input[TENSOR_MAX_RANK], output[TENSOR_MAX_RANK]; /* -1: unknown */
    float scale[TENSOR_MAX_RANK];
    float roi_start[TENSOR_MAX_RANK], roi_end[TENSOR_MAX_RANK];
};

/* Values of the optional inputs of a Resize node; NULL and 0 when omitted or empty. */
struct resize_inputs {
    const float *roi;
    int roi_count;
    const float *scales;
    int scale_count;
    const int64_t *sizes;
    int size_count;
};

/* PARE_ERROR_INPUT (no node name in front) on contradicting or impossible sizes, PARE_ERROR_UNSUPPORTED on an unknown
 * mode. */
enum pare_status resize_resolve(struct context *ctx, const struct node *n, const struct resize_inputs *in,
                                const struct shape *input, struct resize *out);

/* Input coordinate of output index o; may lie outside [0, input - 1]. */
float resize_coordinate(const struct resize *r, int axis, int64_t o);
/* Input index of output index o in mode nearest, clamped to the input. */
int64_t resize_nearest_index(const struct resize *r, int axis, int64_t o);

#endif
