/* RoiAlign and MaxRoiPool: regions of an image brought to one size. */
#include "float/kernels.h"

#include <math.h>
#include <string.h>

struct region {
    size_t image;            /* of the batch */
    double begin[2], end[2]; /* rows, columns, in elements of the input */
};

/* The four elements around a place, and their weights; none outside of the image. */
struct corners {
    size_t at[4];
    double weight[4];
};

static struct corners find_corners(double y, double x, int64_t height, int64_t width) {
    struct corners k = {{0}, {0}};
    if (y < -1.0 || y > (double)height || x < -1.0 || x > (double)width) {
        return k;
    }
    y = fmax(y, 0.0);
    x = fmax(x, 0.0);
    int64_t low_y = (int64_t)y, low_x = (int64_t)x;
    low_y = low_y > height - 1 ? height - 1 : low_y;
    low_x = low_x > width - 1 ? width - 1 : low_x;
    y = low_y == height - 1 ? (double)low_y : y;
    x = low_x == width - 1 ? (double)low_x : x;
    int64_t high_y = low_y == height - 1 ? low_y : low_y + 1, high_x = low_x == width - 1 ? low_x : low_x + 1;
    double fy = y - (double)low_y, fx = x - (double)low_x;
    for (int i = 0; i < 4; i++) {
        k.at[i] = (size_t)((i < 2 ? low_y : high_y) * width + (i % 2 == 0 ? low_x : high_x));
        k.weight[i] = (i < 2 ? 1.0 - fy : fy) * (i % 2 == 0 ? 1.0 - fx : fx);
    }
    return k;
}

static enum pare_status check_image(struct float_call *c, int64_t index, size_t *image) {
    if (index < 0 || index >= c->inputs[0]->shape.dim[0]) {
        return fail(c->ctx, PARE_ERROR_INPUT, "a region of image %lld; there are %lld", (long long)index,
                    (long long)c->inputs[0]->shape.dim[0]);
    }
    *image = (size_t)index;
    return PARE_OK;
}

/* ---- RoiAlign ---- */

#define SAMPLES_MAX 4096.0

struct alignment {
    bool half_pixel, maximum;
    double scale, ratio;
};

/* The mean, or the largest product, over evenly spaced places in one bin of a region. */
static double align_bin(const struct tensor *in, size_t plane, const struct region *r, const struct alignment *a,
                        const int64_t bins[2], const int64_t bin[2]) {
    int64_t height = in->shape.dim[2], width = in->shape.dim[3], samples[2];
    double size[2], total = 0.0, largest = -(double)INFINITY;
    for (int i = 0; i < 2; i++) {
        size[i] = (r->end[i] - r->begin[i]) / (double)bins[i];
        samples[i] = a->ratio > 0.0 ? (int64_t)a->ratio : (int64_t)fmin(fmax(ceil(size[i]), 0.0), SAMPLES_MAX);
    }
    for (int64_t n = 0; n < samples[0] * samples[1]; n++) {
        int64_t row = n / samples[1], column = n % samples[1];
        double y = r->begin[0] + ((double)bin[0] + ((double)row + 0.5) / (double)samples[0]) * size[0];
        double x = r->begin[1] + ((double)bin[1] + ((double)column + 0.5) / (double)samples[1]) * size[1];
        struct corners k = find_corners(y, x, height, width);
        for (int i = 0; i < 4; i++) {
            double v = k.weight[i] * tensor_get_double(in, plane * (size_t)(height * width) + k.at[i]);
            total += v;
            largest = fmax(largest, v);
        }
    }
    double count = (double)(samples[0] * samples[1]);
    return count < 1.0 ? 0.0 : a->maximum ? largest : total / count;
}

static enum pare_status read_region(struct float_call *c, size_t index, const struct alignment *a, struct region *r) {
    TRY(check_image(c, tensor_get_int(c->inputs[2], index), &r->image));
    for (size_t i = 0; i < 2; i++) { /* x1, y1, x2, y2 */
        double offset = a->half_pixel ? 0.5 : 0.0;
        r->begin[i] = tensor_get_double(c->inputs[1], index * 4 + 1 - i) * a->scale - offset;
        r->end[i] = tensor_get_double(c->inputs[1], index * 4 + 3 - i) * a->scale - offset;
        if (!a->half_pixel && r->end[i] - r->begin[i] < 1.0) {
            r->end[i] = r->begin[i] + 1.0;
        }
        if (!(fabs(r->begin[i]) < 0x1p30) || !(fabs(r->end[i]) < 0x1p30)) {
            return fail(c->ctx, PARE_ERROR_INPUT, "region %zu is out of range", index);
        }
    }
    return PARE_OK;
}

enum pare_status float_roi_align(struct float_call *c) {
    struct tensor *out = &c->outputs[0];
    const int64_t *d = out->shape.dim, bins[2] = {d[2], d[3]};
    struct alignment a = {.scale = (double)node_float(c->node, "spatial_scale"),
                          .ratio = (double)node_int(c->node, "sampling_ratio")};
    a.half_pixel = strcmp(node_string(c->node, "coordinate_transformation_mode"), "half_pixel") == 0;
    a.maximum = strcmp(node_string(c->node, "mode"), "max") == 0;
    if (c->inputs[1]->shape.dim[1] != 4 || a.ratio < 0.0 || a.ratio > SAMPLES_MAX) {
        return fail(c->ctx, PARE_ERROR_INPUT, "regions have four coordinates, and sampling_ratio is 0 to 4096");
    }
    if (tensor_count(c->inputs[0]) == 0 && tensor_count(out) > 0) {
        return fail(c->ctx, PARE_ERROR_INPUT, "the image is empty");
    }
    for (int64_t i = 0; i < d[0]; i++) {
        struct region r = {0};
        TRY(read_region(c, (size_t)i, &a, &r));
        for (int64_t k = 0; k < d[1] * d[2] * d[3]; k++) {
            int64_t bin[2] = {k / d[3] % d[2], k % d[3]};
            size_t plane = r.image * (size_t)d[1] + (size_t)(k / (d[2] * d[3]));
            double v = align_bin(c->inputs[0], plane, &r, &a, bins, bin);
            tensor_set_double(out, (size_t)(i * d[1] * d[2] * d[3] + k), v);
        }
    }
    return PARE_OK;
}

/* ---- MaxRoiPool ---- */

static double clamp(double v, double high) {
    return v < 0.0 ? 0.0 : v > high ? high : v;
}

/* The largest element of one bin, 0 of an empty one. */
static double pool_bin(const struct tensor *in, size_t plane, const struct region *r, const int64_t bins[2],
                       const int64_t bin[2]) {
    int64_t begin[2], end[2], width = in->shape.dim[3];
    double largest = -(double)INFINITY;
    for (int i = 0; i < 2; i++) {
        double size = fmax(r->end[i] - r->begin[i] + 1.0, 1.0) / (double)bins[i], limit = (double)in->shape.dim[2 + i];
        begin[i] = (int64_t)clamp(floor((double)bin[i] * size) + r->begin[i], limit);
        end[i] = (int64_t)clamp(ceil((double)(bin[i] + 1) * size) + r->begin[i], limit);
    }
    for (int64_t y = begin[0]; y < end[0]; y++) {
        for (int64_t x = begin[1]; x < end[1]; x++) {
            size_t at = plane * (size_t)(in->shape.dim[2] * width) + (size_t)(y * width + x);
            largest = fmax(largest, tensor_get_double(in, at));
        }
    }
    return isinf(largest) ? 0.0 : largest;
}

enum pare_status float_max_roi_pool(struct float_call *c) {
    const int64_t *d = c->outputs[0].shape.dim, bins[2] = {d[2], d[3]};
    double scale = (double)node_float(c->node, "spatial_scale");
    if (c->inputs[1]->shape.dim[1] != 5) {
        return fail(c->ctx, PARE_ERROR_INPUT, "a region is an image and four coordinates");
    }
    for (int64_t i = 0; i < d[0]; i++) {
        struct region r = {0};
        TRY(check_image(c, tensor_get_int(c->inputs[1], (size_t)i * 5), &r.image));
        for (size_t k = 0; k < 2; k++) { /* image, x1, y1, x2, y2 */
            r.begin[k] = round(tensor_get_double(c->inputs[1], (size_t)i * 5 + 2 - k) * scale);
            r.end[k] = round(tensor_get_double(c->inputs[1], (size_t)i * 5 + 4 - k) * scale);
        }
        for (int64_t k = 0; k < d[1] * d[2] * d[3]; k++) {
            int64_t bin[2] = {k / d[3] % d[2], k % d[3]};
            size_t plane = r.image * (size_t)d[1] + (size_t)(k / (d[2] * d[3]));
            tensor_set_double(&c->outputs[0], (size_t)(i * d[1] * d[2] * d[3] + k),
                              pool_bin(c->inputs[0], plane, &r, bins, bin));
        }
    }
    return PARE_OK;
}
