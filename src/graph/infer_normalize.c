/* Shapes of normalisations. */
#include "graph/axes.h"
#include "graph/infer.h"

#include <string.h>

static enum pare_status keep_shape(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    return infer_set(c, x->type, x->rank, x->dims);
}

/* Normalised from `axis` on; means and inverse deviations have one entry per group of the dimensions before. */
enum pare_status infer_layer_normalization(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    struct dim dims[TENSOR_MAX_RANK];
    int axis = 0;
    if (x->rank < 0) {
        return keep_shape(c);
    }
    TRY(infer_axis(c, &axis));
    for (int i = 1; i < c->node->input_count; i++) {
        TRY(infer_check_same_type(c, 0, i));
        const struct infer_value *v = infer_input(c, i);
        if (v != NULL && v->rank >= 0 &&
            (v->rank > x->rank || !infer_broadcast_dims(x->dims, x->rank, v->dims, v->rank, dims))) {
            return infer_fail(c, "input %d does not broadcast to input 0", i);
        }
    }
    for (int i = 0; i < x->rank; i++) {
        dims[i] = i < axis ? x->dims[i] : dim_known(1);
    }
    TRY(infer_set_output(c, 1, x->type, x->rank, dims));
    TRY(infer_set_output(c, 2, x->type, x->rank, dims));
    return keep_shape(c);
}

enum pare_status infer_instance_normalization(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    struct dim channels = x->rank > 1 ? x->dims[1] : dim_unknown();
    TRY(infer_check_rank(c, 0, 2, TENSOR_MAX_RANK));
    TRY(infer_check_vector(c, 1, &channels));
    TRY(infer_check_vector(c, 2, &channels));
    return keep_shape(c);
}

/* Scales and biases are per channel, or, before opset 21, per group. */
enum pare_status infer_group_normalization(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    int64_t groups = node_int(c->node, "num_groups");
    TRY(infer_check_rank(c, 0, 2, TENSOR_MAX_RANK));
    if (groups < 1 || (x->rank > 1 && x->dims[1].value >= 0 && x->dims[1].value % groups != 0)) {
        return infer_fail(c, "the channels do not divide into %lld groups", (long long)groups);
    }
    for (int i = 1; i < 3; i++) {
        const struct infer_value *v = infer_input(c, i);
        TRY(infer_check_rank(c, i, 1, 1));
        if (x->rank > 1 && v->rank == 1 && x->dims[1].value >= 0 && v->dims[0].value >= 0 &&
            v->dims[0].value != x->dims[1].value && v->dims[0].value != groups) {
            return infer_fail(c, "input %d has %lld entries for %lld channels", i, (long long)v->dims[0].value,
                              (long long)x->dims[1].value);
        }
    }
    return keep_shape(c);
}

enum pare_status infer_along_axes(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    static const int64_t usual[] = {0, 2, 3};
    size_t count = 0;
    const int64_t *given = node_ints(c->node, "axes", &count);
    bool marked[TENSOR_MAX_RANK];
    count = given == NULL ? 3 : count;
    if (x->rank >= 0 && (count > TENSOR_MAX_RANK ||
                         axes_mark(c->ctx, given == NULL ? usual : given, (int)count, x->rank, marked) != PARE_OK)) {
        return count > TENSOR_MAX_RANK ? infer_fail(c, "%zu axes", count) : infer_fail_at(c);
    }
    return keep_shape(c);
}

enum pare_status infer_lrn(struct infer_call *c) {
    TRY(infer_check_rank(c, 0, 2, TENSOR_MAX_RANK));
    return node_int(c->node, "size") >= 1 ? keep_shape(c) : infer_fail(c, "attribute size must be at least 1");
}

/* ---- losses ---- */

/* Scores [N, C, ...] and classes [N, ...]: a loss per class, or one for all. */
enum pare_status infer_loss(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0), *target = infer_input(c, 1);
    const char *reduction = node_string(c->node, "reduction");
    struct dim classes = x->rank > 1 ? x->dims[1] : dim_unknown();
    TRY(infer_check_rank(c, 0, 2, TENSOR_MAX_RANK));
    TRY(x->rank < 0 ? PARE_OK : infer_check_rank(c, 1, x->rank - 1, x->rank - 1));
    TRY(infer_check_vector(c, 2, &classes));
    for (int i = 0; x->rank >= 0 && i < target->rank; i++) {
        struct dim d = target->dims[i];
        if (!dim_unify(&d, &x->dims[i == 0 ? 0 : i + 1])) {
            return infer_fail(c, "scores and classes differ in dimension %d", i);
        }
    }
    TRY(infer_set_output(c, 1, x->type, x->rank, x->dims));
    bool each = strcmp(reduction, "none") == 0;
    if (!each && strcmp(reduction, "mean") != 0 && strcmp(reduction, "sum") != 0) {
        return infer_fail(c, "reduction is %s, expected none, mean or sum", reduction);
    }
    return each ? infer_set(c, x->type, target->rank, target->dims) : infer_set(c, x->type, 0, NULL);
}
