/* Shape inference over a whole graph. */
#include "graph/infer.h"

#include "graph/tables.h"

struct inference {
    struct context *ctx;
    struct graph *graph;
    struct findings *noted; /* NULL: the first fault ends it */
    struct arena arena;
    struct infer_value *values; /* by position */
};

static struct infer_value describe(const struct value *v) {
    struct infer_value d = {.type = v->type, .rank = v->rank, .constant = v->constant};
    for (int i = 0; i < v->rank; i++) {
        d.dims[i] = v->dims[i];
    }
    return d;
}

static enum pare_status fail_contradiction(const struct inference *s, const struct value *v,
                                           const struct infer_value *inferred) {
    struct infer_value declared = describe(v);
    char a[INFER_TEXT_MAX];
    char b[INFER_TEXT_MAX];
    return fail(s->ctx, PARE_ERROR_INPUT, "%s: is declared as %s%s, but %s (%s) makes it %s%s", v->name,
                dtype_name(v->type), infer_text(&declared, a, sizeof a), v->producer->name, v->producer->op->name,
                dtype_name(inferred->type), infer_text(inferred, b, sizeof b));
}

/* The declared dimension and the inferred one, in *declared and *inferred. A graph output keeps its declared symbol;
 * elsewhere the inferred one tells more. */
static bool merge_dim(struct dim *declared, struct dim *inferred, bool is_output) {
    struct dim merged = is_output ? *declared : *inferred;
    if (!dim_unify(&merged, is_output ? inferred : declared)) {
        return false;
    }
    *declared = merged;
    return dim_unify(inferred, &merged);
}

/* Brings together what is declared about `v` and what was inferred, in both. */
static enum pare_status merge(struct inference *s, struct value *v, struct infer_value *inferred) {
    struct infer_value found = *inferred;
    bool agrees = v->type == DTYPE_NONE || found.type == DTYPE_NONE || v->type == found.type;
    agrees = agrees && (v->rank < 0 || found.rank < 0 || v->rank == found.rank);
    if (v->rank < 0) {
        v->rank = found.rank;
        for (int i = 0; i < found.rank; i++) {
            v->dims[i] = dim_unknown();
        }
    }
    bool is_output = value_is_output(v);
    for (int i = 0; agrees && found.rank >= 0 && i < v->rank; i++) {
        agrees = merge_dim(&v->dims[i], &found.dims[i], is_output);
    }
    if (!agrees) {
        return fail_contradiction(s, v, inferred);
    }
    v->type = v->type == DTYPE_NONE ? found.type : v->type;
    struct infer_value *known = &s->values[v->position];
    *known = found.rank < 0 ? describe(v) : found;
    known->type = v->type;
    return PARE_OK;
}

static enum pare_status gather_inputs(struct inference *s, const struct node *n, const struct infer_value **inputs) {
    for (int i = 0; i < n->input_count; i++) {
        struct value *v = n->inputs[i];
        if (v == NULL || v->graph == s->graph) {
            inputs[i] = v == NULL ? NULL : &s->values[v->position];
            continue;
        }
        struct infer_value *outer = ARENA_NEW(&s->arena, struct infer_value);
        if (outer == NULL) {
            return fail_memory(s->ctx);
        }
        *outer = describe(v);
        inputs[i] = outer;
    }
    return PARE_OK;
}

static enum pare_status infer_node(struct inference *s, const struct node *n) {
    const struct infer_value **inputs = ARENA_ARRAY(&s->arena, (size_t)n->input_count, const struct infer_value *);
    struct infer_value *outputs = ARENA_ARRAY(&s->arena, (size_t)n->output_count, struct infer_value);
    if (inputs == NULL || outputs == NULL) {
        return fail_memory(s->ctx);
    }
    TRY(gather_inputs(s, n, inputs));
    TRY(infer_subgraphs(s->ctx, n));
    for (int i = 0; i < n->output_count; i++) {
        outputs[i].rank = -1;
    }
    struct infer_call call = {.ctx = s->ctx, .arena = &s->arena, .node = n, .inputs = inputs, .outputs = outputs};
    TRY(n->op->infer(&call));
    for (int i = 0; i < n->output_count; i++) {
        if (n->outputs[i] != NULL) {
            TRY(merge(s, n->outputs[i], &outputs[i]));
        }
    }
    infer_branch_types(n);
    return PARE_OK;
}

static enum pare_status note(struct inference *s, enum pare_status status) {
    static const struct finding fault = {.kind = FINDING_STRUCTURE, .blocks = true};
    struct diag found = s->ctx->diag;
    if (s->noted == NULL || (status != PARE_ERROR_INPUT && status != PARE_ERROR_UNSUPPORTED)) {
        return status;
    }
    context_clear(s->ctx);
    return findings_add(s->ctx, s->noted, &fault, NULL, "%s", found.message);
}

static enum pare_status infer_all(struct inference *s) {
    const struct graph *g = s->graph;
    s->values = ARENA_ARRAY(&s->arena, (size_t)g->value_count, struct infer_value);
    if (s->values == NULL) {
        return fail_memory(s->ctx);
    }
    for (int i = 0; i < g->value_count; i++) {
        s->values[i] = describe(g->values[i]);
    }
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        TRY(note(s, infer_node(s, n)));
    }
    return PARE_OK;
}

enum pare_status graph_infer_noting(struct context *ctx, struct graph *g, struct findings *noted) {
    struct inference s = {.ctx = ctx, .graph = g, .noted = noted};
    arena_init(&s.arena);
    enum pare_status status = infer_all(&s);
    arena_free(&s.arena);
    return status;
}

enum pare_status graph_infer(struct context *ctx, struct graph *g) {
    return graph_infer_noting(ctx, g, NULL);
}
