/* The verifier: what every pass may rely on. */
#include "graph/graph.h"
#include "graph/op.h"
#include "graph/tables.h"

#include <string.h>

static bool has_use(const struct value *v, const struct node *n, int index) {
    for (int i = 0; i < v->use_count; i++) {
        if (v->uses[i].node == n && v->uses[i].index == index) {
            return true;
        }
    }
    return false;
}

/* Whether `v` may be consumed in `g`: it is of `g`, or of a graph around it. */
static bool is_visible(const struct graph *g, const struct value *v) {
    while (g != NULL && g != v->graph) {
        g = g->parent;
    }
    return g != NULL;
}

static enum pare_status bad(struct context *ctx, const char *name, const char *what) {
    return fail(ctx, PARE_ERROR_INTERNAL, "%s: %s", name, what);
}

static enum pare_status verify_uses(struct context *ctx, const struct graph *g, const struct value *v) {
    for (int i = 0; i < v->use_count; i++) {
        const struct use *u = &v->uses[i];
        bool right = u->node == NULL ? u->index < g->output_count && g->outputs[u->index] == v
                                     : u->index < u->node->input_count && u->node->inputs[u->index] == v;
        if (!right) {
            return bad(ctx, v->name, "is said to be used where it is not");
        }
    }
    return PARE_OK;
}

static enum pare_status verify_constant(struct context *ctx, const struct value *v) {
    const struct tensor *t = v->constant;
    bool agrees = v->type == t->type && v->rank == t->shape.rank;
    for (int i = 0; agrees && i < v->rank; i++) {
        agrees = v->dims[i].value == t->shape.dim[i];
    }
    if (!agrees) {
        return bad(ctx, v->name, "type or dimensions differ from those of its constant");
    }
    return v->producer == NULL && !v->is_input ? PARE_OK : bad(ctx, v->name, "is a constant with another source");
}

static enum pare_status verify_value(struct context *ctx, const struct graph *g, const struct value *v, int position) {
    if (v->graph != g || v->position != position || v->name[0] == '\0' || graph_find(g, v->name) != v) {
        return bad(ctx, v->name, "is not registered under its name and position");
    }
    if (v->rank < -1 || v->rank > TENSOR_MAX_RANK) {
        return bad(ctx, v->name, "has an impossible rank");
    }
    if (v->constant != NULL) {
        TRY(verify_constant(ctx, v));
    }
    if (v->is_input && v->producer != NULL) {
        return bad(ctx, v->name, "is a graph input with a producer");
    }
    return verify_uses(ctx, g, v);
}

static enum pare_status verify_attrs(struct context *ctx, const struct node *n) {
    for (int i = 0; i < n->attr_count; i++) {
        const struct attr *a = &n->attrs[i];
        struct op_attr row;
        if (node_attr(n, a->name) != a) {
            return fail(ctx, PARE_ERROR_INTERNAL, "%s: attribute %s is given twice", n->name, a->name);
        }
        if (a->type == ATTR_GRAPH) {
            if (a->graph->parent != n->graph) {
                return fail(ctx, PARE_ERROR_INTERNAL, "%s: subgraph %s belongs elsewhere", n->name, a->name);
            }
            TRY(graph_verify(ctx, a->graph));
        } else if (!op_attr_find(n->op, a->name, &row)) {
            return fail(ctx, PARE_ERROR_INTERNAL, "%s: %s has no attribute %s", n->name, n->op->name, a->name);
        } else if (row.type != a->type) {
            return fail(ctx, PARE_ERROR_INTERNAL, "%s: attribute %s of %s has type %s, expected %s", n->name, a->name,
                        n->op->name, attr_type_name(a->type), attr_type_name(row.type));
        }
    }
    return PARE_OK;
}

static enum pare_status verify_arity(struct context *ctx, const struct node *n) {
    const struct op *op = n->op;
    if (n->input_count < op->in_min || n->input_count > op->in_max) {
        return fail(ctx, PARE_ERROR_INTERNAL, "%s: %s has %d inputs, expected %d to %d", n->name, op->name,
                    n->input_count, op->in_min, op->in_max);
    }
    if (n->output_count < op->out_min || n->output_count > op->out_max) {
        return fail(ctx, PARE_ERROR_INTERNAL, "%s: %s has %d outputs, expected %d to %d", n->name, op->name,
                    n->output_count, op->out_min, op->out_max);
    }
    bool all = op->in_max == OP_VARIADIC;
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i] == NULL && (all || i < op->in_min)) {
            return fail(ctx, PARE_ERROR_INTERNAL, "%s: input %d of %s must not be omitted", n->name, i, op->name);
        }
    }
    for (int i = 0; i < op->out_min; i++) {
        if (n->outputs[i] == NULL) {
            return fail(ctx, PARE_ERROR_INTERNAL, "%s: output %d of %s must not be omitted", n->name, i, op->name);
        }
    }
    return PARE_OK;
}

static enum pare_status verify_inputs(struct context *ctx, const struct node *n, const bool *defined) {
    for (int i = 0; i < n->input_count; i++) {
        const struct value *v = n->inputs[i];
        if (v == NULL) {
            continue;
        }
        if (!is_visible(n->graph, v) || !has_use(v, n, i)) {
            return fail(ctx, PARE_ERROR_INTERNAL, "%s: input %d is of another graph or does not list this use", n->name,
                        i);
        }
        if (v->graph == n->graph && !defined[v->position]) {
            return fail(ctx, PARE_ERROR_INTERNAL, "%s: its input %s is produced after it or nowhere", n->name, v->name);
        }
    }
    return PARE_OK;
}

static enum pare_status verify_outputs(struct context *ctx, const struct node *n, bool *defined) {
    for (int i = 0; i < n->output_count; i++) {
        const struct value *v = n->outputs[i];
        if (v == NULL) {
            continue;
        }
        if (v->graph != n->graph || v->producer != n || v->producer_index != i) {
            return fail(ctx, PARE_ERROR_INTERNAL, "%s: output %s does not name this node as its producer", n->name,
                        v->name);
        }
        defined[v->position] = true;
    }
    return PARE_OK;
}

static enum pare_status verify_nodes(struct context *ctx, const struct graph *g, bool *defined) {
    const struct node *previous = NULL;
    int count = 0;
    for (const struct node *n = g->first; n != NULL; previous = n, n = n->next, count++) {
        if (n->graph != g || n->previous != previous || name_table_find(&g->tables->nodes, n->name) != n) {
            return bad(ctx, n->name, "is not linked into its graph under its name");
        }
        TRY(verify_arity(ctx, n));
        TRY(verify_attrs(ctx, n));
        TRY(verify_inputs(ctx, n, defined));
        TRY(verify_outputs(ctx, n, defined));
    }
    return count == g->node_count && g->last == previous ? PARE_OK : bad(ctx, g->name, "its list of nodes is broken");
}

static enum pare_status verify_ends(struct context *ctx, const struct graph *g, const bool *defined) {
    for (int i = 0; i < g->input_count; i++) {
        if (!g->inputs[i]->is_input || g->inputs[i]->graph != g) {
            return bad(ctx, g->inputs[i]->name, "is listed as a graph input and not marked as one");
        }
    }
    for (int i = 0; i < g->output_count; i++) {
        const struct value *v = g->outputs[i];
        if (!has_use(v, NULL, i) || v->graph != g || !defined[v->position]) {
            return bad(ctx, v->name, "is a graph output that nothing produces, or does not list this use");
        }
    }
    for (int i = 0; i < g->value_count; i++) {
        if (g->values[i]->producer != NULL && !defined[i]) {
            return bad(ctx, g->values[i]->name, "its producer is not in the graph");
        }
    }
    return PARE_OK;
}

static enum pare_status verify(struct context *ctx, const struct graph *g, bool *defined) {
    for (int i = 0; i < g->value_count; i++) {
        const struct value *v = g->values[i];
        TRY(verify_value(ctx, g, v, i));
        defined[i] = v->is_input || v->constant != NULL;
    }
    TRY(verify_nodes(ctx, g, defined));
    return verify_ends(ctx, g, defined);
}

enum pare_status graph_verify(struct context *ctx, const struct graph *g) {
    struct arena scratch;
    arena_init(&scratch);
    bool *defined = ARENA_ARRAY(&scratch, (size_t)g->value_count, bool);
    enum pare_status status = defined == NULL ? fail_memory(ctx) : verify(ctx, g, defined);
    arena_free(&scratch);
    return status;
}
