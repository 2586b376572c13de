#include "graph/window.h"

#include <inttypes.h>
#include <string.h>

/* Bounds under which no product or sum below can overflow. */
#define ATTRIBUTE_MAX ((int64_t)1 << 24)
#define SIZE_LIMIT ((int64_t)1 << 31)

enum auto_pad { PAD_NOTSET, PAD_VALID, PAD_SAME_UPPER, PAD_SAME_LOWER };

int64_t window_extent(const struct window *w, int axis) {
    return (w->kernel[axis] - 1) * w->dilation[axis] + 1;
}

/* A list attribute of `count` entries in [low, ATTRIBUTE_MAX], or `fallback` everywhere when absent. */
static enum pare_status read_list(struct context *ctx, const struct node *n, const char *name, int count, int64_t low,
                                  int64_t fallback, int64_t *out) {
    size_t given = 0;
    const int64_t *list = node_ints(n, name, &given);
    for (int i = 0; i < count; i++) {
        out[i] = fallback;
    }
    if (list != NULL && given != (size_t)count) {
        return fail(ctx, PARE_ERROR_INPUT, "%s has %zu entries, expected %d", name, given, count);
    }
    for (int i = 0; list != NULL && i < count; i++) {
        if (list[i] < low || list[i] > ATTRIBUTE_MAX) {
            return fail(ctx, PARE_ERROR_INPUT, "%s holds %" PRId64 ", expected %" PRId64 " to %" PRId64, name, list[i],
                        low, ATTRIBUTE_MAX);
        }
        out[i] = list[i];
    }
    return PARE_OK;
}

static enum pare_status read_kernel(struct context *ctx, const struct node *n, const struct shape *weight,
                                    struct window *w) {
    if (weight == NULL && node_attr(n, "kernel_shape") == NULL) {
        return fail(ctx, PARE_ERROR_INPUT, "kernel_shape is missing");
    }
    if (weight != NULL && weight->rank != w->rank + 2) {
        return fail(ctx, PARE_ERROR_INPUT, "the weight has rank %d, expected %d like the input", weight->rank,
                    w->rank + 2);
    }
    TRY(read_list(ctx, n, "kernel_shape", w->rank, 1, 1, w->kernel));
    bool given = node_attr(n, "kernel_shape") != NULL;
    for (int i = 0; weight != NULL && i < w->rank; i++) {
        int64_t size = weight->dim[i + 2];
        if (size < 0 && given) {
            continue;
        }
        if (size < 0 || size > ATTRIBUTE_MAX || size == 0) {
            return fail(ctx, PARE_ERROR_INPUT, "the kernel's size along axis %d is unknown or impossible", i + 2);
        }
        if (given && size != w->kernel[i]) {
            return fail(ctx, PARE_ERROR_INPUT,
                        "kernel_shape says %" PRId64 " along axis %d, the weight has size %" PRId64, w->kernel[i],
                        i + 2, size);
        }
        w->kernel[i] = size;
    }
    return PARE_OK;
}

static enum pare_status read_auto_pad(struct context *ctx, const struct node *n, enum auto_pad *out) {
    static const char *const names[] = {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"};
    const char *given = node_string(n, "auto_pad");
    for (int i = 0; i < 4; i++) {
        if (strcmp(given, names[i]) == 0 || given[0] == '\0') { /* "": the operator has no such attribute */
            *out = (enum auto_pad)i;
            return PARE_OK;
        }
    }
    return fail(ctx, PARE_ERROR_INPUT, "auto_pad is %s, expected NOTSET, VALID, SAME_UPPER or SAME_LOWER", given);
}

static enum pare_status read_pads(struct context *ctx, const struct node *n, enum auto_pad mode, struct window *w) {
    int64_t pads[2 * WINDOW_MAX_RANK] = {0};
    if (mode == PAD_NOTSET) {
        TRY(read_list(ctx, n, "pads", 2 * w->rank, 0, 0, pads));
    }
    for (int i = 0; i < w->rank; i++) {
        w->pad_begin[i] = pads[i];
        w->pad_end[i] = pads[w->rank + i];
    }
    return PARE_OK;
}

static void split_padding(struct window *w, int axis, int64_t total, bool smaller_first) {
    int64_t smaller = total / 2;
    w->pad_begin[axis] = smaller_first ? smaller : total - smaller;
    w->pad_end[axis] = total - w->pad_begin[axis];
}

/* SAME_*: as many outputs as strides fit into the input. */
static void place_same(struct window *w, int axis, enum auto_pad mode) {
    int64_t outputs = (w->input[axis] + w->stride[axis] - 1) / w->stride[axis];
    int64_t total = (outputs - 1) * w->stride[axis] + window_extent(w, axis) - w->input[axis];
    w->output[axis] = outputs;
    split_padding(w, axis, total < 0 ? 0 : total, mode == PAD_SAME_UPPER);
}

static enum pare_status place_explicit(struct context *ctx, struct window *w, int axis, bool ceil_mode) {
    int64_t stride = w->stride[axis];
    int64_t room = w->input[axis] + w->pad_begin[axis] + w->pad_end[axis] - window_extent(w, axis);
    if (room < 0) {
        return fail(ctx, PARE_ERROR_INPUT,
                    "the window covers %" PRId64 " along axis %d, the input has %" PRId64 " with padding %" PRId64
                    " and %" PRId64,
                    window_extent(w, axis), axis + 2, w->input[axis], w->pad_begin[axis], w->pad_end[axis]);
    }
    int64_t outputs = (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;
    if (ceil_mode && (outputs - 1) * stride >= w->input[axis] + w->pad_begin[axis]) {
        outputs--;
    }
    w->output[axis] = outputs;
    return PARE_OK;
}

static enum pare_status check_input(struct context *ctx, const struct window *w, int axis) {
    if (w->input[axis] == 0 || w->input[axis] > SIZE_LIMIT) {
        return fail(ctx, PARE_ERROR_INPUT, "the input has size %" PRId64 " along axis %d", w->input[axis], axis + 2);
    }
    return PARE_OK;
}

static void leave_unknown(struct window *w, int axis, enum auto_pad mode) {
    w->output[axis] = -1;
    if (mode == PAD_SAME_UPPER || mode == PAD_SAME_LOWER) {
        w->pad_begin[axis] = -1;
        w->pad_end[axis] = -1;
    }
}

static enum pare_status resolve_forward(struct context *ctx, const struct node *n, bool pool, enum auto_pad mode,
                                        struct window *w) {
    bool ceil_mode = node_int(n, "ceil_mode") != 0;
    for (int i = 0; i < w->rank; i++) {
        int64_t extent = window_extent(w, i);
        if (pool && (w->pad_begin[i] >= extent || w->pad_end[i] >= extent)) {
            return fail(ctx, PARE_ERROR_INPUT,
                        "padding %" PRId64 " and %" PRId64 " along axis %d must be smaller than the window (%" PRId64
                        ")",
                        w->pad_begin[i], w->pad_end[i], i + 2, extent);
        }
        TRY(check_input(ctx, w, i));
        if (w->input[i] < 0) {
            leave_unknown(w, i, mode);
        } else if (mode == PAD_SAME_UPPER || mode == PAD_SAME_LOWER) {
            place_same(w, i, mode);
        } else {
            TRY(place_explicit(ctx, w, i, ceil_mode));
        }
    }
    return PARE_OK;
}

/* The output sizes that a ConvTranspose node asks for: spatial ones, or all with batch and channels in front. */
static enum pare_status read_output_shape(struct context *ctx, const struct node *n, const struct window *w,
                                          const int64_t **out) {
    size_t count = 0;
    const int64_t *sizes = node_ints(n, "output_shape", &count);
    size_t rank = (size_t)w->rank;
    if (sizes != NULL && count != rank && count != rank + 2) {
        return fail(ctx, PARE_ERROR_INPUT, "output_shape has %zu entries, expected %d", count, w->rank);
    }
    *out = sizes == NULL ? NULL : sizes + (count - rank);
    for (size_t i = 0; sizes != NULL && i < rank; i++) {
        if ((*out)[i] < 1 || (*out)[i] > SIZE_LIMIT) {
            return fail(ctx, PARE_ERROR_INPUT, "output_shape holds %" PRId64, (*out)[i]);
        }
    }
    return PARE_OK;
}

static enum pare_status resolve_transposed(struct context *ctx, const struct node *n, enum auto_pad mode,
                                           struct window *w) {
    int64_t extra[WINDOW_MAX_RANK] = {0};
    const int64_t *wanted = NULL;
    TRY(read_list(ctx, n, "output_padding", w->rank, 0, 0, extra));
    TRY(read_output_shape(ctx, n, w, &wanted));
    bool same = mode == PAD_SAME_UPPER || mode == PAD_SAME_LOWER;
    for (int i = 0; i < w->rank; i++) {
        TRY(check_input(ctx, w, i));
        if (w->input[i] < 0) {
            leave_unknown(w, i, mode);
            continue;
        }
        int64_t full = (w->input[i] - 1) * w->stride[i] + extra[i] + window_extent(w, i);
        if (wanted != NULL || same) {
            w->output[i] = wanted != NULL ? wanted[i] : w->input[i] * w->stride[i];
            int64_t total = full - w->output[i];
            split_padding(w, i, total < 0 ? 0 : total, mode == PAD_SAME_UPPER);
        } else {
            w->output[i] = full - w->pad_begin[i] - w->pad_end[i];
        }
        if (w->output[i] < 1) {
            return fail(ctx, PARE_ERROR_INPUT, "padding leaves nothing of the output along axis %d", i + 2);
        }
    }
    return PARE_OK;
}

enum pare_status window_resolve(struct context *ctx, const struct node *n, const struct shape *input,
                                const struct shape *weight, struct window *out) {
    struct window w = {.rank = input->rank - 2};
    if (w.rank < 1 || w.rank > WINDOW_MAX_RANK) {
        return fail(ctx, PARE_ERROR_INPUT, "the input has rank %d, expected 3 to %d", input->rank, TENSOR_MAX_RANK);
    }
    enum auto_pad mode = PAD_NOTSET;
    TRY(read_kernel(ctx, n, weight, &w));
    TRY(read_list(ctx, n, "strides", w.rank, 1, 1, w.stride));
    TRY(read_list(ctx, n, "dilations", w.rank, 1, 1, w.dilation));
    TRY(read_auto_pad(ctx, n, &mode));
    TRY(read_pads(ctx, n, mode, &w));
    for (int i = 0; i < w.rank; i++) {
        w.input[i] = input->dim[i + 2];
    }
    if (node_is(n, "ConvTranspose")) {
        TRY(resolve_transposed(ctx, n, mode, &w));
    } else {
        TRY(resolve_forward(ctx, n, weight == NULL, mode, &w));
    }
    *out = w;
    return PARE_OK;
}

enum pare_status unpooled_shape(struct context *ctx, const struct node *n, const struct shape *input,
                                struct shape *out) {
    int axes = input->rank - 2;
    int64_t kernel[WINDOW_MAX_RANK], stride[WINDOW_MAX_RANK], pads[2 * WINDOW_MAX_RANK];
    TRY(read_list(ctx, n, "kernel_shape", axes, 1, 1, kernel));
    TRY(read_list(ctx, n, "strides", axes, 1, 1, stride));
    TRY(read_list(ctx, n, "pads", 2 * axes, 0, 0, pads));
    *out = *input;
    for (int i = 0; i < axes; i++) {
        int64_t *size = &out->dim[2 + i];
        if (*size > SIZE_LIMIT) {
            return fail(ctx, PARE_ERROR_INPUT, "size %" PRId64 " is too large", *size);
        }
        *size = *size < 0 ? -1 : (*size - 1) * stride[i] - pads[i] - pads[axes + i] + kernel[i];
        if (*size < 0 && input->dim[2 + i] >= 0) {
            return fail(ctx, PARE_ERROR_INPUT, "pads of axis %d are larger than what they cut from", i);
        }
    }
    return PARE_OK;
}
