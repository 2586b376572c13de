/* Resize with nearest neighbours: a strided copy where every axis repeats or skips evenly, else one gather over the
 * axes that change. */
#include "graph/resize.h"
#include "quant/rules.h"

#include <string.h>

/* Output index o of an axis reads input index source[o]. */
struct axis_map {
    int64_t length;
    const int64_t *source;
};

static bool rest_constant(const struct node *n) {
    for (int i = 1; i < n->input_count; i++) {
        if (n->inputs[i] != NULL && !value_is_constant(n->inputs[i])) {
            return false;
        }
    }
    return true;
}

/* tf_crop_and_resize takes a value of its own where it leaves the input. */
static bool resize_applies(const struct node *n) {
    struct shape s;
    return strcmp(node_string(n, "mode"), "nearest") == 0 &&
           strcmp(node_string(n, "coordinate_transformation_mode"), "tf_crop_and_resize") != 0 && rest_constant(n) &&
           value_shape(n->inputs[0], 1, &s) && value_shape(n->outputs[0], 1, &s);
}

/* ---- geometry ---- */

static const struct tensor *given(const struct node *n, int i) {
    bool absent = i >= n->input_count || n->inputs[i] == NULL || tensor_count(n->inputs[i]->constant) == 0;
    return absent ? NULL : n->inputs[i]->constant;
}

static enum pare_status resolve(struct lowering *l, const struct node *n, struct resize *r) {
    const struct tensor *scales = given(n, 2), *sizes = given(n, 3);
    float scale[TENSOR_MAX_RANK];
    int64_t size[TENSOR_MAX_RANK];
    struct resize_inputs in = {.scales = scale, .sizes = size};
    struct shape input;
    value_shape(n->inputs[0], 1, &input);
    in.scale_count = scales == NULL ? 0 : (int)tensor_count(scales);
    in.size_count = sizes == NULL ? 0 : (int)tensor_count(sizes);
    if (in.scale_count > input.rank || in.size_count > input.rank) {
        return fail(l->ctx, PARE_ERROR_INPUT, "it has more scales or sizes than its input has axes");
    }
    for (int i = 0; i < in.scale_count; i++) {
        scale[i] = (float)tensor_get_double(scales, (size_t)i);
    }
    for (int i = 0; i < in.size_count; i++) {
        size[i] = tensor_get_int(sizes, (size_t)i);
    }
    return resize_resolve(l->ctx, n, &in, &input, r);
}

static enum pare_status map_axes(struct lowering *l, const struct resize *r, struct axis_map *maps) {
    for (int axis = 0; axis < r->rank; axis++) {
        int64_t *source = ARENA_ARRAY(l->program->arena, (size_t)r->output[axis], int64_t);
        if (source == NULL) {
            return fail_memory(l->ctx);
        }
        for (int64_t o = 0; o < r->output[axis]; o++) {
            source[o] = resize_nearest_index(r, axis, o);
        }
        maps[axis] = (struct axis_map){r->output[axis], source};
    }
    return PARE_OK;
}

/* ---- even steps ---- */

/* source[o] = first + o / repeat * step. */
struct steps {
    int64_t first, repeat, step;
};

static bool even_steps(const struct axis_map *m, struct steps *s) {
    if (m->length == 0) {
        return false;
    }
    *s = (struct steps){.first = m->source[0], .repeat = 1};
    while (s->repeat < m->length && m->source[s->repeat] == s->first) {
        s->repeat++;
    }
    s->step = s->repeat < m->length ? m->source[s->repeat] - s->first : 0;
    for (int64_t o = 0; o < m->length; o++) {
        if (m->source[o] != s->first + o / s->repeat * s->step) {
            return false;
        }
    }
    return m->length % s->repeat == 0;
}

static bool add_dim(struct pare_op *op, int64_t length, int64_t in_stride, int64_t out_stride) {
    if (length == 1) {
        return true;
    }
    if (op->u.copy.rank == PARE_MAX_RANK) {
        return false;
    }
    unsigned i = op->u.copy.rank++;
    op->u.copy.dims[i] = (uint32_t)length;
    op->u.copy.in_stride[i] = (int32_t)in_stride;
    op->u.copy.out_stride[i] = (int32_t)out_stride;
    return true;
}

/* Innermost axis first: the order of a copy's dimensions is free. */
static bool set_copy(const struct resize *r, const struct axis_map *maps, struct pare_op *op) {
    int64_t from = 1, to = 1, base = 0;
    memset(&op->u, 0, sizeof(op->u));
    for (int axis = r->rank - 1; axis >= 0; axis--) {
        struct steps s = {0, 1, 0};
        bool fits = even_steps(&maps[axis], &s) && add_dim(op, s.repeat, 0, to) &&
                    add_dim(op, maps[axis].length / s.repeat, s.step * from, s.repeat * to);
        if (!fits) {
            return false;
        }
        base += s.first * from;
        from *= r->input[axis];
        to *= maps[axis].length;
    }
    op->u.copy.in_base = (uint32_t)base;
    return true;
}

/* ---- any steps ---- */

static bool changes(const struct resize *r, const struct axis_map *m, int axis) {
    for (int64_t o = 0; o < m->length; o++) {
        if (m->source[o] != o) {
            return true;
        }
    }
    return m->length != r->input[axis];
}

/* The input index of every output index of axes [first, last] taken as one. */
static void join_maps(const struct resize *r, const struct axis_map *maps, int first, int last, uint32_t *indices) {
    size_t count = 1;
    indices[0] = 0;
    for (int axis = first; axis <= last; axis++) {
        size_t length = (size_t)maps[axis].length;
        for (size_t i = count; i-- > 0;) { /* from the end: what is spread out is not needed any more */
            uint32_t before = indices[i] * (uint32_t)r->input[axis];
            for (size_t o = length; o-- > 0;) {
                indices[i * length + o] = before + (uint32_t)maps[axis].source[o];
            }
        }
        count *= length;
    }
}

static enum pare_status set_gather(struct lowering *l, const struct resize *r, const struct axis_map *maps,
                                   struct pare_op *op) {
    int first = 0, last = r->rank - 1;
    while (first < last && !changes(r, &maps[first], first)) {
        first++;
    }
    while (last > first && !changes(r, &maps[last], last)) {
        last--;
    }
    memset(&op->u, 0, sizeof(op->u));
    uint32_t outer = 1, in_axis = 1, out_axis = 1, inner = 1;
    for (int axis = 0; axis < r->rank; axis++) {
        *(axis < first ? &outer : axis > last ? &inner : &in_axis) *= (uint32_t)r->input[axis];
        out_axis *= axis < first || axis > last ? 1 : (uint32_t)maps[axis].length;
    }
    uint32_t *indices = ARENA_ARRAY(l->program->arena, out_axis, uint32_t);
    if (indices == NULL) {
        return fail_memory(l->ctx);
    }
    join_maps(r, maps, first, last, indices);
    op->kind = PARE_GATHER;
    op->u.gather.outer = outer;
    op->u.gather.in_axis = in_axis;
    op->u.gather.out_axis = out_axis;
    op->u.gather.inner = inner;
    op->u.gather.indices = indices;
    return PARE_OK;
}

static enum pare_status lower_resize(struct lowering *l, const struct node *n) {
    struct resize r = {0};
    struct axis_map maps[TENSOR_MAX_RANK] = {0};
    struct pare_op *op = NULL;
    TRY(lower_op(l, n, PARE_COPY, n->inputs, 1, &op));
    TRY(resolve(l, n, &r));
    TRY(map_axes(l, &r, maps));
    return set_copy(&r, maps, op) ? PARE_OK : set_gather(l, &r, maps, op);
}

const struct rule rule_resize = {RULE_KEEPS,   false, resize_applies,
                                 lower_resize, NULL,  "nearest mode, constant sizes and a fixed shape"};
