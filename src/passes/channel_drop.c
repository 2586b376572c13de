#include "passes/channel_drop.h"

#include "base/map.h"
#include "graph/zero_point.h"
#include "passes/forward.h"
#include "passes/linear.h"
#include "passes/rewrite.h"

#include <string.h>

#define READERS_MAX 256
#define STEPS_MAX 256 /* values behind the exits: each is a call deeper */

/* Channel c of the values is indices first + c * repeat .. of axis 1, on the way that has been walked. */
struct place {
    int64_t first, repeat;
};

struct walk {
    struct context *ctx;
    struct arena *scratch;
    const struct scalable *scalable;
    const bool *drop; /* NULL: only look */
    struct map seen;  /* values behind the exits: each is reached once */
    bool possible;
    struct channel_reader *readers;
    size_t count;
};

/* ---- shrinking ---- */

/* Which indices of an axis of so many go. */
static enum pare_status mask_of(const struct walk *w, struct place p, int64_t size, bool **out, int64_t *kept) {
    *out = ARENA_ARRAY(w->scratch, (size_t)size, bool);
    if (*out == NULL) {
        return fail_memory(w->ctx);
    }
    *kept = size;
    for (int64_t c = 0; c < w->scalable->channels; c++) {
        for (int64_t i = 0; w->drop[c] && i < p.repeat; i++) {
            (*out)[p.first + c * p.repeat + i] = true;
            --*kept;
        }
    }
    return PARE_OK;
}

/* Input `index` of the node, a float constant, without the dropped indices of `axis`. */
static enum pare_status shrink(const struct walk *w, struct node *n, int index, int axis, struct place p) {
    static const char *const hints[] = {"input", "weight", "bias"};
    const struct tensor *t = n->inputs[index]->constant;
    struct shape shape = t->shape;
    struct tensor out;
    size_t outer = 1, inner = 1, size = (size_t)shape.dim[axis];
    bool *mask;
    TRY(mask_of(w, p, shape.dim[axis], &mask, &shape.dim[axis]));
    for (int i = 0; i < axis; i++) {
        outer *= (size_t)shape.dim[i];
    }
    for (int i = axis + 1; i < shape.rank; i++) {
        inner *= (size_t)shape.dim[i];
    }
    TRY(tensor_new(w->ctx, n->graph->arena, DTYPE_FLOAT, &shape, &out));
    float *to = out.data;
    for (size_t i = 0; i < outer * size; i++) {
        if (!mask[i % size]) {
            memcpy(to, (const float *)t->data + i * inner, inner * sizeof(*to));
            to += inner;
        }
    }
    return set_constant(w->ctx, n, index, node_is_zero_point(n) ? "zero_point" : hints[index], &out);
}

static enum pare_status shrink_value(const struct walk *w, struct value *v, struct place p) {
    bool *mask;
    return mask_of(w, p, v->dims[1].value, &mask, &v->dims[1].value);
}

static bool is_transposed(const struct node *n) {
    return node_is(n, "ConvTranspose");
}

static enum pare_status shrink_outputs(const struct walk *w, struct node *n) {
    struct place p = {0, 1};
    TRY(shrink(w, n, 1, is_transposed(n) ? 1 : 0, p));
    return node_input(n, 2) == NULL ? PARE_OK : shrink(w, n, 2, 0, p);
}

/* ---- on the way to the readers ---- */

static bool is_plain(struct node *n, struct linear *l) {
    return n != NULL && linear_of(n, l) && l->groups == 1;
}

static enum pare_status walk_value(struct walk *w, struct value *v, struct place p);

static void note(struct walk *w, struct node *n, struct place p, bool passes) {
    w->possible = w->possible && w->count < READERS_MAX;
    if (w->possible && w->drop == NULL) {
        w->readers[w->count++] = (struct channel_reader){n, p.first, p.repeat, passes};
    }
}

static enum pare_status walk_reader(struct walk *w, struct node *n, struct place p) {
    note(w, n, p, false);
    return w->drop != NULL ? shrink(w, n, 1, is_transposed(n) ? 0 : 1, p) : PARE_OK;
}

static enum pare_status walk_zero_point(struct walk *w, struct node *n, struct place p) {
    if (w->drop != NULL && tensor_count(n->inputs[1]->constant) > 1) {
        TRY(shrink(w, n, 1, 1 + n->inputs[1]->constant->shape.rank - n->inputs[0]->rank, p));
    }
    return walk_value(w, n->outputs[0], p);
}

/* One output channel for each of its inputs, which goes with it. */
static bool is_depthwise(struct node *n, struct linear *l) {
    return node_is(n, "Conv") && linear_of(n, l) && l->groups == l->inputs && l->groups == l->outputs;
}

static enum pare_status walk_depthwise(struct walk *w, struct node *n, struct place p) {
    note(w, n, p, true);
    if (w->drop != NULL) {
        TRY(shrink(w, n, 1, 0, p));
        TRY(node_input(n, 2) == NULL ? PARE_OK : shrink(w, n, 2, 0, p));
        TRY(node_set_int(w->ctx, n, "group", n->inputs[1]->constant->shape.dim[0]));
    }
    return walk_value(w, n->outputs[0], p);
}

static enum pare_status walk_concat(struct walk *w, struct node *n, int input, struct place p) {
    int64_t size = 0;
    int axis = (int)node_int(n, "axis");
    w->possible = w->possible && (axis < 0 ? axis + n->outputs[0]->rank : axis) == 1;
    for (int i = 0; i < input && w->possible; i++) {
        w->possible = value_dim(n->inputs[i], 1, &size);
        p.first += size;
    }
    return walk_value(w, n->outputs[0], p);
}

/* [N, C, ...] to [N, C * ...]. */
static bool is_flattening(const struct node *n, int64_t *repeat) {
    struct int_list target;
    const struct value *from = n->inputs[0], *to = n->outputs[0];
    int64_t before, after;
    bool reshapes = node_is(n, "Flatten") || node_is(n, "Squeeze") ||
                    (node_is(n, "Reshape") && input_ints(n, 1, &target) && target.count == 2);
    if (!reshapes || to->rank != 2 || !keeps_rows(from, to) || !value_dim(from, 1, &before) ||
        !value_dim(to, 1, &after) || before <= 0 || after % before != 0) {
        return false;
    }
    *repeat = after / before;
    return true;
}

static enum pare_status walk_flattening(struct walk *w, struct node *n, struct place p) {
    struct int_list target;
    struct value *shape = NULL;
    TRY(walk_value(w, n->outputs[0], p));
    if (w->drop == NULL || !node_is(n, "Reshape") || !input_ints(n, 1, &target) || target.at[1] <= 0) {
        return PARE_OK;
    }
    target.at[1] = n->outputs[0]->dims[1].value;
    TRY(add_int_constant(w->ctx, n, "shape", target.at, target.count, &shape));
    return node_set_input(w->ctx, n, 1, shape);
}

static enum pare_status walk_use(struct walk *w, const struct use *use, struct place p) {
    struct linear l;
    struct node *n = use->node;
    int64_t repeat;
    bool own_graph = n != NULL && n->graph == w->scalable->linears[0]->graph;
    if (own_graph && node_is(n, "Concat")) {
        return walk_concat(w, n, use->index, p);
    }
    if (!own_graph || use->index != 0) {
        w->possible = false;
        return PARE_OK;
    }
    if (is_plain(n, &l)) {
        return walk_reader(w, n, p);
    }
    if (is_depthwise(n, &l)) {
        return walk_depthwise(w, n, p);
    }
    if (node_is_zero_point(n)) {
        return walk_zero_point(w, n, p);
    }
    if (forward_keeps_channels(n)) {
        return walk_value(w, n->outputs[0], p);
    }
    if (is_flattening(n, &repeat)) {
        return walk_flattening(w, n, (struct place){p.first * repeat, p.repeat * repeat});
    }
    w->possible = false;
    return PARE_OK;
}

static enum pare_status walk_value(struct walk *w, struct value *v, struct place p) {
    w->possible =
        w->possible && v->rank >= 2 && !value_is_output(v) && map_get(&w->seen, v) == NULL && w->seen.count < STEPS_MAX;
    if (!w->possible) {
        return PARE_OK;
    }
    if (!map_set(&w->seen, v, v)) {
        return fail_memory(w->ctx);
    }
    int count = v->use_count; /* shrinking moves no uses of values that are not constant */
    for (int i = 0; i < count && w->possible; i++) {
        struct use use = v->uses[i];
        TRY(walk_use(w, &use, p));
    }
    return w->drop != NULL ? shrink_value(w, v, p) : PARE_OK;
}

static enum pare_status walk_exits(struct walk *w) {
    map_init(&w->seen, w->scratch);
    for (int i = 0; i < w->scalable->exit_count && w->possible; i++) {
        TRY(walk_use(w, &w->scalable->exits[i], (struct place){0, 1}));
    }
    return PARE_OK;
}

enum pare_status channel_readers(struct context *ctx, struct arena *a, const struct scalable *s,
                                 struct channel_reader **out, size_t *count, bool *possible) {
    struct walk w = {.ctx = ctx, .scratch = a, .scalable = s, .possible = true};
    struct linear l;
    for (int i = 0; i < s->linear_count; i++) {
        w.possible = w.possible && is_plain(s->linears[i], &l);
    }
    w.readers = ARENA_ARRAY(a, READERS_MAX, struct channel_reader);
    if (w.readers == NULL) {
        return fail_memory(ctx);
    }
    TRY(walk_exits(&w));
    *out = w.readers;
    *count = w.count;
    *possible = w.possible && w.count > 0;
    return PARE_OK;
}

static enum pare_status drop_all(struct walk *w) {
    const struct scalable *s = w->scalable;
    TRY(walk_exits(w));
    for (int i = 0; i < s->linear_count; i++) {
        TRY(shrink_outputs(w, s->linears[i]));
    }
    for (int i = 0; i < s->reached_count; i++) {
        TRY(shrink_value(w, s->reached[i], (struct place){0, 1}));
    }
    return PARE_OK;
}

enum pare_status channel_drop(struct context *ctx, const struct scalable *s, const bool *drop) {
    struct arena scratch;
    arena_init(&scratch);
    struct walk w = {.ctx = ctx, .scratch = &scratch, .scalable = s, .drop = drop, .possible = true};
    enum pare_status status = drop_all(&w);
    arena_free(&scratch);
    return status;
}
