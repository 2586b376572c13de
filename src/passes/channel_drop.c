#include "passes/channel_drop.h"

#include "passes/linear.h"
#include "passes/rewrite.h"

#include <string.h>

/* ---- what can be done ---- */

static bool is_plain(struct node *n, struct linear *l) {
    return n != NULL && linear_of(n, l) && l->groups == 1;
}

static bool is_flattening(const struct node *n) {
    struct int_list target;
    return node_is(n, "Flatten") || (node_is(n, "Reshape") && input_ints(n, 1, &target) && target.count == 2);
}

/* [N, C, ...] to [N, C * ...], for one Gemm. */
static struct node *gemm_behind(const struct node *flattening) {
    const struct value *to = flattening->outputs[0];
    struct linear l;
    int64_t size;
    if (!is_flattening(flattening) || to->rank != 2 || !value_dim(to, 1, &size) ||
        !keeps_rows(flattening->inputs[0], to)) {
        return NULL;
    }
    struct node *gemm = value_single_user(to);
    bool reads = is_plain(gemm, &l) && gemm->graph == flattening->graph && gemm->inputs[0] == to;
    return reads && l.inputs == size ? gemm : NULL;
}

static bool is_exit(const struct use *use) {
    struct linear l;
    return use->index == 0 && (is_plain(use->node, &l) || gemm_behind(use->node) != NULL);
}

bool channel_drop_possible(const struct scalable *s) {
    struct linear l;
    bool possible = true;
    for (int i = 0; i < s->linear_count; i++) {
        possible = possible && is_plain(s->linears[i], &l);
    }
    for (int i = 0; i < s->exit_count; i++) {
        possible = possible && is_exit(&s->exits[i]);
    }
    return possible;
}

/* ---- doing it ---- */

/* What is dropped of an axis: every channel is `repeat` neighbouring indices of it. */
struct drop {
    const bool *channels;
    int64_t repeat, kept; /* kept: indices */
};

static struct drop drop_of(const bool *channels, int64_t count, int64_t size) {
    struct drop d = {.channels = channels, .repeat = size / count};
    for (int64_t c = 0; c < count; c++) {
        d.kept += channels[c] ? 0 : d.repeat;
    }
    return d;
}

/* Input `index` of the node, a float constant, without the dropped indices of `axis`. */
static enum pare_status shrink(struct context *ctx, struct node *n, int index, int axis, const struct drop *d) {
    const struct tensor *t = n->inputs[index]->constant;
    struct shape shape = t->shape;
    struct tensor out;
    size_t outer = 1, inner = 1, size = (size_t)shape.dim[axis];
    for (int i = 0; i < axis; i++) {
        outer *= (size_t)shape.dim[i];
    }
    for (int i = axis + 1; i < shape.rank; i++) {
        inner *= (size_t)shape.dim[i];
    }
    shape.dim[axis] = d->kept;
    TRY(tensor_new(ctx, n->graph->arena, DTYPE_FLOAT, &shape, &out));
    float *to = out.data;
    for (size_t i = 0; i < outer * size; i++) {
        if (!d->channels[i % size / (size_t)d->repeat]) {
            memcpy(to, (const float *)t->data + i * inner, inner * sizeof(*to));
            to += inner;
        }
    }
    return set_constant(ctx, n, index, index == 1 ? "weight" : "bias", &out);
}

static bool is_transposed(const struct node *n) {
    return node_is(n, "ConvTranspose");
}

static enum pare_status drop_outputs(struct context *ctx, struct node *n, const bool *drop, int64_t channels) {
    struct drop d = drop_of(drop, channels, channels);
    TRY(shrink(ctx, n, 1, is_transposed(n) ? 1 : 0, &d));
    return node_input(n, 2) == NULL ? PARE_OK : shrink(ctx, n, 2, 0, &d);
}

static enum pare_status drop_inputs(struct context *ctx, struct node *n, const bool *drop, int64_t channels) {
    struct linear l;
    if (!linear_of(n, &l)) {
        return fail(ctx, PARE_ERROR_INTERNAL, "%s: its channels cannot be dropped", n->name);
    }
    struct drop d = drop_of(drop, channels, l.inputs);
    return shrink(ctx, n, 1, is_transposed(n) ? 0 : 1, &d);
}

static void set_size(struct value *v, int64_t size) {
    v->dims[1].value = size;
}

static enum pare_status drop_behind(struct context *ctx, struct node *flattening, const bool *drop, int64_t channels) {
    struct node *gemm = gemm_behind(flattening);
    struct value *to = flattening->outputs[0];
    int64_t size = to->dims[1].value;
    struct drop d = drop_of(drop, channels, size);
    TRY(drop_inputs(ctx, gemm, drop, channels));
    set_size(to, d.kept);
    struct int_list target;
    if (node_is(flattening, "Flatten") || !input_ints(flattening, 1, &target) || target.at[1] <= 0) {
        return PARE_OK;
    }
    target.at[1] = d.kept;
    struct value *shape = NULL;
    TRY(add_int_constant(ctx, flattening, "shape", target.at, target.count, &shape));
    return node_set_input(ctx, flattening, 1, shape);
}

enum pare_status channel_drop(struct context *ctx, const struct scalable *s, const bool *drop) {
    struct drop d = drop_of(drop, s->channels, s->channels);
    struct linear l;
    for (int i = 0; i < s->exit_count; i++) {
        struct node *n = s->exits[i].node;
        TRY(is_plain(n, &l) ? drop_inputs(ctx, n, drop, s->channels) : drop_behind(ctx, n, drop, s->channels));
    }
    for (int i = 0; i < s->linear_count; i++) {
        TRY(drop_outputs(ctx, s->linears[i], drop, s->channels));
    }
    for (int i = 0; i < s->reached_count; i++) {
        set_size(s->reached[i], d.kept);
    }
    return PARE_OK;
}
