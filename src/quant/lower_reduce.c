/* ReduceMean over one contiguous run of axes. */
#include "graph/axes.h"
#include "quant/rules.h"

struct run {
    uint32_t outer, reduced, inner;
};

static bool mark_axes(const struct node *n, int rank, bool *marked) {
    const struct value *given = n->input_count > 1 ? n->inputs[1] : NULL;
    if (given != NULL && !value_is_constant(given)) {
        return false;
    }
    size_t count = given == NULL ? 0 : tensor_count(given->constant);
    for (int i = 0; i < rank; i++) {
        marked[i] = count == 0 && node_int(n, "noop_with_empty_axes") == 0;
    }
    for (size_t i = 0; i < count; i++) {
        int axis = 0;
        if (!axis_resolve(tensor_get_int(given->constant, i), rank, &axis)) {
            return false;
        }
        marked[axis] = true;
    }
    return true;
}

/* Axes of length 1 belong to any run. False where kept axes lie between reduced ones. */
static bool find_run(const struct node *n, struct run *run) {
    struct shape s;
    bool marked[TENSOR_MAX_RANK];
    if (!value_shape(n->inputs[0], 1, &s) || !mark_axes(n, s.rank, marked)) {
        return false;
    }
    *run = (struct run){1, 1, 1};
    for (int i = 0; i < s.rank; i++) {
        uint32_t length = (uint32_t)s.dim[i];
        if (marked[i] && length > 1 && run->inner > 1) {
            return false;
        }
        *(marked[i] ? &run->reduced : run->reduced > 1 ? &run->inner : &run->outer) *= length;
    }
    return true;
}

static bool reduce_mean_applies(const struct node *n) {
    struct run run;
    return find_run(n, &run);
}

static enum pare_status lower_reduce_mean(struct lowering *l, const struct node *n) {
    struct run run = {1, 1, 1};
    find_run(n, &run);
    struct pare_op *op = NULL;
    TRY(lower_op(l, n, PARE_REDUCE_MEAN, n->inputs, 1, &op));
    op->u.reduce.outer = run.outer;
    op->u.reduce.reduced = run.reduced;
    op->u.reduce.inner = run.inner;
    return PARE_OK;
}

const struct rule rule_reduce_mean = {RULE_ROUNDS,       true, reduce_mean_applies,
                                      lower_reduce_mean, NULL, "neighbouring axes of fixed size"};
