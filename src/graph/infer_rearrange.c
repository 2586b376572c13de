/* Shapes of operators that repeat, cut out or rearrange whole parts of a tensor. */
#include "graph/axes.h"
#include "graph/infer.h"

#include <string.h>

enum pare_status infer_tile(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const struct dim_value *repeats = NULL;
    struct dim dims[TENSOR_MAX_RANK];
    int count = 0;
    bool known = infer_elements(c, 1, &repeats, &count);
    if (known && x->rank >= 0 && count != x->rank) {
        return infer_fail(c, "%d repetitions are given for rank %d", count, x->rank);
    }
    for (int i = 0; i < x->rank; i++) {
        struct dim pair[] = {x->dims[i], known ? dim_of_element(&repeats[i]) : dim_unknown()};
        if (known && repeats[i].known && repeats[i].value < 0) {
            return infer_fail(c, "axis %d is repeated %lld times", i, (long long)repeats[i].value);
        }
        dims[i] = dim_product(pair, 0, 2);
    }
    return infer_set(c, x->type, x->rank, dims);
}

static enum pare_status read_block(const struct infer_call *c, int64_t *block) {
    *block = node_int(c->node, "blocksize");
    TRY(infer_check_rank(c, 0, 4, 4));
    return *block > 0 && *block < (1 << 15) ? PARE_OK : infer_fail(c, "blocksize is %lld", (long long)*block);
}

static struct dim scaled(const struct dim *d, int64_t factor) {
    struct dim pair[] = {*d, dim_known(factor)};
    return dim_product(pair, 0, 2);
}

enum pare_status infer_depth_to_space(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    int64_t block = 0;
    TRY(read_block(c, &block));
    if (x->rank < 0) {
        return infer_set(c, x->type, -1, NULL);
    }
    int64_t area = block * block, depth = x->dims[1].value;
    if (depth >= 0 && depth % area != 0) {
        return infer_fail(c, "%lld channels are no multiple of %lld", (long long)depth, (long long)area);
    }
    struct dim channels = depth < 0 ? dim_unknown() : dim_known(depth / area);
    struct dim dims[] = {x->dims[0], channels, scaled(&x->dims[2], block), scaled(&x->dims[3], block)};
    return infer_set(c, x->type, 4, dims);
}

enum pare_status infer_space_to_depth(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    int64_t block = 0;
    TRY(read_block(c, &block));
    if (x->rank < 0) {
        return infer_set(c, x->type, -1, NULL);
    }
    struct dim dims[] = {x->dims[0], scaled(&x->dims[1], block * block), dim_unknown(), dim_unknown()};
    for (int i = 2; i < 4; i++) {
        if (x->dims[i].value >= 0 && x->dims[i].value % block != 0) {
            return infer_fail(c, "size %lld is no multiple of %lld", (long long)x->dims[i].value, (long long)block);
        }
        dims[i] = x->dims[i].value < 0 ? dim_unknown() : dim_known(x->dims[i].value / block);
    }
    return infer_set(c, x->type, 4, dims);
}

enum pare_status infer_trilu(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    TRY(infer_check_rank(c, 0, 2, TENSOR_MAX_RANK));
    TRY(infer_check_single(c, 1));
    return infer_set(c, x->type, x->rank, x->dims);
}

enum pare_status infer_cumulate(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    int64_t given = 0;
    int axis = 0;
    TRY(infer_check_single(c, 1));
    if (x->rank >= 0 && infer_scalar(c, 1, &given) && !axis_resolve(given, x->rank, &axis)) {
        return infer_fail(c, "axis %lld does not exist in rank %d", (long long)given, x->rank);
    }
    return infer_set(c, x->type, x->rank, x->dims);
}

enum pare_status infer_reverse_sequence(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    int64_t batch = node_int(c->node, "batch_axis"), time = node_int(c->node, "time_axis");
    TRY(infer_check_rank(c, 0, 2, TENSOR_MAX_RANK));
    if (batch == time || batch < 0 || batch > 1 || time < 0 || time > 1) {
        return infer_fail(c, "batch_axis %lld and time_axis %lld must be 0 and 1", (long long)batch, (long long)time);
    }
    struct dim length = x->rank < 0 ? dim_unknown() : x->dims[batch];
    TRY(infer_check_vector(c, 1, &length));
    return infer_set(c, x->type, x->rank, x->dims);
}

enum pare_status infer_center_crop_pad(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const struct dim_value *sizes = NULL;
    struct dim dims[TENSOR_MAX_RANK];
    size_t axis_count = 0;
    int count = 0;
    const int64_t *axes = node_ints(c->node, "axes", &axis_count);
    memcpy(dims, x->dims, sizeof dims);
    if (x->rank < 0 || !infer_elements(c, 1, &sizes, &count)) {
        return infer_set(c, x->type, -1, NULL);
    }
    if ((size_t)count != (axes == NULL ? (size_t)x->rank : axis_count)) {
        return infer_fail(c, "%d sizes are given for %zu axes", count, axes == NULL ? (size_t)x->rank : axis_count);
    }
    for (int i = 0; i < count; i++) {
        int axis = i;
        if ((axes != NULL && !axis_resolve(axes[i], x->rank, &axis)) || (sizes[i].known && sizes[i].value < 0)) {
            return infer_fail(c, "size or axis %d is impossible", i);
        }
        dims[axis] = dim_of_element(&sizes[i]);
    }
    return infer_set(c, x->type, x->rank, dims);
}

enum pare_status infer_det(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    TRY(infer_check_rank(c, 0, 2, TENSOR_MAX_RANK));
    if (x->rank >= 2 && x->dims[x->rank - 1].value >= 0 && x->dims[x->rank - 2].value >= 0 &&
        x->dims[x->rank - 1].value != x->dims[x->rank - 2].value) {
        return infer_fail(c, "the matrices are not square");
    }
    return infer_set(c, x->type, x->rank < 0 ? -1 : x->rank - 2, x->dims);
}
