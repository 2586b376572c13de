/* Nodes and constants that reach no output of the graph go.
 *
 * requires: nothing.
 * guarantees: every node has an output that is read; every constant is read. Inputs of the graph stay. */
#include "passes/passes.h"
#include "passes/pipeline.h"

static bool is_dead(const struct node *n) {
    for (int i = 0; i < n->output_count; i++) {
        if (n->outputs[i] != NULL && n->outputs[i]->use_count > 0) {
            return false;
        }
    }
    return true;
}

enum pare_status pass_dead_code(struct context *ctx, struct graph *g, int *changes) {
    (void)ctx;
    for (struct node *n = g->last, *previous; n != NULL; n = previous) {
        previous = n->previous;
        if (is_dead(n)) {
            graph_remove_node(g, n);
            ++*changes;
        }
    }
    for (int i = g->value_count - 1; i >= 0; i--) {
        struct value *v = g->values[i];
        if (v->use_count == 0 && v->producer == NULL && !v->is_input) {
            graph_remove_value(g, v);
            ++*changes;
        }
    }
    return PARE_OK;
}
