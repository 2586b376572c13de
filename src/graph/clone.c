/* Deep copies of graphs. */
#include "graph/graph.h"
#include "graph/tables.h"

#include <string.h>

/* What `v` became; a value of a graph that is not being copied stays itself. */
static struct value *mapped(const struct clone_scope *scope, struct value *v) {
    if (v == NULL) {
        return NULL;
    }
    while (scope != NULL && scope->from != v->graph) {
        scope = scope->outer;
    }
    return scope == NULL ? v : scope->map[v->position];
}

static enum pare_status clone_format(struct context *ctx, struct arena *a, const struct format *from,
                                     struct format **to) {
    if (from == NULL) {
        return PARE_OK;
    }
    struct format *copy = ARENA_NEW(a, struct format);
    if (copy == NULL) {
        return fail_memory(ctx);
    }
    *copy = *from;
    if (from->channel_frac != NULL) {
        copy->channel_frac = list_copy(a, from->channel_frac, from->channels, sizeof(int));
        if (copy->channel_frac == NULL) {
            return fail_memory(ctx);
        }
    }
    *to = copy;
    return PARE_OK;
}

static enum pare_status clone_constant(struct context *ctx, struct arena *a, const struct tensor *from, bool share,
                                       struct tensor **to) {
    if (from == NULL) {
        return PARE_OK;
    }
    if (!share) {
        return tensor_copy(ctx, a, from, to);
    }
    *to = ARENA_NEW(a, struct tensor);
    if (*to == NULL) {
        return fail_memory(ctx);
    }
    **to = *from;
    return PARE_OK;
}

static enum pare_status clone_value(struct context *ctx, const struct value *from, struct graph *g, bool share,
                                    struct value **to) {
    struct value *v = NULL;
    TRY(graph_add_value(ctx, g, from->name, NULL, &v));
    v->type = from->type;
    v->rank = from->rank;
    for (int i = 0; i < from->rank; i++) {
        v->dims[i] = from->dims[i];
        if (from->dims[i].symbol != NULL) {
            v->dims[i].symbol = graph_symbol(g, from->dims[i].symbol);
            if (v->dims[i].symbol == NULL) {
                return fail_memory(ctx);
            }
        }
    }
    TRY(clone_constant(ctx, g->arena, from->constant, share, &v->constant));
    TRY(clone_format(ctx, g->arena, from->format, &v->format));
    *to = v;
    return PARE_OK;
}

static enum pare_status clone_attrs(struct context *ctx, const struct node *from, const struct clone_scope *scope,
                                    bool share, struct node *to) {
    to->attrs = list_copy(to->graph->arena, from->attrs, from->attr_count, sizeof *to->attrs);
    if (to->attrs == NULL) {
        return fail_memory(ctx);
    }
    for (int i = 0; i < from->attr_count; i++) {
        TRY(attr_copy(ctx, to->graph, scope, share, &from->attrs[i], &to->attrs[i]));
        to->attr_count++;
    }
    return PARE_OK;
}

static enum pare_status clone_node(struct context *ctx, const struct node *from, const struct clone_scope *scope,
                                   bool share) {
    struct value **inputs = ARENA_ARRAY(scope->to->arena, (size_t)from->input_count, struct value *);
    struct value **outputs = ARENA_ARRAY(scope->to->arena, (size_t)from->output_count, struct value *);
    if (inputs == NULL || outputs == NULL) {
        return fail_memory(ctx);
    }
    for (int i = 0; i < from->input_count; i++) {
        inputs[i] = mapped(scope, from->inputs[i]);
    }
    for (int i = 0; i < from->output_count; i++) {
        outputs[i] = mapped(scope, from->outputs[i]);
    }
    struct node *n = NULL;
    TRY(graph_add_node(ctx, scope->to, from->op, from->name, inputs, from->input_count, outputs, from->output_count,
                       NULL, &n));
    n->origin = from->origin;
    return clone_attrs(ctx, from, scope, share, n);
}

static enum pare_status clone_metadata(struct context *ctx, const struct graph *from, struct graph *to) {
    for (int i = 0; i < from->metadata_count; i++) {
        TRY(graph_set_metadata(ctx, to, from->metadata[i].key, from->metadata[i].text));
    }
    return PARE_OK;
}

/* Fills scope->to, which is empty, from scope->from. */
static enum pare_status clone_contents(struct context *ctx, const struct clone_scope *scope, bool share) {
    const struct graph *from = scope->from;
    struct graph *to = scope->to;
    for (int i = 0; i < from->value_count; i++) {
        TRY(clone_value(ctx, from->values[i], to, share, &scope->map[i]));
    }
    for (int i = 0; i < from->input_count; i++) {
        TRY(graph_add_input(ctx, to, mapped(scope, from->inputs[i])));
    }
    for (const struct node *n = from->first; n != NULL; n = n->next) {
        TRY(clone_node(ctx, n, scope, share));
    }
    for (int i = 0; i < from->output_count; i++) {
        TRY(graph_add_output(ctx, to, mapped(scope, from->outputs[i])));
    }
    to->tables->serial = from->tables->serial;
    return clone_metadata(ctx, from, to);
}

static enum pare_status clone_into(struct context *ctx, const struct graph *from, const struct clone_scope *outer,
                                   bool share, struct graph *to) {
    struct arena scratch;
    arena_init(&scratch);
    struct clone_scope scope = {.from = from,
                                .to = to,
                                .map = ARENA_ARRAY(&scratch, (size_t)from->value_count, struct value *),
                                .outer = outer};
    enum pare_status status = scope.map == NULL ? fail_memory(ctx) : clone_contents(ctx, &scope, share);
    arena_free(&scratch);
    return status;
}

enum pare_status graph_clone_child(struct context *ctx, struct graph *owner, const struct clone_scope *outer,
                                   bool share_constants, const struct graph *g, struct graph **out) {
    if (graph_nesting(owner) >= GRAPH_MAX_NESTING) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: subgraphs are nested more than %d deep", g->name, GRAPH_MAX_NESTING);
    }
    struct graph *copy = NULL;
    TRY(graph_new_child(ctx, owner, g->name, &copy));
    TRY(clone_into(ctx, g, outer, share_constants, copy));
    *out = copy;
    return PARE_OK;
}

enum pare_status graph_clone(struct context *ctx, const struct graph *g, bool share_constants, struct graph **out) {
    struct graph *copy = NULL;
    TRY(graph_new(ctx, g->name, &copy));
    enum pare_status status = clone_into(ctx, g, NULL, share_constants, copy);
    if (status != PARE_OK) {
        graph_free(copy);
        return status;
    }
    *out = copy;
    return PARE_OK;
}
