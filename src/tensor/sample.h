/* One sample of a data array made into one input of a model: matched once against what the model wants, then delivered
 * as often as needed. */
#ifndef PARE_TENSOR_SAMPLE_H
#define PARE_TENSOR_SAMPLE_H

#include "tensor/preprocess.h"
#include "tensor/tensor.h"

/* What an input of a model wants. */
struct input_spec {
    const char *name;
    enum dtype type;
    struct shape shape; /* the batch first; a dimension of -1 is open; rank -1: anything */
};

/* A sample is seen as channels times positions; the strides, in elements, say where each stands. Without a channel axis
 * there is one channel. */
struct sample_plan {
    const struct tensor *source;
    enum dtype type;    /* of what is delivered: the one that the model wants */
    struct shape shape; /* of what is delivered: batch 1 included */
    size_t sample_size; /* elements */
    size_t channels, positions;
    size_t source_channel_stride, source_position_stride;
    size_t channel_stride, position_stride;
    bool affine; /* apply scale, mean and std */
    float scale;
    const float *mean, *std; /* one per channel, or NULL */
};

/* Matches `source` [samples, ...] against `spec`: per-sample shapes must be equal, or equal after moving the channel
 * axis to where `p->layout` says that the model wants it, or but for axes of size 1; a flat input takes any shape of as
 * many elements, row by row. A source of one dimension more than the model's input holds
 * whole inputs, batch included: what the model fixes, or 1. Scale, mean and std apply to floating-point inputs only, in
 * float32, in this order; integer inputs take integers that fit their type. PARE_ERROR_INPUT with both shapes or types,
 * at `place`. The plan's arrays lie in the arena; it refers to `source`. */
enum pare_status sample_plan(struct context *ctx, struct arena *a, const char *place, const struct tensor *source,
                             const struct input_spec *spec, const struct preprocess *p, struct sample_plan *out);

/* Writes sample i to out->data; `out` has the type and shape of the plan. Thread-safe. */
void sample_deliver(const struct sample_plan *plan, size_t i, struct tensor *out);

#endif
