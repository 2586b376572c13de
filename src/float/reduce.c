/* Reductions over axes: each input element is brought into the result that its kept axes point to, in order. */
#include "float/extremes.h"
#include "float/pairs.h"
#include "float/strided.h"
#include "graph/axes.h"

#include <math.h>

/* An operator: how results begin, take in an element, and end. Integers have a way of their own where `integer_step` is
 * given, else they go through double and are cut. */
struct reducer {
    double initial;
    real_function *step;
    real_function *finish; /* of the result and the number of its terms; NULL: as it is */
    integer_function *integer_step;
    int64_t integer_initial;
    bool ordered; /* integers are compared, not added up: as keys */
};

/* Where each input element goes. */
struct targets {
    int64_t stride[1][TENSOR_MAX_RANK]; /* of the results, 0 where an axis is reduced */
    double terms;
};

static enum pare_status find_targets(struct float_call *c, struct targets *t) {
    const struct shape *shape = &c->inputs[0]->shape;
    int64_t *axes;
    int axis_count;
    bool reduced[TENSOR_MAX_RANK];
    TRY(call_integers(c, 1, &axes, &axis_count));
    TRY(axes_of_reduce(c->ctx, c->node, axes, axis_count, shape->rank, reduced));
    int64_t stride = 1, terms = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        t->stride[0][i] = reduced[i] ? 0 : stride;
        *(reduced[i] ? &terms : &stride) *= shape->dim[i];
    }
    t->terms = (double)terms;
    return PARE_OK;
}

/* ---- float32 sums, the usual case ---- */

struct sums {
    const struct shape *shape;
    const int64_t *stride;
    const float *next; /* input element */
};

static void add_axis(struct sums *s, int axis, double *sum) {
    if (axis == s->shape->rank) {
        *sum += (double)*s->next++;
        return;
    }
    int64_t length = s->shape->dim[axis], stride = s->stride[axis];
    if (axis < s->shape->rank - 1) {
        for (int64_t i = 0; i < length; i++) {
            add_axis(s, axis + 1, sum + i * stride);
        }
        return;
    }
    for (int64_t i = 0; i < length; i++) {
        sum[i * stride] += (double)s->next[i];
    }
    s->next += length;
}

static double add(double sum, double x) {
    return sum + x;
}

/* ---- any type, any operator ---- */

static void reduce_elements(const struct tensor *in, struct targets *t, real_function *step, double *results) {
    int64_t index[TENSOR_MAX_RANK] = {0}, at = 0;
    for (size_t i = 0, count = tensor_count(in); i < count; i++) {
        results[at] = step(results[at], tensor_get_double(in, i));
        strided_advance(&in->shape, index, 1, t->stride, &at);
    }
}

static enum pare_status make_results(struct float_call *c, double initial, double **results) {
    size_t count = tensor_count(&c->outputs[0]);
    *results = call_scratch(c, count, sizeof **results);
    for (size_t i = 0; *results != NULL && i < count; i++) {
        (*results)[i] = initial;
    }
    return *results != NULL ? PARE_OK : PARE_ERROR_MEMORY;
}

static void store_results(struct float_call *c, real_function *finish, double terms, const double *results) {
    struct tensor *out = &c->outputs[0];
    bool real = dtype_is_float(out->type);
    for (size_t i = 0, count = tensor_count(out); i < count; i++) {
        double y = finish != NULL ? finish(results[i], terms) : results[i];
        tensor_set_double(out, i, real ? y : trunc(y));
    }
}

static enum pare_status reduce_reals(struct float_call *c, const struct reducer *r) {
    const struct tensor *in = c->inputs[0];
    struct targets t;
    double *results = NULL;
    TRY(find_targets(c, &t));
    TRY(make_results(c, r->initial, &results));
    if (in->type == DTYPE_FLOAT && r->step == add && tensor_count(in) > 0) {
        add_axis(&(struct sums){&in->shape, t.stride[0], in->data}, 0, results);
    } else {
        reduce_elements(in, &t, r->step, results);
    }
    store_results(c, r->finish, t.terms, results);
    return PARE_OK;
}

static enum pare_status reduce_integers(struct float_call *c, const struct reducer *r) {
    const struct tensor *in = c->inputs[0];
    struct tensor *out = &c->outputs[0];
    struct targets t;
    TRY(find_targets(c, &t));
    int64_t index[TENSOR_MAX_RANK] = {0}, at = 0, *results = call_scratch(c, tensor_count(out), sizeof *results);
    if (results == NULL) {
        return PARE_ERROR_MEMORY;
    }
    for (size_t i = 0; i < tensor_count(out); i++) {
        results[i] = r->integer_initial;
    }
    for (size_t i = 0, count = tensor_count(in); i < count; i++) {
        int64_t x = integer_load(in, i);
        results[at] = r->integer_step(results[at], r->ordered ? integer_key(x, in->type) : x);
        strided_advance(&in->shape, index, 1, t.stride, &at);
    }
    for (size_t i = 0; i < tensor_count(out); i++) {
        if (r->ordered && out->type != DTYPE_UINT64) {
            tensor_set_int(out, i, results[i]); /* of nothing: the end of the type's range */
        } else {
            integer_store(out, i, r->ordered ? integer_key(results[i], out->type) : results[i]);
        }
    }
    return PARE_OK;
}

static enum pare_status reduce(struct float_call *c, const struct reducer *r) {
    enum dtype type = c->inputs[0]->type;
    if (dtype_is_float(type) || r->integer_step == NULL) {
        return reduce_reals(c, r);
    }
    return type == DTYPE_BOOL && !r->ordered ? call_refuse_type(c, type) : reduce_integers(c, r);
}

/* ---- the operators ---- */

static double multiply(double product, double x) {
    return product * x;
}

static double add_absolute(double sum, double x) {
    return sum + fabs(x);
}

static int64_t integer_add_absolute(int64_t sum, int64_t x) {
    return integer_add(sum, x < 0 ? integer_subtract(0, x) : x);
}

static double add_square(double sum, double x) {
    return sum + x * x;
}

static int64_t integer_add_square(int64_t sum, int64_t x) {
    return integer_add(sum, integer_multiply(x, x));
}

static double mean(double sum, double terms) {
    return sum / terms;
}

static double root(double sum, double terms) {
    (void)terms;
    return sqrt(sum);
}

static double logarithm(double sum, double terms) {
    (void)terms;
    return log(sum);
}

enum pare_status float_reduce_sum(struct float_call *c) {
    return reduce(c, &(struct reducer){.step = add, .integer_step = integer_add});
}

enum pare_status float_reduce_mean(struct float_call *c) {
    return reduce(c, &(struct reducer){.step = add, .finish = mean});
}

enum pare_status float_reduce_prod(struct float_call *c) {
    return reduce(c, &(struct reducer){1.0, multiply, NULL, integer_multiply, 1, false});
}

enum pare_status float_reduce_max(struct float_call *c) {
    return reduce(c, &(struct reducer){-(double)INFINITY, larger, NULL, integer_larger, INT64_MIN, true});
}

enum pare_status float_reduce_min(struct float_call *c) {
    return reduce(c, &(struct reducer){(double)INFINITY, smaller, NULL, integer_smaller, INT64_MAX, true});
}

enum pare_status float_reduce_l1(struct float_call *c) {
    return reduce(c, &(struct reducer){.step = add_absolute, .integer_step = integer_add_absolute});
}

enum pare_status float_reduce_l2(struct float_call *c) {
    return reduce(c, &(struct reducer){.step = add_square, .finish = root});
}

enum pare_status float_reduce_sum_square(struct float_call *c) {
    return reduce(c, &(struct reducer){.step = add_square, .integer_step = integer_add_square});
}

enum pare_status float_reduce_log_sum(struct float_call *c) {
    return reduce(c, &(struct reducer){.step = add, .finish = logarithm});
}

/* log(sum(exp(x))) = m + log(sum(exp(x - m))), m being the largest element. */
enum pare_status float_reduce_log_sum_exp(struct float_call *c) {
    const struct tensor *in = c->inputs[0];
    struct targets t;
    double *most = NULL, *sums = NULL;
    TRY(find_targets(c, &t));
    TRY(make_results(c, -(double)INFINITY, &most));
    TRY(make_results(c, 0.0, &sums));
    reduce_elements(in, &t, larger, most);
    int64_t index[TENSOR_MAX_RANK] = {0}, at = 0;
    for (size_t i = 0, count = tensor_count(in); i < count; i++) {
        sums[at] += isinf(most[at]) ? exp(tensor_get_double(in, i)) : exp(tensor_get_double(in, i) - most[at]);
        strided_advance(&in->shape, index, 1, t.stride, &at);
    }
    for (size_t i = 0, count = tensor_count(&c->outputs[0]); i < count; i++) {
        sums[i] = log(sums[i]) + (isinf(most[i]) ? 0.0 : most[i]);
    }
    store_results(c, NULL, t.terms, sums);
    return PARE_OK;
}
