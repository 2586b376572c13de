/* Edits of nodes: what is consumed, produced and in which order. */
#include "graph/graph.h"
#include "graph/op.h"
#include "graph/tables.h"

#include <limits.h>
#include <string.h>

/* Room for `more` further uses; false when out of memory. */
static bool reserve_uses(struct value *v, int more) {
    if (more <= v->use_capacity - v->use_count) {
        return true;
    }
    if (more > INT_MAX / 2 - v->use_count) {
        return false;
    }
    int capacity = v->use_count + (more > v->use_count ? more : v->use_count);
    struct use *uses = ARENA_ARRAY(v->graph->arena, (size_t)capacity, struct use);
    if (uses == NULL) {
        return false;
    }
    if (v->use_count > 0) {
        memcpy(uses, v->uses, (size_t)v->use_count * sizeof *uses);
    }
    v->uses = uses;
    v->use_capacity = capacity;
    return true;
}

bool value_add_use(struct value *v, struct node *n, int index) {
    if (v == NULL) {
        return true;
    }
    if (!reserve_uses(v, 1)) {
        return false;
    }
    v->uses[v->use_count++] = (struct use){.node = n, .index = index};
    return true;
}

/* Searched from the end: what came last is usually the first to go. */
void value_remove_use(struct value *v, const struct node *n, int index) {
    if (v == NULL) {
        return;
    }
    int i = v->use_count - 1;
    while (i >= 0 && (v->uses[i].node != n || v->uses[i].index != index)) {
        i--;
    }
    if (i >= 0) {
        v->use_count--;
        memmove(&v->uses[i], &v->uses[i + 1], (size_t)(v->use_count - i) * sizeof *v->uses);
    }
}

static void link_before(struct graph *g, struct node *n, struct node *before) {
    n->next = before;
    n->previous = before == NULL ? g->last : before->previous;
    *(n->previous == NULL ? &g->first : &n->previous->next) = n;
    *(n->next == NULL ? &g->last : &n->next->previous) = n;
    g->node_count++;
}

static void unlink_node(struct graph *g, struct node *n) {
    *(n->previous == NULL ? &g->first : &n->previous->next) = n->next;
    *(n->next == NULL ? &g->last : &n->next->previous) = n->previous;
    g->node_count--;
}

static enum pare_status check_outputs(struct context *ctx, const struct op *op, struct value *const *outputs,
                                      int count) {
    for (int i = 0; i < count; i++) {
        const struct value *v = outputs[i];
        if (v != NULL && (v->producer != NULL || v->is_input || v->constant != NULL)) {
            return fail(ctx, PARE_ERROR_INTERNAL, "%s: cannot be an output of a new %s, it has another source", v->name,
                        op->name);
        }
    }
    return PARE_OK;
}

static bool connect(struct node *n) {
    for (int i = 0; i < n->input_count; i++) {
        if (!value_add_use(n->inputs[i], n, i)) {
            return false;
        }
    }
    for (int i = 0; i < n->output_count; i++) {
        if (n->outputs[i] != NULL) {
            n->outputs[i]->producer = n;
            n->outputs[i]->producer_index = i;
        }
    }
    return true;
}

/* Takes back what a node uses, by itself and in its subgraphs. */
static void disconnect(struct node *n) {
    for (int i = n->input_count - 1; i >= 0; i--) {
        value_remove_use(n->inputs[i], n, i);
    }
    for (int i = 0; i < n->attr_count; i++) {
        if (n->attrs[i].type == ATTR_GRAPH) {
            graph_release_captures(n->attrs[i].graph);
        }
    }
}

void graph_release_captures(struct graph *g) {
    for (struct node *n = g->first; n != NULL; n = n->next) {
        disconnect(n);
    }
}

enum pare_status graph_add_node(struct context *ctx, struct graph *g, const struct op *op, const char *name,
                                struct value *const *inputs, int input_count, struct value *const *outputs,
                                int output_count, struct node *before, struct node **out) {
    if (g->node_count >= GRAPH_MAX_NODES) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: has more than %d nodes", g->name, GRAPH_MAX_NODES);
    }
    TRY(check_outputs(ctx, op, outputs, output_count));
    struct node *n = ARENA_NEW(g->arena, struct node);
    char *unique = name_table_unique(g, &g->tables->nodes, name, name == NULL || *name == '\0' ? op->name : name);
    struct value **in = list_copy(g->arena, inputs, input_count, sizeof(struct value *));
    struct value **result = list_copy(g->arena, outputs, output_count, sizeof(struct value *));
    if (n == NULL || unique == NULL || in == NULL || result == NULL) {
        return fail_memory(ctx);
    }
    *n = (struct node){.name = unique,
                       .op = op,
                       .origin = op,
                       .inputs = in,
                       .input_count = input_count,
                       .outputs = result,
                       .output_count = output_count,
                       .graph = g};
    if (!name_table_insert(g->arena, &g->tables->nodes, unique, n)) {
        return fail_memory(ctx);
    }
    if (!connect(n)) {
        disconnect(n);
        name_table_remove(&g->tables->nodes, unique);
        return fail_memory(ctx);
    }
    link_before(g, n, before);
    if (out != NULL) {
        *out = n;
    }
    return PARE_OK;
}

enum pare_status node_set_input(struct context *ctx, struct node *n, int index, struct value *v) {
    if (index < 0 || index >= n->input_count) {
        return fail(ctx, PARE_ERROR_INTERNAL, "%s: has %d inputs, no input %d", n->name, n->input_count, index);
    }
    if (!value_add_use(v, n, index)) {
        return fail_memory(ctx);
    }
    value_remove_use(n->inputs[index], n, index);
    n->inputs[index] = v;
    return PARE_OK;
}

enum pare_status node_append_input(struct context *ctx, struct node *n, struct value *v) {
    struct value **inputs = list_grow(n->graph->arena, n->inputs, n->input_count, sizeof(struct value *));
    if (inputs == NULL || !value_add_use(v, n, n->input_count)) {
        return fail_memory(ctx);
    }
    n->inputs = inputs;
    n->inputs[n->input_count++] = v;
    return PARE_OK;
}

static enum pare_status rename_value(struct context *ctx, struct value *v, char *name) {
    struct name_table *values = &v->graph->tables->values;
    name_table_remove(values, v->name);
    v->name = name;
    return name_table_insert(v->graph->arena, values, name, v) ? PARE_OK : fail_memory(ctx);
}

/* A value like `v` that takes its place as the source of a graph output: an Identity of `source`. */
static enum pare_status add_output_copy(struct context *ctx, struct graph *g, struct value *source,
                                        const struct value *v, struct value **out) {
    struct value *copy = NULL;
    TRY(graph_add_value(ctx, g, NULL, v->name, &copy));
    copy->type = v->type;
    copy->rank = v->rank;
    memcpy(copy->dims, v->dims, sizeof copy->dims);
    copy->format = v->format;
    TRY(graph_add_node(ctx, g, op_find("Identity"), NULL, &source, 1, &copy, 1, NULL, NULL));
    *out = copy;
    return PARE_OK;
}

/* Graph output `index`, which is `from`, becomes `to` and keeps its name. */
static enum pare_status replace_output(struct context *ctx, struct graph *g, int index, struct value *from,
                                       struct value *to) {
    if (to->is_input || to->constant != NULL || to->graph != g || value_is_output(to)) {
        TRY(add_output_copy(ctx, g, to, from, &to));
    }
    char *kept = from->name;
    char *made = name_table_unique(g, &g->tables->values, NULL, kept);
    if (made == NULL || !value_add_use(to, NULL, index)) {
        return fail_memory(ctx);
    }
    if (to->rank < 0) { /* what was declared about the output, and inference cannot know */
        to->rank = from->rank;
        memcpy(to->dims, from->dims, sizeof to->dims);
    }
    value_remove_use(from, NULL, index);
    g->outputs[index] = to;
    TRY(rename_value(ctx, from, made));
    return rename_value(ctx, to, kept);
}

enum pare_status value_rename(struct context *ctx, struct value *v, const char *name) {
    if (strcmp(v->name, name) == 0) {
        return PARE_OK;
    }
    char *copy = arena_string(v->graph->arena, name);
    char *unique = copy == NULL ? NULL : name_table_unique(v->graph, &v->graph->tables->values, copy, copy);
    return unique == NULL ? fail_memory(ctx) : rename_value(ctx, v, unique);
}

enum pare_status graph_replace(struct context *ctx, struct graph *g, struct value *from, struct value *to) {
    if (from == to) {
        return PARE_OK;
    }
    if (!reserve_uses(to, from->use_count)) {
        return fail_memory(ctx);
    }
    int output = -1;
    int moved = from->use_count;
    from->use_count = 0;
    for (int i = 0; i < moved; i++) {
        struct use use = from->uses[i];
        if (use.node == NULL) {
            output = use.index;
            value_add_use(from, NULL, output);
        } else {
            use.node->inputs[use.index] = to;
            value_add_use(to, use.node, use.index);
        }
    }
    return output < 0 ? PARE_OK : replace_output(ctx, g, output, from, to);
}

void graph_remove_node(struct graph *g, struct node *n) {
    disconnect(n);
    for (int i = n->output_count - 1; i >= 0; i--) {
        if (n->outputs[i] != NULL) {
            n->outputs[i]->producer = NULL;
            graph_remove_value(g, n->outputs[i]);
        }
    }
    unlink_node(g, n);
    name_table_remove(&g->tables->nodes, n->name);
}
