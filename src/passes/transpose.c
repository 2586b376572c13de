/* Transposes sink towards the outputs until they meet their inverse: through operators that do not care about the order
 * of axes, and through those whose axes can be renamed.
 *
 *   x ─▶ Transpose P ─▶ op(axes) ─▶ y      ⇒      x ─▶ op(P(axes)) ─▶ Transpose P ─▶ y
 *
 * Operators with a fixed order (Conv, pools, BatchNormalization) stop them.
 *
 * requires: inferred shapes.
 * guarantees: no Transpose of a Transpose, none that only moves axes of size 1 (it is a Reshape), and none before an
 *   operator that it could pass together with all other users of its result. */
#include "passes/passes.h"
#include "passes/permutation.h"
#include "passes/pipeline.h"

#include <string.h>

static const char *const unary[] = {"Relu",        "LeakyRelu", "Clip",     "Sigmoid", "Tanh",
                                    "HardSigmoid", "HardSwish", "Identity", "Cast",    NULL};
static const char *const binary[] = {"Add", "Sub", "Mul", "Div", "PRelu", NULL};
/* Values looked at behind one node, for the question whether a Transpose would pass it. */
#define MAX_LOOKS 32

static const char *const along_axis[] = {"Concat", "Softmax", "Split", NULL};

/* How many leading inputs are tensors that carry the order of axes. */
static int data_inputs(const struct node *n) {
    if (node_is(n, "Concat")) {
        return n->input_count;
    }
    return node_is_any(n, binary) ? 2 : 1;
}

/* The order that values are found in; all must agree. */
struct order {
    struct permutation p;
    bool found;
    int looks; /* left to spend behind the Transposes themselves; 0: only what a Transpose makes counts */
};

static bool inputs_carry(const struct node *n, struct order *o);
static bool has_passing_kind(const struct node *n);

/* Whether `v` is Transpose P of something, or would be once Transposes have passed what is between. */
static bool carries(const struct value *v, struct order *o) {
    struct permutation here;
    const struct node *n = v->producer;
    if (transpose_permutation(n, &here)) {
        bool agrees = !o->found || permutation_equal(&o->p, &here);
        o->p = o->found ? o->p : here;
        o->found = true;
        return agrees;
    }
    return n != NULL && o->looks-- > 0 && has_passing_kind(n) && n->inputs[0]->rank == v->rank && inputs_carry(n, o);
}

/* Whether every tensor that `n` reads carries P, or is a constant that can be permuted. */
static bool inputs_carry(const struct node *n, struct order *o) {
    for (int i = 0; i < data_inputs(n); i++) {
        if (!value_is_constant(n->inputs[i]) && !carries(n->inputs[i], o)) {
            return false;
        }
    }
    for (int i = 0; i < data_inputs(n); i++) {
        int rank = n->inputs[i]->rank;
        if (!o->found || rank > o->p.rank || (!node_is_any(n, binary) && rank != o->p.rank)) {
            return false;
        }
    }
    return true;
}

static bool has_plain_pads(const struct node *n, int rank) {
    struct int_list pads;
    return node_is(n, "Pad") && node_input(n, 3) == NULL && input_ints(n, 1, &pads) && pads.count == 2 * rank;
}

/* Operators that name axes in an input, and may drop them. */
static bool names_axes(const struct node *n, int rank, struct int_list *axes, bool *drops) {
    if (node_is(n, "ReduceMean") || node_is(n, "Squeeze")) {
        *drops = node_is(n, "Squeeze") || node_int(n, "keepdims") == 0;
        return input_axes(n, 1, rank, axes) && axes->count > 0;
    }
    *drops = false;
    return node_is(n, "Slice") && input_axes(n, 3, rank, axes);
}

static bool adds_axes(const struct node *n, struct int_list *axes) {
    return node_is(n, "Unsqueeze") && input_axes(n, 1, n->outputs[0]->rank, axes);
}

static bool has_passing_kind(const struct node *n) {
    struct int_list axes;
    bool drops;
    int rank = n->inputs[0]->rank;
    return n->outputs[0] != NULL && n->outputs[0]->rank >= 0 &&
           (node_is_any(n, unary) || node_is_any(n, binary) || node_is_any(n, along_axis) || has_plain_pads(n, rank) ||
            names_axes(n, rank, &axes, &drops) || adds_axes(n, &axes));
}

/* Whether a Transpose may pass `n`, now or (with looks to spend) after others have passed what feeds it. */
static bool lets_pass(const struct node *n, int looks, struct permutation *p) {
    struct order o = {.looks = looks};
    if (n == NULL || !has_passing_kind(n) || !inputs_carry(n, &o)) {
        return false;
    }
    *p = o.p;
    return true;
}

/* Whether the Transpose that makes `v` is gone after it passed this use, or is cancelled there. */
static bool all_users_let_pass(const struct value *v) {
    struct permutation ignored;
    for (int i = 0; i < v->use_count; i++) {
        const struct node *user = v->uses[i].node;
        if (!node_is(user, "Transpose") && !lets_pass(user, MAX_LOOKS, &ignored)) {
            return false;
        }
    }
    return true;
}

static bool is_worthwhile(const struct node *n) {
    for (int i = 0; i < data_inputs(n); i++) {
        if (!value_is_constant(n->inputs[i]) && !all_users_let_pass(n->inputs[i])) {
            return false;
        }
    }
    return true;
}

/* A constant operand with its axes in the order before P; broadcasting aligns it at the last axis. */
static enum pare_status unpermute_constant(struct context *ctx, struct node *n, int index,
                                           const struct permutation *p) {
    const struct tensor *t = n->inputs[index]->constant;
    struct permutation inverse = permutation_inverse(p);
    struct tensor full = {.type = t->type, .shape.rank = p->rank, .data = t->data}, permuted;
    if (tensor_count(t) == 1) {
        return PARE_OK;
    }
    int missing = p->rank - t->shape.rank;
    for (int i = 0; i < p->rank; i++) {
        full.shape.dim[i] = i < missing ? 1 : t->shape.dim[i - missing];
    }
    TRY(tensor_permute(ctx, n->graph->arena, &full, &inverse, &permuted));
    return set_constant(ctx, n, index, "constant", &permuted);
}

static enum pare_status unpermute_pads(struct context *ctx, struct node *n, const struct permutation *p) {
    struct int_list pads, moved = {.count = 2 * p->rank};
    struct value *constant;
    if (!input_ints(n, 1, &pads)) {
        return PARE_OK;
    }
    for (int i = 0; i < p->rank; i++) {
        moved.at[p->at[i]] = pads.at[i];
        moved.at[p->rank + p->at[i]] = pads.at[p->rank + i];
    }
    TRY(add_int_constant(ctx, n, "pads", moved.at, moved.count, &constant));
    return node_set_input(ctx, n, 1, constant);
}

/* Renames the axes in input `index`; `p` becomes what is left to do after axes were dropped. */
static enum pare_status unpermute_axes(struct context *ctx, struct node *n, int index, const struct int_list *axes,
                                       bool drops, struct permutation *p) {
    bool dropped[TENSOR_MAX_RANK] = {false};
    const struct tensor *given = n->inputs[index]->constant;
    struct tensor renamed;
    TRY(tensor_new(ctx, n->graph->arena, given->type, &given->shape, &renamed));
    for (int i = 0; i < axes->count; i++) {
        int axis = p->at[axes->at[i]];
        tensor_set_int(&renamed, (size_t)i, axis);
        dropped[axis] = drops;
    }
    *p = permutation_without(p, dropped);
    return set_constant(ctx, n, index, "axes", &renamed);
}

/* Makes `n` work on the order before P; `p` becomes the order of its results. */
static enum pare_status rename_axes(struct context *ctx, struct node *n, struct permutation *p) {
    struct int_list axes;
    bool drops;
    if (node_is(n, "Pad")) {
        return unpermute_pads(ctx, n, p);
    }
    if (adds_axes(n, &axes)) {
        bool added[TENSOR_MAX_RANK] = {false};
        for (int i = 0; i < axes.count; i++) {
            added[axes.at[i]] = true;
        }
        *p = permutation_with(p, added, n->outputs[0]->rank);
        return PARE_OK;
    }
    if (node_is_any(n, along_axis)) {
        int64_t axis = node_int(n, "axis");
        return node_set_int(ctx, n, "axis", p->at[axis < 0 ? axis + p->rank : axis]);
    }
    return names_axes(n, p->rank, &axes, &drops) ? unpermute_axes(ctx, n, node_is(n, "Slice") ? 3 : 1, &axes, drops, p)
                                                 : PARE_OK;
}

/* Users of the result read it through a new Transpose right behind `n`. */
static enum pare_status transpose_output(struct context *ctx, struct node *n, struct value *v,
                                         const struct permutation *p) {
    struct value *turned;
    struct node *transpose;
    TRY(graph_add_value(ctx, n->graph, NULL, v->name, &turned));
    value_copy_type(turned, v);
    TRY(graph_replace(ctx, n->graph, v, turned));
    value_unpermute(v, p);
    TRY(graph_add_node(ctx, n->graph, op_find("Transpose"), NULL, &v, 1, &turned, 1, n->next, &transpose));
    return set_permutation(ctx, transpose, p);
}

static enum pare_status sink(struct context *ctx, struct node *n, struct permutation *p) {
    for (int i = 0; i < data_inputs(n); i++) {
        if (value_is_constant(n->inputs[i])) {
            TRY(unpermute_constant(ctx, n, i, p));
        } else {
            TRY(node_set_input(ctx, n, i, n->inputs[i]->producer->inputs[0]));
        }
    }
    TRY(rename_axes(ctx, n, p));
    for (int i = 0; i < n->output_count && !permutation_is_identity(p); i++) {
        if (n->outputs[i] != NULL) {
            TRY(transpose_output(ctx, n, n->outputs[i], p));
        }
    }
    return PARE_OK;
}

/* Whether P keeps the order of all axes that are not known to have size 1. */
static bool moves_only_ones(const struct value *v, const struct permutation *p) {
    int last = -1;
    for (int i = 0; i < p->rank; i++) {
        if (v->dims[p->at[i]].value != 1) {
            if (p->at[i] < last) {
                return false;
            }
            last = p->at[i];
        }
    }
    return true;
}

static enum pare_status simplify(struct context *ctx, struct node *n, struct permutation *p, int *changes) {
    struct permutation before;
    struct int_list target;
    struct node *producer = n->inputs[0]->producer;
    if (transpose_permutation(producer, &before)) {
        struct permutation both = permutation_compose(&before, p);
        ++*changes;
        TRY(node_set_input(ctx, n, 0, producer->inputs[0]));
        return set_permutation(ctx, n, &both); /* an identity is for another pass to drop */
    }
    if (!permutation_is_identity(p) && moves_only_ones(n->inputs[0], p) &&
        reshape_target(n->inputs[0], n->outputs[0], &target)) {
        ++*changes;
        return become_reshape(ctx, n, n->inputs[0], &target);
    }
    return PARE_OK;
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    struct permutation p;
    (void)scratch;
    if (transpose_permutation(n, &p)) {
        return simplify(ctx, n, &p, changes);
    }
    if (!lets_pass(n, 0, &p) || !is_worthwhile(n)) {
        return PARE_OK;
    }
    ++*changes;
    return sink(ctx, n, &p);
}

enum pare_status pass_transpose(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
