/* NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss over scores [N, C, places] and classes [N, places]. */
#include "float/kernels.h"

#include <math.h>
#include <string.h>

struct scores {
    size_t batch, classes, places;
};

static struct scores scores_of(const struct float_call *c) {
    const struct shape *s = &c->inputs[0]->shape;
    return (struct scores){(size_t)s->dim[0], (size_t)s->dim[1], dims_product(s, 2, s->rank)};
}

/* The weight of the class at a place, 0 where it is to be ignored. */
static enum pare_status weight_at(struct float_call *c, const struct scores *s, size_t i, size_t *class,
                                  double *weight) {
    int64_t target = tensor_get_int(c->inputs[1], i);
    const struct tensor *weights = call_input(c, 2);
    *class = 0;
    *weight = 0.0;
    if (node_attr(c->node, "ignore_index") != NULL && target == node_int(c->node, "ignore_index")) {
        return PARE_OK;
    }
    if (target < 0 || (size_t)target >= s->classes) {
        return fail(c->ctx, PARE_ERROR_INPUT, "class %lld at place %zu is not below %zu", (long long)target, i,
                    s->classes);
    }
    *class = (size_t)target;
    *weight = weights != NULL ? tensor_get_double(weights, *class) : 1.0;
    return PARE_OK;
}

/* `log_scores` as the scores are laid out. */
static enum pare_status lose(struct float_call *c, const struct scores *s, const double *log_scores) {
    const char *reduction = node_string(c->node, "reduction");
    bool each = strcmp(reduction, "none") == 0, mean = strcmp(reduction, "mean") == 0;
    double sum = 0.0, weights = 0.0;
    for (size_t i = 0; i < s->batch * s->places; i++) {
        size_t class = 0;
        double weight = 0.0;
        TRY(weight_at(c, s, i, &class, &weight));
        double score = log_scores[(i / s->places * s->classes + class) * s->places + i % s->places];
        double loss = weight != 0.0 ? -score * weight : 0.0;
        if (each) {
            tensor_set_double(&c->outputs[0], i, loss);
        }
        sum += loss;
        weights += weight;
    }
    if (!each) {
        tensor_set_double(&c->outputs[0], 0, mean ? sum / weights : sum);
    }
    return PARE_OK;
}

enum pare_status float_negative_log_likelihood_loss(struct float_call *c) {
    struct scores s = scores_of(c);
    double *x = NULL;
    TRY(call_doubles(c, 0, &x));
    return lose(c, &s, x);
}

/* Logarithm of the softmax over the classes of one place. */
static void log_softmax(double *x, size_t classes, size_t stride) {
    double largest = -(double)INFINITY, sum = 0.0;
    for (size_t k = 0; k < classes; k++) {
        largest = fmax(largest, x[k * stride]);
    }
    for (size_t k = 0; k < classes; k++) {
        sum += exp(x[k * stride] - largest);
    }
    for (size_t k = 0; k < classes; k++) {
        x[k * stride] -= largest + log(sum);
    }
}

enum pare_status float_softmax_cross_entropy_loss(struct float_call *c) {
    struct scores s = scores_of(c);
    double *x = NULL;
    TRY(call_doubles(c, 0, &x));
    for (size_t i = 0; i < s.batch * s.places; i++) {
        log_softmax(x + i / s.places * s.classes * s.places + i % s.places, s.classes, s.places);
    }
    for (size_t i = 0; call_wants(c, 1) && i < s.batch * s.classes * s.places; i++) {
        tensor_set_double(&c->outputs[1], i, x[i]);
    }
    return lose(c, &s, x);
}
