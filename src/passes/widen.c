/* Roundings to float16 and bfloat16 go, for a network that is to be quantised: it gets widths of its own.
 *
 * requires: inferred shapes. guarantees: no Cast of float32 to half precision that is cast back. Not part of the
 * standard pipeline. */
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *back, int *changes) {
    const struct node *there = input_producer(back, 0);
    (void)scratch;
    if (!node_is(back, "Cast") || !node_is(there, "Cast") || back->outputs[0]->type != DTYPE_FLOAT ||
        there->inputs[0]->type != DTYPE_FLOAT) {
        return PARE_OK;
    }
    enum dtype type = there->outputs[0]->type;
    if (type != DTYPE_FLOAT16 && type != DTYPE_BFLOAT16) {
        return PARE_OK;
    }
    ++*changes;
    return node_bypass(ctx, back, there->inputs[0]);
}

enum pare_status pass_widen(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
