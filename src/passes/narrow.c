/* A network that computes on float64, or that casts its inputs to float, in float32 throughout, to be quantised.
 *
 * requires: inferred types. guarantees: where a float64 value depends on an input of the graph, nothing is float64, in
 * bodies neither (one that computes on float64 in a float32 network stays); every input of another type that is only
 * cast to a float is float32. Not part of the standard pipeline. */
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- inputs ---- */

static bool is_only_cast(const struct value *input) {
    for (int i = 0; i < input->use_count; i++) {
        const struct node *user = input->uses[i].node;
        if (!node_is(user, "Cast") || !dtype_is_float(user->outputs[0]->type)) {
            return false;
        }
    }
    return input->use_count > 0;
}

static void narrow_inputs(struct graph *g, int *changes) {
    for (int i = 0; i < g->input_count; i++) {
        struct value *input = g->inputs[i];
        if (input->type != DTYPE_FLOAT && input->type != DTYPE_STRING && is_only_cast(input)) {
            input->type = DTYPE_FLOAT;
            ++*changes;
        }
    }
}

/* ---- float64 ---- */

static bool follows_input(const struct node *n, const bool *marks) {
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i] != NULL && marks[n->inputs[i]->position]) {
            return true;
        }
    }
    return false;
}

/* Sizes do not count: what is computed of them is folded. */
static bool marks_float64(const struct graph *g, bool *marks) {
    bool found = false;
    for (int i = 0; i < g->input_count; i++) {
        marks[g->inputs[i]->position] = true;
        found = found || g->inputs[i]->type == DTYPE_DOUBLE;
    }
    for (const struct node *n = g->first; n != NULL && !found; n = n->next) {
        bool follows = !node_is(n, "Shape") && !node_is(n, "Size") && follows_input(n, marks);
        for (int i = 0; i < n->output_count && follows; i++) {
            if (n->outputs[i] != NULL) {
                marks[n->outputs[i]->position] = true;
                found = found || n->outputs[i]->type == DTYPE_DOUBLE;
            }
        }
    }
    return found;
}

static enum pare_status narrow_tensor(struct context *ctx, struct graph *g, struct tensor **t) {
    struct tensor *narrow = ARENA_NEW(g->arena, struct tensor);
    if (narrow == NULL) {
        return fail_memory(ctx);
    }
    TRY(tensor_convert(ctx, g->arena, *t, DTYPE_FLOAT, narrow));
    float *x = narrow->data;
    for (size_t i = 0; i < tensor_count(narrow); i++) {
        if (isinf(x[i]) && isfinite(tensor_get_double(*t, i))) { /* a mask's large number is to stay one */
            x[i] = x[i] > 0 ? FLT_MAX : -FLT_MAX;
        }
    }
    *t = narrow;
    return PARE_OK;
}

static enum pare_status narrow_values(struct context *ctx, struct graph *g, int *changes) {
    for (int i = 0; i < g->value_count; i++) {
        struct value *v = g->values[i];
        if (v->type != DTYPE_DOUBLE) {
            continue;
        }
        if (v->constant != NULL) {
            TRY(narrow_tensor(ctx, g, &v->constant));
        }
        v->type = DTYPE_FLOAT;
        ++*changes;
    }
    return PARE_OK;
}

static enum pare_status narrow_graph(struct context *ctx, struct graph *g, int *changes);

static enum pare_status narrow_attributes(struct context *ctx, struct node *n, int *changes) {
    for (int i = 0; i < n->attr_count; i++) {
        struct attr *a = &n->attrs[i];
        bool is_type = strcmp(a->name, "to") == 0 || strcmp(a->name, "dtype") == 0;
        if (is_type && a->type == ATTR_INT && a->i == DTYPE_DOUBLE) {
            a->i = DTYPE_FLOAT;
        } else if (a->type == ATTR_TENSOR && a->tensor->type == DTYPE_DOUBLE) {
            TRY(narrow_tensor(ctx, n->graph, &a->tensor));
        } else if (a->type == ATTR_GRAPH) {
            TRY(narrow_graph(ctx, a->graph, changes));
        }
    }
    return PARE_OK;
}

static enum pare_status narrow_graph(struct context *ctx, struct graph *g, int *changes) {
    TRY(narrow_values(ctx, g, changes));
    for (struct node *n = g->first; n != NULL; n = n->next) {
        TRY(narrow_attributes(ctx, n, changes));
    }
    return PARE_OK;
}

enum pare_status pass_narrow(struct context *ctx, struct graph *g, int *changes) {
    bool *marks = calloc((size_t)g->value_count + 1, sizeof *marks);
    if (marks == NULL) {
        return fail_memory(ctx);
    }
    bool found = marks_float64(g, marks);
    free(marks);
    narrow_inputs(g, changes);
    return found ? narrow_graph(ctx, g, changes) : PARE_OK;
}
