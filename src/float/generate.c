/* Tensors made from a few numbers: Range and the windows. */
#include "float/integer.h"
#include "float/kernels.h"

#include <math.h>

#define PI 3.14159265358979323846

enum pare_status float_range(struct float_call *c) {
    const struct tensor *start = c->inputs[0], *delta = c->inputs[2];
    struct tensor *out = &c->outputs[0];
    for (size_t i = 0, count = tensor_count(out); i < count; i++) {
        if (dtype_is_float(out->type)) {
            tensor_set_double(out, i, tensor_get_double(start, 0) + (double)i * tensor_get_double(delta, 0));
        } else {
            int64_t steps = integer_multiply((int64_t)i, integer_load(delta, 0));
            integer_store(out, i, integer_add(integer_load(start, 0), steps));
        }
    }
    return PARE_OK;
}

/* a - b * cos(x) + c * cos(2x), x running over one period; a periodic window leaves its end out. */
static enum pare_status window(struct float_call *c, double a, double b, double d) {
    struct tensor *out = &c->outputs[0];
    size_t count = tensor_count(out);
    bool periodic = node_int(c->node, "periodic") != 0;
    double period = periodic || count == 1 ? (double)count : (double)count - 1.0;
    for (size_t i = 0; i < count; i++) {
        double x = 2.0 * PI * (double)i / period;
        tensor_set_double(out, i, a - b * cos(x) + d * cos(2.0 * x));
    }
    return PARE_OK;
}

enum pare_status float_hann_window(struct float_call *c) {
    return window(c, 0.5, 0.5, 0.0);
}

enum pare_status float_hamming_window(struct float_call *c) {
    return window(c, 25.0 / 46.0, 21.0 / 46.0, 0.0);
}

enum pare_status float_blackman_window(struct float_call *c) {
    return window(c, 0.42, 0.5, 0.08);
}

static double mel_of(double hertz) {
    return 2595.0 * log10(1.0 + hertz / 700.0);
}

static double hertz_of(double mel) {
    return 700.0 * (pow(10.0, mel / 2595.0) - 1.0);
}

/* Column `bin` is a triangle over the spectrum, between edges that are evenly spaced on the mel scale and lie on whole
 * spectrum bins. */
static void fill_triangle(struct tensor *out, size_t bin, double low, double center, double high) {
    size_t rows = (size_t)out->shape.dim[0], columns = (size_t)out->shape.dim[1];
    for (size_t i = 0; i < rows; i++) {
        double x = (double)i, y = 0.0;
        if (x == center) {
            y = 1.0;
        } else if (x > low && x < center) {
            y = (x - low) / (center - low);
        } else if (x > center && x < high) {
            y = (high - x) / (high - center);
        }
        tensor_set_double(out, i * columns + bin, y);
    }
}

enum pare_status float_mel_weight_matrix(struct float_call *c) {
    struct tensor *out = &c->outputs[0];
    double length = tensor_get_double(c->inputs[1], 0), rate = tensor_get_double(c->inputs[2], 0);
    double low = mel_of(tensor_get_double(c->inputs[3], 0)), high = mel_of(tensor_get_double(c->inputs[4], 0));
    size_t bins = (size_t)out->shape.dim[1];
    double step = (high - low) / (double)(bins + 2); /* so the standard counts */
    for (size_t i = 0; i < bins; i++) {
        double edges[3];
        for (int k = 0; k < 3; k++) {
            edges[k] = floor((length + 1.0) * hertz_of(low + step * (double)(i + (size_t)k)) / rate);
        }
        fill_triangle(out, i, edges[0], edges[1], edges[2]);
    }
    return PARE_OK;
}
