/* Shapes of operators that read an image at computed places: GridSample, AffineGrid, RoiAlign, MaxRoiPool. */
#include "graph/infer.h"

enum pare_status infer_grid_sample(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0), *grid = infer_input(c, 1);
    struct dim dims[TENSOR_MAX_RANK];
    if (x->rank < 0 || grid->rank < 0) {
        return infer_set(c, x->type, -1, NULL);
    }
    TRY(infer_check_rank(c, 0, 3, 5));
    TRY(infer_check_rank(c, 1, x->rank, x->rank));
    struct dim batch = x->dims[0];
    int64_t coordinates = grid->dims[grid->rank - 1].value;
    if (!dim_unify(&batch, &grid->dims[0]) || (coordinates >= 0 && coordinates != x->rank - 2)) {
        return infer_fail(c, "the grid does not fit an input of rank %d", x->rank);
    }
    dims[0] = batch;
    dims[1] = x->dims[1];
    for (int i = 2; i < x->rank; i++) {
        dims[i] = grid->dims[i - 1];
    }
    return infer_set(c, x->type, x->rank, dims);
}

/* Input 1 is the size [N, C, spatial...] of the image that the grid is for. */
enum pare_status infer_affine_grid(struct infer_call *c) {
    const struct infer_value *theta = infer_input(c, 0);
    const int64_t *size = NULL;
    int count = 0;
    TRY(infer_check_rank(c, 0, 3, 3));
    if (!infer_ints(c, 1, &size, &count)) {
        return infer_set(c, theta->type, -1, NULL);
    }
    if (count < 4 || count > 5) {
        return infer_fail(c, "the size has %d entries, expected 4 or 5", count);
    }
    struct dim dims[5];
    for (int i = 0; i < count; i++) {
        int64_t d = i == 0 ? size[0] : i == count - 1 ? count - 2 : size[i + 1];
        if (d < 0) {
            return infer_fail(c, "size %lld is negative", (long long)d);
        }
        dims[i] = dim_known(d);
    }
    struct dim rows = dim_known(count - 2), columns = dim_known(count - 1);
    if (theta->rank == 3 && (!dim_unify(&rows, &theta->dims[1]) || !dim_unify(&columns, &theta->dims[2]) ||
                             (theta->dims[0].value >= 0 && theta->dims[0].value != size[0]))) {
        return infer_fail(c, "the transformations do not fit the size");
    }
    return infer_set(c, theta->type, count, dims);
}

static enum pare_status set_regions(struct infer_call *c, int64_t height, int64_t width) {
    const struct infer_value *x = infer_input(c, 0), *rois = infer_input(c, 1);
    TRY(infer_check_rank(c, 0, 4, 4));
    TRY(infer_check_rank(c, 1, 2, 2));
    if (height < 1 || width < 1) {
        return infer_fail(c, "an output of %lld x %lld is empty", (long long)height, (long long)width);
    }
    struct dim dims[] = {rois->rank < 0 ? dim_unknown() : rois->dims[0], x->rank < 0 ? dim_unknown() : x->dims[1],
                         dim_known(height), dim_known(width)};
    return infer_set(c, x->type, 4, dims);
}

enum pare_status infer_roi_align(struct infer_call *c) {
    const struct infer_value *rois = infer_input(c, 1);
    struct dim regions = rois->rank == 2 ? rois->dims[0] : dim_unknown();
    TRY(infer_check_vector(c, 2, &regions));
    return set_regions(c, node_int(c->node, "output_height"), node_int(c->node, "output_width"));
}

enum pare_status infer_max_roi_pool(struct infer_call *c) {
    size_t count = 0;
    const int64_t *size = node_ints(c->node, "pooled_shape", &count);
    if (count != 2) {
        return infer_fail(c, "pooled_shape has %zu entries, expected 2", count);
    }
    return set_regions(c, size[0], size[1]);
}
