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

/* The dimension that two broadcast to; false when they cannot. */
static bool broadcast_dim(const struct dim *a, const struct dim *b, struct dim *out) {
    if (a->value == 1 || b->value == 1) {
        *out = a->value == 1 ? *b : *a;
        return true;
    }
    if (a->value >= 0 && b->value >= 0) {
        *out = *a;
        return a->value == b->value;
    }
    if (a->value >= 0 || dim_equal(a, b)) {
        *out = *a;
    } else {
        *out = b->value >= 0 ? *b : dim_unknown();
    }
    return true;
}

bool infer_broadcast_dims(const struct dim *a, int a_rank, const struct dim *b, int b_rank, struct dim *out) {
    int rank = a_rank > b_rank ? a_rank : b_rank;
    for (int i = 0; i < rank; i++) {
        struct dim one = dim_known(1);
        int ai = i - (rank - a_rank);
        int bi = i - (rank - b_rank);
        if (!broadcast_dim(ai < 0 ? &one : &a[ai], bi < 0 ? &one : &b[bi], &out[i])) {
            return false;
        }
    }
    return true;
}

/* One step of shape arithmetic; unknown when an operand is, on overflow, and for a symbol that does not stay itself. */
static struct dim_value combine(const struct node *n, const struct dim_value *a, const struct dim_value *b) {
    struct dim_value r = {.known = a->known && b->known};
    bool product = node_is(n, "Mul") || node_is(n, "Div");
    bool neutral = b->known && b->value == (int64_t)product;
    bool overflow = false;
    if (!r.known) {
        return neutral ? *a : r;
    }
    if (node_is(n, "Add")) {
        overflow = __builtin_add_overflow(a->value, b->value, &r.value);
    } else if (node_is(n, "Sub")) {
        overflow = __builtin_sub_overflow(a->value, b->value, &r.value);
    } else if (node_is(n, "Mul")) {
        overflow = __builtin_mul_overflow(a->value, b->value, &r.value);
    } else {
        overflow = b->value == 0 || (a->value == INT64_MIN && b->value == -1);
        r.value = overflow ? 0 : a->value / b->value;
    }
    r.known = !overflow;
    return r;
}

static enum pare_status broadcast_elements(struct infer_call *c) {
    const struct dim_value *a = NULL;
    const struct dim_value *b = NULL;
    int a_count = 0;
    int b_count = 0;
    bool integer = c->outputs[0].type == DTYPE_INT64 || c->outputs[0].type == DTYPE_INT32;
    if (!integer || !infer_elements(c, 0, &a, &a_count) || !infer_elements(c, 1, &b, &b_count)) {
        return PARE_OK;
    }
    if (a_count != b_count && a_count != 1 && b_count != 1) {
        return PARE_OK;
    }
    int count = a_count == 1 ? b_count : a_count;
    struct dim_value *out = ARENA_ARRAY(c->arena, (size_t)count, struct dim_value);
    if (out == NULL) {
        return fail_memory(c->ctx);
    }
    for (int i = 0; i < count; i++) {
        out[i] = combine(c->node, &a[a_count == 1 ? 0 : i], &b[b_count == 1 ? 0 : i]);
    }
    return infer_set_elements(c, out, count);
}

static enum pare_status fail_broadcast(const struct infer_call *c) {
    char a[INFER_TEXT_MAX];
    char b[INFER_TEXT_MAX];
    return infer_fail(c, "shapes %s and %s do not broadcast", infer_text(infer_input(c, 0), a, sizeof a),
                      infer_text(infer_input(c, 1), b, sizeof b));
}

enum pare_status infer_prelu(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const struct infer_value *slope = infer_input(c, 1);
    TRY(infer_check_same_type(c, 0, 1));
    if (x->rank >= 0 && slope->rank >= 0) {
        struct dim dims[TENSOR_MAX_RANK];
        bool fits = slope->rank <= x->rank && infer_broadcast_dims(x->dims, x->rank, slope->dims, slope->rank, dims);
        for (int i = 0; fits && i < x->rank; i++) {
            fits = dims[i].value < 0 || x->dims[i].value < 0 || dims[i].value == x->dims[i].value;
        }
        if (!fits) {
            return fail_broadcast(c);
        }
    }
    return infer_first_input(c);
}

enum pare_status infer_broadcast(struct infer_call *c) {
    const struct infer_value *a = infer_input(c, 0);
    const struct infer_value *b = infer_input(c, 1);
    enum dtype type = a->type == DTYPE_NONE ? b->type : a->type;
    TRY(infer_check_same_type(c, 0, 1));
    if (a->rank < 0 || b->rank < 0) {
        return infer_set(c, type, -1, NULL);
    }
    struct dim dims[TENSOR_MAX_RANK];
    if (!infer_broadcast_dims(a->dims, a->rank, b->dims, b->rank, dims)) {
        return fail_broadcast(c);
    }
    TRY(infer_set(c, type, a->rank > b->rank ? a->rank : b->rank, dims));
    return broadcast_elements(c);
}
