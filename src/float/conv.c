/* Conv: unfolded columns times weights, a product for each image and group; depthwise directly. */
#include "float/geometry.h"
#include "float/kernels.h"
#include "float/product.h"

#include <string.h>

/* Floats of unfolded columns that are made at a time: they should still be in cache when they are multiplied. */
#define TILE_FLOATS ((int64_t)1 << 14)
/* Below this many columns a product spends its time on packing the weights. */
#define TILE_MIN_COLUMNS ((int64_t)64)

struct conv {
    struct grid grid;
    int64_t batch, groups;
    int64_t in_channels, out_channels; /* of one group */
    const float *weights;              /* [groups * out_channels][in_channels][taps] */
    const float *bias;                 /* [groups * out_channels], or NULL */
};

static enum pare_status conv_of(const struct float_call *c, struct conv *v) {
    const struct tensor *x = c->inputs[0], *w = c->inputs[1], *bias = call_input(c, 2);
    TRY(grid_of_conv(c, &v->grid));
    v->groups = node_int(c->node, "group");
    v->batch = x->shape.dim[0];
    v->in_channels = w->shape.dim[1];
    v->out_channels = w->shape.dim[0] / v->groups;
    v->weights = w->data;
    v->bias = bias != NULL ? bias->data : NULL;
    return PARE_OK;
}

/* A 1x1 kernel that moves over every pixel: the image is its own unfolding. */
static bool is_pointwise(const struct grid *g) {
    for (int i = 0; i < GRID_AXES; i++) {
        if (g->kernel[i] != 1 || g->stride[i] != 1 || g->pad_begin[i] != 0 || g->output[i] != g->image[i]) {
            return false;
        }
    }
    return true;
}

static int64_t tile_rows(const struct conv *v) {
    int64_t depth = v->in_channels * grid_taps(&v->grid), width = v->grid.output[2];
    int64_t all = v->grid.output[0] * v->grid.output[1];
    int64_t rows = TILE_FLOATS / (depth * width + 1);
    int64_t least = (TILE_MIN_COLUMNS + width - 1) / width;
    rows = rows > least ? rows : least;
    return rows < all ? rows : all;
}

static enum pare_status conv_unfolded(struct float_call *c, const struct conv *v, const float *x, const float *w,
                                      float *y, float *columns) {
    const struct grid *g = &v->grid;
    int64_t depth = v->in_channels * grid_taps(g), size = grid_output_size(g);
    int64_t rows = g->output[0] * g->output[1], tile = tile_rows(v);
    struct matrix weights = {w, depth, false};
    for (int64_t first = 0; first < rows; first += tile) {
        int64_t count = rows - first < tile ? rows - first : tile, n = count * g->output[2];
        grid_unfold(g, x, v->in_channels, first, count, columns);
        struct matrix unfolded = {columns, n, false};
        TRY(matrix_product(c->ctx, v->out_channels, n, depth, 1.0f, weights, unfolded, 1.0f, y + first * g->output[2],
                           size));
    }
    return PARE_OK;
}

struct depthwise {
    const float *image, *kernel;
    float *output;
    int64_t stride;
};

static void depthwise_run(void *user, const struct grid_run *run) {
    const struct depthwise *d = user;
    const float *x = d->image + run->image;
    float *y = d->output + run->output;
    float w = d->kernel[run->tap];
    if (d->stride == 1) {
        for (int64_t i = 0; i < run->count; i++) {
            y[i] += w * x[i];
        }
        return;
    }
    for (int64_t i = 0; i < run->count; i++) {
        y[i] += w * x[i * d->stride];
    }
}

/* One input channel in the group: each output channel slides its kernel over it. */
static void conv_depthwise(const struct conv *v, const float *x, const float *w, float *y) {
    const struct grid *g = &v->grid;
    for (int64_t m = 0; m < v->out_channels; m++) {
        struct depthwise d = {x, w + m * grid_taps(g), y + m * grid_output_size(g), g->stride[2]};
        grid_visit(g, depthwise_run, &d);
    }
}

static void fill_bias(const struct conv *v, int64_t group, float *y) {
    int64_t size = grid_output_size(&v->grid);
    for (int64_t m = 0; m < v->out_channels; m++) {
        float bias = v->bias != NULL ? v->bias[group * v->out_channels + m] : 0.0f;
        for (int64_t i = 0; i < size; i++) {
            y[m * size + i] = bias;
        }
    }
}

static enum pare_status conv_group(struct float_call *c, const struct conv *v, int64_t image, int64_t group,
                                   float *columns) {
    const struct grid *g = &v->grid;
    int64_t index = image * v->groups + group, size = grid_output_size(g);
    int64_t depth = v->in_channels * grid_taps(g);
    const float *x = (const float *)c->inputs[0]->data + index * v->in_channels * grid_image_size(g);
    const float *w = v->weights + group * v->out_channels * depth;
    float *y = (float *)c->outputs[0].data + index * v->out_channels * size;
    fill_bias(v, group, y);
    if (is_pointwise(g)) {
        struct matrix weights = {w, depth, false}, pixels = {x, size, false};
        return matrix_product(c->ctx, v->out_channels, size, depth, 1.0f, weights, pixels, 1.0f, y, size);
    }
    if (v->in_channels == 1 && v->groups > 1) {
        conv_depthwise(v, x, w, y);
        return PARE_OK;
    }
    return conv_unfolded(c, v, x, w, y, columns);
}

enum pare_status float_conv(struct float_call *c) {
    if (!call_is_float32(c)) {
        return call_widened(c, float_conv);
    }
    struct conv v;
    TRY(conv_of(c, &v));
    if (tensor_count(&c->outputs[0]) == 0) {
        return PARE_OK;
    }
    int64_t width = v.grid.output[2], depth = v.in_channels * grid_taps(&v.grid);
    struct tensor columns;
    TRY(tensor_alloc(c->ctx, DTYPE_FLOAT, &(struct shape){2, {depth, tile_rows(&v) * width}}, &columns));
    enum pare_status status = PARE_OK;
    for (int64_t i = 0; i < v.batch * v.groups && status == PARE_OK; i++) {
        status = conv_group(c, &v, i / v.groups, i % v.groups, columns.data);
    }
    tensor_free(&columns);
    return status;
}
