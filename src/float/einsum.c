/* Einsum: a sum of products over all labels that the output does not have. */
#include "graph/einsum.h"

#include "float/kernels.h"
#include "float/strided.h"

/* One loop per label, the output's first. */
struct loops {
    int count, outer; /* outer: of the output */
    int64_t size[EINSUM_MAX_LABELS], stride[EINSUM_MAX_LABELS][EINSUM_MAX_INPUTS];
    int inputs;
    double *data[EINSUM_MAX_INPUTS];
};

static int loop_of(struct loops *l, int *loop_by_label, int label) {
    if (loop_by_label[label] < 0) {
        loop_by_label[label] = l->count;
        l->size[l->count++] = 1;
    }
    return loop_by_label[label];
}

/* An operand advances along a loop by the sum of the strides of all its dimensions with that label. */
static enum pare_status set_up(struct float_call *c, const struct einsum *e, struct loops *l) {
    int loop_by_label[EINSUM_MAX_LABELS];
    for (int i = 0; i < EINSUM_MAX_LABELS; i++) {
        loop_by_label[i] = -1;
    }
    for (int i = 0; i < e->output.rank; i++) {
        (void)loop_of(l, loop_by_label, e->output.label[i]);
    }
    l->outer = l->count;
    l->inputs = e->inputs;
    for (int i = 0; i < e->inputs; i++) {
        int64_t strides[TENSOR_MAX_RANK];
        const struct shape *shape = &c->inputs[i]->shape;
        dense_strides(shape, strides);
        TRY(call_doubles(c, i, &l->data[i]));
        for (int k = 0; k < shape->rank; k++) {
            int loop = loop_of(l, loop_by_label, e->input[i].label[k]);
            l->size[loop] = shape->dim[k] != 1 ? shape->dim[k] : l->size[loop];
            l->stride[loop][i] += shape->dim[k] != 1 ? strides[k] : 0;
        }
    }
    return PARE_OK;
}

/* Steps the loops [first, end) once; false when they are through. */
static bool advance(const struct loops *l, int first, int end, int64_t *index, int64_t *at) {
    for (int i = end - 1; i >= first; i--) {
        bool wraps = ++index[i] == l->size[i];
        for (int k = 0; k < l->inputs; k++) {
            at[k] += wraps ? -l->stride[i][k] * (l->size[i] - 1) : l->stride[i][k];
        }
        if (!wraps) {
            return true;
        }
        index[i] = 0;
    }
    return false;
}

static double sum_products(const struct loops *l, int64_t *index, int64_t *at) {
    double sum = 0.0;
    for (int i = l->outer; i < l->count; i++) {
        if (l->size[i] == 0) {
            return 0.0;
        }
    }
    do {
        double product = 1.0;
        for (int k = 0; k < l->inputs; k++) {
            product *= l->data[k][at[k]];
        }
        sum += product;
    } while (advance(l, l->outer, l->count, index, at));
    return sum;
}

enum pare_status float_einsum(struct float_call *c) {
    struct einsum e;
    struct loops l = {.count = 0};
    int ranks[EINSUM_MAX_INPUTS];
    int64_t index[EINSUM_MAX_LABELS] = {0}, at[EINSUM_MAX_INPUTS] = {0};
    for (int i = 0; i < c->node->input_count; i++) {
        ranks[i] = c->inputs[i]->shape.rank;
    }
    TRY(einsum_parse(c->ctx, node_string(c->node, "equation"), ranks, c->node->input_count, &e));
    TRY(set_up(c, &e, &l));
    for (size_t i = 0, count = tensor_count(&c->outputs[0]); i < count; i++) {
        tensor_set_double(&c->outputs[0], i, sum_products(&l, index, at));
        (void)advance(&l, 0, l.outer, index, at);
    }
    return PARE_OK;
}
