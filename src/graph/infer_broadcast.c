/* Shapes of operators whose inputs are broadcast to each other. */
#include "graph/infer.h"

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
    for (int i = rank - 1; i >= 0; i--) { /* from the end, so that `out` may be `a` */
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
static struct dim_value calculate(const struct node *n, const struct dim_value *a, const struct dim_value *b) {
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

/* Whether two are equal: no dimension is negative, and a symbol equals itself. */
static struct dim_value compare_elements(const struct node *n, const struct dim_value *a, const struct dim_value *b) {
    (void)n;
    if (a->known && b->known) {
        return (struct dim_value){.known = true, .value = a->value == b->value};
    }
    bool same = !a->known && !b->known && a->symbol != NULL && a->symbol == b->symbol;
    bool apart = (a->known && a->value < 0 && b->symbol != NULL) || (b->known && b->value < 0 && a->symbol != NULL);
    return (struct dim_value){.known = same || apart, .value = same};
}

static bool follows_arithmetic(const struct node *n) {
    return node_is(n, "Add") || node_is(n, "Sub") || node_is(n, "Mul") || node_is(n, "Div");
}

typedef struct dim_value combine_elements(const struct node *n, const struct dim_value *a, const struct dim_value *b);

static enum pare_status broadcast_elements(struct infer_call *c, combine_elements *combine) {
    const struct dim_value *a = NULL;
    const struct dim_value *b = NULL;
    int a_count = 0;
    int b_count = 0;
    if (!infer_elements(c, 0, &a, &a_count) || !infer_elements(c, 1, &b, &b_count)) {
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

/* Output 0 has what inputs [first, node->input_count) broadcast to. */
static enum pare_status set_broadcast(struct infer_call *c, int first, enum dtype type) {
    struct dim dims[TENSOR_MAX_RANK];
    int rank = 0;
    for (int i = first; i < c->node->input_count; i++) {
        const struct infer_value *v = infer_input(c, i);
        if (v->rank < 0) {
            return infer_set(c, type, -1, NULL);
        }
        if (!infer_broadcast_dims(dims, rank, v->dims, v->rank, dims)) {
            return fail_broadcast(c);
        }
        rank = rank > v->rank ? rank : v->rank;
    }
    return infer_set(c, type, rank, dims);
}

enum pare_status infer_broadcast(struct infer_call *c) {
    enum dtype type = infer_input(c, 0)->type;
    for (int i = 1; i < c->node->input_count; i++) {
        TRY(infer_check_same_type(c, 0, i));
        type = type == DTYPE_NONE ? infer_input(c, i)->type : type;
    }
    TRY(set_broadcast(c, 0, type));
    bool integer = c->outputs[0].type == DTYPE_INT64 || c->outputs[0].type == DTYPE_INT32;
    return integer && follows_arithmetic(c->node) ? broadcast_elements(c, calculate) : PARE_OK;
}

enum pare_status infer_compare(struct infer_call *c) {
    TRY(infer_check_same_type(c, 0, 1));
    TRY(set_broadcast(c, 0, DTYPE_BOOL));
    return node_is(c->node, "Equal") ? broadcast_elements(c, compare_elements) : PARE_OK;
}

enum pare_status infer_pow(struct infer_call *c) {
    return set_broadcast(c, 0, infer_input(c, 0)->type);
}

/* Sizes that an exporter chooses: where a size was -1, that of the tensor. */
static enum pare_status choose_elements(struct infer_call *c) {
    const struct dim_value *from[3];
    int counts[3], count = 1;
    for (int i = 0; i < 3; i++) {
        if (!infer_elements(c, i, &from[i], &counts[i]) || (counts[i] != 1 && count != 1 && counts[i] != count)) {
            return PARE_OK;
        }
        count = count == 1 ? counts[i] : count;
    }
    struct dim_value *out = ARENA_ARRAY(c->arena, (size_t)count, struct dim_value);
    if (out == NULL) {
        return fail_memory(c->ctx);
    }
    for (int i = 0; i < count; i++) {
        const struct dim_value *condition = &from[0][counts[0] == 1 ? 0 : i];
        int side = condition->value != 0 ? 1 : 2;
        out[i] = condition->known ? from[side][counts[side] == 1 ? 0 : i] : (struct dim_value){.known = false};
    }
    return infer_set_elements(c, out, count);
}

enum pare_status infer_where(struct infer_call *c) {
    const struct infer_value *condition = infer_input(c, 0);
    TRY(infer_check_same_type(c, 1, 2));
    if (condition->type != DTYPE_NONE && condition->type != DTYPE_BOOL) {
        return infer_fail(c, "the condition is %s, expected bool", dtype_name(condition->type));
    }
    enum dtype type = infer_input(c, 1)->type;
    TRY(set_broadcast(c, 0, type == DTYPE_NONE ? infer_input(c, 2)->type : type));
    return choose_elements(c);
}

enum pare_status infer_expand(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const struct dim_value *sizes = NULL;
    struct dim dims[TENSOR_MAX_RANK], out[TENSOR_MAX_RANK];
    int rank = 0;
    TRY(infer_check_rank(c, 1, 1, 1));
    if (x->rank < 0 || !infer_elements(c, 1, &sizes, &rank)) {
        return infer_set(c, x->type, -1, NULL);
    }
    if (rank > TENSOR_MAX_RANK) {
        return infer_fail(c, "the output would have rank %d, at most %d are supported", rank, TENSOR_MAX_RANK);
    }
    for (int i = 0; i < rank; i++) {
        dims[i] = dim_of_element(&sizes[i]);
    }
    if (!infer_broadcast_dims(x->dims, x->rank, dims, rank, out)) {
        return fail_broadcast(c);
    }
    return infer_set(c, x->type, x->rank > rank ? x->rank : rank, out);
}
