#include "quant/rules.h"

#include <math.h>

extern const struct rule rule_none, rule_pass, rule_clip, rule_conv, rule_conv_transpose, rule_gemm, rule_matmul,
    rule_prelu, rule_add, rule_mul, rule_concat, rule_max_pool, rule_average_pool, rule_reduce_mean, rule_table,
    rule_transpose, rule_slice, rule_split, rule_pad, rule_gather, rule_resize;

const struct rule *const rules[OP_COUNT] = {
#define OP(name, in_min, in_max, out_min, out_max, attrs, infer, kernel, rule) [OP_##name] = &rule_##rule,
#include "graph/ops.def"
#undef OP
};

const struct rule rule_none = {.format = RULE_FLOAT};

const struct rule *rule_of(const struct node *n) {
    if (n->input_count == 0 || n->inputs[0] == NULL || n->inputs[0]->type != DTYPE_FLOAT) {
        return &rule_none;
    }
    const struct rule *r = rules[n->op->id];
    while (r->applies != NULL && !r->applies(n)) {
        r = r->otherwise == NULL ? &rule_none : r->otherwise;
    }
    return r;
}

/* A missing bound is infinite; false where a bound is computed at run time. */
static bool clip_bounds(const struct node *n, double *low, double *high) {
    *low = -INFINITY;
    *high = INFINITY;
    if (n->op->id == OP_Relu) {
        *low = 0;
        return true;
    }
    return (n->input_count < 2 || n->inputs[1] == NULL || value_scalar(n->inputs[1], low)) &&
           (n->input_count < 3 || n->inputs[2] == NULL || value_scalar(n->inputs[2], high));
}

bool rule_is_bounds(const struct node *n) {
    double low = 0, high = 0;
    return (n->op->id == OP_Relu || n->op->id == OP_Clip) && clip_bounds(n, &low, &high) && low <= high;
}

struct value *rule_result(const struct node *n, double *low, double *high) {
    struct value *v = n->outputs[0];
    *low = -INFINITY;
    *high = INFINITY;
    if (rule_is_bounds(n)) {
        clip_bounds(n, low, high);
    }
    if (!rule_of(n)->absorbs_bounds) {
        return v;
    }
    for (const struct node *user = value_single_user(v); user != NULL && rule_is_bounds(user) && user->inputs[0] == v;
         user = value_single_user(v)) {
        double l = 0, h = 0;
        clip_bounds(user, &l, &h);
        *low = fmin(fmax(*low, l), h); /* what Clip(l, h) makes of the bounds so far */
        *high = fmin(fmax(*high, l), h);
        v = user->outputs[0];
    }
    return v;
}

/* ---- sums of convolutions ---- */

/* Whether operand `i` of Add `n` is a convolution that nobody else reads and that is not rounded by itself. */
static bool takes_sums(const struct node *n, int i) {
    const struct value *v = n->inputs[i], *other = n->inputs[1 - i];
    return v->producer != NULL && v->format == NULL && value_single_user(v) == n &&
           rule_of(v->producer) == &rule_conv && !value_is_constant(other) && other->type == DTYPE_FLOAT &&
           value_same_shape(v, other);
}

static int operand_with_sums(const struct node *n) {
    if (n->op->id != OP_Add || rule_of(n) != &rule_add) {
        return -1;
    }
    return takes_sums(n, 1) ? 1 : takes_sums(n, 0) ? 0 : -1;
}

struct node *rule_conv_of_sum(const struct node *n) {
    int i = operand_with_sums(n);
    return i < 0 ? NULL : n->inputs[i]->producer;
}

struct node *rule_sum_of_conv(const struct node *n) {
    struct node *user = n->op->id == OP_Conv ? value_single_user(n->outputs[0]) : NULL;
    return user != NULL && rule_conv_of_sum(user) == n ? user : NULL;
}

struct value *rule_addend(const struct node *sum) {
    return sum->inputs[1 - operand_with_sums(sum)];
}

bool rule_is_absorbed(const struct node *n) {
    while (rule_is_bounds(n) && n->inputs[0]->producer != NULL && value_single_user(n->inputs[0]) == n) {
        n = n->inputs[0]->producer;
        if (rule_of(n)->absorbs_bounds) {
            return true;
        }
    }
    return false;
}
