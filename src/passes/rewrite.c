#include "passes/rewrite.h"

#include <string.h>

enum pare_status rewrite_nodes(struct context *ctx, struct graph *g, node_rewrite *rewrite, int *changes) {
    struct arena scratch;
    arena_init(&scratch);
    enum pare_status status = PARE_OK;
    for (struct node *n = g->first, *next; n != NULL && status == PARE_OK; n = next) {
        next = n->next;
        status = n->outputs[0] == NULL ? PARE_OK : rewrite(ctx, &scratch, n, changes);
        arena_free(&scratch);
    }
    return status;
}

struct value *node_input(const struct node *n, int index) {
    return index < n->input_count ? n->inputs[index] : NULL;
}

struct node *input_producer(const struct node *n, int index) {
    const struct value *v = node_input(n, index);
    return v == NULL ? NULL : v->producer;
}

bool node_is_any(const struct node *n, const char *const *names) {
    while (*names != NULL && !node_is(n, *names)) {
        names++;
    }
    return *names != NULL;
}

bool value_dim(const struct value *v, int axis, int64_t *size) {
    if (v == NULL || axis < 0 || axis >= v->rank || v->dims[axis].value < 0) {
        return false;
    }
    *size = v->dims[axis].value;
    return true;
}

static bool row_size(const struct value *v, size_t *count) {
    struct shape row = {.rank = v->rank - 1};
    for (int i = 0; i < row.rank; i++) {
        row.dim[i] = v->dims[i + 1].value;
    }
    return v->rank > 0 && shape_count(&row, count);
}

bool keeps_rows(const struct value *from, const struct value *to) {
    size_t a, b;
    if (from->rank > 0 && to->rank > 0 && same_dim(&from->dims[0], &to->dims[0])) {
        return true;
    }
    return row_size(from, &a) && row_size(to, &b) && a == b && a > 0;
}

bool value_is_float(const struct value *v) {
    return v != NULL && v->type == DTYPE_FLOAT;
}

bool value_is_float_constant(const struct value *v) {
    return value_is_constant(v) && v->constant->type == DTYPE_FLOAT;
}

bool input_ints(const struct node *n, int index, struct int_list *out) {
    const struct value *v = node_input(n, index);
    if (!value_is_constant(v) || v->rank > 1 || tensor_count(v->constant) > INT_LIST_MAX) {
        return false;
    }
    out->count = (int)tensor_count(v->constant);
    for (int i = 0; i < out->count; i++) {
        out->at[i] = tensor_get_int(v->constant, (size_t)i);
    }
    return true;
}

bool attr_ints(const struct node *n, const char *name, struct int_list *out) {
    size_t count;
    const int64_t *ints = node_ints(n, name, &count);
    if (ints == NULL || count > INT_LIST_MAX) {
        return false;
    }
    out->count = (int)count;
    memcpy(out->at, ints, count * sizeof *ints);
    return true;
}

bool input_axes(const struct node *n, int index, int rank, struct int_list *out) {
    if (rank < 0 || !input_ints(n, index, out)) {
        return false;
    }
    for (int i = 0; i < out->count; i++) {
        out->at[i] += out->at[i] < 0 ? rank : 0;
        if (out->at[i] < 0 || out->at[i] >= rank) {
            return false;
        }
    }
    return true;
}

void value_copy_type(struct value *v, const struct value *like) {
    v->type = like->type;
    v->rank = like->rank;
    memcpy(v->dims, like->dims, sizeof v->dims);
}

enum pare_status put_before(struct context *ctx, struct node *before, const char *op, struct value *const *inputs,
                            int count, const struct value *like, struct value **out) {
    struct value *v = NULL;
    TRY(graph_add_value(ctx, before->graph, NULL, like->name, &v));
    value_copy_type(v, like);
    TRY(graph_add_node(ctx, before->graph, op_find(op), NULL, inputs, count, &v, 1, before, NULL));
    *out = v;
    return PARE_OK;
}

enum pare_status node_become(struct context *ctx, struct node *n, const char *op, struct value *const *inputs,
                             int count) {
    while (n->input_count < count) {
        TRY(node_append_input(ctx, n, NULL));
    }
    for (int i = 0; i < n->input_count; i++) {
        TRY(node_set_input(ctx, n, i, i < count ? inputs[i] : NULL));
    }
    n->input_count = count;
    while (n->attr_count > 0) {
        node_remove_attr(n, n->attrs[n->attr_count - 1].name);
    }
    n->op = op_find(op);
    return PARE_OK;
}

bool node_can_bypass(const struct node *n, const struct value *source) {
    bool fixed = source->is_input || source->constant != NULL || value_is_output(source);
    return !(fixed && value_is_output(n->outputs[0]));
}

enum pare_status node_bypass(struct context *ctx, struct node *n, struct value *source) {
    TRY(graph_replace(ctx, n->graph, n->outputs[0], source));
    graph_remove_node(n->graph, n);
    return PARE_OK;
}

/* "node_hint", for a constant that stands for no other. */
static const char *constant_name(const struct node *n, const char *hint) {
    char *name = arena_format(n->graph->arena, "%s_%s", n->name, hint);
    return name == NULL ? hint : name;
}

enum pare_status set_constant(struct context *ctx, struct node *n, int index, const char *hint,
                              const struct tensor *t) {
    while (n->input_count <= index) {
        TRY(node_append_input(ctx, n, NULL));
    }
    struct value *old = n->inputs[index], *made = NULL;
    TRY(graph_add_constant(ctx, n->graph, old == NULL ? constant_name(n, hint) : old->name, t, &made));
    if (old == NULL || old->constant == NULL || old->use_count != 1) {
        return node_set_input(ctx, n, index, made);
    }
    old->constant = made->constant;
    value_copy_type(old, made);
    graph_remove_value(n->graph, made);
    return PARE_OK;
}

enum pare_status add_constant(struct context *ctx, const struct node *n, const char *hint, const struct tensor *t,
                              struct value **out) {
    return graph_add_constant(ctx, n->graph, constant_name(n, hint), t, out);
}

enum pare_status add_int_constant(struct context *ctx, const struct node *n, const char *hint, const int64_t *v,
                                  int count, struct value **out) {
    struct tensor t;
    TRY(tensor_new(ctx, n->graph->arena, DTYPE_INT64, &(struct shape){.rank = 1, .dim = {count}}, &t));
    memcpy(t.data, v, (size_t)count * sizeof *v);
    return add_constant(ctx, n, hint, &t, out);
}

enum pare_status add_scalar(struct context *ctx, const struct node *n, const char *hint, double v, struct value **out) {
    struct tensor t;
    TRY(tensor_new(ctx, n->graph->arena, DTYPE_FLOAT, &(struct shape){.rank = 0}, &t));
    tensor_set_double(&t, 0, v);
    return add_constant(ctx, n, hint, &t, out);
}

enum pare_status node_copy_attributes(struct context *ctx, const struct node *from, struct node *to) {
    struct op_attr row;
    for (int i = 0; i < from->attr_count; i++) {
        if (op_attr_find(to->op, from->attrs[i].name, &row)) {
            TRY(node_set_attr(ctx, to, &from->attrs[i]));
        }
    }
    return PARE_OK;
}
