#include "passes/channel_scale.h"

#include "base/map.h"
#include "passes/forward.h"
#include "passes/linear.h"

#include <math.h>
#include <string.h>

/* ---- what hangs together ---- */

struct flood {
    struct context *ctx;
    const struct graph *graph;
    struct arena *arena;
    struct map seen; /* values */
    struct value **stack;
    int depth;
    bool possible;
    struct scalable result;
};

static enum pare_status reach(struct flood *f, struct value *v) {
    int64_t channels = 0;
    if (map_get(&f->seen, v) != NULL) {
        return PARE_OK;
    }
    bool scales =
        v->producer != NULL && !value_is_output(v) && value_dim(v, 1, &channels) && channels == f->result.channels;
    f->possible = f->possible && scales;
    if (!f->possible) {
        return PARE_OK;
    }
    f->stack[f->depth++] = v;
    return map_set(&f->seen, v, v) ? PARE_OK : fail_memory(f->ctx);
}

/* A sum of two computed values, neither repeated to the shape of the other. */
static bool is_sum(const struct node *n) {
    return node_is(n, "Add") && !value_is_constant(n->inputs[0]) && !value_is_constant(n->inputs[1]) &&
           value_same_shape(n->inputs[0], n->inputs[1]);
}

static enum pare_status visit_producer(struct flood *f, struct node *n) {
    struct linear l;
    if (is_sum(n)) {
        TRY(reach(f, n->inputs[0]));
        return reach(f, n->inputs[1]);
    }
    if (forward_keeps_channels(n)) {
        return reach(f, n->inputs[0]);
    }
    f->possible = f->possible && linear_of(n, &l) && l.outputs == f->result.channels && linear_is_moderate(&l);
    if (f->possible) {
        f->result.linears[f->result.linear_count++] = n;
    }
    return PARE_OK;
}

static enum pare_status visit_use(struct flood *f, const struct use *use, const struct affine *identity) {
    bool possible = false;
    if (use->node != NULL && use->node->graph != f->graph) { /* in a body of If, Loop or Scan */
        f->possible = false;
        return PARE_OK;
    }
    if (use->node != NULL && (is_sum(use->node) || forward_keeps_channels(use->node))) {
        return reach(f, use->node->outputs[0]);
    }
    TRY(forward_use_possible(f->ctx, f->arena, use, identity, &possible));
    f->possible = f->possible && possible;
    if (f->possible) {
        f->result.exits[f->result.exit_count++] = *use;
    }
    return PARE_OK;
}

static bool is_materialised(const struct value *v) {
    const struct node *user = value_single_user(v);
    bool pooled = forward_keeps_channels(v->producer) && !node_is(v->producer, "Relu");
    return !pooled && !node_is(user, "Relu");
}

static size_t count_uses(const struct graph *g) {
    size_t sum = 0;
    for (int i = 0; i < g->value_count; i++) {
        sum += (size_t)g->values[i]->use_count;
    }
    return sum;
}

static enum pare_status begin(struct flood *f, const struct graph *g, int64_t channels, struct affine *identity) {
    map_init(&f->seen, f->arena);
    f->possible = true;
    f->result = (struct scalable){.channels = channels};
    f->stack = ARENA_ARRAY(f->arena, (size_t)g->value_count + 2, struct value *);
    f->result.linears = ARENA_ARRAY(f->arena, (size_t)g->node_count, struct node *);
    f->result.values = ARENA_ARRAY(f->arena, (size_t)g->value_count, struct value *);
    f->result.reached = ARENA_ARRAY(f->arena, (size_t)g->value_count, struct value *);
    f->result.exits = ARENA_ARRAY(f->arena, count_uses(g), struct use);
    bool complete = f->stack != NULL && f->result.linears != NULL && f->result.values != NULL &&
                    f->result.reached != NULL && f->result.exits != NULL;
    *identity = (struct affine){.axis = 1};
    return complete ? affine_identity(f->ctx, f->arena, channels, identity) : fail_memory(f->ctx);
}

static enum pare_status flood_from(struct flood *f, const struct graph *g, struct node *n, int64_t channels) {
    struct affine identity;
    TRY(begin(f, g, channels, &identity));
    TRY(reach(f, n->outputs[0]));
    while (f->depth > 0 && f->possible) {
        struct value *v = f->stack[--f->depth];
        f->result.reached[f->result.reached_count++] = v;
        if (is_materialised(v)) {
            f->result.values[f->result.value_count++] = v;
        }
        TRY(visit_producer(f, v->producer));
        for (int i = 0; i < v->use_count && f->possible; i++) {
            TRY(visit_use(f, &v->uses[i], &identity));
        }
    }
    f->possible = f->possible && f->result.exit_count > 0;
    return PARE_OK;
}

/* ---- all of them ---- */

/* Copies the lists, which were made as long as they could get, to the size that they have. */
static enum pare_status keep(struct context *ctx, struct arena *a, const struct scalable *found, struct scalable *out) {
    *out = *found;
    out->linears = ARENA_ARRAY(a, (size_t)found->linear_count, struct node *);
    out->values = ARENA_ARRAY(a, (size_t)found->value_count, struct value *);
    out->reached = ARENA_ARRAY(a, (size_t)found->reached_count, struct value *);
    out->exits = ARENA_ARRAY(a, (size_t)found->exit_count, struct use);
    if (out->linears == NULL || out->values == NULL || out->reached == NULL || out->exits == NULL) {
        return fail_memory(ctx);
    }
    memcpy(out->linears, found->linears, (size_t)found->linear_count * sizeof(struct node *));
    memcpy(out->values, found->values, (size_t)found->value_count * sizeof(struct value *));
    memcpy(out->reached, found->reached, (size_t)found->reached_count * sizeof(struct value *));
    memcpy(out->exits, found->exits, (size_t)found->exit_count * sizeof(struct use));
    return PARE_OK;
}

static enum pare_status try_node(struct context *ctx, struct arena *a, struct map *done, const struct graph *g,
                                 struct node *n, struct scalable *out, bool *found) {
    struct linear l;
    *found = false;
    if (map_get(done, n) != NULL || !linear_of(n, &l) || n->outputs[0]->use_count == 0) {
        return PARE_OK;
    }
    struct arena scratch;
    arena_init(&scratch);
    struct flood f = {.ctx = ctx, .graph = g, .arena = &scratch};
    enum pare_status status = flood_from(&f, g, n, l.outputs);
    if (status == PARE_OK && f.possible) {
        *found = true;
        status = keep(ctx, a, &f.result, out);
    }
    for (int i = 0; status == PARE_OK && f.possible && i < f.result.linear_count; i++) {
        status = map_set(done, f.result.linears[i], n) ? PARE_OK : fail_memory(ctx);
    }
    arena_free(&scratch);
    return status;
}

enum pare_status scalable_list(struct context *ctx, struct arena *a, const struct graph *g, struct scalable **out,
                               size_t *count) {
    struct map done;
    map_init(&done, a);
    *count = 0;
    *out = ARENA_ARRAY(a, (size_t)g->node_count, struct scalable);
    if (*out == NULL) {
        return fail_memory(ctx);
    }
    for (struct node *n = g->first; n != NULL; n = n->next) {
        bool found = false;
        TRY(try_node(ctx, a, &done, g, n, &(*out)[*count], &found));
        *count += found;
    }
    return PARE_OK;
}

/* ---- scaling ---- */

static enum pare_status scales(struct context *ctx, struct arena *a, const double *scale, bool inverse,
                               int64_t channels, struct affine *out) {
    *out = (struct affine){.axis = 1};
    TRY(affine_identity(ctx, a, channels, out));
    for (int64_t c = 0; c < channels; c++) {
        out->scale[c] = inverse ? 1 / scale[c] : scale[c];
    }
    return PARE_OK;
}

static enum pare_status apply(struct context *ctx, struct arena *scratch, const struct scalable *s,
                              const double *scale) {
    struct affine up, down;
    TRY(scales(ctx, scratch, scale, false, s->channels, &up));
    TRY(scales(ctx, scratch, scale, true, s->channels, &down));
    for (int i = 0; i < s->linear_count; i++) {
        struct linear l;
        bool done = linear_of(s->linears[i], &l);
        TRY(done ? linear_absorb_after(ctx, &l, &up, &done) : PARE_OK);
        if (!done) {
            return fail(ctx, PARE_ERROR_INTERNAL, "%s: its channels cannot be scaled", s->linears[i]->name);
        }
    }
    for (int i = 0; i < s->exit_count; i++) {
        TRY(forward_use_apply(ctx, scratch, &s->exits[i], &down));
    }
    return PARE_OK;
}

enum pare_status scalable_apply(struct context *ctx, const struct scalable *s, const double *scale) {
    struct arena scratch;
    arena_init(&scratch);
    enum pare_status status = apply(ctx, &scratch, s, scale);
    arena_free(&scratch);
    return status;
}
