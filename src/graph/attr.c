/* Attributes of nodes: as given, or the default of the operator's row. */
#include "base/decimal.h"
#include "graph/graph.h"
#include "graph/op.h"
#include "graph/tables.h"

#include <stdlib.h>
#include <string.h>

const struct attr *node_attr(const struct node *n, const char *name) {
    for (int i = 0; i < n->attr_count; i++) {
        if (strcmp(n->attrs[i].name, name) == 0) {
            return &n->attrs[i];
        }
    }
    return NULL;
}

static const struct attr *given(const struct node *n, const char *name, enum attr_type type) {
    const struct attr *a = node_attr(n, name);
    return a != NULL && a->type == type ? a : NULL;
}

static const char *default_text(const struct node *n, const char *name, size_t *length) {
    struct op_attr row;
    if (!op_attr_find(n->op, name, &row) || row.text == NULL) {
        return NULL;
    }
    *length = row.length;
    return row.text;
}

int64_t node_int(const struct node *n, const char *name) {
    const struct attr *a = given(n, name, ATTR_INT);
    size_t length = 0;
    const char *text = a == NULL ? default_text(n, name, &length) : NULL;
    return a != NULL ? a->i : text != NULL ? strtoll(text, NULL, 10) : 0;
}

float node_float(const struct node *n, const char *name) {
    const struct attr *a = given(n, name, ATTR_FLOAT);
    size_t length = 0;
    const char *text = a == NULL ? default_text(n, name, &length) : NULL;
    return a != NULL ? a->f : text != NULL ? (float)parse_decimal(text, NULL) : 0;
}

/* Every default of a string attribute in ops.def, so that it can be handed out with an end of its own. */
static const char *const default_strings[] = {
    "FLOOR", "NOTSET", "ROUND",  "constant", "half_pixel", "nearest", "round_prefer_floor", "stretch", "up", "none",
    "mean",  "DCR",    "linear", "zeros",    "avg",        "forward", "gated_delta",        ""};

const char *node_string(const struct node *n, const char *name) {
    const struct attr *a = node_attr(n, name);
    if (a != NULL && (a->type == ATTR_STRING || a->type == ATTR_STRINGS)) {
        return a->s;
    }
    size_t length = 0;
    const char *text = default_text(n, name, &length);
    int i = 0;
    while (default_strings[i][0] != '\0' &&
           (text == NULL || strlen(default_strings[i]) != length || strncmp(default_strings[i], text, length) != 0)) {
        i++;
    }
    return default_strings[i];
}

const int64_t *node_ints(const struct node *n, const char *name, size_t *count) {
    const struct attr *a = given(n, name, ATTR_INTS);
    *count = a == NULL ? 0 : a->count;
    return a == NULL ? NULL : a->ints;
}

enum pare_status tensor_copy(struct context *ctx, struct arena *a, const struct tensor *from, struct tensor **to) {
    struct tensor *copy = ARENA_NEW(a, struct tensor);
    if (copy == NULL) {
        return fail_memory(ctx);
    }
    TRY(tensor_new(ctx, a, from->type, &from->shape, copy));
    size_t bytes = tensor_bytes(from);
    if (bytes > 0) {
        memcpy(copy->data, from->data, bytes);
    }
    *to = copy;
    return PARE_OK;
}

static bool copy_bytes(struct arena *a, const void *from, size_t count, size_t size, void **to) {
    *to = arena_array(a, count, size);
    if (*to != NULL && count > 0) {
        memcpy(*to, from, count * size);
    }
    return *to != NULL;
}

static enum pare_status copy_lists(struct context *ctx, struct arena *arena, const struct attr *from, struct attr *to) {
    void *list = NULL;
    to->name = arena_string(arena, from->name);
    bool ok = to->name != NULL;
    if (ok && (from->type == ATTR_STRING || from->type == ATTR_STRINGS)) {
        to->s = arena_string(arena, from->s);
        ok = to->s != NULL;
    } else if (ok && from->type == ATTR_INTS) {
        ok = copy_bytes(arena, from->ints, from->count, sizeof *from->ints, &list);
        to->ints = list;
    } else if (ok && from->type == ATTR_FLOATS) {
        ok = copy_bytes(arena, from->floats, from->count, sizeof *from->floats, &list);
        to->floats = list;
    }
    return ok ? PARE_OK : fail_memory(ctx);
}

enum pare_status attr_copy(struct context *ctx, struct graph *owner, const struct clone_scope *scope,
                           bool share_constants, const struct attr *from, struct attr *to) {
    *to = *from;
    TRY(copy_lists(ctx, owner->arena, from, to));
    if (from->type == ATTR_TENSOR && !share_constants) {
        return tensor_copy(ctx, owner->arena, from->tensor, &to->tensor);
    }
    if (from->type == ATTR_GRAPH) {
        return graph_clone_child(ctx, owner, scope, share_constants, from->graph, &to->graph);
    }
    return PARE_OK;
}

static void release(const struct attr *a) {
    if (a->type == ATTR_GRAPH) {
        graph_release_captures(a->graph);
    }
}

enum pare_status node_attach_attr(struct context *ctx, struct node *n, const struct attr *a) {
    for (int i = 0; i < n->attr_count; i++) {
        if (strcmp(n->attrs[i].name, a->name) == 0) {
            release(&n->attrs[i]);
            n->attrs[i] = *a;
            return PARE_OK;
        }
    }
    struct attr *attrs = list_grow(n->graph->arena, n->attrs, n->attr_count, sizeof *attrs);
    if (attrs == NULL) {
        return fail_memory(ctx);
    }
    n->attrs = attrs;
    n->attrs[n->attr_count++] = *a;
    return PARE_OK;
}

enum pare_status node_set_attr(struct context *ctx, struct node *n, const struct attr *a) {
    struct attr copy;
    TRY(attr_copy(ctx, n->graph, NULL, false, a, &copy));
    return node_attach_attr(ctx, n, &copy);
}

enum pare_status node_set_subgraph(struct context *ctx, struct node *n, const char *name, struct graph *g) {
    struct attr a = {.name = arena_string(n->graph->arena, name), .type = ATTR_GRAPH, .graph = g};
    return a.name == NULL ? fail_memory(ctx) : node_attach_attr(ctx, n, &a);
}

enum pare_status node_set_int(struct context *ctx, struct node *n, const char *name, int64_t v) {
    return node_set_attr(ctx, n, &(struct attr){.name = name, .type = ATTR_INT, .i = v});
}

enum pare_status node_set_ints(struct context *ctx, struct node *n, const char *name, const int64_t *v, size_t count) {
    struct attr a = {.name = name, .type = ATTR_INTS, .ints = (int64_t *)v, .count = count};
    return node_set_attr(ctx, n, &a);
}

enum pare_status node_set_float(struct context *ctx, struct node *n, const char *name, float v) {
    return node_set_attr(ctx, n, &(struct attr){.name = name, .type = ATTR_FLOAT, .f = v});
}

enum pare_status node_set_string(struct context *ctx, struct node *n, const char *name, const char *v) {
    return node_set_attr(ctx, n, &(struct attr){.name = name, .type = ATTR_STRING, .s = v});
}

void node_remove_attr(struct node *n, const char *name) {
    int kept = 0;
    for (int i = 0; i < n->attr_count; i++) {
        if (strcmp(n->attrs[i].name, name) != 0) {
            n->attrs[kept++] = n->attrs[i];
        } else {
            release(&n->attrs[i]);
        }
    }
    n->attr_count = kept;
}
