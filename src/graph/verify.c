/* The verifier: what every pass may rely on. */
#include "graph/graph.h"
#include "graph/op.h"
#include "graph/tables.h"

#include <string.h>

/* The places that hold a value, once as nodes and outputs tell it and once, with the opposite sign, as its list of uses
 * does. Both sums are 0 when they agree; the second is of hashes, so that a use listed twice does not hide one that is
 * missing. */
struct tally {
    uint64_t count, hash;
};

struct verifier {
    struct context *ctx;
    const struct graph *graph;
    const struct verifier *outer; /* of the graph that holds the node with this body; NULL: none is known */
    bool *defined;                /* by position: has a source above the present node */
    struct tally *tallies;        /* by position */
};

static void count_place(struct tally *t, const struct node *n, int index) {
    uint64_t place[2] = {(uint64_t)(uintptr_t)n, (uint64_t)index};
    t->count++;
    t->hash += hash_of(place, sizeof place, 0);
}

static void count_use(struct tally *t, const struct use *u) {
    struct tally one = {0, 0};
    count_place(&one, u->node, u->index);
    t->count -= one.count;
    t->hash -= one.hash;
}

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

static enum pare_status verify_uses(const struct verifier *vf, const struct value *v) {
    const struct graph *g = vf->graph;
    for (int i = 0; i < v->use_count; i++) {
        const struct use *u = &v->uses[i];
        bool right = u->node == NULL ? u->index < g->output_count && g->outputs[u->index] == v
                                     : u->index < u->node->input_count && u->node->inputs[u->index] == v;
        if (!right) {
            return bad(vf->ctx, v->name, "is said to be used where it is not");
        }
        if (u->node == NULL || u->node->graph == g) {
            count_use(&vf->tallies[v->position], u);
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

static enum pare_status verify_value(const struct verifier *vf, const struct value *v, int position) {
    if (v->graph != vf->graph || v->position != position || v->name[0] == '\0' || graph_find(vf->graph, v->name) != v) {
        return bad(vf->ctx, v->name, "is not registered under its name and position");
    }
    if (v->rank < -1 || v->rank > TENSOR_MAX_RANK) {
        return bad(vf->ctx, v->name, "has an impossible rank");
    }
    if (v->constant != NULL) {
        TRY(verify_constant(vf->ctx, v));
    }
    if (v->is_input && v->producer != NULL) {
        return bad(vf->ctx, v->name, "is a graph input with a producer");
    }
    return verify_uses(vf, v);
}

static enum pare_status verify_graph(struct context *ctx, const struct graph *g, const struct verifier *outer);

static enum pare_status verify_attrs(const struct verifier *vf, const struct node *n) {
    struct context *ctx = vf->ctx;
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
            TRY(verify_graph(ctx, a->graph, vf));
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

/* Whether the value stands before the node at hand, or, captured from outside, before the node that holds the body. */
static bool is_defined(const struct verifier *vf, const struct value *v) {
    while (vf != NULL && vf->graph != v->graph) {
        vf = vf->outer;
    }
    return vf == NULL || vf->defined[v->position];
}

static enum pare_status verify_inputs(const struct verifier *vf, const struct node *n) {
    for (int i = 0; i < n->input_count; i++) {
        const struct value *v = n->inputs[i];
        if (v == NULL) {
            continue;
        }
        bool own = v->graph == n->graph;
        if (!own && (!is_visible(n->graph, v) || !has_use(v, n, i))) {
            return fail(vf->ctx, PARE_ERROR_INTERNAL, "%s: input %d is of another graph or does not list this use",
                        n->name, i);
        }
        if (!is_defined(vf, v)) {
            return fail(vf->ctx, PARE_ERROR_INTERNAL, "%s: its input %s is produced after it or nowhere", n->name,
                        v->name);
        }
        if (own) {
            count_place(&vf->tallies[v->position], n, i);
        }
    }
    return PARE_OK;
}

static enum pare_status verify_outputs(const struct verifier *vf, const struct node *n) {
    for (int i = 0; i < n->output_count; i++) {
        const struct value *v = n->outputs[i];
        if (v == NULL) {
            continue;
        }
        if (v->graph != n->graph || v->producer != n || v->producer_index != i) {
            return fail(vf->ctx, PARE_ERROR_INTERNAL, "%s: output %s does not name this node as its producer", n->name,
                        v->name);
        }
        vf->defined[v->position] = true;
    }
    return PARE_OK;
}

static enum pare_status verify_nodes(const struct verifier *vf) {
    const struct graph *g = vf->graph;
    const struct node *previous = NULL;
    int count = 0;
    for (const struct node *n = g->first; n != NULL; previous = n, n = n->next, count++) {
        if (n->graph != g || n->previous != previous || name_table_find(&g->tables->nodes, n->name) != n) {
            return bad(vf->ctx, n->name, "is not linked into its graph under its name");
        }
        TRY(verify_arity(vf->ctx, n));
        TRY(verify_attrs(vf, n));
        TRY(verify_inputs(vf, n));
        TRY(verify_outputs(vf, n));
    }
    bool whole = count == g->node_count && g->last == previous;
    return whole ? PARE_OK : bad(vf->ctx, g->name, "its list of nodes is broken");
}

static enum pare_status verify_ends(const struct verifier *vf) {
    const struct graph *g = vf->graph;
    for (int i = 0; i < g->input_count; i++) {
        if (!g->inputs[i]->is_input || g->inputs[i]->graph != g) {
            return bad(vf->ctx, g->inputs[i]->name, "is listed as a graph input and not marked as one");
        }
    }
    for (int i = 0; i < g->output_count; i++) {
        const struct value *v = g->outputs[i];
        if (v->graph != g || !vf->defined[v->position]) {
            return bad(vf->ctx, v->name, "is a graph output that nothing produces");
        }
        count_place(&vf->tallies[v->position], NULL, i);
    }
    for (int i = 0; i < g->value_count; i++) {
        const struct value *v = g->values[i];
        if (v->producer != NULL && !vf->defined[i]) {
            return bad(vf->ctx, v->name, "its producer is not in the graph");
        }
        if (vf->tallies[i].count != 0 || vf->tallies[i].hash != 0) {
            return bad(vf->ctx, v->name, "its list of uses is not what the nodes say");
        }
    }
    return PARE_OK;
}

static enum pare_status verify(const struct verifier *vf) {
    const struct graph *g = vf->graph;
    if (vf->defined == NULL || vf->tallies == NULL) {
        return fail_memory(vf->ctx);
    }
    for (int i = 0; i < g->value_count; i++) {
        const struct value *v = g->values[i];
        TRY(verify_value(vf, v, i));
        vf->defined[i] = v->is_input || v->constant != NULL;
    }
    TRY(verify_nodes(vf));
    return verify_ends(vf);
}

static enum pare_status verify_graph(struct context *ctx, const struct graph *g, const struct verifier *outer) {
    struct arena scratch;
    arena_init(&scratch);
    struct verifier vf = {.ctx = ctx,
                          .graph = g,
                          .outer = outer,
                          .defined = ARENA_ARRAY(&scratch, (size_t)g->value_count, bool),
                          .tallies = ARENA_ARRAY(&scratch, (size_t)g->value_count, struct tally)};
    enum pare_status status = verify(&vf);
    arena_free(&scratch);
    return status;
}

enum pare_status graph_verify(struct context *ctx, const struct graph *g) {
    return verify_graph(ctx, g, NULL);
}
