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

bool rule_is_absorbed(const struct node *n) {
    while (rule_is_bounds(n) && n->inputs[0]->producer != NULL && value_single_user(n->inputs[0]) == n) {
        n = n->inputs[0]->producer;
        if (rule_of(n)->absorbs_bounds) {
            return true;
        }
    }
    return false;
}
