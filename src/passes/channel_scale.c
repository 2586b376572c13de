#include "passes/channel_scale.h"

#include "passes/forward.h"
#include "passes/linear.h"

#include <math.h>

static enum pare_status powers(struct context *ctx, struct arena *a, const int *exponent, int sign, int64_t channels,
                               struct affine *out) {
    *out = (struct affine){.axis = 1};
    TRY(affine_identity(ctx, a, channels, out));
    for (int64_t c = 0; exponent != NULL && c < channels; c++) {
        out->scale[c] = ldexp(1, sign * exponent[c]);
    }
    return PARE_OK;
}

static struct value *behind_relu(struct value *v) {
    const struct node *user = value_single_user(v);
    return node_is(user, "Relu") ? user->outputs[0] : v;
}

static enum pare_status is_scalable(struct context *ctx, struct arena *scratch, struct node *n, struct scalable *s,
                                    bool *found) {
    struct linear l;
    struct affine f;
    *found = linear_of(n, &l) && !value_is_output(n->outputs[0]) && n->outputs[0]->use_count > 0;
    if (!*found) {
        return PARE_OK;
    }
    *s = (struct scalable){.linear = n, .value = behind_relu(n->outputs[0]), .channels = l.outputs};
    TRY(powers(ctx, scratch, NULL, 1, l.outputs, &f));
    return forward_possible(ctx, scratch, n->outputs[0], &f, found);
}

enum pare_status scalable_list(struct context *ctx, struct arena *a, const struct graph *g, struct scalable **out,
                               size_t *count) {
    *count = 0;
    *out = ARENA_ARRAY(a, (size_t)g->node_count, struct scalable);
    if (*out == NULL) {
        return fail_memory(ctx);
    }
    for (struct node *n = g->first; n != NULL; n = n->next) {
        struct arena scratch;
        bool found = false;
        arena_init(&scratch);
        enum pare_status status = is_scalable(ctx, &scratch, n, &(*out)[*count], &found);
        arena_free(&scratch);
        TRY(status);
        *count += found;
    }
    return PARE_OK;
}

static enum pare_status apply(struct context *ctx, struct arena *scratch, const struct scalable *s, const int *exponent,
                              bool *done) {
    struct linear l;
    struct affine up, down;
    *done = linear_of(s->linear, &l);
    if (!*done) {
        return PARE_OK;
    }
    TRY(powers(ctx, scratch, exponent, 1, s->channels, &up));
    TRY(powers(ctx, scratch, exponent, -1, s->channels, &down));
    TRY(forward_possible(ctx, scratch, s->linear->outputs[0], &down, done));
    if (*done) {
        TRY(linear_absorb_after(ctx, &l, &up, done));
    }
    return *done ? forward_apply(ctx, scratch, s->linear->outputs[0], &down) : PARE_OK;
}

enum pare_status scalable_apply(struct context *ctx, const struct scalable *s, const int *exponent, bool *done) {
    struct arena scratch;
    arena_init(&scratch);
    enum pare_status status = apply(ctx, &scratch, s, exponent, done);
    arena_free(&scratch);
    return status;
}
