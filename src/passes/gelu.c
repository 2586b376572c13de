/* Gelu written out as arithmetic becomes one node (Hendrycks and Gimpel, "Gaussian Error Linear Units").
 *
 *   x / sqrt(2) ─▶ Erf ─▶ Add 1 ─▶ Mul x ─▶ Mul 1/2                                  ⇒  Gelu
 *   (x + 0.044715 x^3) * sqrt(2 / pi) ─▶ Tanh ─▶ Add 1 ─▶ Mul x ─▶ Mul 1/2           ⇒  Gelu, approximate "tanh"
 *
 * The factors of a product may stand in any order.
 *
 * requires: nothing.
 * guarantees: none of these patterns whose inner values nobody else reads. */
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

#include <math.h>

#define FACTORS_MAX 3
#define DEPTH_MAX 5

/* Exporters write constants with four digits and more. */
static bool nearly(double a, double b) {
    return fabs(a - b) <= 2e-5 * fabs(b);
}

/* A tree of Mul, and of Div by scalars, as a scalar and the values that are no scalars. */
struct product {
    double scale;
    struct value *factors[FACTORS_MAX];
    int count; /* above FACTORS_MAX: too many */
};

static void multiply_by(struct product *p, struct value *v, bool inner, int depth) {
    double scalar;
    const struct node *n = v->producer;
    bool opens = depth > 0 && (!inner || value_single_user(v) != NULL);
    if (value_scalar(v, &scalar)) {
        p->scale *= scalar;
    } else if (opens && node_is(n, "Mul")) {
        multiply_by(p, n->inputs[0], true, depth - 1);
        multiply_by(p, n->inputs[1], true, depth - 1);
    } else if (opens && node_is(n, "Div") && value_scalar(n->inputs[1], &scalar) && scalar != 0) {
        p->scale /= scalar;
        multiply_by(p, n->inputs[0], true, depth - 1);
    } else if (p->count++ < FACTORS_MAX) {
        p->factors[p->count - 1] = v;
    }
}

static struct product product_of(struct value *v, bool inner) {
    struct product p = {.scale = 1};
    multiply_by(&p, v, inner, DEPTH_MAX);
    return p;
}

/* Whether v is scale * x. */
static bool is_scaled(struct value *v, const struct value *x, double scale) {
    struct product p = product_of(v, true);
    return p.count == 1 && p.factors[0] == x && nearly(p.scale, scale);
}

/* Whether v is 0.044715 x^3. */
static bool is_cubic_term(struct value *v, const struct value *x) {
    double exponent;
    struct product p = product_of(v, true);
    const struct node *pow = p.factors[0] == NULL ? NULL : p.factors[0]->producer;
    bool power = p.count == 1 && pow != NULL && node_is(pow, "Pow") && value_single_user(p.factors[0]) != NULL &&
                 pow->inputs[0] == x && value_scalar(pow->inputs[1], &exponent) && exponent == 3;
    bool cube = p.count == 3 && p.factors[0] == x && p.factors[1] == x && p.factors[2] == x;
    return (power || cube) && nearly(p.scale, 0.044715);
}

/* Whether v is sqrt(2 / pi) * (x + 0.044715 x^3). */
static bool is_tanh_argument(struct value *v, const struct value *x) {
    struct product p = product_of(v, true);
    const struct node *sum = p.count == 1 ? p.factors[0]->producer : NULL;
    if (sum == NULL || !node_is(sum, "Add") || value_single_user(p.factors[0]) == NULL ||
        !nearly(p.scale, 0.79788456080286535588)) {
        return false;
    }
    return (sum->inputs[0] == x && is_cubic_term(sum->inputs[1], x)) ||
           (sum->inputs[1] == x && is_cubic_term(sum->inputs[0], x));
}

/* The Erf or Tanh where v is 1 + it and nobody else reads either, else NULL. */
static const struct node *function_beside_one(const struct value *v) {
    double one;
    const struct node *add = v->producer;
    for (int i = 0; node_is(add, "Add") && value_single_user(v) != NULL && i < 2; i++) {
        const struct value *y = add->inputs[1 - i];
        bool function = node_is(y->producer, "Erf") || node_is(y->producer, "Tanh");
        if (value_scalar(add->inputs[i], &one) && one == 1 && function && value_single_user(y) != NULL) {
            return y->producer;
        }
    }
    return NULL;
}

/* x where `n` computes Gelu of it, else NULL. */
static struct value *gelu_source(const struct node *n, bool *by_tanh) {
    struct product p = product_of(n->outputs[0], false);
    for (int i = 0; p.count == 2 && nearly(p.scale, 0.5) && i < 2; i++) {
        struct value *x = p.factors[1 - i];
        const struct node *function = function_beside_one(p.factors[i]);
        *by_tanh = node_is(function, "Tanh");
        if (function != NULL && (*by_tanh ? is_tanh_argument(function->inputs[0], x)
                                          : is_scaled(function->inputs[0], x, 0.70710678118654752440))) {
            return x;
        }
    }
    return NULL;
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    (void)scratch;
    bool by_tanh = false;
    struct value *x = node_is(n, "Mul") || node_is(n, "Div") ? gelu_source(n, &by_tanh) : NULL;
    if (x == NULL || !value_is_float(x) || x->rank != n->outputs[0]->rank) {
        return PARE_OK;
    }
    ++*changes;
    TRY(node_become(ctx, n, "Gelu", &x, 1));
    return by_tanh ? node_set_string(ctx, n, "approximate", "tanh") : PARE_OK;
}

enum pare_status pass_gelu(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
