/* Col2Im, MaxUnpool and DeformConv: windows brought back to images, and windows with places of their own. */
#include "float/kernels.h"
#include "graph/window.h"

#include <math.h>
#include <string.h>

/* ---- Col2Im ---- */

struct blocks {
    int axes;
    int64_t image[WINDOW_MAX_RANK], block[WINDOW_MAX_RANK], count[WINDOW_MAX_RANK]; /* block positions */
    int64_t stride[WINDOW_MAX_RANK], dilation[WINDOW_MAX_RANK], pad[WINDOW_MAX_RANK];
    int64_t taps, places; /* products of block, of count */
};

#define ATTRIBUTE_LIMIT ((int64_t)1 << 24)

/* Entry i of a list attribute; *fits false when it is outside [low, ATTRIBUTE_LIMIT] or the list has another length. */
static int64_t entry(const struct float_call *c, const char *name, int i, int length, int64_t low, bool *fits) {
    size_t count = 0;
    const int64_t *list = node_ints(c->node, name, &count);
    int64_t v = list == NULL ? low : count == (size_t)length ? list[i] : -1;
    *fits = *fits && v >= low && v <= ATTRIBUTE_LIMIT;
    return v;
}

static enum pare_status read_blocks(struct float_call *c, struct blocks *b) {
    bool fits = true;
    *b = (struct blocks){.axes = c->outputs[0].shape.rank - 2};
    b->taps = b->places = 1;
    for (int i = 0; i < b->axes && fits; i++) {
        b->image[i] = c->outputs[0].shape.dim[2 + i];
        b->block[i] = tensor_get_int(c->inputs[2], (size_t)i);
        b->stride[i] = entry(c, "strides", i, b->axes, 1, &fits);
        b->dilation[i] = entry(c, "dilations", i, b->axes, 1, &fits);
        b->pad[i] = entry(c, "pads", i, 2 * b->axes, 0, &fits);
        int64_t end = entry(c, "pads", b->axes + i, 2 * b->axes, 0, &fits);
        fits = fits && b->block[i] <= ATTRIBUTE_LIMIT && b->image[i] <= ((int64_t)1 << 40);
        int64_t room = fits ? b->image[i] + b->pad[i] + end - ((b->block[i] - 1) * b->dilation[i] + 1) : -1;
        b->count[i] = room < 0 ? 0 : room / b->stride[i] + 1;
        fits = fits && !__builtin_mul_overflow(b->places, b->count[i], &b->places);
        b->taps *= b->block[i]; /* shape inference has seen that it is a size */
    }
    fits = fits && b->places == c->inputs[0]->shape.dim[2];
    return fits ? PARE_OK : fail(c->ctx, PARE_ERROR_INPUT, "attributes, blocks and columns do not fit each other");
}

/* The image offset that tap `tap` of block `place` covers; -1: padding. */
static int64_t covered(const struct blocks *b, int64_t tap, int64_t place) {
    int64_t offset = 0, scale = 1;
    for (int i = b->axes - 1; i >= 0; i--) {
        if (b->count[i] < 1 || b->block[i] < 1) {
            return -1;
        }
        int64_t at = place % b->count[i] * b->stride[i] + tap % b->block[i] * b->dilation[i] - b->pad[i];
        if (at < 0 || at >= b->image[i]) {
            return -1;
        }
        offset += at * scale;
        scale *= b->image[i];
        place /= b->count[i];
        tap /= b->block[i];
    }
    return offset;
}

enum pare_status float_col_2_im(struct float_call *c) {
    struct blocks b = {0};
    struct tensor *out = &c->outputs[0];
    TRY(read_blocks(c, &b));
    int64_t planes = out->shape.dim[0] * out->shape.dim[1];
    int64_t size = (int64_t)dims_product(&out->shape, 2, out->shape.rank);
    memset(out->data, 0, tensor_bytes(out));
    for (int64_t i = 0; i < planes * b.taps * b.places; i++) {
        int64_t at = covered(&b, i / b.places % b.taps, i % b.places);
        if (at >= 0) {
            size_t to = (size_t)(i / (b.taps * b.places) * size + at);
            double sum = tensor_get_double(out, to) + tensor_get_double(c->inputs[0], (size_t)i);
            tensor_set_double(out, to, sum);
        }
    }
    return PARE_OK;
}

/* ---- MaxUnpool ---- */

/* Indices count in the tensor that was pooled; where the output is larger, its corner holds that tensor. */
static enum pare_status place_of(struct float_call *c, const struct shape *pooled, int64_t index, size_t *out) {
    const struct shape *shape = &c->outputs[0].shape;
    size_t count = dims_product(pooled, 0, pooled->rank), scale = 1;
    *out = 0;
    if (index < 0 || (size_t)index >= count) {
        return fail(c->ctx, PARE_ERROR_INPUT, "index %lld is outside of the unpooled tensor", (long long)index);
    }
    for (int i = shape->rank - 1; i >= 0; i--) {
        int64_t at = index % pooled->dim[i];
        index /= pooled->dim[i];
        if (at >= shape->dim[i]) {
            return fail(c->ctx, PARE_ERROR_INPUT, "an index is outside of the output");
        }
        *out += (size_t)at * scale;
        scale *= (size_t)shape->dim[i];
    }
    return PARE_OK;
}

enum pare_status float_max_unpool(struct float_call *c) {
    struct tensor *out = &c->outputs[0];
    struct shape pooled;
    size_t size = dtype_size(out->type), to = 0, count = tensor_count(c->inputs[0]);
    TRY(unpooled_shape(c->ctx, c->node, &c->inputs[0]->shape, &pooled));
    if (tensor_count(c->inputs[1]) != count) {
        return fail(c->ctx, PARE_ERROR_INPUT, "%zu indices for %zu elements", tensor_count(c->inputs[1]), count);
    }
    memset(out->data, 0, tensor_bytes(out));
    for (size_t i = 0; i < count; i++) {
        TRY(place_of(c, &pooled, tensor_get_int(c->inputs[1], i), &to));
        memcpy((char *)out->data + to * size, (const char *)c->inputs[0]->data + i * size, size);
    }
    return PARE_OK;
}

/* ---- DeformConv ---- */

struct deformation {
    struct window w;
    int64_t channels, outputs, groups, offset_groups;
    double *x, *weight, *offset, *bias, *mask;
};

/* Between four elements; those outside count as zero. */
static double interpolate(const double *image, int64_t height, int64_t width, double y, double x) {
    double low_y = floor(y), low_x = floor(x), sum = 0.0;
    if (!(y > -1.0 && y < (double)height && x > -1.0 && x < (double)width)) {
        return 0.0;
    }
    for (int i = 0; i < 4; i++) {
        int64_t row = (int64_t)low_y + i / 2, column = (int64_t)low_x + i % 2;
        double weight = (i / 2 == 0 ? 1.0 - (y - low_y) : y - low_y) * (i % 2 == 0 ? 1.0 - (x - low_x) : x - low_x);
        bool inside = row >= 0 && row < height && column >= 0 && column < width;
        sum += inside ? weight * image[row * width + column] : 0.0;
    }
    return sum;
}

/* One input channel under the kernel at one place. */
static double deformed_sum(const struct deformation *d, int64_t batch, int64_t channel, const double *weight,
                           int64_t row, int64_t column) {
    const struct window *w = &d->w;
    int64_t taps = w->kernel[0] * w->kernel[1], places = w->output[0] * w->output[1];
    int64_t group = batch * d->offset_groups + channel / (d->channels / d->offset_groups);
    int64_t place = row * w->output[1] + column;
    const double *image = d->x + (batch * d->channels + channel) * w->input[0] * w->input[1];
    double sum = 0.0;
    for (int64_t k = 0; k < taps; k++) {
        const double *offset = d->offset + ((group * taps + k) * 2) * places + place;
        int64_t tap_row = k / w->kernel[1], tap_column = k % w->kernel[1];
        int64_t top = row * w->stride[0] - w->pad_begin[0], left = column * w->stride[1] - w->pad_begin[1];
        double y = (double)(top + tap_row * w->dilation[0]) + offset[0];
        double x = (double)(left + tap_column * w->dilation[1]) + offset[places];
        double mask = d->mask != NULL ? d->mask[(group * taps + k) * places + place] : 1.0;
        sum += weight[k] * mask * interpolate(image, w->input[0], w->input[1], y, x);
    }
    return sum;
}

static bool parts_fit(const struct float_call *c, const struct deformation *d) {
    const struct tensor *mask = call_input(c, 4);
    const int64_t *offset = c->inputs[2]->shape.dim, *weight = c->inputs[1]->shape.dim;
    int64_t taps = d->w.kernel[0] * d->w.kernel[1];
    if (d->groups < 1 || d->offset_groups < 1 || d->channels % d->groups != 0 || d->outputs % d->groups != 0 ||
        d->channels % d->offset_groups != 0 || weight[1] != d->channels / d->groups || d->offset_groups > d->channels) {
        return false;
    }
    bool fits = offset[0] == c->inputs[0]->shape.dim[0] && offset[1] == d->offset_groups * taps * 2;
    for (int i = 0; i < 2; i++) {
        fits = fits && offset[2 + i] == d->w.output[i] && weight[2 + i] == d->w.kernel[i];
        fits = fits && (mask == NULL || mask->shape.dim[2 + i] == d->w.output[i]);
    }
    return fits && (mask == NULL || (mask->shape.dim[0] == offset[0] && mask->shape.dim[1] == d->offset_groups * taps));
}

static enum pare_status set_up(struct float_call *c, struct deformation *d) {
    TRY(window_resolve(c->ctx, c->node, &c->inputs[0]->shape, &c->inputs[1]->shape, &d->w));
    d->channels = c->inputs[0]->shape.dim[1];
    d->outputs = c->inputs[1]->shape.dim[0];
    d->groups = node_int(c->node, "group");
    d->offset_groups = node_int(c->node, "offset_group");
    if (!parts_fit(c, d)) {
        return fail(c->ctx, PARE_ERROR_INPUT, "offsets, mask, weight and groups do not fit each other");
    }
    TRY(call_doubles(c, 0, &d->x));
    TRY(call_doubles(c, 1, &d->weight));
    TRY(call_doubles(c, 2, &d->offset));
    TRY(call_doubles(c, 3, &d->bias));
    return call_doubles(c, 4, &d->mask);
}

enum pare_status float_deform_conv(struct float_call *c) {
    struct deformation d;
    TRY(set_up(c, &d));
    int64_t places = d.w.output[0] * d.w.output[1], taps = d.w.kernel[0] * d.w.kernel[1];
    int64_t per_group = d.channels / d.groups;
    for (int64_t i = 0; i < (int64_t)tensor_count(&c->outputs[0]); i++) {
        int64_t place = i % places, output = i / places % d.outputs, batch = i / (places * d.outputs);
        int64_t first = output / (d.outputs / d.groups) * per_group;
        double sum = d.bias != NULL ? d.bias[output] : 0.0;
        for (int64_t k = 0; k < per_group; k++) {
            sum += deformed_sum(&d, batch, first + k, d.weight + (output * per_group + k) * taps, place / d.w.output[1],
                                place % d.w.output[1]);
        }
        tensor_set_double(&c->outputs[0], (size_t)i, sum);
    }
    return PARE_OK;
}
