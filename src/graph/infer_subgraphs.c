/* Inference within the subgraphs of a node, and between them and the node. */
#include "graph/infer.h"

static void set_missing_type(struct value *v, enum dtype type) {
    v->type = v->type == DTYPE_NONE ? type : v->type;
}

/* Where a body does not declare its inputs, the node's tell their types: of the states that a Loop hands on behind the
 * number of the iteration and its condition, and of all that a Scan does. */
static void bind_inputs(const struct node *n, struct graph *body) {
    int first = node_is(n, "Loop") ? 2 : 0;
    if (!node_is(n, "Loop") && !node_is(n, "Scan")) {
        return;
    }
    for (int i = first; i < n->input_count && i < body->input_count; i++) {
        set_missing_type(body->inputs[i], n->inputs[i] == NULL ? DTYPE_NONE : n->inputs[i]->type);
    }
    if (first == 2 && body->input_count >= 2) {
        set_missing_type(body->inputs[0], DTYPE_INT64);
        set_missing_type(body->inputs[1], DTYPE_BOOL);
    }
}

/* A branch that contradicts what is known around it is not taken: that it guards against. */
enum pare_status infer_subgraphs(struct context *ctx, const struct node *n) {
    for (int i = 0; i < n->attr_count; i++) {
        if (n->attrs[i].type != ATTR_GRAPH) {
            continue;
        }
        bind_inputs(n, n->attrs[i].graph);
        enum pare_status status = graph_infer(ctx, n->attrs[i].graph);
        if (status == PARE_ERROR_INPUT && node_is(n, "If")) {
            context_clear(ctx);
            status = PARE_OK;
        }
        TRY(status);
    }
    return PARE_OK;
}

void infer_branch_types(const struct node *n) {
    for (int i = 0; i < n->attr_count && node_is(n, "If"); i++) {
        const struct graph *branch = n->attrs[i].type == ATTR_GRAPH ? n->attrs[i].graph : NULL;
        for (int k = 0; branch != NULL && k < branch->output_count && k < n->output_count; k++) {
            set_missing_type(branch->outputs[k], n->outputs[k] == NULL ? DTYPE_NONE : n->outputs[k]->type);
        }
    }
}
