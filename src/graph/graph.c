/* Making and freeing graphs, and the values they hold. */
#include "graph/graph.h"

#include "graph/op.h"
#include "graph/tables.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* An outermost graph and the arena that everything in it comes from. */
struct graph_root {
    struct graph graph;
    struct arena arena;
};

static enum pare_status graph_set_up(struct context *ctx, struct graph *g, struct arena *a, const char *name) {
    g->arena = a;
    g->name = arena_string(a, name);
    g->tables = ARENA_NEW(a, struct graph_tables);
    return g->name == NULL || g->tables == NULL ? fail_memory(ctx) : PARE_OK;
}

enum pare_status graph_new(struct context *ctx, const char *name, struct graph **out) {
    struct graph_root *root = calloc(1, sizeof *root);
    if (root == NULL) {
        return fail_memory(ctx);
    }
    arena_init(&root->arena);
    enum pare_status status = graph_set_up(ctx, &root->graph, &root->arena, name);
    if (status != PARE_OK) {
        graph_free(&root->graph);
        return status;
    }
    *out = &root->graph;
    return PARE_OK;
}

enum pare_status graph_new_child(struct context *ctx, struct graph *parent, const char *name, struct graph **out) {
    struct graph *g = ARENA_NEW(parent->arena, struct graph);
    if (g == NULL) {
        return fail_memory(ctx);
    }
    TRY(graph_set_up(ctx, g, parent->arena, name));
    g->parent = parent;
    *out = g;
    return PARE_OK;
}

enum pare_status graph_new_subgraph(struct context *ctx, struct graph *parent, const char *name, struct graph **out) {
    if (graph_nesting(parent) + 1 >= GRAPH_MAX_NESTING) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: subgraphs are nested more than %d deep", parent->name,
                    GRAPH_MAX_NESTING);
    }
    return graph_new_child(ctx, parent, name, out);
}

void graph_free(struct graph *g) {
    if (g == NULL || g->parent != NULL) {
        return; /* a subgraph lives in its parent's arena */
    }
    struct graph_root *root = (struct graph_root *)g;
    arena_free(&root->arena);
    free(root);
}

int graph_nesting(const struct graph *g) {
    int depth = 0;
    for (; g->parent != NULL; g = g->parent) {
        depth++;
    }
    return depth;
}

const char *graph_symbol(struct graph *g, const char *name) {
    while (g->parent != NULL) {
        g = g->parent;
    }
    struct name_table *symbols = &g->tables->symbols;
    char *symbol = name_table_find(symbols, name);
    if (symbol != NULL) {
        return symbol;
    }
    symbol = arena_string(g->arena, name);
    return symbol != NULL && name_table_insert(g->arena, symbols, symbol, symbol) ? symbol : NULL;
}

struct value *graph_find(const struct graph *g, const char *name) {
    return name_table_find(&g->tables->values, name);
}

static bool reserve_value(struct graph *g) {
    if (g->value_count < g->value_capacity) {
        return true;
    }
    if (g->value_count > INT_MAX / 2) {
        return false;
    }
    int capacity = g->value_capacity == 0 ? 16 : 2 * g->value_capacity;
    struct value **values = ARENA_ARRAY(g->arena, (size_t)capacity, struct value *);
    if (values == NULL) {
        return false;
    }
    if (g->value_count > 0) {
        memcpy(values, g->values, (size_t)g->value_count * sizeof(struct value *));
    }
    g->values = values;
    g->value_capacity = capacity;
    return true;
}

/* NULL when out of memory. */
static struct value *new_value(struct graph *g, const char *name, const char *hint) {
    if (hint == NULL || *hint == '\0') {
        hint = name != NULL && *name != '\0' ? name : "value";
    }
    struct value *v = ARENA_NEW(g->arena, struct value);
    char *unique = name_table_unique(g, &g->tables->values, name, hint);
    if (v == NULL || unique == NULL || !reserve_value(g) ||
        !name_table_insert(g->arena, &g->tables->values, unique, v)) {
        return NULL;
    }
    v->name = unique;
    v->rank = -1;
    v->graph = g;
    v->position = g->value_count;
    g->values[g->value_count++] = v;
    return v;
}

static enum pare_status check_room(struct context *ctx, const struct graph *g) {
    return g->value_count < GRAPH_MAX_VALUES
               ? PARE_OK
               : fail(ctx, PARE_ERROR_INPUT, "%s: has more than %d values", g->name, GRAPH_MAX_VALUES);
}

enum pare_status graph_add_value(struct context *ctx, struct graph *g, const char *name, const char *hint,
                                 struct value **out) {
    TRY(check_room(ctx, g));
    struct value *v = new_value(g, name, hint);
    if (v == NULL) {
        return fail_memory(ctx);
    }
    *out = v;
    return PARE_OK;
}

enum pare_status graph_add_input(struct context *ctx, struct graph *g, struct value *v) {
    if (v->is_input || v->producer != NULL || v->constant != NULL) {
        return fail(ctx, PARE_ERROR_INTERNAL, "%s: a graph input must have no other source", v->name);
    }
    struct value **inputs = list_grow(g->arena, g->inputs, g->input_count, sizeof(struct value *));
    if (inputs == NULL) {
        return fail_memory(ctx);
    }
    g->inputs = inputs;
    g->inputs[g->input_count++] = v;
    v->is_input = true;
    return PARE_OK;
}

enum pare_status graph_add_output(struct context *ctx, struct graph *g, struct value *v) {
    if (value_is_output(v)) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: is an output of the graph twice", v->name);
    }
    struct value **outputs = list_grow(g->arena, g->outputs, g->output_count, sizeof(struct value *));
    if (outputs == NULL || !value_add_use(v, NULL, g->output_count)) {
        return fail_memory(ctx);
    }
    g->outputs = outputs;
    g->outputs[g->output_count++] = v;
    return PARE_OK;
}

enum pare_status graph_add_constant(struct context *ctx, struct graph *g, const char *name, const struct tensor *t,
                                    struct value **out) {
    TRY(check_room(ctx, g));
    struct tensor *constant = ARENA_NEW(g->arena, struct tensor);
    struct value *v = new_value(g, name, name == NULL ? "constant" : name);
    if (constant == NULL || v == NULL) {
        return fail_memory(ctx);
    }
    *constant = *t;
    v->constant = constant;
    v->type = t->type;
    v->rank = t->shape.rank;
    for (int i = 0; i < v->rank; i++) {
        v->dims[i] = (struct dim){.value = t->shape.dim[i]};
    }
    *out = v;
    return PARE_OK;
}

static void list_remove(struct value **list, int *count, const struct value *v) {
    int kept = 0;
    for (int i = 0; i < *count; i++) {
        if (list[i] != v) {
            list[kept++] = list[i];
        }
    }
    *count = kept;
}

void graph_remove_value(struct graph *g, struct value *v) {
    if (v->is_input) {
        list_remove(g->inputs, &g->input_count, v);
    }
    g->value_count--;
    for (int i = v->position; i < g->value_count; i++) {
        g->values[i] = g->values[i + 1];
        g->values[i]->position = i;
    }
    name_table_remove(&g->tables->values, v->name);
}

static struct metadata *metadata_slot(struct graph *g, const char *key) {
    for (int i = 0; i < g->metadata_count; i++) {
        if (strcmp(g->metadata[i].key, key) == 0) {
            return &g->metadata[i];
        }
    }
    struct metadata *list = list_grow(g->arena, g->metadata, g->metadata_count, sizeof *list);
    if (list == NULL) {
        return NULL;
    }
    g->metadata = list;
    return &g->metadata[g->metadata_count++];
}

enum pare_status graph_set_metadata(struct context *ctx, struct graph *g, const char *key, const char *text) {
    struct metadata item = {.key = arena_string(g->arena, key), .text = arena_string(g->arena, text)};
    if (item.key == NULL || item.text == NULL) {
        return fail_memory(ctx);
    }
    struct metadata *slot = metadata_slot(g, key);
    if (slot == NULL) {
        return fail_memory(ctx);
    }
    *slot = item;
    return PARE_OK;
}
