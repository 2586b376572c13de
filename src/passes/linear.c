#include "passes/linear.h"

#include <math.h>
#include <string.h>

/* Parameters being rewritten: float weights, and biases in double. */
struct parameters {
    struct tensor weight;
    double *bias;
};

static bool is_plain_gemm(const struct node *n) {
    return node_is(n, "Gemm") && node_int(n, "transA") == 0 && node_int(n, "transB") == 1 &&
           node_float(n, "alpha") == 1 && node_float(n, "beta") == 1;
}

bool linear_of(struct node *n, struct linear *out) {
    bool transposed = node_is(n, "ConvTranspose");
    if (!node_is(n, "Conv") && !transposed && !is_plain_gemm(n)) {
        return false;
    }
    const struct value *weight = n->inputs[1], *bias = node_input(n, 2);
    if (!value_is_float_constant(weight) || weight->rank < 2 || tensor_count(weight->constant) == 0 ||
        value_is_constant(n->inputs[0])) {
        return false;
    }
    const int64_t *dim = weight->constant->shape.dim;
    int64_t groups = node_is(n, "Gemm") ? 1 : node_int(n, "group");
    *out = (struct linear){.node = n,
                           .outputs = transposed ? dim[1] * groups : dim[0],
                           .inputs = transposed ? dim[0] : dim[1] * groups,
                           .groups = groups,
                           .taps = (int64_t)tensor_count(weight->constant) / (dim[0] * dim[1])};
    bool divides = groups > 0 && out->outputs % groups == 0 && out->inputs % groups == 0;
    return divides &&
           (bias == NULL || (value_is_float_constant(bias) && bias->rank == 1 && bias->dims[0].value == out->outputs));
}

bool linear_is_unpadded(const struct linear *l) {
    struct int_list pads = {0};
    const char *auto_pad = node_is(l->node, "Conv") ? node_string(l->node, "auto_pad") : "VALID";
    if (node_is(l->node, "ConvTranspose") || (strcmp(auto_pad, "VALID") != 0 && strcmp(auto_pad, "NOTSET") != 0)) {
        return false;
    }
    if (node_attr(l->node, "pads") != NULL && !attr_ints(l->node, "pads", &pads)) {
        return false;
    }
    int i = 0;
    while (i < pads.count && pads.at[i] == 0) {
        i++;
    }
    return i == pads.count;
}

bool linear_is_moderate(const struct linear *l) {
    const struct value *bias = node_input(l->node, 2);
    const struct tensor *weight = l->node->inputs[1]->constant;
    double largest = 0;
    for (size_t i = 0; i < tensor_count(weight); i++) {
        largest = fmax(largest, fabs(tensor_get_double(weight, i)));
    }
    for (size_t i = 0; bias != NULL && i < tensor_count(bias->constant); i++) {
        largest = fmax(largest, fabs(tensor_get_double(bias->constant, i)));
    }
    return largest <= LINEAR_MODERATE;
}

/* Which output and which input channel weight `at` joins. Conv and Gemm keep [outputs, inputs / groups, taps],
 * ConvTranspose [inputs, outputs / groups, taps]. */
static void channels_of(const struct linear *l, int64_t at, int64_t *output, int64_t *input) {
    bool transposed = node_is(l->node, "ConvTranspose");
    int64_t rows = transposed ? l->inputs : l->outputs;
    int64_t columns = (transposed ? l->outputs : l->inputs) / l->groups;
    int64_t row = at / (columns * l->taps);
    int64_t column = row / (rows / l->groups) * columns + at / l->taps % columns;
    *output = transposed ? column : row;
    *input = transposed ? row : column;
}

static enum pare_status parameters_begin(struct context *ctx, struct arena *scratch, const struct linear *l,
                                         struct parameters *p) {
    const struct tensor *weight = l->node->inputs[1]->constant;
    const struct value *bias = node_input(l->node, 2);
    TRY(tensor_new(ctx, l->node->graph->arena, DTYPE_FLOAT, &weight->shape, &p->weight));
    p->bias = ARENA_ARRAY(scratch, (size_t)l->outputs, double);
    if (p->bias == NULL) {
        return fail_memory(ctx);
    }
    for (int64_t o = 0; o < l->outputs; o++) {
        p->bias[o] = bias == NULL ? 0 : tensor_get_double(bias->constant, (size_t)o);
    }
    return PARE_OK;
}

static bool parameters_are_finite(const struct linear *l, const struct parameters *p) {
    const float *w = p->weight.data;
    bool finite = true;
    for (size_t i = 0; i < tensor_count(&p->weight); i++) {
        finite = finite && isfinite(w[i]);
    }
    for (int64_t o = 0; o < l->outputs; o++) {
        finite = finite && isfinite((float)p->bias[o]);
    }
    return finite;
}

/* Writes the parameters back; a bias that was absent and is zero stays absent. */
static enum pare_status parameters_end(struct context *ctx, struct linear *l, const struct parameters *p) {
    struct tensor bias;
    bool needed = node_input(l->node, 2) != NULL;
    TRY(tensor_new(ctx, l->node->graph->arena, DTYPE_FLOAT, &(struct shape){.rank = 1, .dim = {l->outputs}}, &bias));
    for (int64_t o = 0; o < l->outputs; o++) {
        ((float *)bias.data)[o] = (float)p->bias[o];
        needed = needed || p->bias[o] != 0;
    }
    TRY(set_constant(ctx, l->node, 1, "weight", &p->weight));
    return needed ? set_constant(ctx, l->node, 2, "bias", &bias) : PARE_OK;
}

static void scale_outputs(const struct linear *l, const float *weight, const struct affine *f, struct parameters *p) {
    float *scaled = p->weight.data;
    int64_t count = (int64_t)tensor_count(&p->weight), output, input;
    for (int64_t at = 0; at < count; at++) {
        channels_of(l, at, &output, &input);
        scaled[at] = (float)((double)weight[at] * f->scale[output]);
    }
    for (int64_t o = 0; o < l->outputs; o++) {
        p->bias[o] = p->bias[o] * f->scale[o] + f->shift[o];
    }
}

static void scale_inputs(const struct linear *l, const float *weight, const struct affine *f, struct parameters *p) {
    float *scaled = p->weight.data;
    int64_t count = (int64_t)tensor_count(&p->weight), output, input;
    for (int64_t at = 0; at < count; at++) {
        channels_of(l, at, &output, &input);
        scaled[at] = (float)((double)weight[at] * f->scale[input]);
        p->bias[output] += (double)weight[at] * f->shift[input];
    }
}

typedef void absorb_function(const struct linear *l, const float *weight, const struct affine *f, struct parameters *p);

static enum pare_status absorb(struct context *ctx, struct linear *l, const struct affine *f, absorb_function *scale,
                               bool *done) {
    struct arena scratch;
    struct parameters p;
    arena_init(&scratch);
    enum pare_status status = parameters_begin(ctx, &scratch, l, &p);
    if (status == PARE_OK) {
        scale(l, l->node->inputs[1]->constant->data, f, &p);
        *done = parameters_are_finite(l, &p);
        status = *done ? parameters_end(ctx, l, &p) : PARE_OK;
    }
    arena_free(&scratch);
    return status;
}

enum pare_status linear_absorb_after(struct context *ctx, struct linear *l, const struct affine *f, bool *done) {
    return absorb(ctx, l, f, scale_outputs, done);
}

enum pare_status linear_absorb_before(struct context *ctx, struct linear *l, const struct affine *f, bool *done) {
    return absorb(ctx, l, f, scale_inputs, done);
}
