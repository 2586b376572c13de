/* Softmax, LogSoftmax and Hardmax before opset 13 see all dimensions from `axis` on together, as if flattened to a
 * matrix. Mostly this is a Softmax along one axis in disguise; to see that, shapes must be known, so it is decided
 * after inference. */
#include "onnx/convert.h"

#include "graph/op.h"

enum pare_status convert_softmax(struct draft *d) {
    struct flat_softmax *flat = ARENA_NEW(d->im->scratch, struct flat_softmax);
    if (flat == NULL) {
        return fail_memory(d->im->ctx);
    }
    TRY(draft_take_int(d, "axis", 1, &flat->axis));
    flat->next = d->im->softmaxes;
    d->im->softmaxes = flat;
    d->emitted = &flat->node;
    return PARE_OK;
}

/* The one axis from `axis` on that is not of size 1 (or the last, when all are); false when there are several. */
static bool single_axis(const struct value *v, int64_t axis, int64_t *out) {
    int found = 0;
    *out = v->rank - 1;
    for (int i = (int)axis; i < v->rank; i++) {
        if (v->dims[i].value != 1) {
            *out = i;
            found++;
        }
    }
    return found <= 1;
}

struct place {
    struct context *ctx;
    struct graph *graph;
    struct node *before;
};

static enum pare_status insert(const struct place *at, const char *op, struct value *input, struct value **out,
                               struct node **node) {
    TRY(graph_add_value(at->ctx, at->graph, NULL, at->before->name, out));
    return graph_add_node(at->ctx, at->graph, op_find(op), NULL, &input, 1, out, 1, at->before, node);
}

/* Flatten, Softmax along the rows, and back to the shape of the input: the node becomes that Reshape, so that its
 * output keeps its name. */
static enum pare_status flatten(struct import *im, const struct flat_softmax *flat) {
    struct node *n = flat->node, *added = NULL;
    struct value *x = n->inputs[0], *shape = NULL, *matrix = NULL, *rows = NULL;
    struct place at = {im->ctx, n->graph, n};
    TRY(insert(&at, "Shape", x, &shape, &added));
    TRY(insert(&at, "Flatten", x, &matrix, &added));
    TRY(node_set_int(im->ctx, added, "axis", flat->axis));
    TRY(insert(&at, n->op->name, matrix, &rows, &added));
    n->op = op_find("Reshape");
    TRY(node_set_input(im->ctx, n, 0, rows));
    return node_append_input(im->ctx, n, shape);
}

static enum pare_status resolve(struct import *im, const struct flat_softmax *flat, bool *changed) {
    const struct value *x = flat->node->inputs[0];
    int64_t axis = flat->axis;
    if (x->rank >= 0) {
        axis += axis < 0 ? x->rank : 0;
        if (axis < 0 || axis > x->rank) {
            return fail(im->ctx, PARE_ERROR_INPUT, "%s (%s): axis %lld of a tensor of rank %d", flat->node->name,
                        flat->node->op->name, (long long)flat->axis, x->rank);
        }
        if (axis < x->rank && single_axis(x, axis, &axis)) {
            return node_set_int(im->ctx, flat->node, "axis", axis);
        }
    }
    *changed = true;
    return flatten(im, flat);
}

enum pare_status convert_softmaxes(struct import *im, bool *changed) {
    *changed = false;
    for (const struct flat_softmax *flat = im->softmaxes; flat != NULL; flat = flat->next) {
        TRY(resolve(im, flat, changed));
    }
    return PARE_OK;
}
