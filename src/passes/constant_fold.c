/* Nodes that see only constants become constants, and so do the known parts of Shape arithmetic.
 *
 * requires: inferred shapes.
 * guarantees: what is computed once is no node any more, unless the constant would be larger than the limit; a node
 *   behind a graph output and quantisation of constants stay. */
#include "float/float.h"
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

#include <string.h>

/* Bytes that a folded node may add to the model, beyond those of the constants it reads. */
#define GROWTH_LIMIT ((size_t)1 << 20)

static bool growth_is_bounded(const struct node *n) {
    size_t limit = GROWTH_LIMIT, bytes = 0;
    for (int i = 0; i < n->input_count; i++) {
        limit += n->inputs[i] == NULL ? 0 : tensor_bytes(n->inputs[i]->constant);
    }
    for (int i = 0; i < n->output_count; i++) {
        const struct value *v = n->outputs[i];
        struct shape shape;
        size_t count, size;
        if (v == NULL || v->type == DTYPE_NONE || !value_shape(v, -1, &shape) || !shape_count(&shape, &count) ||
            !size_multiply(count, dtype_size(v->type), &size) || !size_add(bytes, size, &bytes)) {
            return false;
        }
    }
    return bytes <= limit;
}

static bool can_fold(const struct node *n) {
    bool quantisation = node_is(n, "QuantizeLinear") || node_is(n, "DequantizeLinear");
    int constants = 0;
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i] != NULL && !value_is_constant(n->inputs[i])) {
            return false;
        }
        constants += n->inputs[i] != NULL;
    }
    for (int i = 0; i < n->output_count; i++) {
        if (n->outputs[i] != NULL && value_is_output(n->outputs[i])) {
            return false;
        }
    }
    return constants > 0 && !quantisation && !node_has_subgraphs(n) && growth_is_bounded(n);
}

/* Users of `old` read a copy of the tensor. */
static enum pare_status replace_by_tensor(struct context *ctx, struct value *old, const struct tensor *t) {
    struct graph *g = old->graph;
    struct tensor copy;
    struct value *constant;
    TRY(tensor_new(ctx, g->arena, t->type, &t->shape, &copy));
    if (tensor_bytes(t) > 0) {
        memcpy(copy.data, t->data, tensor_bytes(t));
    }
    TRY(graph_add_constant(ctx, g, old->name, &copy, &constant));
    return graph_replace(ctx, g, old, constant);
}

enum pare_status fold_node(struct context *ctx, struct arena *scratch, struct node *n) {
    const struct tensor **inputs = ARENA_ARRAY(scratch, (size_t)n->input_count, const struct tensor *);
    struct tensor *outputs = ARENA_ARRAY(scratch, (size_t)n->output_count, struct tensor);
    if (inputs == NULL || outputs == NULL) {
        return fail_memory(ctx);
    }
    for (int i = 0; i < n->input_count; i++) {
        inputs[i] = n->inputs[i] == NULL ? NULL : n->inputs[i]->constant;
    }
    TRY(float_run_node(ctx, n, inputs, outputs));
    enum pare_status status = PARE_OK;
    for (int i = 0; i < n->output_count && status == PARE_OK; i++) {
        status = n->outputs[i] == NULL ? PARE_OK : replace_by_tensor(ctx, n->outputs[i], &outputs[i]);
    }
    for (int i = 0; i < n->output_count; i++) {
        tensor_free(&outputs[i]);
    }
    if (status == PARE_OK) {
        graph_remove_node(n->graph, n);
    }
    return status;
}

/* The range [start, end) of dimensions that a Shape gives; false when the rank is unknown. */
static bool shape_range(const struct node *shape, int64_t *start, int64_t *end) {
    int rank = shape->inputs[0]->rank;
    *start = node_int(shape, "start");
    *end = node_attr(shape, "end") == NULL ? rank : node_int(shape, "end");
    *start += *start < 0 ? rank : 0;
    *end += *end < 0 ? rank : 0;
    *start = *start < 0 ? 0 : *start;
    *end = *end > rank ? rank : *end;
    return rank >= 0 && *start < *end;
}

/* Sizes of the dimensions that a Shape, or a Gather from one, gives; false where one is unknown. */
static bool known_sizes(const struct node *n, struct int_list *sizes) {
    const struct node *shape = node_is(n, "Gather") ? input_producer(n, 0) : n;
    struct int_list picked = {0};
    int64_t start, end;
    if (!node_is(shape, "Shape") || !shape_range(shape, &start, &end) || (n != shape && !input_ints(n, 1, &picked))) {
        return false;
    }
    sizes->count = n == shape ? (int)(end - start) : picked.count;
    for (int i = 0; i < sizes->count; i++) {
        int64_t at = n == shape ? i : picked.at[i] + (picked.at[i] < 0 ? end - start : 0);
        if (at < 0 || at >= end - start || !value_dim(shape->inputs[0], (int)(start + at), &sizes->at[i])) {
            return false;
        }
    }
    return true;
}

static enum pare_status fold_sizes(struct context *ctx, struct node *n, const struct int_list *sizes) {
    int rank = node_is(n, "Gather") ? n->inputs[1]->rank : 1;
    struct shape shape = {.rank = rank, .dim = {sizes->count}};
    struct tensor t = {.type = DTYPE_INT64, .shape = shape, .data = (void *)sizes->at};
    TRY(replace_by_tensor(ctx, n->outputs[0], &t));
    graph_remove_node(n->graph, n);
    return PARE_OK;
}

/* Slice(Shape(x)) along its only axis, forwards, is a Shape with start and end. */
static enum pare_status narrow_shape(struct context *ctx, struct node *n, int *changes) {
    struct node *shape = input_producer(n, 0);
    struct int_list starts, ends, steps = {.count = 1, .at = {1}};
    int64_t first, last;
    if (!node_is(n, "Slice") || !node_is(shape, "Shape") || !shape_range(shape, &first, &last) ||
        !input_ints(n, 1, &starts) || !input_ints(n, 2, &ends) || starts.count != 1 || ends.count != 1 ||
        (node_input(n, 4) != NULL && !input_ints(n, 4, &steps)) || steps.count != 1 || steps.at[0] != 1) {
        return PARE_OK;
    }
    int64_t count = last - first;
    int64_t start = starts.at[0] + (starts.at[0] < 0 ? count : 0);
    int64_t end = ends.at[0] + (ends.at[0] < 0 ? count : 0);
    end = end > count ? count : end;
    if (start < 0 || start >= end) {
        return PARE_OK;
    }
    TRY(node_become(ctx, n, "Shape", &shape->inputs[0], 1));
    TRY(node_set_int(ctx, n, "start", first + start));
    TRY(node_set_int(ctx, n, "end", first + end));
    ++*changes;
    return PARE_OK;
}

/* A Slice or Gather of converted shape arithmetic is a conversion of the Slice or Gather: the Shape comes into view. */
static enum pare_status sink_cast(struct context *ctx, struct node *n, int *changes) {
    struct node *cast = input_producer(n, 0), *moved;
    struct value *v;
    if ((!node_is(n, "Slice") && !node_is(n, "Gather")) || !node_is(cast, "Cast") || n->outputs[0]->rank > 1 ||
        n->outputs[0]->rank < 0 || !node_is(input_producer(cast, 0), "Shape")) {
        return PARE_OK;
    }
    TRY(graph_add_value(ctx, n->graph, NULL, n->outputs[0]->name, &v));
    value_copy_type(v, n->outputs[0]);
    v->type = cast->inputs[0]->type;
    TRY(graph_add_node(ctx, n->graph, n->op, NULL, n->inputs, n->input_count, &v, 1, n, &moved));
    TRY(node_set_input(ctx, moved, 0, cast->inputs[0]));
    if (node_is(moved, "Gather")) {
        TRY(node_set_int(ctx, moved, "axis", 0)); /* the only one of a Shape */
    }
    TRY(node_become(ctx, n, "Cast", &v, 1));
    ++*changes;
    return node_set_int(ctx, n, "to", node_int(cast, "to"));
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    struct int_list sizes;
    TRY(sink_cast(ctx, n, changes));
    TRY(narrow_shape(ctx, n, changes));
    if (!value_is_output(n->outputs[0]) && known_sizes(n, &sizes)) {
        ++*changes;
        return fold_sizes(ctx, n, &sizes);
    }
    if (!can_fold(n)) {
        return PARE_OK;
    }
    ++*changes;
    return fold_node(ctx, scratch, n);
}

enum pare_status pass_constant_fold(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
