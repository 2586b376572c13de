/* BatchNormalization that no linear operator could take, and chains of per-channel arithmetic, become one depthwise
 * 1x1 Conv that remembers its origin; for matrices a Mul and an Add.
 *
 * requires: inferred shapes; the folding passes have nothing left to do.
 * guarantees: no BatchNormalization with constant parameters. */
#include "passes/affine.h"
#include "passes/passes.h"
#include "passes/pipeline.h"

#include <string.h>

struct chain {
    struct affine f;
    int length;
    const struct op *origin; /* BatchNormalization where there is one, else that of the last node */
    bool normalizes;
};

static void note_origin(struct chain *c, const struct node *n) {
    c->length++;
    if (node_is(n, "BatchNormalization")) {
        c->origin = n->origin;
        c->normalizes = true;
    }
}

/* The node as an affine of axis 1. */
static enum pare_status read_channels(struct context *ctx, struct arena *scratch, const struct node *n,
                                      struct affine *f, bool *found) {
    int64_t channels = 0;
    TRY(affine_of(ctx, scratch, n, f, found));
    *found = *found && value_dim(f->input, 1, &channels);
    return *found ? affine_spread(ctx, scratch, f, 1, channels, found) : PARE_OK;
}

/* The affine nodes that end with `n`, each but the last read by the next only. */
static enum pare_status read_chain(struct context *ctx, struct arena *scratch, const struct node *n, struct chain *c,
                                   bool *found) {
    *c = (struct chain){.origin = n->origin};
    TRY(read_channels(ctx, scratch, n, &c->f, found));
    bool more = *found;
    while (more) {
        note_origin(c, n);
        struct affine before;
        n = c->f.input->producer;
        more = false;
        if (n != NULL && value_single_user(n->outputs[0]) != NULL) {
            TRY(read_channels(ctx, scratch, n, &before, &more));
        }
        if (more) {
            affine_compose(&before, &c->f);
            more = affine_is_finite(&before);
            c->f = more ? before : c->f;
        }
    }
    return PARE_OK;
}

static enum pare_status is_continued(struct context *ctx, struct arena *scratch, const struct node *n, bool *found) {
    const struct node *user = value_single_user(n->outputs[0]);
    struct affine f;
    *found = false;
    return user == NULL ? PARE_OK : read_channels(ctx, scratch, user, &f, found);
}

static enum pare_status add_coefficients(struct context *ctx, struct node *n, const char *hint, const double *from,
                                         const struct shape *shape, struct value **out) {
    struct tensor t;
    TRY(tensor_new(ctx, n->graph->arena, DTYPE_FLOAT, shape, &t));
    for (size_t i = 0; i < tensor_count(&t); i++) {
        tensor_set_double(&t, i, from[i]);
    }
    return add_constant(ctx, n, hint, &t, out);
}

static enum pare_status become_conv(struct context *ctx, struct node *n, const struct chain *c) {
    int rank = n->outputs[0]->rank;
    struct shape weight = {.rank = rank, .dim = {c->f.channels}}, bias = {.rank = 1, .dim = {c->f.channels}};
    struct value *inputs[3] = {c->f.input, NULL, NULL};
    for (int i = 1; i < rank; i++) {
        weight.dim[i] = 1;
    }
    TRY(add_coefficients(ctx, n, "scale", c->f.scale, &weight, &inputs[1]));
    TRY(add_coefficients(ctx, n, "shift", c->f.shift, &bias, &inputs[2]));
    TRY(node_become(ctx, n, "Conv", inputs, 3));
    TRY(node_set_int(ctx, n, "group", c->f.channels));
    return node_set_ints(ctx, n, "kernel_shape", &weight.dim[2], (size_t)rank - 2);
}

/* `n` becomes the Add; the Mul is new. */
static enum pare_status become_mul_add(struct context *ctx, struct node *n, const struct chain *c) {
    struct shape shape = {.rank = 1, .dim = {c->f.channels}};
    struct value *product[2] = {c->f.input, NULL}, *sum[2] = {NULL, NULL};
    struct node *mul;
    TRY(add_coefficients(ctx, n, "scale", c->f.scale, &shape, &product[1]));
    TRY(add_coefficients(ctx, n, "shift", c->f.shift, &shape, &sum[1]));
    TRY(graph_add_value(ctx, n->graph, NULL, n->outputs[0]->name, &sum[0]));
    value_copy_type(sum[0], n->outputs[0]);
    TRY(graph_add_node(ctx, n->graph, op_find("Mul"), NULL, product, 2, sum, 1, n, &mul));
    mul->origin = c->origin;
    return node_become(ctx, n, "Add", sum, 2);
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    struct chain c;
    bool found = false, continued = false;
    TRY(read_chain(ctx, scratch, n, &c, &found));
    int rank = n->outputs[0]->rank;
    if (!found || rank < 2 || (!c.normalizes && c.length < (rank > 2 ? 2 : 3))) {
        return PARE_OK;
    }
    TRY(is_continued(ctx, scratch, n, &continued));
    if (continued) {
        return PARE_OK;
    }
    ++*changes;
    n->origin = c.origin;
    return rank > 2 ? become_conv(ctx, n, &c) : become_mul_add(ctx, n, &c);
}

enum pare_status pass_batch_normalization_to_conv(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
