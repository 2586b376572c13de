/* Relu and Clip with constant bounds are intervals: consecutive ones become one, and those that change nothing go.
 *
 * requires: nothing.
 * guarantees: no interval reads one that has no other user; no Relu of values that cannot be negative. */
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

#include <float.h>
#include <math.h>

/* Values looked at for one question about signs. */
#define MAX_LOOKS 64

struct interval {
    double low, high;
};

static bool read_interval(const struct node *n, struct interval *out) {
    *out = (struct interval){node_is(n, "Relu") ? 0 : -INFINITY, INFINITY};
    if (!node_is(n, "Clip")) {
        return node_is(n, "Relu");
    }
    const struct value *low = node_input(n, 1), *high = node_input(n, 2);
    bool known = (low == NULL || value_scalar(low, &out->low)) && (high == NULL || value_scalar(high, &out->high));
    out->low = out->low <= -(double)FLT_MAX ? -INFINITY : out->low;
    out->high = out->high >= (double)FLT_MAX ? INFINITY : out->high;
    return known && value_is_float(n->inputs[0]) && out->low <= out->high;
}

static bool constant_not_negative(const struct tensor *t) {
    size_t i = 0, count = tensor_count(t);
    while (i < count && tensor_get_double(t, i) >= 0) {
        i++;
    }
    return i == count;
}

static bool is_not_negative(const struct value *v, int *looks);

static bool inputs_not_negative(const struct node *n, int count, int *looks) {
    int i = 0;
    while (i < count && is_not_negative(n->inputs[i], looks)) {
        i++;
    }
    return i == count;
}

/* False when it is not known. */
static bool is_not_negative(const struct value *v, int *looks) {
    static const char *const sources[] = {"Relu", "Sigmoid", "HardSigmoid", "Softmax", NULL};
    static const char *const keepers[] = {"MaxPool",    "GlobalMaxPool", "AveragePool", "GlobalAveragePool",
                                          "Reshape",    "Flatten",       "Squeeze",     "Unsqueeze",
                                          "Transpose",  "Slice",         "Identity",    "Dropout",
                                          "ReduceMean", "Gather",        "Split",       NULL};
    struct interval interval;
    if (value_is_constant(v)) {
        return constant_not_negative(v->constant);
    }
    const struct node *n = v->producer;
    if (n == NULL || v->producer_index != 0 || ++*looks > MAX_LOOKS) {
        return false;
    }
    if (node_is_any(n, sources) || (read_interval(n, &interval) && interval.low >= 0)) {
        return true;
    }
    if (node_is(n, "Add") || node_is(n, "Mul")) {
        return inputs_not_negative(n, 2, looks);
    }
    return node_is(n, "Concat") ? inputs_not_negative(n, n->input_count, looks)
                                : node_is_any(n, keepers) && inputs_not_negative(n, 1, looks);
}

bool value_is_not_negative(const struct value *v) {
    int looks = 0;
    return is_not_negative(v, &looks);
}

static double bounded(double v, const struct interval *by) {
    return fmin(fmax(v, by->low), by->high);
}

static enum pare_status become_interval(struct context *ctx, struct node *n, struct value *from,
                                        const struct interval *interval) {
    struct value *inputs[3] = {from, NULL, NULL};
    if (interval->low == 0 && interval->high == INFINITY) {
        return node_become(ctx, n, "Relu", inputs, 1);
    }
    if (interval->low > -INFINITY) {
        TRY(add_scalar(ctx, n, "min", interval->low, &inputs[1]));
    }
    if (interval->high < INFINITY) {
        TRY(add_scalar(ctx, n, "max", interval->high, &inputs[2]));
    }
    return node_become(ctx, n, "Clip", inputs, inputs[2] == NULL ? 2 : 3);
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    (void)scratch;
    struct interval outer, inner;
    if (!read_interval(n, &outer)) {
        return PARE_OK;
    }
    struct value *from = n->inputs[0];
    if (outer.low <= 0 && outer.high == INFINITY && value_is_not_negative(from) && node_can_bypass(n, from)) {
        ++*changes;
        return node_bypass(ctx, n, from);
    }
    const struct node *before = from->producer;
    if (value_single_user(from) != NULL && read_interval(before, &inner)) {
        struct interval both = {bounded(inner.low, &outer), bounded(inner.high, &outer)};
        ++*changes;
        return become_interval(ctx, n, before->inputs[0], &both);
    }
    if (node_is(n, "Clip") && outer.low == 0 && outer.high == INFINITY) {
        ++*changes;
        return node_become(ctx, n, "Relu", &from, 1);
    }
    return PARE_OK;
}

enum pare_status pass_relu_clip(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
