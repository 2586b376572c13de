/* Shapes of Reshape, Flatten, Squeeze and Unsqueeze: the same elements under other dimensions. */
#include "graph/axes.h"
#include "graph/infer.h"

#include <inttypes.h>

/* A product of sizes: a factor times symbols. */
struct extent {
    bool known; /* false when a dimension has neither value nor symbol, or on overflow */
    int64_t factor;
    const char *symbols[TENSOR_MAX_RANK];
    int count;
};

static void extent_multiply(struct extent *e, const struct dim *d) {
    if (d->value >= 0) {
        e->known = e->known && !__builtin_mul_overflow(e->factor, d->value, &e->factor);
    } else if (d->symbol != NULL) {
        e->symbols[e->count++] = d->symbol;
    } else {
        e->known = false;
    }
}

static struct extent extent_of(const struct dim *dims, int rank, int skip) {
    struct extent e = {.known = true, .factor = 1};
    for (int i = 0; i < rank; i++) {
        if (i != skip) {
            extent_multiply(&e, &dims[i]);
        }
    }
    return e;
}

/* Takes one `symbol` out of `e`; false when it has none. */
static bool extent_cancel(struct extent *e, const char *symbol) {
    for (int i = 0; i < e->count; i++) {
        if (e->symbols[i] == symbol) {
            e->symbols[i] = e->symbols[--e->count];
            return true;
        }
    }
    return false;
}

/* whole / part as one dimension. *divisible false: certainly no integer. */
static struct dim extent_divide(struct extent whole, const struct extent *part, bool *divisible) {
    *divisible = true;
    if (!whole.known || !part->known) {
        return dim_unknown();
    }
    for (int i = 0; i < part->count; i++) {
        if (!extent_cancel(&whole, part->symbols[i])) {
            return dim_unknown();
        }
    }
    bool exact = part->factor != 0 && whole.factor % part->factor == 0;
    if (whole.count == 0) {
        *divisible = exact;
        return exact ? dim_known(whole.factor / part->factor) : dim_unknown();
    }
    bool alone = exact && whole.count == 1 && whole.factor == part->factor;
    return alone ? (struct dim){.value = -1, .symbol = whole.symbols[0]} : dim_unknown();
}

/* What a shape input asks for. */
struct request {
    struct dim dims[TENSOR_MAX_RANK];
    int rank;
    int open; /* the dimension that the others decide, or -1 */
};

static enum pare_status read_request(struct infer_call *c, const struct dim_value *elements, int count,
                                     struct request *r) {
    const struct infer_value *x = infer_input(c, 0);
    bool zero_copies = node_int(c->node, "allowzero") == 0;
    int minus_ones = 0;
    int unknowns = 0;
    int last_unknown = -1;
    *r = (struct request){.rank = count, .open = -1};
    if (count > TENSOR_MAX_RANK) {
        return infer_fail(c, "the shape has %d entries, at most %d are supported", count, TENSOR_MAX_RANK);
    }
    for (int i = 0; i < count; i++) {
        const struct dim_value *e = &elements[i];
        r->dims[i] = dim_of_element(e);
        if (e->known && e->value < -1) {
            return infer_fail(c, "entry %d of the shape is %" PRId64, i, e->value);
        }
        if (e->known && e->value == -1) {
            r->open = i;
            minus_ones++;
        } else if (e->known && e->value == 0 && zero_copies) {
            if (x->rank >= 0 && i >= x->rank) {
                return infer_fail(c, "entry %d of the shape copies a dimension that the input does not have", i);
            }
            r->dims[i] = x->rank < 0 ? dim_unknown() : x->dims[i];
        } else if (!e->known && e->symbol == NULL) {
            last_unknown = i;
            unknowns++;
        }
    }
    if (minus_ones > 1) {
        return infer_fail(c, "%d entries of the shape are -1, at most one may be", minus_ones);
    }
    if (minus_ones == 0 && unknowns == 1) {
        r->open = last_unknown;
    }
    return PARE_OK;
}

static enum pare_status fail_reshape(const struct infer_call *c, const struct request *r) {
    struct infer_value wanted = {.rank = r->rank};
    char from[INFER_TEXT_MAX];
    char to[INFER_TEXT_MAX];
    for (int i = 0; i < r->rank; i++) {
        wanted.dims[i] = r->dims[i];
    }
    return infer_fail(c, "cannot make %s of %s: the numbers of elements differ", infer_text(&wanted, to, sizeof to),
                      infer_text(infer_input(c, 0), from, sizeof from));
}

static enum pare_status resolve_request(struct infer_call *c, struct request *r) {
    const struct infer_value *x = infer_input(c, 0);
    if (x->rank < 0) {
        return PARE_OK;
    }
    struct extent whole = extent_of(x->dims, x->rank, -1);
    struct extent part = extent_of(r->dims, r->rank, r->open);
    bool divisible = true;
    struct dim rest = extent_divide(whole, &part, &divisible);
    if (!divisible && (r->open >= 0 || whole.factor != part.factor)) {
        return fail_reshape(c, r);
    }
    if (r->open >= 0) {
        r->dims[r->open] = rest;
    } else if (rest.value >= 0 && rest.value != 1) {
        return fail_reshape(c, r);
    }
    return PARE_OK;
}

/* The elements of a shape vector stay themselves. */
static enum pare_status keep_elements(struct infer_call *c) {
    const struct dim_value *elements = NULL;
    int count = 0;
    bool followed = c->outputs[0].rank == 0 || c->outputs[0].rank == 1;
    if (followed && infer_elements(c, 0, &elements, &count)) {
        return infer_set_elements(c, elements, count);
    }
    return PARE_OK;
}

enum pare_status infer_reshape(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const struct infer_value *shape = infer_input(c, 1);
    const struct dim_value *elements = NULL;
    int count = 0;
    struct request r = {.rank = -1, .open = -1};
    TRY(infer_check_rank(c, 1, 1, 1));
    if (infer_elements(c, 1, &elements, &count)) {
        TRY(read_request(c, elements, count, &r));
        TRY(resolve_request(c, &r));
    } else if (shape->rank == 1 && shape->dims[0].value >= 0 && shape->dims[0].value <= TENSOR_MAX_RANK) {
        r.rank = (int)shape->dims[0].value;
        for (int i = 0; i < r.rank; i++) {
            r.dims[i] = dim_unknown();
        }
    }
    TRY(infer_set(c, x->type, r.rank, r.dims));
    return keep_elements(c);
}

enum pare_status infer_flatten(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    int64_t axis = node_int(c->node, "axis");
    if (x->rank < 0) {
        struct dim unknown[2] = {dim_unknown(), dim_unknown()};
        return infer_set(c, x->type, 2, unknown);
    }
    if (axis < -x->rank || axis > x->rank) {
        char text[INFER_TEXT_MAX];
        return infer_fail(c, "axis %" PRId64 " does not exist in %s", axis, infer_text(x, text, sizeof text));
    }
    int split = (int)(axis < 0 ? axis + x->rank : axis);
    struct dim dims[2] = {dim_product(x->dims, 0, split), dim_product(x->dims, split, x->rank)};
    return infer_set(c, x->type, 2, dims);
}

static enum pare_status squeeze_marked(struct infer_call *c, const bool marked[TENSOR_MAX_RANK]) {
    const struct infer_value *x = infer_input(c, 0);
    struct dim dims[TENSOR_MAX_RANK];
    int rank = 0;
    for (int i = 0; i < x->rank; i++) {
        if (!marked[i]) {
            dims[rank++] = x->dims[i];
        } else if (x->dims[i].value >= 0 && x->dims[i].value != 1) {
            char text[INFER_TEXT_MAX];
            return infer_fail(c, "axis %d of %s has not size 1", i, infer_text(x, text, sizeof text));
        }
    }
    TRY(infer_set(c, x->type, rank, dims));
    return keep_elements(c);
}

enum pare_status infer_squeeze(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    bool given = infer_input(c, 1) != NULL;
    const int64_t *axes = NULL;
    int count = 0;
    bool marked[TENSOR_MAX_RANK] = {false};
    bool known = x->rank >= 0 && infer_ints(c, 1, &axes, &count);
    for (int i = 0; known && !given && i < x->rank; i++) {
        marked[i] = x->dims[i].value == 1;
        known = x->dims[i].value >= 0;
    }
    if (!known) {
        return infer_set(c, x->type, -1, NULL);
    }
    if (given && axes_mark(c->ctx, axes, count, x->rank, marked) != PARE_OK) {
        return infer_fail_at(c);
    }
    return squeeze_marked(c, marked);
}

enum pare_status infer_unsqueeze(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const int64_t *axes = NULL;
    int count = 0;
    if (x->rank < 0 || !infer_ints(c, 1, &axes, &count)) {
        return infer_set(c, x->type, -1, NULL);
    }
    int rank = x->rank + count;
    if (rank > TENSOR_MAX_RANK) {
        return infer_fail(c, "the output would have rank %d, at most %d are supported", rank, TENSOR_MAX_RANK);
    }
    bool marked[TENSOR_MAX_RANK];
    if (axes_mark(c->ctx, axes, count, rank, marked) != PARE_OK) {
        return infer_fail_at(c);
    }
    struct dim dims[TENSOR_MAX_RANK];
    for (int i = 0, from = 0; i < rank; i++) {
        dims[i] = marked[i] ? dim_known(1) : x->dims[from++];
    }
    TRY(infer_set(c, x->type, rank, dims));
    return keep_elements(c);
}
