/* Shapes of Conv, ConvTranspose and the pools. */
#include "graph/infer.h"
#include "graph/window.h"

#include <inttypes.h>

static enum pare_status fail_channels(const struct infer_call *c, int64_t group) {
    char x[INFER_TEXT_MAX];
    char w[INFER_TEXT_MAX];
    return infer_fail(c, "input %s, weight %s and group %" PRId64 " do not fit together",
                      infer_text(infer_input(c, 0), x, sizeof x), infer_text(infer_input(c, 1), w, sizeof w), group);
}

/* An unknown size, or one that is divided by group without remainder. */
static bool divides(const struct dim *d, int64_t group) {
    return d->value < 0 || d->value % group == 0;
}

/* Whether d is certainly not factor * group. */
static bool differs(const struct dim *d, const struct dim *factor, int64_t group) {
    int64_t product = 0;
    return d->value >= 0 && factor->value >= 0 &&
           (__builtin_mul_overflow(factor->value, group, &product) || d->value != product);
}

/* Whether the output is as long as the input, whatever that is: stride 1 and one padding element per lost position. */
static bool keeps_size(const struct infer_call *c, const struct window *w, int axis) {
    bool same = w->pad_begin[axis] < 0 || w->pad_begin[axis] + w->pad_end[axis] == window_extent(w, axis) - 1;
    return same && w->stride[axis] == 1 && !node_is(c->node, "ConvTranspose");
}

/* Output dimensions [N, channels, spatial...] of a window over input 0. */
static enum pare_status set_window_output(struct infer_call *c, const struct shape *weight, struct dim channels) {
    const struct infer_value *x = infer_input(c, 0);
    struct shape input = infer_shape(x);
    struct window w;
    if (window_resolve(c->ctx, c->node, &input, weight, &w) != PARE_OK) {
        return infer_fail_at(c);
    }
    struct dim dims[TENSOR_MAX_RANK] = {x->dims[0], channels};
    for (int i = 0; i < w.rank; i++) {
        dims[i + 2] = w.output[i] >= 0 ? dim_known(w.output[i]) : keeps_size(c, &w, i) ? x->dims[i + 2] : dim_unknown();
    }
    return infer_set(c, x->type, x->rank, dims);
}

/* Common to Conv and ConvTranspose: types, ranks, group. *resolvable: input and weight ranks are known. */
static enum pare_status check_linear(const struct infer_call *c, int64_t group, bool *resolvable) {
    const struct infer_value *x = infer_input(c, 0);
    const struct infer_value *w = infer_input(c, 1);
    TRY(infer_check_same_type(c, 0, 1));
    TRY(infer_check_same_type(c, 0, 2));
    TRY(infer_check_rank(c, 0, 3, TENSOR_MAX_RANK));
    TRY(infer_check_rank(c, 1, 3, TENSOR_MAX_RANK));
    *resolvable = x->rank >= 0 && w->rank >= 0;
    if (group < 1 || (*resolvable && x->rank != w->rank)) {
        return fail_channels(c, group);
    }
    return PARE_OK;
}

/* Whether every kernel size is known: from the weight or from kernel_shape. */
static bool kernel_is_known(const struct infer_call *c, const struct infer_value *w) {
    bool known = node_attr(c->node, "kernel_shape") != NULL;
    for (int i = 2; !known && i < w->rank; i++) {
        if (w->dims[i].value < 0) {
            return false;
        }
    }
    return true;
}

static enum pare_status set_linear_output(struct infer_call *c, struct dim channels) {
    const struct infer_value *x = infer_input(c, 0);
    const struct infer_value *w = infer_input(c, 1);
    TRY(infer_check_vector(c, 2, &channels));
    if (kernel_is_known(c, w)) {
        struct shape weight = infer_shape(w);
        return set_window_output(c, &weight, channels);
    }
    struct dim dims[TENSOR_MAX_RANK] = {x->dims[0], channels};
    for (int i = 2; i < x->rank; i++) {
        dims[i] = dim_unknown();
    }
    return infer_set(c, x->type, x->rank, dims);
}

enum pare_status infer_conv(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const struct infer_value *w = infer_input(c, 1);
    int64_t group = node_int(c->node, "group");
    bool resolvable = false;
    TRY(check_linear(c, group, &resolvable));
    if (!resolvable) {
        return infer_set(c, x->type, -1, NULL);
    }
    if (differs(&x->dims[1], &w->dims[1], group) || !divides(&w->dims[0], group)) {
        return fail_channels(c, group);
    }
    return set_linear_output(c, w->dims[0]);
}

enum pare_status infer_conv_transpose(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const struct infer_value *w = infer_input(c, 1);
    int64_t group = node_int(c->node, "group");
    bool resolvable = false;
    TRY(check_linear(c, group, &resolvable));
    if (!resolvable) {
        return infer_set(c, x->type, -1, NULL);
    }
    struct dim channels = dim_unknown();
    bool overflow = w->dims[1].value >= 0 && __builtin_mul_overflow(w->dims[1].value, group, &channels.value);
    if (overflow || differs(&x->dims[1], &w->dims[0], 1) || !divides(&w->dims[0], group)) {
        return fail_channels(c, group);
    }
    return set_linear_output(c, channels);
}

enum pare_status infer_pool(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    if (x->rank < 0) {
        return infer_set(c, x->type, -1, NULL);
    }
    TRY(infer_check_rank(c, 0, 3, TENSOR_MAX_RANK));
    TRY(set_window_output(c, NULL, x->dims[1]));
    return infer_set_output(c, 1, DTYPE_INT64, c->outputs[0].rank, c->outputs[0].dims);
}

enum pare_status infer_lp_pool(struct infer_call *c) {
    int64_t p = node_int(c->node, "p");
    if (p < 1) {
        return infer_fail(c, "p is %" PRId64 ", expected 1 or more", p);
    }
    return node_is(c->node, "GlobalLpPool") ? infer_global_pool(c) : infer_pool(c);
}

/* What a MaxPool with these windows would have seen, or what input 2 says. */
enum pare_status infer_max_unpool(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const struct dim_value *sizes = NULL;
    struct dim dims[TENSOR_MAX_RANK];
    int count = 0;
    TRY(infer_check_rank(c, 0, 3, TENSOR_MAX_RANK));
    TRY(x->rank < 0 ? PARE_OK : infer_check_rank(c, 1, x->rank, x->rank));
    if (infer_input(c, 2) != NULL && infer_elements(c, 2, &sizes, &count)) {
        for (int i = 0; i < count && count == x->rank; i++) {
            dims[i] = dim_of_element(&sizes[i]);
        }
        return x->rank < 0 || count == x->rank ? infer_set(c, x->type, x->rank, dims)
                                               : infer_fail(c, "output_shape has %d entries", count);
    }
    if (x->rank < 0 || infer_input(c, 2) != NULL) {
        return infer_set(c, x->type, -1, NULL);
    }
    struct shape input = infer_shape(x), pooled;
    if (unpooled_shape(c->ctx, c->node, &input, &pooled) != PARE_OK) {
        return infer_fail_at(c);
    }
    for (int i = 0; i < x->rank; i++) {
        dims[i] = i < 2 ? x->dims[i] : pooled.dim[i] < 0 ? dim_unknown() : dim_known(pooled.dim[i]);
    }
    return infer_set(c, x->type, x->rank, dims);
}

enum pare_status infer_deform_conv(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0), *w = infer_input(c, 1);
    TRY(infer_check_rank(c, 0, 4, 4));
    TRY(infer_check_rank(c, 1, 4, 4));
    TRY(infer_check_rank(c, 2, 4, 4));
    TRY(infer_check_rank(c, 4, 4, 4));
    if (x->rank < 0 || w->rank < 0) {
        return infer_set(c, x->type, -1, NULL);
    }
    struct shape weight = infer_shape(w);
    TRY(infer_check_vector(c, 3, &w->dims[0]));
    return set_window_output(c, &weight, w->dims[0]);
}

/* [N, C * taps, blocks] to [N, C, image...]. */
enum pare_status infer_col_2_im(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const int64_t *image = NULL, *block = NULL;
    struct dim dims[TENSOR_MAX_RANK];
    int axes = 0, block_axes = 0;
    int64_t taps = 1;
    TRY(infer_check_rank(c, 0, 3, 3));
    if (x->rank < 0 || !infer_ints(c, 1, &image, &axes) || !infer_ints(c, 2, &block, &block_axes)) {
        return infer_set(c, x->type, -1, NULL);
    }
    if (axes != block_axes || axes < 1 || axes > WINDOW_MAX_RANK) {
        return infer_fail(c, "image and block have %d and %d axes", axes, block_axes);
    }
    for (int i = 0; i < axes; i++) {
        if (image[i] < 0 || block[i] < 1 || __builtin_mul_overflow(taps, block[i], &taps)) {
            return infer_fail(c, "image or block is impossible along axis %d", i);
        }
        dims[2 + i] = dim_known(image[i]);
    }
    if (!divides(&x->dims[1], taps)) {
        return infer_fail(c, "%" PRId64 " rows are no multiple of %" PRId64 " taps", x->dims[1].value, taps);
    }
    dims[0] = x->dims[0];
    dims[1] = x->dims[1].value < 0 ? dim_unknown() : dim_known(x->dims[1].value / taps);
    return infer_set(c, x->type, axes + 2, dims);
}

enum pare_status infer_global_pool(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    TRY(infer_check_rank(c, 0, 3, TENSOR_MAX_RANK));
    struct dim dims[TENSOR_MAX_RANK];
    char text[INFER_TEXT_MAX];
    for (int i = 0; i < x->rank; i++) {
        if (i >= 2 && x->dims[i].value == 0) {
            return infer_fail(c, "the input %s has nothing to pool", infer_text(x, text, sizeof text));
        }
        dims[i] = i < 2 ? x->dims[i] : dim_known(1);
    }
    return infer_set(c, x->type, x->rank, dims);
}
