/* TopK, NonZero, Compress and Unique: which elements, and where they stand. */
#include "float/integer.h"
#include "float/kernels.h"
#include "float/order.h"

#include <string.h>

static void copy_element(const struct tensor *from, size_t at, struct tensor *to, size_t index) {
    size_t size = dtype_size(from->type);
    memcpy((char *)to->data + index * size, (const char *)from->data + at * size, size);
}

static size_t *make_positions(struct float_call *c, size_t count) {
    size_t *positions = call_scratch(c, count, sizeof *positions);
    for (size_t i = 0; positions != NULL && i < count; i++) {
        positions[i] = i;
    }
    return positions;
}

/* ---- TopK ---- */

/* One line of the axis; positions count along it. */
struct line {
    const struct tensor *tensor;
    size_t begin, stride;
    bool largest;
};

static bool line_before(const void *user, size_t a, size_t b) {
    const struct line *l = user;
    int order = elements_compare(l->tensor, l->begin + a * l->stride, l->begin + b * l->stride);
    return l->largest ? order > 0 : order < 0;
}

enum pare_status float_top_k(struct float_call *c) {
    const struct tensor *in = c->inputs[0];
    int axis = axis_from_start(node_int(c->node, "axis"), in->shape.rank);
    size_t length = (size_t)in->shape.dim[axis], kept = (size_t)c->outputs[0].shape.dim[axis];
    size_t outer = dims_product(&in->shape, 0, axis), inner = dims_product(&in->shape, axis + 1, in->shape.rank);
    size_t *spare = call_scratch(c, length, sizeof *spare), *positions = make_positions(c, length);
    struct line l = {.tensor = in, .stride = inner, .largest = node_int(c->node, "largest") != 0};
    if (spare == NULL || positions == NULL) {
        return PARE_ERROR_MEMORY;
    }
    for (size_t i = 0; i < outer * inner; i++) {
        l.begin = i / inner * length * inner + i % inner;
        for (size_t k = 0; k < length; k++) {
            positions[k] = k;
        }
        order_sort(positions, length, spare, line_before, &l);
        for (size_t k = 0; k < kept; k++) {
            size_t to = (i / inner * kept + k) * inner + i % inner;
            if (call_wants(c, 0)) {
                copy_element(in, l.begin + positions[k] * inner, &c->outputs[0], to);
            }
            if (call_wants(c, 1)) {
                ((int64_t *)c->outputs[1].data)[to] = (int64_t)positions[k];
            }
        }
    }
    return PARE_OK;
}

/* ---- NonZero, Compress ---- */

static bool is_nonzero(const struct tensor *t, size_t i) {
    return dtype_is_float(t->type) ? tensor_get_double(t, i) != 0.0 : integer_load(t, i) != 0;
}

static size_t count_nonzero(const struct tensor *t, size_t limit) {
    size_t count = 0;
    for (size_t i = 0; i < limit; i++) {
        count += is_nonzero(t, i);
    }
    return count;
}

/* One column of indices per element. */
enum pare_status float_non_zero(struct float_call *c) {
    const struct tensor *in = c->inputs[0];
    size_t count = tensor_count(in), found = count_nonzero(in, count), column = 0;
    struct shape shape = {.rank = 2, .dim = {in->shape.rank, (int64_t)found}};
    TRY(tensor_alloc(c->ctx, DTYPE_INT64, &shape, &c->outputs[0]));
    int64_t *y = c->outputs[0].data;
    for (size_t i = 0; i < count; i++) {
        if (!is_nonzero(in, i)) {
            continue;
        }
        size_t rest = i;
        for (int axis = in->shape.rank - 1; axis >= 0; axis--) {
            y[(size_t)axis * found + column] = (int64_t)(rest % (size_t)in->shape.dim[axis]);
            rest /= (size_t)in->shape.dim[axis];
        }
        column++;
    }
    return PARE_OK;
}

/* Items along an axis, or single elements where there is none. */
struct items {
    size_t outer, length, inner;
};

static struct items items_of(const struct float_call *c) {
    const struct shape *shape = &c->inputs[0]->shape;
    if (node_attr(c->node, "axis") == NULL) {
        return (struct items){1, tensor_count(c->inputs[0]), 1};
    }
    int axis = axis_from_start(node_int(c->node, "axis"), shape->rank);
    return (struct items){dims_product(shape, 0, axis), (size_t)shape->dim[axis],
                          dims_product(shape, axis + 1, shape->rank)};
}

/* Output 0 holds the items at these positions. */
static enum pare_status pick_items(struct float_call *c, const struct items *items, const size_t *positions,
                                   size_t count) {
    const struct tensor *in = c->inputs[0];
    struct shape shape = {.rank = 1, .dim = {(int64_t)count}};
    if (node_attr(c->node, "axis") != NULL) {
        shape = in->shape;
        shape.dim[axis_from_start(node_int(c->node, "axis"), shape.rank)] = (int64_t)count;
    }
    TRY(tensor_alloc(c->ctx, in->type, &shape, &c->outputs[0]));
    size_t bytes = items->inner * dtype_size(in->type);
    for (size_t i = 0; i < items->outer && bytes > 0; i++) {
        for (size_t k = 0; k < count; k++) {
            memcpy((char *)c->outputs[0].data + (i * count + k) * bytes,
                   (const char *)in->data + (i * items->length + positions[k]) * bytes, bytes);
        }
    }
    return PARE_OK;
}

enum pare_status float_compress(struct float_call *c) {
    struct items items = items_of(c);
    size_t given = tensor_count(c->inputs[1]), limit = given < items.length ? given : items.length, kept = 0;
    size_t *positions = call_scratch(c, limit, sizeof *positions);
    if (positions == NULL) {
        return PARE_ERROR_MEMORY;
    }
    for (size_t i = 0; i < limit; i++) {
        if (is_nonzero(c->inputs[1], i)) {
            positions[kept++] = i;
        }
    }
    return pick_items(c, &items, positions, kept);
}

/* ---- Unique ---- */

struct grouping {
    const struct tensor *tensor;
    struct items items;
    size_t *order;   /* positions of the items, sorted */
    size_t *first;   /* of each group: the position of its first item */
    size_t *group;   /* of each item */
    size_t *members; /* of each group: how many */
    size_t groups;
};

static int compare_items(const struct grouping *g, size_t a, size_t b) {
    int order = 0;
    for (size_t i = 0; order == 0 && i < g->items.outer; i++) {
        for (size_t k = 0; order == 0 && k < g->items.inner; k++) {
            size_t row = i * g->items.length;
            order = elements_compare(g->tensor, (row + a) * g->items.inner + k, (row + b) * g->items.inner + k);
        }
    }
    return order;
}

static bool item_before(const void *user, size_t a, size_t b) {
    return compare_items(user, a, b) < 0;
}

static bool first_before(const void *user, size_t a, size_t b) {
    const size_t *first = user;
    return first[a] < first[b];
}

/* Groups in the order of their items; the sort is stable, so that the first of a group is its first occurrence. */
static void find_groups(struct grouping *g) {
    for (size_t i = 0; i < g->items.length; i++) {
        bool begins = i == 0 || compare_items(g, g->order[i - 1], g->order[i]) != 0;
        if (begins) {
            g->first[g->groups] = g->order[i];
            g->members[g->groups++] = 0;
        }
        g->group[g->order[i]] = g->groups - 1;
        g->members[g->groups - 1]++;
    }
}

static enum pare_status give_list(struct float_call *c, int output, size_t count) {
    if (output >= c->node->output_count || c->node->outputs[output] == NULL) {
        return PARE_OK;
    }
    return tensor_alloc(c->ctx, DTYPE_INT64, &(struct shape){.rank = 1, .dim = {(int64_t)count}}, &c->outputs[output]);
}

static void set_entry(struct float_call *c, int output, size_t index, size_t value) {
    if (call_wants(c, output)) {
        ((int64_t *)c->outputs[output].data)[index] = (int64_t)value;
    }
}

/* `sequence` names the groups in the order in which they are given, `picked` is filled with their first items. */
static enum pare_status give_groups(struct float_call *c, const struct grouping *g, const size_t *sequence,
                                    size_t *picked, size_t *rank) {
    TRY(give_list(c, 1, g->groups));
    TRY(give_list(c, 2, g->items.length));
    TRY(give_list(c, 3, g->groups));
    for (size_t i = 0; i < g->groups; i++) {
        picked[i] = g->first[sequence[i]];
        rank[sequence[i]] = i;
        set_entry(c, 1, i, picked[i]);
        set_entry(c, 3, i, g->members[sequence[i]]);
    }
    for (size_t i = 0; i < g->items.length; i++) {
        set_entry(c, 2, i, rank[g->group[i]]);
    }
    return pick_items(c, &g->items, picked, g->groups);
}

enum pare_status float_unique(struct float_call *c) {
    struct grouping g = {.tensor = c->inputs[0], .items = items_of(c)};
    size_t count = g.items.length;
    size_t *lists[6], *sequence = make_positions(c, count);
    g.order = make_positions(c, count);
    for (int i = 0; i < 6; i++) {
        lists[i] = call_scratch(c, count, sizeof **lists);
        if (lists[i] == NULL || g.order == NULL || sequence == NULL) {
            return PARE_ERROR_MEMORY;
        }
    }
    g.first = lists[0];
    g.group = lists[1];
    g.members = lists[2];
    order_sort(g.order, count, lists[3], item_before, &g);
    find_groups(&g);
    if (node_int(c->node, "sorted") == 0) {
        order_sort(sequence, g.groups, lists[3], first_before, g.first);
    }
    return give_groups(c, &g, sequence, lists[4], lists[5]);
}
