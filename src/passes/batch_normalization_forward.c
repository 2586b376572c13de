/* BatchNormalization (and per-channel arithmetic) that cannot be folded backwards, into all the linear operators that
 * follow: through pooling, Transpose and reshapes, which a per-channel y = a * x + b passes unchanged. Not through a
 * Concat: its inputs share one fixed-point format, and without their normalisation they differ in range by orders of
 * magnitude.
 *
 *   Relu ─▶ BatchNormalization ─┬▶ Conv 1x1                      Relu ─┬▶ Conv'
 *                               └▶ MaxPool ─▶ Gemm    ⇒        └▶ MaxPool ─▶ Gemm'
 *
 * Zero padding is no zero any more once b is folded, so a padded Conv takes only a pure scale; a maximum takes
 * only scales that keep the order.
 *
 * requires: inferred shapes, auto_pad resolved where it can be, Gemm in the form of matmul_to_gemm.
 * guarantees: what remains has a user that cannot take it exactly. */
#include "passes/linear.h"
#include "passes/passes.h"
#include "passes/permutation.h"
#include "passes/pipeline.h"

#include <math.h>
#include <string.h>

/* Uses followed from one node, all paths together: diamonds would multiply without end. */
#define MAX_STEPS 256
#define MAX_SCRATCH ((size_t)1 << 28)
/* Coefficients and weights up to here cannot overflow a float, whatever the size of the layer. */
#define MODERATE 1e9

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
    return largest <= MODERATE;
}

static bool has_moderate_weights(const struct linear *l) {
    const struct tensor *weight = l->node->inputs[1]->constant;
    const float *w = weight->data;
    float largest = 0;
    for (size_t i = 0; i < tensor_count(weight); i++) {
        largest = fmaxf(largest, fabsf(w[i]));
    }
    return largest <= (float)MODERATE;
}

static enum pare_status follow_linear(struct walk *w, struct linear *l, const struct affine *f) {
    struct affine wide = *f;
    bool done = false;
    TRY(affine_spread(w->ctx, w->scratch, &wide, 1, l->inputs, &done));
    if (!w->apply) {
        w->possible = done && (!affine_shifts(f) || linear_is_unpadded(l)) && is_moderate(f) && has_moderate_weights(l);
        return PARE_OK;
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
        if (use->index == 0 && linear_of(n, &l)) {
            return follow_linear(w, &l, f);
        }
        if (use->index == 0 && node_is_any(n, reshapes)) {
            return follow_reshape(w, n, f);
        }
        if (transpose_permutation(n, &p)) {
            return follow_transpose(w, n, &p, f);
        }
        if (passes_pool(n, f) && n->output_count == 1) {
            return follow(w, n->outputs[0], f);
        }
    }
    w->possible = false;
    return PARE_OK;
}

static enum pare_status follow(struct walk *w, const struct value *v, const struct affine *f) {
    for (int i = 0; i < v->use_count && w->possible; i++) {
        TRY(follow_use(w, &v->uses[i], f));
    }
    return PARE_OK;
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    struct affine f;
    bool found = false;
    TRY(affine_of(ctx, scratch, n, &f, &found));
    if (!found || n->outputs[0]->use_count == 0) {
        return PARE_OK;
    }
    struct walk w = {.ctx = ctx, .scratch = scratch, .possible = true};
    TRY(follow(&w, n->outputs[0], &f));
    if (!w.possible) {
        return PARE_OK;
    }
    w.apply = true;
    TRY(follow(&w, n->outputs[0], &f));
    ++*changes;
    return node_bypass(ctx, n, f.input);
}

enum pare_status pass_batch_normalization_forward(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
