#include "float/geometry.h"

#include "graph/window.h"

/* Far above any real kernel; it keeps products of kernel sizes within int64. */
#define MAX_TAPS ((int64_t)1 << 24)

static const struct grid unit = {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0}, {0}};

static enum pare_status grid_of_window(const struct float_call *c, const struct shape *weight, struct grid *g) {
    struct window w;
    TRY(window_resolve(c->ctx, c->node, &c->inputs[0]->shape, weight, &w));
    if (w.rank > GRID_AXES) {
        return fail(c->ctx, PARE_ERROR_UNSUPPORTED, "%s runs over at most %d spatial axes, not %d", c->node->op->name,
                    GRID_AXES, w.rank);
    }
    *g = unit;
    int64_t taps = 1;
    for (int i = 0; i < w.rank; i++) {
        int axis = GRID_AXES - w.rank + i;
        g->image[axis] = w.input[i];
        g->output[axis] = w.output[i];
        g->kernel[axis] = w.kernel[i];
        g->stride[axis] = w.stride[i];
        g->dilation[axis] = w.dilation[i];
        g->pad_begin[axis] = w.pad_begin[i];
        g->pad_end[axis] = w.pad_end[i];
        taps = taps <= MAX_TAPS ? taps * w.kernel[i] : taps; /* both factors are at most 2^24 */
    }
    return taps <= MAX_TAPS ? PARE_OK
                            : fail(c->ctx, PARE_ERROR_UNSUPPORTED,
                                   "a kernel of more than %lld elements is not supported", (long long)MAX_TAPS);
}

enum pare_status grid_of_conv(const struct float_call *c, struct grid *g) {
    return grid_of_window(c, &c->inputs[1]->shape, g);
}

enum pare_status grid_of_pool(const struct float_call *c, struct grid *g) {
    return grid_of_window(c, NULL, g);
}

enum pare_status grid_of_conv_transpose(const struct float_call *c, struct grid *g) {
    TRY(grid_of_window(c, &c->inputs[1]->shape, g));
    for (int i = 0; i < GRID_AXES; i++) {
        int64_t input = g->image[i];
        g->image[i] = g->output[i];
        g->output[i] = input;
    }
    return PARE_OK;
}
