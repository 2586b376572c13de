/* Shape of Resize. */
#include "graph/infer.h"
#include "graph/resize.h"

#include <string.h>

/* The values of a float input; true and count 0 when omitted or empty, false when not known. */
static bool read_floats(const struct infer_call *c, int i, const float **out, int *count) {
    const struct infer_value *v = infer_input(c, i);
    *out = NULL;
    *count = 0;
    if (v == NULL || (v->rank == 1 && v->dims[0].value == 0)) {
        return true;
    }
    if (v->constant == NULL || v->constant->shape.rank != 1 ||
        tensor_count(v->constant) > (size_t)2 * TENSOR_MAX_RANK) {
        return false;
    }
    size_t n = tensor_count(v->constant);
    float *list = ARENA_ARRAY(c->arena, n, float);
    for (size_t k = 0; list != NULL && k < n; k++) {
        list[k] = (float)tensor_get_double(v->constant, k);
    }
    *out = list;
    *count = (int)n;
    return list != NULL;
}

/* Sizes that are partly symbolic, for all axes, are the output's dimensions. */
static enum pare_status follow_sizes(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const struct dim_value *elements = NULL;
    int count = 0;
    bool plain =
        node_attr(c->node, "axes") == NULL && strcmp(node_string(c->node, "keep_aspect_ratio_policy"), "stretch") == 0;
    bool followed = plain && infer_elements(c, 3, &elements, &count) && count == x->rank;
    struct dim dims[TENSOR_MAX_RANK];
    for (int i = 0; i < x->rank; i++) {
        dims[i] = followed ? dim_of_element(&elements[i]) : dim_unknown();
    }
    return infer_set(c, x->type, x->rank, dims);
}

enum pare_status infer_resize(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    struct resize_inputs in = {0};
    const struct infer_value *sizes = infer_input(c, 3);
    bool no_sizes = sizes == NULL || (sizes->rank == 1 && sizes->dims[0].value == 0);
    bool known = read_floats(c, 2, &in.scales, &in.scale_count);
    known = (no_sizes || infer_ints(c, 3, &in.sizes, &in.size_count)) && known;
    bool crops = strcmp(node_string(c->node, "coordinate_transformation_mode"), "tf_crop_and_resize") == 0;
    known = (!crops || read_floats(c, 1, &in.roi, &in.roi_count)) && known;
    if (x->rank < 0 || !known) {
        return follow_sizes(c);
    }
    struct shape shape = infer_shape(x);
    struct resize r;
    if (resize_resolve(c->ctx, c->node, &in, &shape, &r) != PARE_OK) {
        return infer_fail_at(c);
    }
    struct dim dims[TENSOR_MAX_RANK];
    for (int i = 0; i < x->rank; i++) {
        bool same = r.scale[i] == 1.0F && r.output[i] < 0;
        dims[i] = r.output[i] >= 0 ? dim_known(r.output[i]) : same ? x->dims[i] : dim_unknown();
    }
    return infer_set(c, x->type, x->rank, dims);
}
