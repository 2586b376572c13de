/* Shapes of operators that move elements: Transpose, Concat, Split, Slice, Gather, Pad. */
#include "graph/axes.h"
#include "graph/infer.h"
#include "graph/slice.h"

#include <inttypes.h>
#include <string.h>

enum pare_status infer_transpose(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    int perm[TENSOR_MAX_RANK];
    if (x->rank < 0) {
        return infer_set(c, x->type, -1, NULL);
    }
    if (axes_of_transpose(c->ctx, c->node, x->rank, perm) != PARE_OK) {
        return infer_fail_at(c);
    }
    struct dim dims[TENSOR_MAX_RANK];
    for (int i = 0; i < x->rank; i++) {
        dims[i] = x->dims[perm[i]];
    }
    return infer_set(c, x->type, x->rank, dims);
}

/* Joins input i to `dims` along `axis`. */
static enum pare_status concat_input(const struct infer_call *c, int i, int axis, int rank, struct dim *dims) {
    const struct infer_value *v = infer_input(c, i);
    bool fits = v->rank == rank;
    for (int k = 0; fits && k < rank; k++) {
        if (k != axis) {
            fits = dim_unify(&dims[k], &v->dims[k]);
        } else if (dims[k].value < 0 || v->dims[k].value < 0) {
            dims[k] = dim_unknown();
        } else {
            fits = !__builtin_add_overflow(dims[k].value, v->dims[k].value, &dims[k].value);
        }
    }
    char first[INFER_TEXT_MAX];
    char other[INFER_TEXT_MAX];
    return fits ? PARE_OK
                : infer_fail(c, "inputs 0 and %d with shapes %s and %s do not join along axis %d", i,
                             infer_text(infer_input(c, 0), first, sizeof first), infer_text(v, other, sizeof other),
                             axis);
}

static enum pare_status concat_elements(struct infer_call *c) {
    struct dim_value all[INFER_MAX_ELEMENTS];
    int total = 0;
    for (int i = 0; i < c->node->input_count; i++) {
        const struct dim_value *elements = NULL;
        int count = 0;
        if (!infer_elements(c, i, &elements, &count) || total + count > INFER_MAX_ELEMENTS) {
            return PARE_OK;
        }
        memcpy(&all[total], elements, (size_t)count * sizeof *all);
        total += count;
    }
    return infer_set_elements(c, all, total);
}

enum pare_status infer_concat(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    int axis = 0;
    for (int i = 0; i < c->node->input_count; i++) {
        TRY(infer_check_same_type(c, 0, i));
    }
    for (int i = 0; i < c->node->input_count; i++) {
        if (infer_input(c, i)->rank < 0) {
            return infer_set(c, x->type, -1, NULL);
        }
    }
    if (node_attr(c->node, "axis") == NULL) {
        return infer_fail(c, "attribute axis is missing");
    }
    TRY(infer_axis(c, &axis));
    struct dim dims[TENSOR_MAX_RANK];
    memcpy(dims, x->dims, sizeof dims);
    for (int i = 1; i < c->node->input_count; i++) {
        TRY(concat_input(c, i, axis, x->rank, dims));
    }
    TRY(infer_set(c, x->type, x->rank, dims));
    return x->rank == 1 ? concat_elements(c) : PARE_OK;
}

/* Sizes of the parts where the node does not list them: equal ones, the last smaller when num_outputs says so. */
static enum pare_status split_evenly(const struct infer_call *c, const struct dim *whole, int64_t *sizes) {
    int64_t parts = c->node->output_count;
    bool uneven = node_attr(c->node, "num_outputs") != NULL;
    if (uneven && node_int(c->node, "num_outputs") != parts) {
        return infer_fail(c, "num_outputs is %" PRId64 ", the node has %" PRId64 " outputs",
                          node_int(c->node, "num_outputs"), parts);
    }
    int64_t size = whole->value < 0 ? -1 : (whole->value + parts - 1) / parts;
    int64_t last = whole->value < 0 ? -1 : whole->value - size * (parts - 1);
    if (whole->value >= 0 && (last < 0 || (!uneven && last != size))) {
        return infer_fail(c, "size %" PRId64 " does not split into %" PRId64 " parts", whole->value, parts);
    }
    for (int64_t i = 0; i < parts; i++) {
        sizes[i] = i == parts - 1 ? last : size;
    }
    return PARE_OK;
}

static enum pare_status split_as_listed(const struct infer_call *c, const struct dim *whole, int64_t *sizes) {
    const int64_t *listed = NULL;
    int count = 0;
    int64_t sum = 0;
    bool known = infer_ints(c, 1, &listed, &count);
    if (known && count != c->node->output_count) {
        return infer_fail(c, "split lists %d sizes, the node has %d outputs", count, c->node->output_count);
    }
    for (int i = 0; i < c->node->output_count; i++) {
        sizes[i] = known ? listed[i] : -1;
        if (known && (sizes[i] < 0 || __builtin_add_overflow(sum, sizes[i], &sum))) {
            return infer_fail(c, "split holds %" PRId64, sizes[i]);
        }
    }
    if (known && whole->value >= 0 && sum != whole->value) {
        return infer_fail(c, "the sizes listed in split sum up to %" PRId64 ", the input has %" PRId64, sum,
                          whole->value);
    }
    return PARE_OK;
}

static enum pare_status split_elements(struct infer_call *c, const int64_t *sizes) {
    const struct dim_value *elements = NULL;
    int count = 0;
    if (!infer_elements(c, 0, &elements, &count)) {
        return PARE_OK;
    }
    for (int i = 0; i < c->node->output_count && sizes[i] >= 0; i++) {
        c->outputs[i].elements = elements;
        c->outputs[i].element_count = (int)sizes[i];
        elements += sizes[i];
    }
    return PARE_OK;
}

enum pare_status infer_split(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    int axis = 0;
    for (int i = 0; x->rank < 0 && i < c->node->output_count; i++) {
        TRY(infer_set_output(c, i, x->type, -1, NULL));
    }
    if (x->rank < 0) {
        return PARE_OK;
    }
    TRY(infer_axis(c, &axis));
    int64_t *sizes = ARENA_ARRAY(c->arena, (size_t)c->node->output_count, int64_t);
    if (sizes == NULL) {
        return fail_memory(c->ctx);
    }
    const struct dim *whole = &x->dims[axis];
    TRY(infer_input(c, 1) == NULL ? split_evenly(c, whole, sizes) : split_as_listed(c, whole, sizes));
    struct dim dims[TENSOR_MAX_RANK];
    memcpy(dims, x->dims, sizeof dims);
    for (int i = 0; i < c->node->output_count; i++) {
        dims[axis] = sizes[i] < 0 ? dim_unknown() : dim_known(sizes[i]);
        TRY(infer_set_output(c, i, x->type, x->rank, dims));
    }
    return x->rank == 1 && whole->value >= 0 ? split_elements(c, sizes) : PARE_OK;
}

static enum pare_status slice_elements(struct infer_call *c, const struct slice *s) {
    const struct dim_value *elements = NULL;
    int count = 0;
    if (!infer_elements(c, 0, &elements, &count) || s->count[0] < 0) {
        return PARE_OK;
    }
    struct dim_value *kept = ARENA_ARRAY(c->arena, (size_t)s->count[0], struct dim_value);
    if (kept == NULL) {
        return fail_memory(c->ctx);
    }
    for (int64_t i = 0; i < s->count[0]; i++) {
        kept[i] = elements[s->start[0] + i * s->step[0]];
    }
    return infer_set_elements(c, kept, (int)s->count[0]);
}

/* The values of starts, ends, axes and steps; *known false when some are not known. */
static enum pare_status read_slice(struct infer_call *c, struct slice_inputs *in, bool *known) {
    int counts[4];
    const int64_t **lists[4] = {&in->starts, &in->ends, &in->axes, &in->steps};
    *known = true;
    for (int i = 0; i < 4; i++) {
        *known = infer_ints(c, i + 1, lists[i], &counts[i]) && *known;
    }
    in->length = counts[0];
    for (int i = 1; *known && i < 4; i++) {
        if (*lists[i] != NULL && counts[i] != in->length) {
            return infer_fail(c, "starts has %d entries, input %d has %d", in->length, i + 1, counts[i]);
        }
    }
    return PARE_OK;
}

enum pare_status infer_slice(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    struct slice_inputs in = {0};
    bool known = false;
    TRY(read_slice(c, &in, &known));
    struct dim dims[TENSOR_MAX_RANK];
    if (x->rank < 0 || !known) {
        for (int i = 0; i < x->rank; i++) {
            dims[i] = dim_unknown();
        }
        return infer_set(c, x->type, x->rank, dims);
    }
    struct shape shape = infer_shape(x);
    struct slice s;
    if (slice_resolve(c->ctx, &in, &shape, &s) != PARE_OK) {
        return infer_fail_at(c);
    }
    for (int i = 0; i < x->rank; i++) {
        dims[i] = s.keeps_all[i] ? x->dims[i] : s.count[i] >= 0 ? dim_known(s.count[i]) : dim_unknown();
    }
    TRY(infer_set(c, x->type, x->rank, dims));
    return x->rank == 1 ? slice_elements(c, &s) : PARE_OK;
}

/* Elements of a shape vector picked by known indices (a scalar or a vector). */
static enum pare_status gather_elements(struct infer_call *c) {
    const struct dim_value *elements = NULL;
    const int64_t *indices = NULL;
    int count = 0;
    int picked = 0;
    if (!infer_elements(c, 0, &elements, &count) || !infer_ints(c, 1, &indices, &picked)) {
        return PARE_OK;
    }
    struct dim_value *out = ARENA_ARRAY(c->arena, (size_t)picked, struct dim_value);
    if (out == NULL) {
        return fail_memory(c->ctx);
    }
    for (int i = 0; i < picked; i++) {
        int at = 0;
        if (!axis_resolve(indices[i], count, &at)) {
            return infer_fail(c, "index %" PRId64 " does not exist among %d elements", indices[i], count);
        }
        out[i] = elements[at];
    }
    return infer_set_elements(c, out, picked);
}

enum pare_status infer_gather(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const struct infer_value *indices = infer_input(c, 1);
    int axis = 0;
    if (x->rank < 0 || indices->rank < 0) {
        return infer_set(c, x->type, -1, NULL);
    }
    TRY(infer_axis(c, &axis));
    struct dim dims[2 * TENSOR_MAX_RANK];
    int rank = 0;
    for (int i = 0; i < axis; i++) {
        dims[rank++] = x->dims[i];
    }
    for (int i = 0; i < indices->rank; i++) {
        dims[rank++] = indices->dims[i];
    }
    for (int i = axis + 1; i < x->rank; i++) {
        dims[rank++] = x->dims[i];
    }
    TRY(infer_set(c, x->type, rank, dims));
    return rank <= 1 && x->rank == 1 ? gather_elements(c) : PARE_OK;
}

/* How far each mode can reach: reflect needs the elements that it mirrors, edge and wrap at least one. */
static bool pad_reaches(const char *mode, int64_t size, int64_t begin, int64_t end) {
    int64_t larger = begin > end ? begin : end;
    if (larger <= 0 || strcmp(mode, "constant") == 0) {
        return true;
    }
    if (strcmp(mode, "edge") == 0) {
        return size >= 1;
    }
    return larger <= (strcmp(mode, "reflect") == 0 ? size - 1 : size);
}

static enum pare_status pad_dim(const struct infer_call *c, const char *mode, int64_t begin, int64_t end,
                                const struct dim *from, struct dim *to) {
    const int64_t limit = (int64_t)1 << 31;
    if (begin == 0 && end == 0) {
        *to = *from;
        return PARE_OK;
    }
    if (begin < -limit || begin > limit || end < -limit || end > limit) {
        return infer_fail(c, "pads of %" PRId64 " and %" PRId64 " are too large", begin, end);
    }
    *to = dim_unknown();
    if (from->value < 0) {
        return PARE_OK;
    }
    int64_t left = from->value + (begin < 0 ? begin : 0) + (end < 0 ? end : 0);
    if (left < 0 || !pad_reaches(mode, from->value, begin, end)) {
        return infer_fail(c, "pads of %" PRId64 " and %" PRId64 " do not fit an axis of size %" PRId64 " (mode %s)",
                          begin, end, from->value, mode);
    }
    *to = dim_known(from->value + begin + end);
    return PARE_OK;
}

static enum pare_status check_pad_mode(const struct infer_call *c, const char *mode) {
    static const char *const modes[] = {"constant", "reflect", "edge", "wrap"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(mode, modes[i]) == 0) {
            return PARE_OK;
        }
    }
    return infer_fail(c, "mode is %s, expected constant, reflect, edge or wrap", mode);
}

enum pare_status infer_pad(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const char *mode = node_string(c->node, "mode");
    const int64_t *pads = NULL;
    const int64_t *axes = NULL;
    int pad_count = 0;
    int axis_count = 0;
    TRY(check_pad_mode(c, mode));
    TRY(infer_check_single(c, 2));
    TRY(infer_check_same_type(c, 0, 2));
    bool known = infer_ints(c, 1, &pads, &pad_count) && infer_ints(c, 3, &axes, &axis_count);
    struct padding p;
    struct dim dims[TENSOR_MAX_RANK];
    if (known && x->rank >= 0 && padding_resolve(c->ctx, pads, pad_count, axes, axis_count, x->rank, &p) != PARE_OK) {
        return infer_fail_at(c);
    }
    for (int i = 0; i < x->rank; i++) {
        dims[i] = dim_unknown();
        if (known) {
            TRY(pad_dim(c, mode, p.begin[i], p.end[i], &x->dims[i], &dims[i]));
        }
    }
    return infer_set(c, x->type, x->rank, dims);
}
