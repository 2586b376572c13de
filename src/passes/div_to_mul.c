/* A division by a constant that holds only powers of two becomes a multiplication, which is the same number exactly.
 *
 * requires: nothing.
 * guarantees: no Div by constant powers of two. */
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

#include <math.h>

/* Powers of two whose reciprocal is a normal float too. */
static bool holds_powers_of_two(const struct tensor *t) {
    const float *v = t->data;
    size_t i = 0;
    int exponent;
    while (i < tensor_count(t) && isfinite(v[i]) && fabsf(frexpf(v[i], &exponent)) == 0.5f && exponent > -125 &&
           exponent < 127) {
        i++;
    }
    return i == tensor_count(t);
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    (void)scratch;
    if (!node_is(n, "Div") || !value_is_float_constant(n->inputs[1]) || !holds_powers_of_two(n->inputs[1]->constant)) {
        return PARE_OK;
    }
    const struct tensor *divisor = n->inputs[1]->constant;
    struct value *inputs[2] = {n->inputs[0], n->inputs[1]};
    struct tensor reciprocal;
    TRY(tensor_new(ctx, n->graph->arena, DTYPE_FLOAT, &divisor->shape, &reciprocal));
    for (size_t i = 0; i < tensor_count(divisor); i++) {
        ((float *)reciprocal.data)[i] = 1 / ((const float *)divisor->data)[i];
    }
    ++*changes;
    TRY(node_become(ctx, n, "Mul", inputs, 2));
    return set_constant(ctx, n, 1, "reciprocal", &reciprocal);
}

enum pare_status pass_div_to_mul(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
