/* Resize: nearest picks elements; linear and cubic weigh neighbours, one axis after the other. */
#include "graph/resize.h"

#include "float/kernels.h"
#include "float/mapped.h"

#include <math.h>
#include <string.h>

static enum pare_status call_floats(struct float_call *c, int index, float **values, int *count) {
    const struct tensor *t = call_input(c, index);
    *values = NULL;
    *count = t != NULL ? (int)tensor_count(t) : 0;
    if (*count == 0) {
        return PARE_OK;
    }
    *values = call_scratch(c, (size_t)*count, sizeof **values);
    for (int i = 0; *values != NULL && i < *count; i++) {
        (*values)[i] = (float)tensor_get_double(t, (size_t)i);
    }
    return *values != NULL ? PARE_OK : PARE_ERROR_MEMORY;
}

static enum pare_status resolve(struct float_call *c, struct resize *r) {
    struct resize_inputs in = {0};
    float *roi, *scales;
    int64_t *sizes;
    TRY(call_floats(c, 1, &roi, &in.roi_count));
    TRY(call_floats(c, 2, &scales, &in.scale_count));
    TRY(call_integers(c, 3, &sizes, &in.size_count));
    in.roi = roi;
    in.scales = scales;
    in.sizes = in.size_count > 0 ? sizes : NULL;
    return resize_resolve(c->ctx, c->node, &in, &c->inputs[0]->shape, r);
}

/* Beyond the image, tf_crop_and_resize has a value of its own. */
static bool is_extrapolated(const struct resize *r, int axis, int64_t o) {
    float at = resize_coordinate(r, axis, o);
    return r->coordinate == RESIZE_TF_CROP_AND_RESIZE && (at < 0.0f || at > (float)(r->input[axis] - 1));
}

static enum pare_status resize_nearest(struct float_call *c, const struct resize *r) {
    struct mapping mapping;
    for (int axis = 0; axis < r->rank; axis++) {
        int64_t *source = call_scratch(c, (size_t)r->output[axis], sizeof *source);
        if (source == NULL) {
            return PARE_ERROR_MEMORY;
        }
        for (int64_t o = 0; o < r->output[axis]; o++) {
            source[o] = is_extrapolated(r, axis, o) ? -1 : resize_nearest_index(r, axis, o);
        }
        mapping.source[axis] = source;
    }
    int64_t memory;
    struct tensor fill = {.type = c->inputs[0]->type, .data = &memory};
    tensor_set_double(&fill, 0, (double)node_float(c->node, "extrapolation_value"));
    mapped_copy(&mapping, c->inputs[0], fill.data, &c->outputs[0]);
    return PARE_OK;
}

/* An input position of an axis, and its share of an output. */
struct tap {
    int64_t position;
    float weight;
};

/* What the linear and cubic modes take from one axis: `count` taps for each output. */
struct filter {
    int64_t count;
    struct tap *taps;
};

static double linear_weight(double distance) {
    return distance < 1.0 ? 1.0 - distance : 0.0;
}

/* Keys, "Cubic convolution interpolation for digital image processing" (1981), equation 15 with its a left free. */
static double cubic_weight(double d, double a) {
    if (d <= 1.0) {
        return ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0;
    }
    return d < 2.0 ? ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a : 0.0;
}

/* How the neighbours are weighed, the same along an axis. */
struct kernel {
    double radius;   /* in input positions; wider than 1 or 2 where antialias widens it */
    double compress; /* distances are multiplied by this first */
    double a;
    bool is_cubic, excludes_outside;
};

static struct kernel kernel_of(const struct node *n, const struct resize *r, int axis) {
    double scale = (double)r->scale[axis];
    struct kernel k = {.is_cubic = r->mode == RESIZE_CUBIC, .a = (double)node_float(n, "cubic_coeff_a")};
    k.compress = node_int(n, "antialias") != 0 && scale < 1.0 ? scale : 1.0;
    k.radius = (k.is_cubic ? 2.0 : 1.0) / k.compress;
    k.excludes_outside = node_int(n, "exclude_outside") != 0;
    return k;
}

static void normalise(struct tap *taps, int64_t count) {
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++) {
        sum += (double)taps[i].weight;
    }
    for (int64_t i = 0; i < count && sum != 0.0; i++) {
        taps[i].weight = (float)((double)taps[i].weight / sum);
    }
}

static void weigh_neighbours(const struct kernel *k, double at, int64_t length, struct tap *taps, int64_t count) {
    int64_t first = (int64_t)floor(at - k->radius) + 1;
    for (int64_t i = 0; i < count; i++) {
        int64_t neighbour = first + i;
        double distance = fabs((double)neighbour - at) * k->compress;
        bool is_outside = neighbour < 0 || neighbour >= length;
        double weight = k->is_cubic ? cubic_weight(distance, k->a) : linear_weight(distance);
        taps[i].weight = is_outside && k->excludes_outside ? 0.0f : (float)weight;
        taps[i].position = neighbour < 0 ? 0 : neighbour >= length ? length - 1 : neighbour;
    }
    normalise(taps, count);
}

static enum pare_status filter_of(struct float_call *c, const struct resize *r, int axis, struct filter *f) {
    struct kernel k = kernel_of(c->node, r, axis);
    f->count = (int64_t)ceil(2.0 * k.radius);
    f->taps = call_scratch(c, (size_t)r->output[axis], (size_t)f->count * sizeof *f->taps);
    if (f->taps == NULL) {
        return PARE_ERROR_MEMORY;
    }
    for (int64_t o = 0; o < r->output[axis]; o++) {
        double at = (double)resize_coordinate(r, axis, o);
        weigh_neighbours(&k, at, r->input[axis], f->taps + o * f->count, f->count);
    }
    return PARE_OK;
}

/* One output row of `inner` elements from the rows of the input image `x`. */
static void filter_row(const struct filter *f, int64_t o, const float *x, size_t inner, float *y) {
    memset(y, 0, inner * sizeof *y);
    for (int64_t t = 0; t < f->count; t++) {
        const struct tap *tap = &f->taps[o * f->count + t];
        const float *row = x + (size_t)tap->position * inner;
        for (size_t i = 0; i < inner; i++) {
            y[i] += tap->weight * row[i];
        }
    }
}

/* Resizes one axis of the image; `shape` is its shape before, and after. */
static enum pare_status resize_axis(struct float_call *c, const struct resize *r, int axis, struct shape *shape,
                                    const float **image) {
    struct filter f;
    TRY(filter_of(c, r, axis, &f));
    size_t outer = dims_product(shape, 0, axis), inner = dims_product(shape, axis + 1, shape->rank);
    size_t length = (size_t)shape->dim[axis], outputs = (size_t)r->output[axis];
    float extrapolation = node_float(c->node, "extrapolation_value");
    shape->dim[axis] = r->output[axis];
    float *y = call_scratch(c, dims_product(shape, 0, shape->rank), sizeof *y);
    if (y == NULL) {
        return PARE_ERROR_MEMORY;
    }
    for (size_t k = 0; k < outer * outputs; k++) {
        int64_t o = (int64_t)(k % outputs);
        filter_row(&f, o, *image + k / outputs * length * inner, inner, y + k * inner);
        for (size_t i = 0; is_extrapolated(r, axis, o) && i < inner; i++) {
            y[k * inner + i] = extrapolation;
        }
    }
    *image = y;
    return PARE_OK;
}

static bool keeps_axis(const struct resize *r, int axis) {
    return r->input[axis] == r->output[axis] && r->scale[axis] == 1.0f && r->coordinate != RESIZE_TF_CROP_AND_RESIZE;
}

enum pare_status float_resize(struct float_call *c) {
    struct resize r;
    TRY(resolve(c, &r));
    if (tensor_count(&c->outputs[0]) == 0) {
        return PARE_OK;
    }
    if (r.mode == RESIZE_NEAREST) {
        return resize_nearest(c, &r);
    }
    if (!call_is_float32(c)) {
        return call_widened(c, float_resize);
    }
    struct shape shape = c->inputs[0]->shape;
    const float *image = c->inputs[0]->data;
    for (int axis = 0; axis < r.rank; axis++) {
        if (!keeps_axis(&r, axis)) {
            TRY(resize_axis(c, &r, axis, &shape, &image));
        }
    }
    memcpy(c->outputs[0].data, image, tensor_bytes(&c->outputs[0]));
    return PARE_OK;
}
