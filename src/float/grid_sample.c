/* GridSample and AffineGrid. Coordinates run from -1 to 1 over an axis: between the centres of its end elements, or
 * between their outer edges. */
#include "float/kernels.h"

#include <math.h>
#include <string.h>

#define AXES_MAX 3
#define TAPS_MAX 4

enum padding { PADDING_ZEROS, PADDING_BORDER, PADDING_REFLECTION };
enum mode { MODE_NEAREST, MODE_LINEAR, MODE_CUBIC };

struct sampler {
    enum mode mode;
    enum padding padding;
    bool align_corners;
    int axes;               /* of the image, 1 to 3 */
    int64_t size[AXES_MAX]; /* of the last ones, 1 of those in front */
};

/* Input positions along one axis and their weights; a position of -1 reads zero. */
struct taps {
    int count;
    int64_t at[TAPS_MAX];
    double weight[TAPS_MAX];
};

static double from_unit(const struct sampler *s, double x, int64_t size) {
    return s->align_corners ? (x + 1.0) / 2.0 * (double)(size - 1) : ((x + 1.0) * (double)size - 1.0) / 2.0;
}

/* Back and forth between the ends. */
static double reflect(const struct sampler *s, double x, int64_t size) {
    double low = s->align_corners ? 0.0 : -0.5, span = s->align_corners ? (double)(size - 1) : (double)size;
    if (span <= 0.0) {
        return 0.0;
    }
    double phase = fmod(fabs(x - low), 2.0 * span);
    return low + (phase <= span ? phase : 2.0 * span - phase);
}

static int64_t pad(const struct sampler *s, double x, int64_t size) {
    if (s->padding == PADDING_REFLECTION) {
        x = reflect(s, x, size);
    }
    if (s->padding != PADDING_ZEROS) {
        x = fmin(fmax(x, 0.0), (double)(size - 1));
    }
    return x >= 0.0 && x < (double)size ? (int64_t)x : -1;
}

/* Keys' cubic kernel with a = -0.75 at distances 1 + t, t, 1 - t, 2 - t. */
static void cubic_weights(double t, double w[4]) {
    const double a = -0.75;
    double u = 1.0 - t;
    w[0] = ((a * (t + 1.0) - 5.0 * a) * (t + 1.0) + 8.0 * a) * (t + 1.0) - 4.0 * a;
    w[1] = ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0;
    w[2] = ((a + 2.0) * u - (a + 3.0)) * u * u + 1.0;
    w[3] = 1.0 - w[0] - w[1] - w[2];
}

static struct taps find_taps(const struct sampler *s, double coordinate, int64_t size) {
    struct taps t = {.count = s->mode == MODE_NEAREST ? 1 : s->mode == MODE_LINEAR ? 2 : 4};
    double x = from_unit(s, coordinate, size);
    if (s->mode != MODE_CUBIC && s->padding == PADDING_BORDER) {
        x = fmin(fmax(x, 0.0), (double)(size - 1));
    } else if (s->mode != MODE_CUBIC && s->padding == PADDING_REFLECTION) {
        x = reflect(s, x, size);
    }
    double base = s->mode == MODE_NEAREST ? rint(x) : floor(x), fraction = x - base;
    if (!(fabs(base) < 0x1p62)) { /* far away, or no number */
        return (struct taps){.count = 1, .at = {-1}};
    }
    if (s->mode == MODE_NEAREST) {
        t.weight[0] = 1.0;
    } else if (s->mode == MODE_LINEAR) {
        t.weight[0] = 1.0 - fraction;
        t.weight[1] = fraction;
    } else {
        cubic_weights(fraction, t.weight);
    }
    for (int i = 0; i < t.count; i++) {
        t.at[i] = pad(s, base + (double)(i - (s->mode == MODE_CUBIC)), size);
    }
    return t;
}

/* One row of taps along the last axis. */
static double sum_row(const struct sampler *s, const struct tensor *in, const struct taps *t, size_t row) {
    double sum = 0.0;
    for (int i = 0; i < t->count; i++) {
        size_t at = row * (size_t)s->size[2] + (size_t)t->at[i];
        sum += t->at[i] < 0 ? 0.0 : t->weight[i] * tensor_get_double(in, at);
    }
    return sum;
}

static double sum_taps(const struct sampler *s, const struct tensor *in, const struct taps *taps, size_t plane) {
    double sum = 0.0;
    for (int i = 0; i < taps[0].count; i++) {
        for (int k = 0; k < taps[1].count && taps[0].at[i] >= 0; k++) {
            if (taps[1].at[k] >= 0) {
                size_t depth = plane * (size_t)s->size[0] + (size_t)taps[0].at[i];
                size_t row = depth * (size_t)s->size[1] + (size_t)taps[1].at[k];
                sum += taps[0].weight[i] * taps[1].weight[k] * sum_row(s, in, &taps[2], row);
            }
        }
    }
    return sum;
}

static enum pare_status read_sampler(struct float_call *c, struct sampler *s) {
    const char *mode = node_string(c->node, "mode"), *padding = node_string(c->node, "padding_mode");
    const struct shape *in = &c->inputs[0]->shape;
    *s = (struct sampler){.align_corners = node_int(c->node, "align_corners") != 0, .axes = in->rank - 2};
    for (int i = 0; i < AXES_MAX; i++) {
        int axis = in->rank - AXES_MAX + i;
        s->size[i] = axis >= 2 ? in->dim[axis] : 1;
    }
    s->mode = strcmp(mode, "nearest") == 0 ? MODE_NEAREST : strcmp(mode, "cubic") == 0 ? MODE_CUBIC : MODE_LINEAR;
    s->padding = strcmp(padding, "border") == 0       ? PADDING_BORDER
                 : strcmp(padding, "reflection") == 0 ? PADDING_REFLECTION
                                                      : PADDING_ZEROS;
    bool known = (s->mode != MODE_LINEAR || strcmp(mode, "linear") == 0) &&
                 (s->padding != PADDING_ZEROS || strcmp(padding, "zeros") == 0);
    return known ? PARE_OK
                 : fail(c->ctx, PARE_ERROR_UNSUPPORTED, "mode %s with padding %s of GridSample is unknown", mode,
                        padding);
}

/* Coordinates come in the order x, y, z: the last axis first. */
enum pare_status float_grid_sample(struct float_call *c) {
    const struct tensor *in = c->inputs[0], *grid = c->inputs[1];
    const struct shape *out = &c->outputs[0].shape;
    static const struct taps whole = {.count = 1, .weight = {1.0}};
    struct sampler s;
    struct taps taps[AXES_MAX];
    TRY(read_sampler(c, &s));
    size_t channels = (size_t)out->dim[1], places = dims_product(out, 2, out->rank);
    if (tensor_count(in) == 0) {
        return tensor_count(&c->outputs[0]) == 0 ? PARE_OK : fail(c->ctx, PARE_ERROR_INPUT, "the image is empty");
    }
    for (size_t i = 0; i < (size_t)out->dim[0] * places; i++) {
        for (int k = 0; k < AXES_MAX; k++) {
            size_t coordinate = i * (size_t)s.axes + (size_t)(AXES_MAX - 1 - k);
            taps[k] = k < AXES_MAX - s.axes ? whole : find_taps(&s, tensor_get_double(grid, coordinate), s.size[k]);
        }
        for (size_t channel = 0; channel < channels; channel++) {
            size_t plane = i / places * channels + channel;
            tensor_set_double(&c->outputs[0], plane * places + i % places, sum_taps(&s, in, taps, plane));
        }
    }
    return PARE_OK;
}

/* The coordinate of position i of `size`, from -1 to 1. */
static double to_unit(bool align_corners, size_t i, size_t size) {
    if (align_corners) {
        return size > 1 ? 2.0 * (double)i / (double)(size - 1) - 1.0 : -1.0;
    }
    return (2.0 * (double)i + 1.0) / (double)size - 1.0;
}

enum pare_status float_affine_grid(struct float_call *c) {
    const struct tensor *theta = c->inputs[0];
    const struct shape *out = &c->outputs[0].shape;
    bool align_corners = node_int(c->node, "align_corners") != 0;
    int axes = out->rank - 2;
    size_t places = dims_product(out, 1, out->rank - 1), rows = (size_t)axes, columns = rows + 1;
    for (size_t i = 0; i < (size_t)out->dim[0] * places; i++) {
        double x[AXES_MAX + 1] = {0};
        size_t rest = i % places;
        for (int k = axes - 1; k >= 0; k--) { /* x runs along the last axis */
            x[axes - 1 - k] = to_unit(align_corners, rest % (size_t)out->dim[1 + k], (size_t)out->dim[1 + k]);
            rest /= (size_t)out->dim[1 + k];
        }
        x[axes] = 1.0;
        for (size_t row = 0; row < rows; row++) {
            double sum = 0.0;
            for (size_t k = 0; k < columns; k++) {
                sum += tensor_get_double(theta, (i / places * rows + row) * columns + k) * x[k];
            }
            tensor_set_double(&c->outputs[0], i * rows + row, sum);
        }
    }
    return PARE_OK;
}
