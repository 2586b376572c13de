#include "api/narrow.h"

#include "passes/passes.h"

#include <stdlib.h>
#include <string.h>

static void warn(struct context *ctx, const char *place, const struct value *input, enum dtype type) {
    const char *where = place != NULL ? place : "", *colon = place != NULL ? ": " : "";
    if (input == NULL) {
        context_warn(ctx, "%s%sfloat64 is taken as float32", where, colon);
    } else {
        context_warn(ctx, "%s%sinput '%s' is taken as float32, not %s, and so it is in model.onnx", where, colon,
                     input->name, dtype_name(type));
    }
}

static void warn_of_changes(struct context *ctx, const char *place, const struct graph *g, const enum dtype *before) {
    bool told = false;
    for (int i = 0; i < g->input_count; i++) {
        if (g->inputs[i]->type != before[i]) {
            warn(ctx, place, g->inputs[i], before[i]);
            told = true;
        }
    }
    if (!told) {
        warn(ctx, place, NULL, DTYPE_DOUBLE);
    }
}

static enum pare_status narrow(struct context *ctx, struct graph **g, enum dtype *before, int *changes) {
    for (int i = 0; i < (*g)->input_count; i++) {
        before[i] = (*g)->inputs[i]->type;
    }
    return passes_narrow(ctx, g, changes);
}

enum pare_status graph_narrow(struct context *ctx, const char *place, struct graph **g, bool *changed) {
    int changes = 0;
    enum dtype *before = calloc((size_t)(*g)->input_count + 1, sizeof *before);
    if (before == NULL) {
        return fail_memory(ctx);
    }
    enum pare_status status = narrow(ctx, g, before, &changes);
    if (status == PARE_OK && changes > 0) {
        warn_of_changes(ctx, place, *g, before);
    }
    free(before);
    if (changed != NULL) {
        *changed = changes > 0;
    }
    return status;
}

static enum pare_status check_inputs(struct context *ctx, const struct pare_network *n) {
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i].type != DTYPE_FLOAT) {
            return fail(ctx, PARE_ERROR_UNSUPPORTED, "%s: input '%s' is %s; " OTHER_INPUT, n->path, n->inputs[i].name,
                        dtype_name(n->inputs[i].type));
        }
    }
    return PARE_OK;
}

static enum pare_status copy_network(struct context *ctx, struct arena *arena, const struct pare_network **n,
                                     struct graph *g) {
    struct pare_network *copy = ARENA_NEW(arena, struct pare_network);
    struct port *inputs = ARENA_ARRAY(arena, (size_t)g->input_count, struct port);
    struct port *outputs = ARENA_ARRAY(arena, (size_t)g->output_count, struct port);
    if (copy == NULL || inputs == NULL || outputs == NULL) {
        return fail_memory(ctx);
    }
    for (int i = 0; i < g->input_count; i++) {
        port_of_value(g->inputs[i], &inputs[i]);
    }
    for (int i = 0; i < g->output_count; i++) {
        port_of_value(g->outputs[i], &outputs[i]);
    }
    *copy = **n;
    copy->graph = g;
    copy->inputs = inputs;
    copy->outputs = outputs;
    *n = copy;
    return PARE_OK;
}

enum pare_status network_narrow(struct context *ctx, struct arena *arena, const struct pare_network **n,
                                struct graph **owned) {
    bool changed = false;
    *owned = NULL;
    if ((*n)->kind != PARE_NETWORK_FLOAT) {
        return check_inputs(ctx, *n);
    }
    TRY(graph_clone(ctx, (*n)->graph, true, owned));
    TRY(graph_narrow(ctx, (*n)->path, owned, &changed));
    if (changed) {
        TRY(copy_network(ctx, arena, n, *owned));
    }
    return check_inputs(ctx, *n);
}
