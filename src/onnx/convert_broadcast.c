/* Broadcasting before opset 7: only the second input is, along dimensions that begin at an axis of the first.
 * Dimensions of one behind its own bring it to where it belongs. */
#include "onnx/convert.h"

#include "graph/op.h"

/* Nodes come in order, so that everything above is known once inferred; only files of the first opsets pay for that. */
static enum pare_status infer_ranks(struct draft *d) {
    return draft_input(d, 0)->rank >= 0 && draft_input(d, 1)->rank >= 0 ? PARE_OK
                                                                        : graph_infer(d->im->ctx, d->im->graph);
}

static enum pare_status unsqueeze(struct draft *d, int behind) {
    struct value *axes = NULL, *shifted = NULL;
    struct tensor t;
    struct value *second = d->inputs[1];
    struct shape shape = {.rank = 1, .dim = {behind}};
    TRY(tensor_new(d->im->ctx, d->im->graph->arena, DTYPE_INT64, &shape, &t));
    for (int i = 0; i < behind; i++) {
        ((int64_t *)t.data)[i] = second->rank + i;
    }
    TRY(graph_add_constant(d->im->ctx, d->im->graph, NULL, &t, &axes));
    TRY(graph_add_value(d->im->ctx, d->im->graph, NULL, second->name, &shifted));
    struct value *inputs[] = {second, axes};
    TRY(graph_add_node(d->im->ctx, d->im->graph, op_find("Unsqueeze"), NULL, inputs, 2, &shifted, 1, NULL, NULL));
    return draft_set_input(d, 1, shifted);
}

static enum pare_status align(struct draft *d, int64_t axis) {
    if (d->input_count != 2 || d->inputs[0] == NULL || d->inputs[1] == NULL) {
        return draft_fail(d, "two inputs are expected");
    }
    TRY(infer_ranks(d));
    const struct value *a = d->inputs[0], *b = d->inputs[1];
    if (a->rank < 0 || b->rank < 0) {
        return missing_add(d->im->ctx, &d->im->missing, d->name, "broadcasting along an axis in %s of unknown rank",
                           d->op_type);
    }
    axis += axis < 0 ? a->rank : 0;
    int64_t behind = a->rank - axis - b->rank;
    if (axis < 0 || behind < 0) {
        return draft_fail(d, "broadcasting from axis %lld does not fit ranks %d and %d", (long long)axis, a->rank,
                          b->rank);
    }
    return behind == 0 ? PARE_OK : unsqueeze(d, (int)behind);
}

enum pare_status convert_broadcast(struct draft *d) {
    const struct attr *axis = NULL;
    int64_t broadcast = 0;
    TRY(draft_take_int(d, "broadcast", 0, &broadcast));
    TRY(draft_take(d, "axis", ATTR_INT, &axis));
    return broadcast == 0 || axis == NULL ? PARE_OK : align(d, axis->i);
}

/* PRelu before opset 7: one slope, or one per channel. */
enum pare_status convert_prelu_1(struct draft *d) {
    const struct value *slope = draft_input(d, 1);
    bool channels = slope != NULL && slope->rank == 1 && slope->dims[0].value != 1;
    return channels ? align(d, 1) : PARE_OK;
}
