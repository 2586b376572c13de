/* Shapes of operators that work element by element. */
#include "graph/infer.h"

enum pare_status infer_first_input(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    TRY(infer_set(c, x->type, x->rank, x->dims));
    const struct dim_value *elements = NULL;
    int count = 0;
    if (node_is(c->node, "Identity") && infer_elements(c, 0, &elements, &count)) {
        return infer_set_elements(c, elements, count);
    }
    return PARE_OK;
}

enum pare_status infer_clip(struct infer_call *c) {
    for (int i = 1; i < 3; i++) {
        TRY(infer_check_single(c, i));
        TRY(infer_check_same_type(c, 0, i));
    }
    return infer_first_input(c);
}

enum pare_status infer_softmax(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    int64_t axis = node_int(c->node, "axis");
    if (x->rank >= 0 && (axis < -x->rank || axis >= x->rank)) {
        char text[INFER_TEXT_MAX];
        return infer_fail(c, "axis %lld does not exist in %s", (long long)axis, infer_text(x, text, sizeof text));
    }
    return infer_first_input(c);
}

enum pare_status infer_batch_normalization(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    TRY(infer_check_rank(c, 0, 2, TENSOR_MAX_RANK));
    for (int i = 1; i < 5; i++) {
        struct dim channels = x->rank < 0 ? dim_unknown() : x->dims[1];
        TRY(infer_check_vector(c, i, &channels));
    }
    return infer_first_input(c);
}

enum pare_status infer_dropout(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const struct infer_value *training = infer_input(c, 2);
    if (training != NULL && training->constant != NULL && tensor_count(training->constant) == 1 &&
        tensor_get_int(training->constant, 0) != 0) {
        return infer_fail(c, "training_mode is set; export the network for inference");
    }
    TRY(infer_set_output(c, 1, DTYPE_BOOL, x->rank, x->dims));
    return infer_first_input(c);
}

enum pare_status infer_cast(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    int64_t to = node_int(c->node, "to");
    if (to <= 0 || to > DTYPE_INT2 || to == DTYPE_STRING || dtype_size((enum dtype)to) == 0) {
        return infer_fail(c, "casts to element type %lld, which is not supported", (long long)to);
    }
    TRY(infer_set(c, (enum dtype)to, x->rank, x->dims));
    const struct dim_value *elements = NULL;
    int count = 0;
    if ((to == DTYPE_INT64 || to == DTYPE_INT32) && infer_elements(c, 0, &elements, &count)) {
        return infer_set_elements(c, elements, count);
    }
    return PARE_OK;
}

static enum pare_status same_shape(struct infer_call *c, enum dtype type) {
    const struct infer_value *x = infer_input(c, 0);
    return infer_set(c, type, x->rank, x->dims);
}

enum pare_status infer_predicate(struct infer_call *c) {
    return same_shape(c, DTYPE_BOOL);
}

enum pare_status infer_cast_like(struct infer_call *c) {
    return same_shape(c, infer_input(c, 1)->type);
}

/* An attribute that names an element type, or what is taken where it is not given. */
enum pare_status infer_attr_type(const struct infer_call *c, const char *name, enum dtype otherwise, enum dtype *type) {
    int64_t given = node_int(c->node, name);
    *type = given == 0 ? otherwise : (enum dtype)given;
    bool known = given >= 0 && given <= DTYPE_INT2 && (given == 0 || dtype_size((enum dtype)given) > 0);
    return known ? PARE_OK : infer_fail(c, "element type %lld is not supported", (long long)given);
}

/* The same bits under another type: the last dimension is kept, so the sizes must be the same. */
enum pare_status infer_bit_cast(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    enum dtype to = DTYPE_NONE;
    TRY(infer_attr_type(c, "to", DTYPE_NONE, &to));
    if (dtype_size(to) == 0 || (x->type != DTYPE_NONE && dtype_size(x->type) != dtype_size(to))) {
        return infer_fail(c, "%s cannot be read as %s: their sizes differ", dtype_name(x->type), dtype_name(to));
    }
    return same_shape(c, to);
}
