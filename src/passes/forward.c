#include "passes/forward.h"

#include "graph/zero_point.h"
#include "passes/linear.h"
#include "passes/permutation.h"

#include <math.h>
#include <string.h>

/* Uses followed from one value, all paths together: diamonds would multiply without end. */
#define MAX_STEPS 256
#define MAX_SCRATCH ((size_t)1 << 28)
struct walk {
    struct context *ctx;
    struct arena *scratch;
    bool apply; /* first a walk that only looks, then one that folds */
    bool possible;
    int steps;
};

static enum pare_status follow(struct walk *w, const struct value *v, const struct affine *f);

static bool is_moderate(const struct affine *f) {
    double largest = 0;
    for (int64_t i = 0; i < f->channels; i++) {
        largest = fmax(largest, fmax(fabs(f->scale[i]), fabs(f->shift[i])));
    }
    return largest <= LINEAR_MODERATE;
}

/* ---- zero points ---- */

/* f(x) = a * (x - p), p = -b / a: false where a channel has b but no a, or p is out of all proportion. */
static bool has_zero_points(const struct affine *f) {
    int64_t i = 0;
    while (i < f->channels && (f->shift[i] == 0 || fabs(f->shift[i]) <= fabs(f->scale[i]) * LINEAR_MODERATE)) {
        i++;
    }
    return i == f->channels;
}

static double zero_of(const struct affine *f, int64_t channel) {
    return f->shift[channel] == 0 ? 0 : -f->shift[channel] / f->scale[channel];
}

/* The constant of a Sub that leaves `zero + previous / a` to subtract, one per channel of a value of rank `rank`. */
static enum pare_status zero_constant(const struct walk *w, struct graph *g, int rank, const struct affine *f,
                                      const struct node *previous, struct tensor *out) {
    struct shape shape = {.rank = rank - 1, .dim = {f->channels}};
    for (int i = 1; i < shape.rank; i++) {
        shape.dim[i] = 1;
    }
    TRY(tensor_new(w->ctx, g->arena, DTYPE_FLOAT, &shape, out));
    for (int64_t c = 0; c < f->channels; c++) {
        double inner = previous == NULL ? 0 : zero_point_of(previous, c);
        double zero = zero_of(f, c) + (inner == 0 ? 0 : inner / f->scale[c]);
        tensor_set_double(out, (size_t)c, zero);
    }
    return PARE_OK;
}

static enum pare_status insert_zero_point(const struct walk *w, struct node *conv, const struct affine *f) {
    struct graph *g = conv->graph;
    struct value *inputs[2] = {conv->inputs[0], NULL}, *difference = NULL;
    struct tensor zeros;
    TRY(zero_constant(w, g, conv->inputs[0]->rank, f, NULL, &zeros));
    TRY(add_constant(w->ctx, conv, "zero_point", &zeros, &inputs[1]));
    TRY(graph_add_value(w->ctx, g, NULL, inputs[0]->name, &difference));
    value_copy_type(difference, inputs[0]);
    TRY(graph_add_node(w->ctx, g, op_find("Sub"), NULL, inputs, 2, &difference, 1, conv, NULL));
    return node_set_input(w->ctx, conv, 0, difference);
}

static struct affine without_shift(const struct walk *w, const struct affine *f) {
    struct affine pure = *f;
    pure.shift = arena_array(w->scratch, (size_t)f->channels, sizeof(*pure.shift));
    return pure;
}

/* a * x + b - p is a * (x - (p - b) / a): the Sub takes all but a. */
static enum pare_status follow_zero_point(struct walk *w, struct node *n, const struct affine *f) {
    struct affine wide = *f;
    int64_t channels = 0;
    bool done = value_dim(n->inputs[0], 1, &channels);
    if (done) {
        TRY(affine_spread(w->ctx, w->scratch, &wide, 1, channels, &done));
    }
    for (int64_t c = 0; done && c < channels; c++) {
        done = wide.scale[c] != 0;
    }
    if (!done || !has_zero_points(&wide)) {
        w->possible = false;
        return PARE_OK;
    }
    struct affine pure = without_shift(w, &wide);
    if (pure.shift == NULL) {
        return fail_memory(w->ctx);
    }
    if (w->apply) {
        struct tensor zeros;
        TRY(zero_constant(w, n->graph, n->inputs[0]->rank, &wide, n, &zeros));
        TRY(set_constant(w->ctx, n, 1, "zero_point", &zeros));
    }
    return follow(w, n->outputs[0], &pure);
}

/* ---- linear operators ---- */

static bool takes_shift(const struct linear *l, const struct affine *f) {
    return !affine_shifts(f) || linear_is_unpadded(l) || (node_is(l->node, "Conv") && has_zero_points(f));
}

static enum pare_status follow_linear(struct walk *w, struct linear *l, const struct affine *f) {
    struct affine wide = *f;
    bool done = false;
    TRY(affine_spread(w->ctx, w->scratch, &wide, 1, l->inputs, &done));
    if (!w->apply) {
        w->possible = done && takes_shift(l, &wide) && is_moderate(f) && linear_is_moderate(l);
        return PARE_OK;
    }
    if (affine_shifts(&wide) && !linear_is_unpadded(l)) {
        TRY(insert_zero_point(w, l->node, &wide));
        wide = without_shift(w, &wide);
        if (wide.shift == NULL) {
            return fail_memory(w->ctx);
        }
    }
    TRY(linear_absorb_before(w->ctx, l, &wide, &done));
    return done ? PARE_OK : fail(w->ctx, PARE_ERROR_INTERNAL, "%s: a folded parameter is not finite", l->node->name);
}

/* An average of a * x + b is a * average + b when it divides by the number of elements that it adds. */
static bool averages_exactly(const struct node *pool) {
    struct int_list pads = {0};
    const char *auto_pad = node_string(pool, "auto_pad");
    if (node_int(pool, "count_include_pad") == 0) {
        return true;
    }
    bool zero = node_attr(pool, "pads") == NULL || attr_ints(pool, "pads", &pads);
    for (int i = 0; i < pads.count; i++) {
        zero = zero && pads.at[i] == 0;
    }
    return zero && node_int(pool, "ceil_mode") == 0 &&
           (strcmp(auto_pad, "NOTSET") == 0 || strcmp(auto_pad, "VALID") == 0);
}

bool forward_keeps_channels(const struct node *n) {
    static const char *const names[] = {"Relu", "MaxPool", "GlobalMaxPool", "AveragePool", "GlobalAveragePool", NULL};
    return n != NULL && node_is_any(n, names) && n->output_count == 1;
}

static bool passes_pool(const struct node *n, const struct affine *f) {
    if (f->channels > 1 && f->axis != 1) {
        return false;
    }
    if (node_is(n, "GlobalAveragePool")) {
        return true;
    }
    if (node_is(n, "AveragePool")) {
        return averages_exactly(n) || !affine_shifts(f);
    }
    return (node_is(n, "MaxPool") || node_is(n, "GlobalMaxPool")) && affine_is_increasing(f);
}

/* A reshape that keeps axis 0 makes every channel into `channels' / channels` neighbouring ones. */
static enum pare_status follow_reshape(struct walk *w, const struct node *n, const struct affine *f) {
    const struct value *from = n->inputs[0], *to = n->outputs[0];
    struct affine wide = *f;
    int64_t channels;
    if (f->channels == 1) {
        return follow(w, to, f);
    }
    if (f->axis != 1 || to->rank < 2 || !keeps_rows(from, to) || !value_dim(to, 1, &channels) || channels == 0 ||
        channels % f->channels != 0 || channels > AFFINE_MAX_CHANNELS) {
        w->possible = false;
        return PARE_OK;
    }
    if (channels > f->channels) {
        TRY(affine_repeat(w->ctx, w->scratch, &wide, channels / f->channels));
    }
    return follow(w, to, &wide);
}

/* The other inputs' channels stay as they are. */
static enum pare_status follow_concat(struct walk *w, const struct node *n, int input, const struct affine *f) {
    int64_t channels = 0, before = 0, all = 0;
    int rank = n->outputs[0]->rank, axis = (int)node_int(n, "axis");
    struct affine own = *f, wide = {.axis = axis < 0 ? axis + rank : axis};
    bool done = value_dim(n->inputs[input], wide.axis, &channels) && value_dim(n->outputs[0], wide.axis, &all) &&
                all <= AFFINE_MAX_CHANNELS;
    for (int i = 0; done && i < input; i++) {
        int64_t size = 0;
        done = value_dim(n->inputs[i], wide.axis, &size);
        before += size;
    }
    if (done) {
        TRY(affine_spread(w->ctx, w->scratch, &own, wide.axis, channels, &done));
    }
    if (!done) {
        w->possible = false;
        return PARE_OK;
    }
    TRY(affine_identity(w->ctx, w->scratch, all, &wide));
    memcpy(wide.scale + before, own.scale, (size_t)channels * sizeof(*own.scale));
    memcpy(wide.shift + before, own.shift, (size_t)channels * sizeof(*own.shift));
    return follow(w, n->outputs[0], &wide);
}

static enum pare_status follow_transpose(struct walk *w, const struct node *n, const struct permutation *p,
                                         const struct affine *f) {
    struct affine moved = *f;
    moved.axis = permutation_inverse(p).at[f->axis];
    return follow(w, n->outputs[0], &moved);
}

static enum pare_status follow_use(struct walk *w, const struct use *use, const struct affine *f) {
    static const char *const reshapes[] = {"Reshape", "Flatten", "Squeeze", "Unsqueeze", NULL};
    struct node *n = use->node;
    struct linear l;
    struct permutation p;
    bool exhausted = !w->apply && (++w->steps > MAX_STEPS || w->scratch->bytes > MAX_SCRATCH);
    if (n != NULL && !exhausted) {
        if (use->index == 0 && node_is_zero_point(n)) {
            return follow_zero_point(w, n, f);
        }
        if (use->index == 0 && linear_of(n, &l)) {
            return follow_linear(w, &l, f);
        }
        if (use->index == 0 && node_is_any(n, reshapes)) {
            return follow_reshape(w, n, f);
        }
        if (transpose_permutation(n, &p)) {
            return follow_transpose(w, n, &p, f);
        }
        if (node_is(n, "Concat")) {
            return follow_concat(w, n, use->index, f);
        }
        bool passes_relu = node_is(n, "Relu") && !affine_shifts(f) && affine_is_increasing(f);
        if (passes_relu || (passes_pool(n, f) && n->output_count == 1)) {
            return follow(w, n->outputs[0], f);
        }
    }
    w->possible = false;
    return PARE_OK;
}

static enum pare_status follow(struct walk *w, const struct value *v, const struct affine *f) {
    /* Folding moves uses. */
    int count = v->use_count;
    struct use *uses = ARENA_ARRAY(w->scratch, (size_t)count + 1, struct use);
    if (uses == NULL) {
        return fail_memory(w->ctx);
    }
    if (count > 0) {
        memcpy(uses, v->uses, (size_t)count * sizeof(*uses));
    }
    for (int i = 0; i < count && w->possible; i++) {
        TRY(follow_use(w, &uses[i], f));
    }
    return PARE_OK;
}

enum pare_status forward_possible(struct context *ctx, struct arena *scratch, const struct value *v,
                                  const struct affine *f, bool *possible) {
    struct walk w = {.ctx = ctx, .scratch = scratch, .possible = true};
    TRY(follow(&w, v, f));
    *possible = w.possible;
    return PARE_OK;
}

enum pare_status forward_apply(struct context *ctx, struct arena *scratch, const struct value *v,
                               const struct affine *f) {
    struct walk w = {.ctx = ctx, .scratch = scratch, .possible = true, .apply = true};
    return follow(&w, v, f);
}

enum pare_status forward_use_possible(struct context *ctx, struct arena *scratch, const struct use *use,
                                      const struct affine *f, bool *possible) {
    struct walk w = {.ctx = ctx, .scratch = scratch, .possible = true};
    TRY(follow_use(&w, use, f));
    *possible = w.possible;
    return PARE_OK;
}

enum pare_status forward_use_apply(struct context *ctx, struct arena *scratch, const struct use *use,
                                   const struct affine *f) {
    struct walk w = {.ctx = ctx, .scratch = scratch, .possible = true, .apply = true};
    return follow_use(&w, use, f);
}
