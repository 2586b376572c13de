/* ConvTranspose: the transpose of Conv. Each input pixel, times the weights, gives columns that are folded
 * onto the output image; the grid's image is the operator's output and its window positions are the input. */
#include "float/geometry.h"
#include "float/kernels.h"
#include "float/product.h"

#define TILE_FLOATS ((int64_t)1 << 16)

struct transposed {
    struct grid grid;
    int64_t groups;
    int64_t in_channels, out_channels; /* of one group */
};

static enum pare_status transposed_of(const struct float_call *c, struct transposed *v) {
    TRY(grid_of_conv_transpose(c, &v->grid));
    const struct tensor *w = c->inputs[1];
    v->groups = node_int(c->node, "group");
    v->in_channels = w->shape.dim[0] / v->groups;
    v->out_channels = w->shape.dim[1];
    return PARE_OK;
}

static int64_t tile_rows(const struct transposed *v) {
    int64_t all = v->grid.output[0] * v->grid.output[1];
    int64_t row = v->out_channels * grid_taps(&v->grid) * v->grid.output[2];
    int64_t rows = TILE_FLOATS / (row + 1) + 1;
    return rows < all ? rows : all;
}

static void fill_bias(const struct transposed *v, const float *bias, float *y) {
    int64_t size = grid_image_size(&v->grid);
    for (int64_t m = 0; m < v->out_channels; m++) {
        for (int64_t i = 0; i < size; i++) {
            y[m * size + i] = bias != NULL ? bias[m] : 0.0f;
        }
    }
}

static enum pare_status transpose_group(struct float_call *c, const struct transposed *v, int64_t index,
                                        float *columns) {
    const struct grid *g = &v->grid;
    const struct tensor *bias = call_input(c, 2);
    int64_t group = index % v->groups, depth = v->out_channels * grid_taps(g), size = grid_output_size(g);
    int64_t rows = g->output[0] * g->output[1], tile = tile_rows(v), width = g->output[2];
    const float *x = (const float *)c->inputs[0]->data + index * v->in_channels * size;
    const float *w = (const float *)c->inputs[1]->data + group * v->in_channels * depth;
    float *y = (float *)c->outputs[0].data + index * v->out_channels * grid_image_size(g);
    fill_bias(v, bias != NULL ? (const float *)bias->data + group * v->out_channels : NULL, y);
    for (int64_t first = 0; first < rows; first += tile) {
        int64_t count = rows - first < tile ? rows - first : tile, n = count * width;
        struct matrix weights = {w, depth, true}, pixels = {x + first * width, size, false};
        TRY(matrix_product(c->ctx, depth, n, v->in_channels, 1.0f, weights, pixels, 0.0f, columns, n));
        grid_fold(g, columns, v->out_channels, first, count, y);
    }
    return PARE_OK;
}

enum pare_status float_conv_transpose(struct float_call *c) {
    if (!call_is_float32(c)) {
        return call_widened(c, float_conv_transpose);
    }
    struct transposed v;
    TRY(transposed_of(c, &v));
    int64_t depth = v.out_channels * grid_taps(&v.grid), width = v.grid.output[2];
    struct tensor columns;
    TRY(tensor_alloc(c->ctx, DTYPE_FLOAT, &(struct shape){2, {depth, tile_rows(&v) * width}}, &columns));
    enum pare_status status = PARE_OK;
    for (int64_t i = 0; i < c->inputs[0]->shape.dim[0] * v.groups && status == PARE_OK; i++) {
        status = transpose_group(c, &v, i, columns.data);
    }
    tensor_free(&columns);
    return status;
}
