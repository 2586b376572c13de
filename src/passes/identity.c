/* Nodes that hand on their first input unchanged go.
 *
 * requires: inferred shapes.
 * guarantees: what remains of them is an Identity between an input, a constant or another output and an output. */
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

#include <string.h>

static bool all_equal(const struct int_list *list, int64_t v) {
    int i = 0;
    while (i < list->count && list->at[i] == v) {
        i++;
    }
    return i == list->count;
}

/* Whether the attribute is absent or holds nothing but `v`. */
static bool attr_only(const struct node *n, const char *name, int64_t v) {
    struct int_list list;
    return node_attr(n, name) == NULL || (attr_ints(n, name, &list) && all_equal(&list, v));
}

static bool is_flat_transpose(const struct node *n) {
    struct int_list perm;
    int i = 0;
    if (!attr_ints(n, "perm", &perm)) {
        return n->inputs[0]->rank >= 0 && n->inputs[0]->rank < 2;
    }
    while (i < perm.count && perm.at[i] == i) {
        i++;
    }
    return i == perm.count;
}

static bool is_whole_slice(const struct node *n) {
    struct int_list steps;
    return (node_input(n, 4) == NULL || (input_ints(n, 4, &steps) && all_equal(&steps, 1))) &&
           value_same_shape(n->inputs[0], n->outputs[0]);
}

static bool is_unit_pool(const struct node *n) {
    return attr_only(n, "kernel_shape", 1) && attr_only(n, "strides", 1) && attr_only(n, "pads", 0) &&
           n->output_count == 1;
}

static bool is_unit_resize(const struct node *n) {
    const struct value *scales = node_input(n, 2);
    if (!value_is_float_constant(scales) || node_input(n, 3) != NULL ||
        strcmp(node_string(n, "coordinate_transformation_mode"), "tf_crop_and_resize") == 0) {
        return false;
    }
    size_t i = 0, count = tensor_count(scales->constant);
    while (i < count && tensor_get_double(scales->constant, i) == 1) {
        i++;
    }
    return count > 0 && i == count;
}

/* Whether operand `index` is a constant full of `v` that does not widen the other operand. */
static bool is_neutral(const struct node *n, int index, double v) {
    const struct value *constant = n->inputs[index], *other = n->inputs[1 - index];
    if (!value_is_constant(constant) || !value_same_shape(other, n->outputs[0])) {
        return false;
    }
    size_t i = 0, count = tensor_count(constant->constant);
    while (i < count && tensor_get_double(constant->constant, i) == v) {
        i++;
    }
    return i == count;
}

/* The value that an arithmetic operator with a neutral operand hands on, or NULL. */
static struct value *neutral_source(const struct node *n) {
    bool sum = node_is(n, "Add"), product = node_is(n, "Mul");
    if (sum || product || node_is(n, "Sub") || node_is(n, "Div")) {
        double neutral = sum || node_is(n, "Sub") ? 0 : 1;
        if (is_neutral(n, 1, neutral)) {
            return n->inputs[0];
        }
        return (sum || product) && is_neutral(n, 0, neutral) ? n->inputs[1] : NULL;
    }
    return NULL;
}

static bool is_copy(const struct node *n) {
    static const char *const reshapes[] = {"Reshape", "Flatten", "Squeeze", "Unsqueeze", NULL};
    struct int_list pads;
    if (node_is(n, "Dropout")) {
        return n->output_count == 1 || n->outputs[1] == NULL || n->outputs[1]->use_count == 0;
    }
    if (node_is(n, "Cast")) {
        return n->inputs[0]->type != DTYPE_NONE && node_int(n, "to") == (int64_t)n->inputs[0]->type;
    }
    return node_is(n, "Identity") || (node_is(n, "Concat") && n->input_count == 1) ||
           (node_is(n, "Clip") && node_input(n, 1) == NULL && node_input(n, 2) == NULL) ||
           (node_is_any(n, reshapes) && value_same_shape(n->inputs[0], n->outputs[0])) ||
           (node_is(n, "Transpose") && is_flat_transpose(n)) || (node_is(n, "Slice") && is_whole_slice(n)) ||
           (node_is(n, "Pad") && input_ints(n, 1, &pads) && all_equal(&pads, 0)) ||
           ((node_is(n, "AveragePool") || node_is(n, "MaxPool")) && is_unit_pool(n)) ||
           (node_is(n, "Resize") && is_unit_resize(n));
}

/* A Dropout's mask that nobody reads. */
static void drop_mask(struct node *n) {
    if (n->output_count > 1 && n->outputs[1] != NULL) {
        n->outputs[1]->producer = NULL;
        graph_remove_value(n->graph, n->outputs[1]);
    }
    n->output_count = 1;
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    (void)scratch;
    struct value *source = is_copy(n) ? n->inputs[0] : neutral_source(n);
    if (source == NULL) {
        return PARE_OK;
    }
    if (node_can_bypass(n, source)) {
        ++*changes;
        return node_bypass(ctx, n, source);
    }
    if (node_is(n, "Identity")) {
        return PARE_OK;
    }
    ++*changes;
    drop_mask(n);
    return node_become(ctx, n, "Identity", &source, 1);
}

enum pare_status pass_identity(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
