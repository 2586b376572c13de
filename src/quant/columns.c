#include "quant/columns.h"

#include "graph/op.h"

#include <math.h>

static bool is_convolution(const struct linear *l) {
    return l->node->op->id == OP_Conv || l->node->op->id == OP_ConvTranspose;
}

static enum pare_status set_window(struct context *ctx, const struct shape *input, struct columns *c) {
    const struct linear *l = c->linear;
    TRY(window_resolve(ctx, l->node, input, &l->weight->constant->shape, &c->window));
    c->channels = input->dim[1] / l->groups;
    c->positions = 1;
    c->taps = 1;
    for (int i = 0; i < c->window.rank; i++) {
        c->positions *= (size_t)c->window.output[i];
        c->taps *= c->window.kernel[i];
    }
    return c->channels * c->taps == l->columns ? PARE_OK : fail(ctx, PARE_ERROR_INTERNAL, "its columns do not match");
}

enum pare_status columns_of(struct context *ctx, const struct linear *l, struct columns *out) {
    struct shape input;
    *out = (struct columns){.linear = l, .groups = l->groups, .columns = l->columns};
    if (!value_shape(l->input, 1, &input) || !shape_count(&input, &out->input_count)) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "%s: the shape of its input is not fixed for one sample",
                    l->node->name);
    }
    if (!is_convolution(l)) {
        out->positions = out->input_count / l->columns;
        return PARE_OK;
    }
    return set_window(ctx, &input, out) == PARE_OK ? PARE_OK : fail_at(ctx, "%s", l->node->name);
}

/* Input coordinate of an axis that output `o` sees through tap `tap`; -1 where there is none. */
static int64_t seen_by_conv(const struct window *w, int axis, int64_t o, int64_t tap) {
    int64_t i = o * w->stride[axis] - w->pad_begin[axis] + tap * w->dilation[axis];
    return i < w->input[axis] ? i : -1;
}

static int64_t seen_by_conv_transpose(const struct window *w, int axis, int64_t o, int64_t tap) {
    int64_t scaled = o + w->pad_begin[axis] - tap * w->dilation[axis];
    return scaled >= 0 && scaled % w->stride[axis] == 0 && scaled / w->stride[axis] < w->input[axis]
               ? scaled / w->stride[axis]
               : -1;
}

/* Offset within an input channel, or -1 for padding. Positions and taps are numbered with the last axis fastest. */
static int64_t offset_seen(const struct columns *c, size_t position, int64_t tap) {
    bool transposed = c->linear->node->op->id == OP_ConvTranspose;
    const struct window *w = &c->window;
    int64_t offset = 0, size = 1;
    for (int axis = w->rank - 1; axis >= 0; axis--) {
        int64_t o = (int64_t)(position % (size_t)w->output[axis]), t = tap % w->kernel[axis];
        int64_t i = transposed ? seen_by_conv_transpose(w, axis, o, t) : seen_by_conv(w, axis, o, t);
        if (i < 0) {
            return -1;
        }
        offset += i * size;
        size *= w->input[axis];
        position /= (size_t)w->output[axis];
        tap /= w->kernel[axis];
    }
    return offset;
}

static float finite(float x) {
    return isfinite(x) ? x : 0;
}

static void gather_window(const struct columns *c, const float *input, size_t position, float *out) {
    int64_t channels = c->channels * c->groups, size = (int64_t)c->input_count / channels;
    for (int64_t tap = 0; tap < c->taps; tap++) {
        int64_t offset = offset_seen(c, position, tap);
        for (int64_t channel = 0; channel < channels; channel++) {
            out[channel * c->taps + tap] = offset < 0 ? 0 : finite(input[channel * size + offset]);
        }
    }
}

void columns_gather(const struct columns *c, const float *input, size_t position, float *out) {
    if (is_convolution(c->linear)) {
        gather_window(c, input, position, out);
        return;
    }
    bool negative_only = c->linear->node->op->id == OP_PRelu;
    for (uint32_t i = 0; i < c->columns; i++) {
        float x = finite(input[position * c->columns + i]);
        out[i] = negative_only && x > 0 ? 0 : x;
    }
}

size_t columns_output(const struct columns *c, uint32_t row, size_t position) {
    return is_convolution(c->linear) ? row * c->positions + position : position * c->linear->rows + row;
}
