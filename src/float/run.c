/* The interpreter: nodes in order, each value freed after its last use. */
#include "base/map.h"
#include "float/scope.h"

#include <string.h>

/* What a value holds during the run. */
struct slot {
    const struct tensor *tensor; /* the constant's, the caller's, or &own; NULL before it exists and after its end */
    struct tensor own;
    int uses_left;
};

struct run {
    struct context *ctx;
    const struct graph *graph;
    const struct run *outer; /* of the graph around a subgraph, else NULL */
    float_observer *observe;
    void *user;
    struct arena arena;
    struct map slots; /* struct value to struct slot */
    struct slot *all; /* graph->value_count */
};

static struct slot *slot_of(const struct run *r, const struct value *v) {
    struct slot *s = map_get(&r->slots, v);
    for (r = r->outer; s == NULL && r != NULL; r = r->outer) {
        s = map_get(&r->slots, v);
    }
    return s;
}

static enum pare_status make_slots(struct run *r) {
    size_t count = (size_t)r->graph->value_count;
    map_init(&r->slots, &r->arena);
    r->all = ARENA_ARRAY(&r->arena, count, struct slot);
    if (r->all == NULL) {
        return fail_memory(r->ctx);
    }
    for (size_t i = 0; i < count; i++) {
        const struct value *v = r->graph->values[i];
        r->all[i] = (struct slot){.tensor = v->constant, .uses_left = v->use_count};
        if (!map_set(&r->slots, v, &r->all[i])) {
            return fail_memory(r->ctx);
        }
    }
    return PARE_OK;
}

static bool shape_matches(const struct value *v, const struct shape *s) {
    for (int i = 0; i < v->rank; i++) {
        if (i >= s->rank || (v->dims[i].value >= 0 && v->dims[i].value != s->dim[i])) {
            return false;
        }
    }
    return v->rank < 0 || v->rank == s->rank;
}

/* "[N,3,32,32]", or as much of it as there is memory for. */
static const char *declared_text(struct run *r, const struct value *v) {
    const char *text = "[";
    for (int i = 0; i < v->rank && text != NULL; i++) {
        const char *comma = i > 0 ? "," : "", *symbol = v->dims[i].symbol != NULL ? v->dims[i].symbol : "?";
        text = v->dims[i].value >= 0 ? arena_format(&r->arena, "%s%s%lld", text, comma, (long long)v->dims[i].value)
                                     : arena_format(&r->arena, "%s%s%s", text, comma, symbol);
    }
    text = text != NULL ? arena_format(&r->arena, "%s]", text) : NULL;
    return text != NULL ? text : "[";
}

static enum pare_status check_input(struct run *r, const struct value *v, const struct tensor *t) {
    char text[256];
    if (v->type != DTYPE_NONE && v->type != t->type) {
        return fail(r->ctx, PARE_ERROR_INPUT, "%s: the data are %s, the model takes %s", v->name, dtype_name(t->type),
                    dtype_name(v->type));
    }
    if (!shape_matches(v, &t->shape)) {
        return fail(r->ctx, PARE_ERROR_INPUT, "%s: the data have shape %s, the model takes %s", v->name,
                    shape_text(&t->shape, text, sizeof text), declared_text(r, v));
    }
    return PARE_OK;
}

static enum pare_status observe(struct run *r, const struct value *v, const struct tensor *t) {
    return r->observe != NULL ? r->observe(r->user, r->ctx, v, t) : PARE_OK;
}

static enum pare_status set_inputs(struct run *r, const struct tensor *inputs) {
    for (int i = 0; i < r->graph->input_count; i++) {
        const struct value *v = r->graph->inputs[i];
        TRY(check_input(r, v, &inputs[i]));
        slot_of(r, v)->tensor = &inputs[i];
        TRY(observe(r, v, &inputs[i]));
    }
    return PARE_OK;
}

static void free_slot(struct slot *s) {
    tensor_free(&s->own);
    s->tensor = NULL;
}

/* Takes over what the node made; what nobody reads is freed at once. */
static enum pare_status keep_outputs(struct run *r, const struct node *n, struct tensor *outputs) {
    for (int i = 0; i < n->output_count; i++) {
        if (n->outputs[i] == NULL) {
            continue;
        }
        struct slot *s = slot_of(r, n->outputs[i]);
        s->own = outputs[i];
        s->tensor = &s->own;
    }
    for (int i = 0; i < n->output_count; i++) {
        if (n->outputs[i] == NULL) {
            continue;
        }
        struct slot *s = slot_of(r, n->outputs[i]);
        TRY(observe(r, n->outputs[i], s->tensor));
        if (s->uses_left == 0) {
            free_slot(s);
        }
    }
    return PARE_OK;
}

static void release_inputs(struct run *r, const struct node *n) {
    for (int i = 0; i < n->input_count; i++) {
        bool own = n->inputs[i] != NULL && n->inputs[i]->graph == r->graph; /* a subgraph may run again */
        struct slot *s = own ? slot_of(r, n->inputs[i]) : NULL;
        if (s != NULL && --s->uses_left == 0) {
            free_slot(s);
        }
    }
}

static enum pare_status run_node(struct run *r, const struct node *n) {
    const struct tensor **inputs = ARENA_ARRAY(&r->arena, (size_t)n->input_count, const struct tensor *);
    struct tensor *outputs = ARENA_ARRAY(&r->arena, (size_t)n->output_count, struct tensor);
    if (inputs == NULL || outputs == NULL) {
        return fail_memory(r->ctx);
    }
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i] == NULL) {
            continue;
        }
        const struct slot *s = slot_of(r, n->inputs[i]);
        if (s == NULL || s->tensor == NULL) {
            return fail(r->ctx, PARE_ERROR_INTERNAL, "%s: its input %s has no value yet", n->name, n->inputs[i]->name);
        }
        inputs[i] = s->tensor;
    }
    TRY(float_run_node_in(r->ctx, r, n, inputs, outputs));
    TRY(keep_outputs(r, n, outputs));
    release_inputs(r, n);
    return PARE_OK;
}

/* The tensor itself where the run owns it and no later output is the same value, else a copy. */
static enum pare_status give_output(struct run *r, const struct value *v, struct tensor *out) {
    struct slot *s = slot_of(r, v);
    if (s->tensor == &s->own && --s->uses_left == 0) {
        *out = s->own;
        s->own = (struct tensor){0};
        s->tensor = NULL;
        return PARE_OK;
    }
    if (s->tensor == NULL) {
        return fail(r->ctx, PARE_ERROR_INTERNAL, "output %s was never computed", v->name);
    }
    TRY(tensor_alloc(r->ctx, s->tensor->type, &s->tensor->shape, out));
    memcpy(out->data, s->tensor->data, tensor_bytes(s->tensor));
    return PARE_OK;
}

static enum pare_status run_graph(struct run *r, const struct tensor *inputs, struct tensor *outputs) {
    TRY(make_slots(r));
    TRY(set_inputs(r, inputs));
    for (const struct node *n = r->graph->first; n != NULL; n = n->next) {
        TRY(run_node(r, n));
    }
    for (int i = 0; i < r->graph->output_count; i++) {
        TRY(give_output(r, r->graph->outputs[i], &outputs[i]));
    }
    return PARE_OK;
}

static enum pare_status run_and_free(struct run *r, const struct tensor *inputs, struct tensor *outputs) {
    const struct graph *g = r->graph;
    arena_init(&r->arena);
    for (int i = 0; i < g->output_count; i++) {
        outputs[i] = (struct tensor){0};
    }
    enum pare_status status = run_graph(r, inputs, outputs);
    for (int i = 0; i < g->value_count && r->all != NULL; i++) {
        tensor_free(&r->all[i].own);
    }
    for (int i = 0; i < g->output_count && status != PARE_OK; i++) {
        tensor_free(&outputs[i]);
    }
    arena_free(&r->arena);
    return status;
}

enum pare_status float_run(struct context *ctx, const struct graph *g, const struct tensor *inputs,
                           struct tensor *outputs, float_observer *observer, void *user) {
    return run_and_free(&(struct run){.ctx = ctx, .graph = g, .observe = observer, .user = user}, inputs, outputs);
}

enum pare_status call_subgraph(struct float_call *c, const struct graph *g, const struct tensor *inputs,
                               struct tensor *outputs) {
    if (c->scope == NULL) {
        return fail(c->ctx, PARE_ERROR_INTERNAL, "a subgraph cannot run without the graph around it");
    }
    return context_cancelled(c->ctx)
               ? fail(c->ctx, PARE_ERROR_INTERRUPTED, "interrupted")
               : run_and_free(&(struct run){.ctx = c->ctx, .graph = g, .outer = c->scope}, inputs, outputs);
}
