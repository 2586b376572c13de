/* Normalisations over groups of elements: each group is brought to mean 0 and variance 1, or to length 1. */
#include "float/kernels.h"
#include "float/strided.h"
#include "graph/axes.h"
#include "graph/broadcast.h"

#include <math.h>

/* What is subtracted from a group, and what it is multiplied by then. */
struct moments {
    double mean, inverse;
};

/* Of elements that lie one behind the other; `centered` false: the mean counts as 0. */
static struct moments moments_of(const struct tensor *t, size_t begin, size_t count, bool centered, double epsilon) {
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; centered && i < count; i++) {
        sum += tensor_get_double(t, begin + i);
    }
    double mean = count > 0 ? sum / (double)count : 0.0;
    for (size_t i = 0; i < count; i++) {
        double d = tensor_get_double(t, begin + i) - mean;
        squares += d * d;
    }
    return (struct moments){mean, 1.0 / sqrt((count > 0 ? squares / (double)count : 0.0) + epsilon)};
}

static double epsilon_of(const struct float_call *c) {
    return (double)node_float(c->node, "epsilon");
}

static void store_moments(struct float_call *c, size_t group, struct moments m) {
    if (call_wants(c, 1)) {
        tensor_set_double(&c->outputs[1], group, m.mean);
    }
    if (call_wants(c, 2)) {
        tensor_set_double(&c->outputs[2], group, m.inverse);
    }
}

/* Groups are what lies from the axis on; scale and bias are broadcast to the input. */
static enum pare_status normalize_from_axis(struct float_call *c, bool centered) {
    const struct tensor *in = c->inputs[0], *scale = c->inputs[1], *bias = call_input(c, 2);
    int axis = axis_from_start(node_int(c->node, "axis"), in->shape.rank);
    size_t groups = dims_product(&in->shape, 0, axis), length = dims_product(&in->shape, axis, in->shape.rank);
    int64_t stride[2][TENSOR_MAX_RANK], at[2] = {0}, index[TENSOR_MAX_RANK] = {0};
    broadcast_strides(&scale->shape, &in->shape, stride[0]);
    broadcast_strides(bias != NULL ? &bias->shape : &scale->shape, &in->shape, stride[1]);
    for (size_t group = 0; group < groups; group++) {
        struct moments m = moments_of(in, group * length, length, centered, epsilon_of(c));
        store_moments(c, group, m);
        for (size_t i = group * length; i < (group + 1) * length; i++) {
            double y = (tensor_get_double(in, i) - m.mean) * m.inverse * tensor_get_double(scale, (size_t)at[0]);
            y += bias != NULL ? tensor_get_double(bias, (size_t)at[1]) : 0.0;
            tensor_set_double(&c->outputs[0], i, y);
            strided_advance(&in->shape, index, 2, stride, at);
        }
    }
    return PARE_OK;
}

enum pare_status float_layer_normalization(struct float_call *c) {
    return normalize_from_axis(c, true);
}

enum pare_status float_rms_normalization(struct float_call *c) {
    return normalize_from_axis(c, false);
}

/* Groups of whole channels; scale and bias have an entry per channel, or per group. */
static enum pare_status normalize_channels(struct float_call *c, size_t groups) {
    const struct tensor *in = c->inputs[0], *scale = c->inputs[1], *bias = c->inputs[2];
    size_t batch = (size_t)in->shape.dim[0], channels = (size_t)in->shape.dim[1];
    size_t size = dims_product(&in->shape, 2, in->shape.rank), length = channels / groups * size;
    size_t entries = tensor_count(scale);
    if ((entries != channels && entries != groups) || tensor_count(bias) != entries) {
        return fail(c->ctx, PARE_ERROR_INPUT, "%zu scales for %zu channels", entries, channels);
    }
    for (size_t i = 0; i < batch * groups * length; i += length) {
        struct moments m = moments_of(in, i, length, true, epsilon_of(c));
        for (size_t k = i; k < i + length; k++) {
            size_t entry = k / size % channels * entries / channels;
            double y = (tensor_get_double(in, k) - m.mean) * m.inverse * tensor_get_double(scale, entry);
            tensor_set_double(&c->outputs[0], k, y + tensor_get_double(bias, entry));
        }
    }
    return PARE_OK;
}

enum pare_status float_group_normalization(struct float_call *c) {
    return normalize_channels(c, (size_t)node_int(c->node, "num_groups"));
}

enum pare_status float_instance_normalization(struct float_call *c) {
    size_t channels = (size_t)c->inputs[0]->shape.dim[1];
    return channels > 0 ? normalize_channels(c, channels) : PARE_OK;
}

/* Groups over any axes: each element belongs to the one that its kept axes point to. */
struct groups {
    int64_t stride[1][TENSOR_MAX_RANK], count;
    double terms; /* elements of one */
};

static enum pare_status find_groups(struct float_call *c, struct groups *g) {
    static const int64_t usual[] = {0, 2, 3};
    const struct shape *shape = &c->inputs[0]->shape;
    size_t given_count = 0;
    const int64_t *given = node_ints(c->node, "axes", &given_count);
    bool reduced[TENSOR_MAX_RANK];
    TRY(axes_mark(c->ctx, given == NULL ? usual : given, given == NULL ? 3 : (int)given_count, shape->rank, reduced));
    g->count = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        g->stride[0][i] = reduced[i] ? 0 : g->count;
        g->count *= reduced[i] ? 1 : shape->dim[i];
    }
    g->terms = g->count > 0 ? (double)tensor_count(c->inputs[0]) / (double)g->count : 0.0;
    return PARE_OK;
}

/* The mean of every group, or, with `means` given, the mean square of what its elements differ from theirs. */
static void average(const struct tensor *in, struct groups *g, const double *means, double *out) {
    int64_t at = 0, index[TENSOR_MAX_RANK] = {0};
    for (size_t i = 0, count = tensor_count(in); i < count; i++) {
        double x = tensor_get_double(in, i), d = means != NULL ? x - means[at] : 0.0;
        out[at] += (means != NULL ? d * d : x) / g->terms;
        strided_advance(&in->shape, index, 1, g->stride, &at);
    }
}

enum pare_status float_mean_variance_normalization(struct float_call *c) {
    const struct tensor *in = c->inputs[0];
    int64_t at = 0, index[TENSOR_MAX_RANK] = {0};
    struct groups g;
    TRY(find_groups(c, &g));
    double *means = call_scratch(c, (size_t)g.count, sizeof *means);
    double *variances = call_scratch(c, (size_t)g.count, sizeof *variances);
    if (means == NULL || variances == NULL) {
        return PARE_ERROR_MEMORY;
    }
    average(in, &g, NULL, means);
    average(in, &g, means, variances);
    for (size_t i = 0, count = tensor_count(in); i < count; i++) {
        double d = tensor_get_double(in, i) - means[at];
        tensor_set_double(&c->outputs[0], i, d / (sqrt(variances[at]) + 1e-9));
        strided_advance(&in->shape, index, 1, g.stride, &at);
    }
    return PARE_OK;
}

/* Along an axis, by the sum of absolute values or the Euclidean length; what has none stays 0. */
enum pare_status float_lp_normalization(struct float_call *c) {
    const struct tensor *in = c->inputs[0];
    int axis = axis_from_start(node_int(c->node, "axis"), in->shape.rank);
    int64_t p = node_int(c->node, "p");
    size_t length = (size_t)in->shape.dim[axis], inner = dims_product(&in->shape, axis + 1, in->shape.rank);
    size_t lines = dims_product(&in->shape, 0, axis) * inner;
    if (p != 1 && p != 2) {
        return fail(c->ctx, PARE_ERROR_INPUT, "p is %lld, expected 1 or 2", (long long)p);
    }
    for (size_t i = 0; i < lines; i++) {
        size_t begin = i / inner * length * inner + i % inner;
        double norm = 0.0;
        for (size_t k = 0; k < length; k++) {
            double x = tensor_get_double(in, begin + k * inner);
            norm += p == 1 ? fabs(x) : x * x;
        }
        norm = p == 1 ? norm : sqrt(norm);
        for (size_t k = 0; k < length; k++) {
            double x = tensor_get_double(in, begin + k * inner);
            tensor_set_double(&c->outputs[0], begin + k * inner, norm > 0.0 ? x / norm : 0.0);
        }
    }
    return PARE_OK;
}

/* x / (bias + alpha / size * sum of squares over `size` neighbouring channels)^beta. */
enum pare_status float_lrn(struct float_call *c) {
    const struct tensor *in = c->inputs[0];
    int64_t channels = in->shape.dim[1], size = node_int(c->node, "size");
    double alpha = (double)node_float(c->node, "alpha"), beta = (double)node_float(c->node, "beta");
    double bias = (double)node_float(c->node, "bias");
    size_t inner = dims_product(&in->shape, 2, in->shape.rank);
    for (size_t i = 0, count = tensor_count(in); i < count; i++) {
        int64_t channel = (int64_t)(i / inner) % channels, first = channel - (size - 1) / 2, last = channel + size / 2;
        double squares = 0.0;
        first = first < 0 ? 0 : first;
        last = last >= channels ? channels - 1 : last;
        for (int64_t k = first; k <= last; k++) {
            double x = tensor_get_double(in, (size_t)((int64_t)i + (k - channel) * (int64_t)inner));
            squares += x * x;
        }
        double y = tensor_get_double(in, i) / pow(bias + alpha / (double)size * squares, beta);
        tensor_set_double(&c->outputs[0], i, y);
    }
    return PARE_OK;
}
