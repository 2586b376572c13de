/* Shapes of If, Loop and Scan: what their subgraphs say, where that is sure to hold. Sizes are found when they run. */
#include "graph/infer.h"

static const struct graph *subgraph(const struct infer_call *c, const char *name) {
    const struct attr *a = node_attr(c->node, name);
    return a != NULL && a->type == ATTR_GRAPH ? a->graph : NULL;
}

static enum pare_status check_counts(const struct infer_call *c, const struct graph *g, int inputs, int outputs) {
    if (g == NULL) {
        return infer_fail(c, "a subgraph is missing");
    }
    bool fits = g->input_count == inputs && g->output_count == outputs;
    return fits ? PARE_OK
                : infer_fail(c, "the subgraph %s has %d inputs and %d outputs, expected %d and %d", g->name,
                             g->input_count, g->output_count, inputs, outputs);
}

/* What both branches say. */
static enum pare_status join_branches(struct infer_call *c, int i, const struct value *a, const struct value *b) {
    enum dtype type = a->type == DTYPE_NONE ? b->type : a->type;
    struct dim dims[TENSOR_MAX_RANK];
    if (a->type != DTYPE_NONE && b->type != DTYPE_NONE && a->type != b->type) {
        return infer_fail(c, "output %d is %s in one branch and %s in the other", i, dtype_name(a->type),
                          dtype_name(b->type));
    }
    for (int k = 0; a->rank == b->rank && k < a->rank; k++) {
        dims[k] = dim_equal(&a->dims[k], &b->dims[k]) ? a->dims[k] : dim_unknown();
    }
    return infer_set_by_kernel(c, i, type, a->rank == b->rank ? a->rank : -1, dims);
}

enum pare_status infer_if(struct infer_call *c) {
    const struct graph *yes = subgraph(c, "then_branch"), *no = subgraph(c, "else_branch");
    TRY(check_counts(c, yes, 0, c->node->output_count));
    TRY(check_counts(c, no, 0, c->node->output_count));
    TRY(infer_check_single(c, 0));
    for (int i = 0; i < c->node->output_count; i++) {
        TRY(join_branches(c, i, yes->outputs[i], no->outputs[i]));
    }
    return PARE_OK;
}

/* A state keeps its type, but may grow. */
static enum pare_status set_state(struct infer_call *c, int output, const struct value *v) {
    return infer_set_by_kernel(c, output, v->type, -1, NULL);
}

/* One result per iteration, stacked along an axis that is found later. */
static enum pare_status set_stacked(struct infer_call *c, int output, const struct value *v) {
    struct dim dims[TENSOR_MAX_RANK + 1];
    for (int i = 0; i <= v->rank; i++) {
        dims[i] = dim_unknown();
    }
    return infer_set_by_kernel(c, output, v->type, v->rank < 0 ? -1 : v->rank + 1, dims);
}

enum pare_status infer_loop(struct infer_call *c) {
    const struct graph *body = subgraph(c, "body");
    int states = c->node->input_count - 2;
    if (states < 0) {
        return infer_fail(c, "at least two inputs are expected");
    }
    TRY(check_counts(c, body, states + 2, c->node->output_count + 1));
    for (int i = 0; i < c->node->output_count; i++) {
        const struct value *v = body->outputs[i + 1];
        TRY(i < states ? set_state(c, i, v) : set_stacked(c, i, v));
    }
    return PARE_OK;
}

enum pare_status infer_scan(struct infer_call *c) {
    const struct graph *body = subgraph(c, "body");
    int64_t scanned = node_int(c->node, "num_scan_inputs");
    if (scanned < 1 || scanned > c->node->input_count) {
        return infer_fail(c, "num_scan_inputs is %lld, the node has %d inputs", (long long)scanned,
                          c->node->input_count);
    }
    int states = c->node->input_count - (int)scanned;
    TRY(check_counts(c, body, c->node->input_count, c->node->output_count));
    for (int i = 0; i < c->node->output_count; i++) {
        TRY(i < states ? set_state(c, i, body->outputs[i]) : set_stacked(c, i, body->outputs[i]));
    }
    return PARE_OK;
}
