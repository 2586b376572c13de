/* MaxPool, AveragePool, LpPool, and the pools over a whole image. */
#include "float/geometry.h"
#include "float/kernels.h"

#include <math.h>

/* One plane of the image and of the output. */
struct plane {
    const float *image;
    float *output;
    int64_t stride;
    double power;   /* LpPool */
    int64_t *index; /* MaxPool: of the largest element within the image, or NULL */
};

static void max_run(void *user, const struct grid_run *run) {
    const struct plane *p = user;
    const float *x = p->image + run->image;
    float *y = p->output + run->output;
    for (int64_t i = 0; i < run->count; i++) {
        y[i] = y[i] < x[i * p->stride] ? x[i * p->stride] : y[i];
    }
}

/* The first of equal elements stays. */
static void max_index_run(void *user, const struct grid_run *run) {
    const struct plane *p = user;
    for (int64_t i = 0; i < run->count; i++) {
        int64_t from = run->image + i * p->stride, to = run->output + i;
        if (p->index[to] < 0 || p->output[to] < p->image[from]) {
            p->output[to] = p->image[from];
            p->index[to] = from;
        }
    }
}

static void power_run(void *user, const struct grid_run *run) {
    const struct plane *p = user;
    for (int64_t i = 0; i < run->count; i++) {
        p->output[run->output + i] += (float)pow(fabs((double)p->image[run->image + i * p->stride]), p->power);
    }
}

static void sum_run(void *user, const struct grid_run *run) {
    const struct plane *p = user;
    const float *x = p->image + run->image;
    float *y = p->output + run->output;
    for (int64_t i = 0; i < run->count; i++) {
        y[i] += x[i * p->stride];
    }
}

static void pool_planes(struct float_call *c, const struct grid *g, grid_visitor *visit, float initial) {
    int64_t planes = c->inputs[0]->shape.dim[0] * c->inputs[0]->shape.dim[1];
    int64_t size = grid_output_size(g);
    float *y = c->outputs[0].data;
    for (int64_t i = 0; i < planes * size; i++) {
        y[i] = initial;
    }
    for (int64_t i = 0; i < planes; i++) {
        const float *x = (const float *)c->inputs[0]->data + i * grid_image_size(g);
        struct plane p = {.image = x, .output = y + i * size, .stride = g->stride[2]};
        grid_visit(g, visit, &p);
    }
}

/* An offset within an image as an index into the whole tensor, whose images may be counted column by column. */
static int64_t tensor_index(const struct grid *g, int64_t plane, int64_t offset, bool columns) {
    int64_t width = g->image[2], height = g->image[1], depth = g->image[0];
    if (columns && offset >= 0) {
        int64_t x = offset % width, y = offset / width % height, z = offset / (width * height);
        offset = (x * height + y) * depth + z;
    }
    return offset < 0 ? offset : plane * grid_image_size(g) + offset;
}

static void pool_with_indices(struct float_call *c, const struct grid *g) {
    int64_t planes = c->inputs[0]->shape.dim[0] * c->inputs[0]->shape.dim[1], size = grid_output_size(g);
    bool columns = node_int(c->node, "storage_order") != 0;
    for (int64_t i = 0; i < planes; i++) {
        struct plane p = {.image = (const float *)c->inputs[0]->data + i * grid_image_size(g),
                          .output = (float *)c->outputs[0].data + i * size,
                          .stride = g->stride[2],
                          .index = (int64_t *)c->outputs[1].data + i * size};
        for (int64_t k = 0; k < size; k++) {
            p.output[k] = -INFINITY;
            p.index[k] = -1;
        }
        grid_visit(g, max_index_run, &p);
        for (int64_t k = 0; k < size; k++) {
            p.index[k] = tensor_index(g, i, p.index[k], columns);
        }
    }
}

enum pare_status float_max_pool(struct float_call *c) {
    if (!call_is_float32(c)) {
        return call_widened(c, float_max_pool);
    }
    struct grid g;
    TRY(grid_of_pool(c, &g));
    if (call_wants(c, 1)) {
        pool_with_indices(c, &g);
    } else {
        pool_planes(c, &g, max_run, -INFINITY);
    }
    return PARE_OK;
}

/* The p-th root of the sum of |x|^p; padding counts as zeros. */
enum pare_status float_lp_pool(struct float_call *c) {
    if (!call_is_float32(c)) {
        return call_widened(c, float_lp_pool);
    }
    struct grid g;
    TRY(grid_of_pool(c, &g));
    int64_t planes = c->inputs[0]->shape.dim[0] * c->inputs[0]->shape.dim[1], size = grid_output_size(&g);
    double power = (double)node_int(c->node, "p");
    float *y = c->outputs[0].data;
    for (int64_t i = 0; i < planes; i++) {
        struct plane p = {.image = (const float *)c->inputs[0]->data + i * grid_image_size(&g),
                          .output = y + i * size,
                          .stride = g.stride[2],
                          .power = power};
        for (int64_t k = 0; k < size; k++) {
            p.output[k] = 0.0f;
        }
        grid_visit(&g, power_run, &p);
    }
    for (int64_t i = 0; i < planes * size; i++) {
        y[i] = (float)pow((double)y[i], 1.0 / power);
    }
    return PARE_OK;
}

enum pare_status float_global_lp_pool(struct float_call *c) {
    const struct shape *shape = &c->inputs[0]->shape;
    size_t planes = dims_product(shape, 0, 2), size = dims_product(shape, 2, shape->rank);
    double power = (double)node_int(c->node, "p");
    for (size_t i = 0; i < planes; i++) {
        double sum = 0.0;
        for (size_t k = 0; k < size; k++) {
            sum += pow(fabs(tensor_get_double(c->inputs[0], i * size + k)), power);
        }
        tensor_set_double(&c->outputs[0], i, pow(sum, 1.0 / power));
    }
    return PARE_OK;
}

/* How many taps of the window at `position` fall on [low, high) of the axis. */
static int64_t taps_within(const struct grid *g, int axis, int64_t position, int64_t low, int64_t high) {
    int64_t count = 0;
    for (int64_t k = 0; k < g->kernel[axis]; k++) {
        int64_t at = position * g->stride[axis] + k * g->dilation[axis] - g->pad_begin[axis];
        count += at >= low && at < high;
    }
    return count;
}

/* The divisor of each output, as the product of a count per axis. What a window of ceil_mode has beyond
 * the padding never counts. */
static enum pare_status divisors(struct float_call *c, const struct grid *g, float **result) {
    bool padding_counts = node_int(c->node, "count_include_pad") != 0;
    int64_t *counts[GRID_AXES];
    for (int axis = 0; axis < GRID_AXES; axis++) {
        int64_t low = padding_counts ? -g->pad_begin[axis] : 0;
        int64_t high = g->image[axis] + (padding_counts ? g->pad_end[axis] : 0);
        counts[axis] = call_scratch(c, (size_t)g->output[axis], sizeof **counts);
        if (counts[axis] == NULL) {
            return PARE_ERROR_MEMORY;
        }
        for (int64_t o = 0; o < g->output[axis]; o++) {
            counts[axis][o] = taps_within(g, axis, o, low, high);
        }
    }
    int64_t plane = g->output[1] * g->output[2];
    *result = call_scratch(c, (size_t)grid_output_size(g), sizeof **result);
    for (int64_t i = 0; *result != NULL && i < grid_output_size(g); i++) {
        int64_t count = counts[0][i / plane] * counts[1][i / g->output[2] % g->output[1]] * counts[2][i % g->output[2]];
        (*result)[i] = count > 0 ? (float)count : 1.0f;
    }
    return *result != NULL ? PARE_OK : PARE_ERROR_MEMORY;
}

enum pare_status float_average_pool(struct float_call *c) {
    if (!call_is_float32(c)) {
        return call_widened(c, float_average_pool);
    }
    struct grid g;
    float *divisor;
    TRY(grid_of_pool(c, &g));
    TRY(divisors(c, &g, &divisor));
    pool_planes(c, &g, sum_run, 0.0f);
    int64_t size = grid_output_size(&g);
    int64_t planes = c->inputs[0]->shape.dim[0] * c->inputs[0]->shape.dim[1];
    float *y = c->outputs[0].data;
    for (int64_t i = 0; i < planes; i++) {
        for (int64_t k = 0; k < size; k++) {
            y[i * size + k] /= divisor[k];
        }
    }
    return PARE_OK;
}

enum pare_status float_global_max_pool(struct float_call *c) {
    if (!call_is_float32(c)) {
        return call_widened(c, float_global_max_pool);
    }
    const struct shape *shape = &c->inputs[0]->shape;
    size_t planes = dims_product(shape, 0, 2), size = dims_product(shape, 2, shape->rank);
    const float *x = c->inputs[0]->data;
    float *y = c->outputs[0].data;
    for (size_t i = 0; i < planes; i++) {
        y[i] = -INFINITY;
        for (size_t k = 0; k < size; k++) {
            y[i] = y[i] < x[i * size + k] ? x[i * size + k] : y[i];
        }
    }
    return PARE_OK;
}

enum pare_status float_global_average_pool(struct float_call *c) {
    if (!call_is_float32(c)) {
        return call_widened(c, float_global_average_pool);
    }
    const struct shape *shape = &c->inputs[0]->shape;
    size_t planes = dims_product(shape, 0, 2), size = dims_product(shape, 2, shape->rank);
    const float *x = c->inputs[0]->data;
    float *y = c->outputs[0].data;
    for (size_t i = 0; i < planes; i++) {
        double sum = 0.0;
        for (size_t k = 0; k < size; k++) {
            sum += (double)x[i * size + k];
        }
        y[i] = (float)(sum / (double)size);
    }
    return PARE_OK;
}
