#include "onnx/functions.h"

#include "onnx/convert.h"

#include <string.h>

#define NESTING_MAX 16
#define NAME_BYTES_MAX ((size_t)64 << 20)

/* A call that is being replaced; NULL stands for the model's own graph. */
struct call {
    const Onnx__NodeProto *node;
    const Onnx__FunctionProto *function;
    const char *prefix;       /* of the names inside */
    const struct call *outer; /* where the call stands */
};

struct inliner {
    struct import *im;
    const Onnx__ModelProto *model;
    size_t nodes;      /* and calls, so far */
    size_t name_bytes; /* of names made up */
};

/* Nodes that replace others. */
struct node_list {
    Onnx__NodeProto **items;
    size_t count, capacity;
};

static enum pare_status inline_graph(struct inliner *in, const struct call *call, int nesting,
                                     const Onnx__GraphProto *from, Onnx__GraphProto **out);

static void *copy_of(struct inliner *in, const void *from, size_t size) {
    void *copy = arena_alloc(in->im->scratch, size);
    if (copy != NULL) {
        memcpy(copy, from, size);
    } else {
        (void)fail_memory(in->im->ctx);
    }
    return copy;
}

static bool same_text(const char *a, const char *b) {
    return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

static const Onnx__FunctionProto *find_function(const Onnx__ModelProto *model, const Onnx__NodeProto *n) {
    for (size_t i = 0; i < model->n_functions; i++) {
        const Onnx__FunctionProto *f = model->functions[i];
        bool same_domain = same_text(f->domain, n->domain) ||
                           (import_is_default_domain(f->domain) && import_is_default_domain(n->domain));
        if (same_domain && same_text(f->name, n->op_type) && same_text(f->overload, n->overload)) {
            return f;
        }
    }
    return NULL;
}

/* ---- names ---- */

/* NULL: no memory, or too much of it. */
static char *inner_name(struct inliner *in, const struct call *call, const char *name) {
    in->name_bytes += strlen(call->prefix) + strlen(name) + 2;
    if (in->name_bytes > NAME_BYTES_MAX) {
        (void)fail(in->im->ctx, PARE_ERROR_INPUT, "the names in its functions are too long");
        return NULL;
    }
    char *made = arena_format(in->im->scratch, "%s/%s", call->prefix, name);
    if (made == NULL) {
        (void)fail_memory(in->im->ctx);
    }
    return made;
}

/* What a name inside of a call is called outside: the call's own input or output, or a new name. */
static char *outer_name(struct inliner *in, const struct call *call, char *name) {
    if (call == NULL || name == NULL || name[0] == '\0') {
        return name;
    }
    for (size_t i = 0; i < call->function->n_input; i++) {
        if (strcmp(call->function->input[i], name) == 0) {
            return i < call->node->n_input ? call->node->input[i] : (char *)"";
        }
    }
    for (size_t i = 0; i < call->function->n_output; i++) {
        bool given = i < call->node->n_output && call->node->output[i][0] != '\0';
        if (given && strcmp(call->function->output[i], name) == 0) {
            return call->node->output[i];
        }
    }
    return inner_name(in, call, name);
}

static enum pare_status rename_list(struct inliner *in, const struct call *call, char **from, size_t count,
                                    char ***out) {
    char **names = ARENA_ARRAY(in->im->scratch, count, char *);
    if (names == NULL) {
        return fail_memory(in->im->ctx);
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = outer_name(in, call, from[i]);
        if (names[i] == NULL) {
            return in->im->ctx->diag.code;
        }
    }
    *out = names;
    return PARE_OK;
}

/* ---- attributes ---- */

/* What the call gives for an attribute that a node inside refers to, or the function's default; NULL: nothing. */
static const Onnx__AttributeProto *passed_on(const struct call *call, const char *name) {
    for (size_t i = 0; i < call->node->n_attribute; i++) {
        if (same_text(call->node->attribute[i]->name, name)) {
            return call->node->attribute[i];
        }
    }
    for (size_t i = 0; i < call->function->n_attribute_proto; i++) {
        if (same_text(call->function->attribute_proto[i]->name, name)) {
            return call->function->attribute_proto[i];
        }
    }
    return NULL;
}

/* *out NULL: the attribute refers to one that nobody gives. */
static enum pare_status inline_attribute(struct inliner *in, const struct call *call, int nesting,
                                         const Onnx__AttributeProto *from, Onnx__AttributeProto **out) {
    bool refers = call != NULL && from->ref_attr_name != NULL && from->ref_attr_name[0] != '\0';
    const Onnx__AttributeProto *given = refers ? passed_on(call, from->ref_attr_name) : from;
    *out = NULL;
    if (given == NULL) {
        return PARE_OK;
    }
    Onnx__AttributeProto *copy = copy_of(in, given, sizeof *given);
    if (copy == NULL) {
        return PARE_ERROR_MEMORY;
    }
    copy->name = from->name;
    *out = copy;
    return given->g == NULL || refers ? PARE_OK : inline_graph(in, call, nesting + 1, given->g, &copy->g);
}

static enum pare_status inline_attributes(struct inliner *in, const struct call *call, int nesting,
                                          const Onnx__NodeProto *from, Onnx__NodeProto *to) {
    to->attribute = ARENA_ARRAY(in->im->scratch, from->n_attribute, Onnx__AttributeProto *);
    if (to->attribute == NULL) {
        return fail_memory(in->im->ctx);
    }
    to->n_attribute = 0;
    for (size_t i = 0; i < from->n_attribute; i++) {
        Onnx__AttributeProto **slot = &to->attribute[to->n_attribute];
        TRY(inline_attribute(in, call, nesting, from->attribute[i], slot));
        to->n_attribute += *slot != NULL;
    }
    return PARE_OK;
}

/* ---- nodes ---- */

static enum pare_status count_node(struct inliner *in) {
    return ++in->nodes <= 2 * (size_t)GRAPH_MAX_NODES
               ? PARE_OK
               : fail(in->im->ctx, PARE_ERROR_INPUT, "its functions make more than %d nodes", GRAPH_MAX_NODES);
}

static enum pare_status append(struct inliner *in, struct node_list *list, Onnx__NodeProto *n) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        Onnx__NodeProto **items = ARENA_ARRAY(in->im->scratch, capacity, Onnx__NodeProto *);
        if (items == NULL) {
            return fail_memory(in->im->ctx);
        }
        if (list->count > 0) {
            memcpy(items, list->items, list->count * sizeof(Onnx__NodeProto *));
        }
        list->items = items;
        list->capacity = capacity;
    }
    TRY(count_node(in));
    list->items[list->count++] = n;
    return PARE_OK;
}

static enum pare_status inline_nodes(struct inliner *in, const struct call *call, int nesting,
                                     Onnx__NodeProto *const *nodes, size_t count, struct node_list *list);

static enum pare_status check_opset(struct inliner *in, const Onnx__FunctionProto *f) {
    for (size_t i = 0; i < f->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *o = f->opset_import[i];
        if (import_is_default_domain(o->domain) && o->version != in->im->opset) {
            return fail(in->im->ctx, PARE_ERROR_UNSUPPORTED,
                        "function %.64s is written for opset %lld, the model for %d; export both for one", f->name,
                        (long long)o->version, in->im->opset);
        }
    }
    return PARE_OK;
}

/* `n` is a call, with names of the graph that it stands in. */
static enum pare_status expand_call(struct inliner *in, const struct call *outer, int nesting, const Onnx__NodeProto *n,
                                    const Onnx__FunctionProto *f, struct node_list *list) {
    struct call call = {.node = n, .function = f, .outer = outer};
    int depth = 0;
    for (const struct call *c = outer; c != NULL; c = c->outer) {
        depth++;
    }
    for (size_t i = 0; i < n->n_output && call.prefix == NULL; i++) {
        call.prefix = n->output[i][0] != '\0' ? n->output[i] : NULL;
    }
    if (depth >= NESTING_MAX || call.prefix == NULL) {
        return fail(in->im->ctx, PARE_ERROR_INPUT, "function %.64s is called without an output, or by itself", f->name);
    }
    TRY(count_node(in));
    TRY(check_opset(in, f));
    return inline_nodes(in, &call, nesting, f->node, f->n_node, list);
}

static enum pare_status inline_node(struct inliner *in, const struct call *call, int nesting,
                                    const Onnx__NodeProto *from, struct node_list *list) {
    const Onnx__FunctionProto *f = find_function(in->model, from);
    Onnx__NodeProto *n = copy_of(in, from, sizeof *from);
    if (n == NULL) {
        return PARE_ERROR_MEMORY;
    }
    TRY(rename_list(in, call, from->input, from->n_input, &n->input));
    TRY(rename_list(in, call, from->output, from->n_output, &n->output));
    TRY(inline_attributes(in, call, nesting, from, n));
    if (call != NULL && from->name != NULL && from->name[0] != '\0') {
        n->name = inner_name(in, call, from->name);
        if (n->name == NULL) {
            return in->im->ctx->diag.code;
        }
    }
    return f != NULL ? expand_call(in, call, nesting, n, f, list) : append(in, list, n);
}

static enum pare_status inline_nodes(struct inliner *in, const struct call *call, int nesting,
                                     Onnx__NodeProto *const *nodes, size_t count, struct node_list *list) {
    for (size_t i = 0; i < count; i++) {
        TRY(inline_node(in, call, nesting, nodes[i], list));
    }
    return PARE_OK;
}

/* ---- graphs ---- */

/* Inputs, outputs or values of a subgraph under their new names. */
static enum pare_status rename_infos(struct inliner *in, const struct call *call, size_t count,
                                     Onnx__ValueInfoProto ***list) {
    Onnx__ValueInfoProto **copies = ARENA_ARRAY(in->im->scratch, count, Onnx__ValueInfoProto *);
    if (copies == NULL) {
        return fail_memory(in->im->ctx);
    }
    for (size_t i = 0; i < count; i++) {
        copies[i] = copy_of(in, (*list)[i], sizeof **copies);
        if (copies[i] == NULL || (copies[i]->name = outer_name(in, call, copies[i]->name)) == NULL) {
            return in->im->ctx->diag.code;
        }
    }
    *list = copies;
    return PARE_OK;
}

static enum pare_status rename_constants(struct inliner *in, const struct call *call, Onnx__GraphProto *g) {
    Onnx__TensorProto **copies = ARENA_ARRAY(in->im->scratch, g->n_initializer, Onnx__TensorProto *);
    if (copies == NULL) {
        return fail_memory(in->im->ctx);
    }
    for (size_t i = 0; i < g->n_initializer; i++) {
        copies[i] = copy_of(in, g->initializer[i], sizeof **copies);
        if (copies[i] == NULL || (copies[i]->name = outer_name(in, call, copies[i]->name)) == NULL) {
            return in->im->ctx->diag.code;
        }
    }
    g->initializer = copies;
    return PARE_OK;
}

static enum pare_status inline_graph(struct inliner *in, const struct call *call, int nesting,
                                     const Onnx__GraphProto *from, Onnx__GraphProto **out) {
    struct node_list list = {.count = 0};
    if (nesting > NESTING_MAX) {
        return fail(in->im->ctx, PARE_ERROR_INPUT, "subgraphs are nested more than %d deep", NESTING_MAX);
    }
    Onnx__GraphProto *g = copy_of(in, from, sizeof *from);
    if (g == NULL) {
        return PARE_ERROR_MEMORY;
    }
    TRY(inline_nodes(in, call, nesting, from->node, from->n_node, &list));
    g->node = list.items;
    g->n_node = list.count;
    *out = g;
    if (call == NULL) {
        return PARE_OK;
    }
    TRY(rename_infos(in, call, g->n_input, &g->input));
    TRY(rename_infos(in, call, g->n_output, &g->output));
    TRY(rename_infos(in, call, g->n_value_info, &g->value_info));
    return rename_constants(in, call, g);
}

enum pare_status functions_inline(struct import *im, const Onnx__ModelProto *model, const Onnx__GraphProto **out) {
    struct inliner in = {.im = im, .model = model};
    Onnx__GraphProto *g = NULL;
    *out = model->graph;
    if (model->n_functions == 0) {
        return PARE_OK;
    }
    TRY(inline_graph(&in, NULL, 0, model->graph, &g));
    *out = g;
    return PARE_OK;
}
