/* HardSigmoid and HardSwish written out as arithmetic become one node (Howard et al. 2019, section 5.2).
 *
 *   x ─▶ Add 3 ─▶ Clip 0..6 ─▶ Div 6                 ⇒  HardSigmoid, alpha 1/6, beta 1/2
 *   x * (that), or x * (the Clip) / 6                ⇒  HardSwish
 *
 * requires: nothing.
 * guarantees: none of these patterns whose inner values nobody else reads. */
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

#include <math.h>

static bool nearly(double a, double b) {
    return fabs(a - b) <= 1e-6 * fabs(b);
}

/* The other operand when one of them is a scalar near `v`; a division only by it. */
static struct value *operand_beside(const struct node *n, double v) {
    double scalar;
    if (value_scalar(n->inputs[1], &scalar) && nearly(scalar, v)) {
        return n->inputs[0];
    }
    return !node_is(n, "Div") && value_scalar(n->inputs[0], &scalar) && nearly(scalar, v) ? n->inputs[1] : NULL;
}

/* x where `v` is Clip(x + 3, 0, 6) and nobody else reads its parts, else NULL. */
static struct value *clipped_source(const struct value *v) {
    double low, high;
    const struct node *clip = v->producer;
    if (!node_is(clip, "Clip") || value_single_user(v) == NULL || !value_scalar(node_input(clip, 1), &low) ||
        !value_scalar(node_input(clip, 2), &high) || low != 0 || high != 6) {
        return NULL;
    }
    const struct node *add = input_producer(clip, 0);
    return node_is(add, "Add") && value_single_user(clip->inputs[0]) != NULL ? operand_beside(add, 3) : NULL;
}

/* The numerator of v / 6, or NULL. */
static struct value *sixth_of(const struct node *n) {
    if (node_is(n, "Div")) {
        return operand_beside(n, 6);
    }
    return node_is(n, "Mul") ? operand_beside(n, 1.0 / 6) : NULL;
}

static bool is_hard_sigmoid_of(const struct value *v, const struct value *x) {
    const struct node *n = v->producer;
    return node_is(n, "HardSigmoid") && n->inputs[0] == x && value_single_user(v) != NULL &&
           nearly((double)node_float(n, "alpha"), 1.0 / 6) && node_float(n, "beta") == 0.5f;
}

/* x where `n` is x * Clip(x + 3, 0, 6), else NULL. */
static struct value *swish_numerator(const struct node *n) {
    for (int i = 0; node_is(n, "Mul") && i < 2; i++) {
        struct value *x = clipped_source(n->inputs[i]);
        if (x != NULL && n->inputs[1 - i] == x) {
            return x;
        }
    }
    return NULL;
}

/* x where `n` computes HardSwish of x, else NULL. */
static struct value *swish_source(const struct node *n) {
    for (int i = 0; node_is(n, "Mul") && i < 2; i++) {
        if (is_hard_sigmoid_of(n->inputs[i], n->inputs[1 - i])) {
            return n->inputs[1 - i];
        }
    }
    const struct value *numerator = sixth_of(n);
    return numerator == NULL || value_single_user(numerator) == NULL ? NULL : swish_numerator(numerator->producer);
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    (void)scratch;
    struct value *x = swish_source(n);
    if (x != NULL && value_is_float(x) && x->rank == n->outputs[0]->rank) {
        ++*changes;
        return node_become(ctx, n, "HardSwish", &x, 1);
    }
    const struct value *clip = sixth_of(n);
    x = clip == NULL ? NULL : clipped_source(clip);
    if (x == NULL || !value_is_float(x) || x->rank != n->outputs[0]->rank) {
        return PARE_OK;
    }
    ++*changes;
    TRY(node_become(ctx, n, "HardSigmoid", &x, 1));
    TRY(node_set_float(ctx, n, "alpha", 1.0f / 6));
    return node_set_float(ctx, n, "beta", 0.5f);
}

enum pare_status pass_hard_activation(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
