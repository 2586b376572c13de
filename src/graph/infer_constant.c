/* Shapes of Shape, Size and ConstantOfShape. */
#include "graph/infer.h"

/* A start or end of Shape: negative ones count from the end, then clamped. */
static int clamp_bound(int64_t bound, int rank) {
    bound = bound < 0 ? (bound < -rank ? 0 : bound + rank) : bound;
    return (int)(bound > rank ? rank : bound);
}

enum pare_status infer_shape_op(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    struct dim length = dim_unknown();
    if (x->rank < 0) {
        return infer_set(c, DTYPE_INT64, 1, &length);
    }
    int start = clamp_bound(node_int(c->node, "start"), x->rank);
    int end = node_attr(c->node, "end") == NULL ? x->rank : clamp_bound(node_int(c->node, "end"), x->rank);
    int count = end > start ? end - start : 0;
    struct dim_value elements[TENSOR_MAX_RANK];
    for (int i = 0; i < count; i++) {
        elements[i] = element_of(&x->dims[start + i]);
    }
    length = dim_known(count);
    TRY(infer_set(c, DTYPE_INT64, 1, &length));
    return infer_set_elements(c, elements, count);
}

enum pare_status infer_size(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    struct dim count = x->rank < 0 ? dim_unknown() : dim_product(x->dims, 0, x->rank);
    struct dim_value element = element_of(&count);
    TRY(infer_set(c, DTYPE_INT64, 0, NULL));
    return infer_set_elements(c, &element, 1);
}

/* The element type and, for integers, the value that fills the output. */
static enum pare_status read_fill(const struct infer_call *c, enum dtype *type, struct dim_value *fill) {
    const struct attr *a = node_attr(c->node, "value");
    *type = DTYPE_FLOAT;
    if (a == NULL) {
        return PARE_OK;
    }
    if (a->type != ATTR_TENSOR || tensor_count(a->tensor) != 1) {
        return infer_fail(c, "attribute value must be a tensor of one element");
    }
    *type = a->tensor->type;
    if (*type == DTYPE_INT64 || *type == DTYPE_INT32) {
        *fill = (struct dim_value){.known = true, .value = tensor_get_int(a->tensor, 0)};
    }
    return PARE_OK;
}

static enum pare_status fill_elements(struct infer_call *c, int64_t count, struct dim_value fill) {
    struct dim_value elements[INFER_MAX_ELEMENTS];
    if (!fill.known || count < 0 || count > INFER_MAX_ELEMENTS) {
        return PARE_OK;
    }
    for (int64_t i = 0; i < count; i++) {
        elements[i] = fill;
    }
    return infer_set_elements(c, elements, (int)count);
}

enum pare_status infer_constant_of_shape(struct infer_call *c) {
    const struct infer_value *shape = infer_input(c, 0);
    const struct dim_value *elements = NULL;
    int count = 0;
    enum dtype type = DTYPE_NONE;
    struct dim_value fill = {0};
    TRY(read_fill(c, &type, &fill));
    TRY(infer_check_rank(c, 0, 1, 1));
    if (!infer_elements(c, 0, &elements, &count)) {
        bool fixed = shape->rank == 1 && shape->dims[0].value == 0;
        return infer_set(c, type, fixed ? 0 : -1, NULL);
    }
    if (count > TENSOR_MAX_RANK) {
        return infer_fail(c, "the output would have rank %d, at most %d are supported", count, TENSOR_MAX_RANK);
    }
    struct dim dims[TENSOR_MAX_RANK] = {0};
    for (int i = 0; i < count; i++) {
        dims[i] = dim_of_element(&elements[i]);
        if (elements[i].known && elements[i].value < 0) {
            return infer_fail(c, "size %lld of the output is negative", (long long)elements[i].value);
        }
    }
    TRY(infer_set(c, type, count, dims));
    return count <= 1 ? fill_elements(c, count == 0 ? 1 : dims[0].value, fill) : PARE_OK;
}
