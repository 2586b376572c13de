/* Stable topological order: a depth-first walk in the present order, with a stack of its own. */
#include "graph/graph.h"
#include "graph/op.h"
#include "graph/tables.h"

enum visit { VISIT_NEW = 0, VISIT_OPEN, VISIT_DONE };

struct sorter {
    struct context *ctx;
    struct graph *graph;
    struct arena arena;
    struct node **stack;
    size_t depth, capacity;
    unsigned char *visits; /* of a value's producer, by position */
    struct node **order;
    int sorted;
};

static enum visit visit_of(const struct sorter *s, const struct node *n) {
    for (int i = 0; i < n->output_count; i++) {
        if (n->outputs[i] != NULL) {
            return (enum visit)s->visits[n->outputs[i]->position];
        }
    }
    return VISIT_NEW;
}

static void set_visit(struct sorter *s, const struct node *n, enum visit visit) {
    for (int i = 0; i < n->output_count; i++) {
        if (n->outputs[i] != NULL) {
            s->visits[n->outputs[i]->position] = (unsigned char)visit;
        }
    }
}

static enum pare_status push(struct sorter *s, struct node *n) {
    if (s->depth == s->capacity) {
        size_t capacity = s->capacity == 0 ? 64 : 2 * s->capacity;
        struct node **stack = ARENA_ARRAY(&s->arena, capacity, struct node *);
        if (stack == NULL) {
            return fail_memory(s->ctx);
        }
        for (size_t i = 0; i < s->depth; i++) {
            stack[i] = s->stack[i];
        }
        s->stack = stack;
        s->capacity = capacity;
    }
    s->stack[s->depth++] = n;
    return PARE_OK;
}

/* Pushes what must stand before `n`, the last first; nodes of a subgraph need what they capture. */
static enum pare_status push_sources(struct sorter *s, const struct node *n) {
    for (int i = n->attr_count - 1; i >= 0; i--) {
        for (const struct node *m = n->attrs[i].type == ATTR_GRAPH ? n->attrs[i].graph->first : NULL; m != NULL;
             m = m->next) {
            TRY(push_sources(s, m));
        }
    }
    for (int i = n->input_count - 1; i >= 0; i--) {
        struct node *source = n->inputs[i] == NULL ? NULL : n->inputs[i]->producer;
        if (source == NULL || source->graph != s->graph) {
            continue;
        }
        enum visit state = visit_of(s, source);
        if (state == VISIT_OPEN) {
            return fail(s->ctx, PARE_ERROR_INPUT,
                        "%s: its input %s depends on its own output; a graph must have no cycle", n->name,
                        n->inputs[i]->name);
        }
        if (state == VISIT_NEW) {
            TRY(push(s, source));
        }
    }
    return PARE_OK;
}

/* Appends `root` to the order, after everything that it needs. */
static enum pare_status visit(struct sorter *s, struct node *root) {
    TRY(push(s, root));
    while (s->depth > 0) {
        struct node *n = s->stack[s->depth - 1];
        enum visit state = visit_of(s, n);
        if (state == VISIT_NEW) {
            set_visit(s, n, VISIT_OPEN);
            TRY(push_sources(s, n));
            continue;
        }
        s->depth--;
        if (state == VISIT_OPEN) {
            set_visit(s, n, VISIT_DONE);
            s->order[s->sorted++] = n;
        }
    }
    return PARE_OK;
}

static bool has_output(const struct node *n) {
    for (int i = 0; i < n->output_count; i++) {
        if (n->outputs[i] != NULL) {
            return true;
        }
    }
    return false;
}

static enum pare_status order_nodes(struct sorter *s) {
    struct graph *g = s->graph;
    s->order = ARENA_ARRAY(&s->arena, (size_t)g->node_count, struct node *);
    s->visits = ARENA_ARRAY(&s->arena, (size_t)g->value_count, unsigned char);
    if (s->order == NULL || s->visits == NULL) {
        return fail_memory(s->ctx);
    }
    for (struct node *n = g->first; n != NULL; n = n->next) {
        if (!has_output(n)) {
            return fail(s->ctx, PARE_ERROR_INPUT, "%s: %s has no output; remove the node", n->name, n->op->name);
        }
        TRY(visit(s, n));
    }
    return PARE_OK;
}

static void relink(struct graph *g, struct node *const *order) {
    g->first = NULL;
    g->last = NULL;
    for (int i = 0; i < g->node_count; i++) {
        order[i]->previous = g->last;
        order[i]->next = NULL;
        *(g->last == NULL ? &g->first : &g->last->next) = order[i];
        g->last = order[i];
    }
}

enum pare_status graph_sort(struct context *ctx, struct graph *g) {
    struct sorter s = {.ctx = ctx, .graph = g};
    arena_init(&s.arena);
    enum pare_status status = order_nodes(&s);
    if (status == PARE_OK) {
        relink(g, s.order);
    }
    arena_free(&s.arena);
    return status;
}
