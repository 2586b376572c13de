/* Shapes of DFT and STFT: the last dimension holds real and imaginary parts, or the real ones alone. */
#include "graph/axes.h"
#include "graph/infer.h"

#include <string.h>

/* What a transform of `length` values gives: one-sided ones end in the middle. */
static struct dim transformed(const struct dim *length, bool onesided) {
    if (length->value < 0) {
        return onesided ? dim_unknown() : *length;
    }
    return dim_known(onesided ? length->value / 2 + 1 : length->value);
}

enum pare_status infer_dft(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    bool onesided = node_int(c->node, "onesided") != 0, inverse = node_int(c->node, "inverse") != 0;
    int64_t given = -2, length = -1;
    struct dim dims[TENSOR_MAX_RANK];
    int axis = 0;
    TRY(infer_check_rank(c, 0, 2, TENSOR_MAX_RANK));
    bool known = infer_input(c, 2) == NULL || infer_scalar(c, 2, &given);
    if (x->rank < 0 || !known) {
        return infer_set(c, x->type, -1, NULL);
    }
    if (!axis_resolve(given, x->rank, &axis) || axis == x->rank - 1) {
        return infer_fail(c, "axis %lld is none of a signal", (long long)given);
    }
    memcpy(dims, x->dims, sizeof dims);
    struct dim size = dims[axis];
    if (onesided && inverse) { /* the half that is given stands for a whole of unknown parity */
        size = size.value < 0 ? size : dim_known(size.value > 0 ? 2 * (size.value - 1) : 0);
    }
    if (infer_input(c, 1) != NULL) {
        size = infer_scalar(c, 1, &length) && length >= 0 ? dim_known(length) : dim_unknown();
    }
    dims[axis] = transformed(&size, onesided && !inverse);
    dims[x->rank - 1] = dim_known(onesided && inverse ? 1 : 2);
    return infer_set(c, x->type, x->rank, dims);
}

enum pare_status infer_stft(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0), *window = infer_input(c, 2);
    int64_t step = 0, given = 0;
    struct dim frames = dim_unknown(), length = dim_unknown();
    TRY(infer_check_rank(c, 0, 3, 3));
    TRY(infer_check_rank(c, 2, 1, 1));
    if (x->rank < 0) {
        return infer_set(c, x->type, -1, NULL);
    }
    if (infer_input(c, 3) != NULL) {
        length = infer_scalar(c, 3, &given) && given > 0 ? dim_known(given) : dim_unknown();
    } else {
        length = window == NULL ? x->dims[1] : window->rank == 1 ? window->dims[0] : dim_unknown();
    }
    if (infer_scalar(c, 1, &step) && length.value > 0 && x->dims[1].value >= 0) {
        if (step < 1 || length.value > x->dims[1].value) {
            return infer_fail(c, "frames of %lld every %lld do not fit a signal of %lld", (long long)length.value,
                              (long long)step, (long long)x->dims[1].value);
        }
        frames = dim_known((x->dims[1].value - length.value) / step + 1);
    }
    struct dim dims[] = {x->dims[0], frames, transformed(&length, node_int(c->node, "onesided") != 0), dim_known(2)};
    return infer_set(c, x->type, 4, dims);
}
