#include "float/kernels.h"

#include <math.h>

enum pare_status float_batch_normalization(struct float_call *c) {
    if (!call_is_float32(c)) {
        return call_widened(c, float_batch_normalization);
    }
    const struct tensor *in = c->inputs[0];
    const float *x = in->data;
    float *y = c->outputs[0].data;
    double epsilon = (double)node_float(c->node, "epsilon");
    size_t batch = (size_t)in->shape.dim[0];
    size_t channels = in->shape.rank > 1 ? (size_t)in->shape.dim[1] : 1;
    size_t inner = dims_product(&in->shape, 2, in->shape.rank);
    for (size_t i = 0; i < batch * channels; i++) {
        size_t channel = i % channels;
        double scale = tensor_get_double(c->inputs[1], channel);
        double bias = tensor_get_double(c->inputs[2], channel);
        double mean = tensor_get_double(c->inputs[3], channel);
        double variance = tensor_get_double(c->inputs[4], channel);
        double factor = scale / sqrt(variance + epsilon);
        float a = (float)factor, b = (float)(bias - mean * factor);
        for (size_t k = 0; k < inner; k++) {
            y[i * inner + k] = x[i * inner + k] * a + b;
        }
    }
    return PARE_OK;
}
