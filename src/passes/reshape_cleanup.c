/* Chains of Reshape, Flatten, Squeeze and Unsqueeze become one, and a Reshape whose result is known gets a constant
 * target, whatever shape arithmetic led to it.
 *
 * requires: inferred shapes.
 * guarantees: no Reshape with a computed target where at most one dimension is unknown; no reshape of a reshape. */
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

static const char *const reshapes[] = {"Reshape", "Flatten", "Squeeze", "Unsqueeze", NULL};

bool reshape_target(const struct value *from, const struct value *to, struct int_list *target) {
    bool inferred = false;
    if (to->rank < 0) {
        return false;
    }
    target->count = to->rank;
    for (int i = 0; i < to->rank; i++) {
        const struct dim *d = &to->dims[i];
        if (d->value > 0) {
            target->at[i] = d->value;
        } else if (d->value < 0 && i < from->rank && same_dim(&from->dims[i], d)) {
            target->at[i] = 0;
        } else if (d->value < 0 && !inferred) {
            target->at[i] = -1;
            inferred = true;
        } else {
            return false;
        }
    }
    return true;
}

enum pare_status become_reshape(struct context *ctx, struct node *n, struct value *from,
                                const struct int_list *target) {
    struct value *inputs[2] = {from, NULL};
    TRY(add_int_constant(ctx, n, "shape", target->at, target->count, &inputs[1]));
    return node_become(ctx, n, "Reshape", inputs, 2);
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    (void)scratch;
    if (!node_is_any(n, reshapes)) {
        return PARE_OK;
    }
    struct node *before = input_producer(n, 0);
    bool chained = node_is_any(before, reshapes);
    struct value *from = chained ? before->inputs[0] : n->inputs[0];
    bool computed = node_is(n, "Reshape") && !value_is_constant(n->inputs[1]);
    struct int_list target;
    if ((!chained && !computed) || !reshape_target(from, n->outputs[0], &target)) {
        return PARE_OK;
    }
    ++*changes;
    return become_reshape(ctx, n, from, &target);
}

enum pare_status pass_reshape_cleanup(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
