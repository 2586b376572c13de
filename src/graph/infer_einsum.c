/* Shape of Einsum. */
#include "graph/einsum.h"
#include "graph/infer.h"

/* Dimensions with one label are equal, or broadcast. */
static enum pare_status unify(const struct infer_call *c, const struct einsum *e, struct dim *sizes) {
    for (int i = 0; i < EINSUM_MAX_LABELS; i++) {
        sizes[i] = dim_known(1);
    }
    for (int i = 0; i < e->inputs; i++) {
        for (int k = 0; k < e->input[i].rank; k++) {
            struct dim *size = &sizes[e->input[i].label[k]];
            if (!infer_broadcast_dims(size, 1, &infer_input(c, i)->dims[k], 1, size)) {
                return infer_fail(c, "dimension %d of input %d does not fit the others with its letter", k, i);
            }
        }
    }
    return PARE_OK;
}

enum pare_status infer_einsum(struct infer_call *c) {
    int ranks[EINSUM_MAX_INPUTS];
    struct dim sizes[EINSUM_MAX_LABELS], dims[TENSOR_MAX_RANK];
    struct einsum e;
    enum dtype type = infer_input(c, 0)->type;
    for (int i = 0; i < c->node->input_count; i++) {
        TRY(infer_check_same_type(c, 0, i));
        if (i >= EINSUM_MAX_INPUTS || infer_input(c, i)->rank < 0) {
            return i < EINSUM_MAX_INPUTS ? infer_set(c, type, -1, NULL) : infer_fail(c, "has too many inputs");
        }
        ranks[i] = infer_input(c, i)->rank;
    }
    if (einsum_parse(c->ctx, node_string(c->node, "equation"), ranks, c->node->input_count, &e) != PARE_OK) {
        return infer_fail_at(c);
    }
    TRY(unify(c, &e, sizes));
    for (int i = 0; i < e.output.rank; i++) {
        dims[i] = sizes[e.output.label[i]];
    }
    return infer_set(c, type, e.output.rank, dims);
}
