/* A network for one sample at a time: where it needs to know how many samples there are, one. */
#include "passes/passes.h"

static bool fix_batch(struct graph *g) {
    bool fixed = false;
    for (int i = 0; i < g->input_count; i++) {
        struct value *input = g->inputs[i];
        if (input->rank < 1 || input->dims[0].value >= 0) {
            continue;
        }
        if (input->dims[0].symbol != NULL) {
            graph_fix_symbol(g, input->dims[0].symbol, 1);
        } else {
            input->dims[0].value = 1;
        }
        fixed = true;
    }
    return fixed;
}

/* Elsewhere samples are taken to be counted by the first axis alone (value_shape). */
static bool same_for_one(const struct value *open, const struct value *fixed) {
    struct shape assumed, actual;
    return fixed == NULL || !value_shape(fixed, 1, &actual) ||
           (value_shape(open, 1, &assumed) && shape_equal(&assumed, &actual));
}

static bool needs_size(const struct node *n, const struct graph *fixed) {
    bool needs = node_is(n, "Shape") || node_is(n, "Size"); /* which the passes could not fold */
    for (int i = 0; i < n->output_count && !needs; i++) {
        needs = n->outputs[i] != NULL && !same_for_one(n->outputs[i], graph_find(fixed, n->outputs[i]->name));
    }
    return needs;
}

/* Whether the network is another one when its open batch is 1. */
static enum pare_status find_need(struct context *ctx, const struct graph *g, bool *needed) {
    struct graph *trial;
    *needed = false;
    TRY(graph_clone(ctx, g, true, &trial));
    enum pare_status status = PARE_OK;
    if (fix_batch(trial)) {
        status = graph_infer(ctx, trial);
        for (const struct node *n = g->first; n != NULL && status == PARE_OK && !*needed; n = n->next) {
            *needed = needs_size(n, trial);
        }
    }
    graph_free(trial);
    return status;
}

enum pare_status passes_run_for_sample(struct context *ctx, struct graph **g, const struct pass_options *options,
                                       bool *fixed) {
    TRY(passes_run(ctx, g, options));
    TRY(find_need(ctx, *g, fixed));
    if (!*fixed) {
        return PARE_OK;
    }
    fix_batch(*g);
    TRY(graph_infer(ctx, *g));
    return passes_run(ctx, g, options);
}
