/* Activation functions by the names that recurrent operators give them. */
#include "float/cell.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

static float sigmoid(float x, float a, float b) {
    (void)a, (void)b;
    return 1.0f / (1.0f + expf(-x));
}

static float hyperbolic_tangent(float x, float a, float b) {
    (void)a, (void)b;
    return tanhf(x);
}

static float relu(float x, float a, float b) {
    (void)a, (void)b;
    return x > 0.0f ? x : 0.0f;
}

static float affine(float x, float a, float b) {
    return a * x + b;
}

static float leaky_relu(float x, float a, float b) {
    (void)b;
    return x < 0.0f ? a * x : x;
}

static float thresholded_relu(float x, float a, float b) {
    (void)b;
    return x > a ? x : 0.0f;
}

static float scaled_tanh(float x, float a, float b) {
    return a * tanhf(b * x);
}

static float hard_sigmoid(float x, float a, float b) {
    return fminf(fmaxf(a * x + b, 0.0f), 1.0f);
}

static float elu(float x, float a, float b) {
    (void)b;
    return x < 0.0f ? a * expm1f(x) : x;
}

static float softsign(float x, float a, float b) {
    (void)a, (void)b;
    return x / (1.0f + fabsf(x));
}

static float softplus(float x, float a, float b) {
    (void)a, (void)b;
    return fmaxf(x, 0.0f) + log1pf(expf(-fabsf(x)));
}

static const struct {
    const char *name;
    struct cell_activation activation;
    int parameters;
} functions[] = {
    {"Sigmoid", {sigmoid, 0, 0}, 0},
    {"Tanh", {hyperbolic_tangent, 0, 0}, 0},
    {"Relu", {relu, 0, 0}, 0},
    {"Affine", {affine, 1, 0}, 2},
    {"LeakyRelu", {leaky_relu, 0.01f, 0}, 1},
    {"ThresholdedRelu", {thresholded_relu, 1, 0}, 1},
    {"ScaledTanh", {scaled_tanh, 1, 1}, 2},
    {"HardSigmoid", {hard_sigmoid, 0.2f, 0.5f}, 2},
    {"Elu", {elu, 1, 0}, 1},
    {"Softsign", {softsign, 0, 0}, 0},
    {"Softplus", {softplus, 0, 0}, 0},
};

/* Names are compared without regard to case, as exporters write them. */
static bool same_name(const char *name, const char *text, size_t length) {
    size_t i = 0;
    while (i < length && name[i] != '\0' && tolower((unsigned char)name[i]) == tolower((unsigned char)text[i])) {
        i++;
    }
    return i == length && name[i] == '\0';
}

static enum pare_status find(struct float_call *c, const char *text, size_t length, size_t *out) {
    for (*out = 0; *out < sizeof functions / sizeof functions[0]; ++*out) {
        if (same_name(functions[*out].name, text, length)) {
            return PARE_OK;
        }
    }
    return fail(c->ctx, PARE_ERROR_UNSUPPORTED, "%s has no activation %.*s", c->node->op->name, (int)length, text);
}

/* The next given value of a list, which only functions with parameters consume. */
static void take_parameter(const struct attr *list, size_t *at, float *parameter) {
    if (list != NULL && list->type == ATTR_FLOATS && *at < list->count) {
        *parameter = list->floats[(*at)++];
    }
}

enum pare_status cell_activations(struct float_call *call, int direction, const char *defaults, int count,
                                  struct cell_activation *out) {
    const struct attr *alphas = node_attr(call->node, "activation_alpha"),
                      *betas = node_attr(call->node, "activation_beta");
    const char *given = node_string(call->node, "activations"), *text = given[0] != '\0' ? given : defaults;
    size_t alpha = 0, beta = 0, function = 0;
    for (int i = 0; i < (direction + 1) * count; i++) {
        text = text[0] == '\0' && given[0] == '\0' ? defaults : text; /* the same in every direction */
        size_t length = strcspn(text, ",");
        TRY(find(call, text, length, &function));
        struct cell_activation a = functions[function].activation;
        if (functions[function].parameters > 0) {
            take_parameter(alphas, &alpha, &a.alpha);
        }
        if (functions[function].parameters > 1) {
            take_parameter(betas, &beta, &a.beta);
        }
        out[i % count] = a;
        text += length + (text[length] == ',');
    }
    return PARE_OK;
}
