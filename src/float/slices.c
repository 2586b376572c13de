#include "float/slices.h"

#include "float/kernels.h"

#include <stdlib.h>
#include <string.h>

enum pare_status tensor_duplicate(struct context *ctx, const struct tensor *t, struct tensor *out) {
    TRY(tensor_alloc(ctx, t->type, &t->shape, out));
    if (tensor_bytes(t) > 0) {
        memcpy(out->data, t->data, tensor_bytes(t));
    }
    return PARE_OK;
}

/* How a slice lies in the whole: `outer` runs of `bytes`, `step` bytes apart. */
struct runs {
    size_t outer, bytes, step;
};

static struct runs runs_of(const struct tensor *whole, int axis) {
    struct runs r = {.outer = dims_product(&whole->shape, 0, axis)};
    r.bytes = dims_product(&whole->shape, axis + 1, whole->shape.rank) * dtype_size(whole->type);
    r.step = r.bytes * (size_t)whole->shape.dim[axis];
    return r;
}

enum pare_status slice_take(struct context *ctx, const struct tensor *t, int axis, int64_t index, struct tensor *out) {
    struct shape shape = {.rank = t->shape.rank - 1};
    for (int i = 0; i < shape.rank; i++) {
        shape.dim[i] = t->shape.dim[i + (i >= axis)];
    }
    TRY(tensor_alloc(ctx, t->type, &shape, out));
    struct runs r = runs_of(t, axis);
    for (size_t i = 0; i < r.outer && r.bytes > 0; i++) {
        memcpy((char *)out->data + i * r.bytes, (const char *)t->data + i * r.step + (size_t)index * r.bytes, r.bytes);
    }
    return PARE_OK;
}

static enum pare_status make_room(struct context *ctx, struct stack *s) {
    size_t capacity = s->capacity == 0 ? 16 : 2 * s->capacity;
    struct tensor *items = s->count < s->capacity ? s->items : realloc(s->items, capacity * sizeof *items);
    if (items == NULL) {
        return fail_memory(ctx);
    }
    s->capacity = s->count < s->capacity ? s->capacity : capacity;
    s->items = items;
    return PARE_OK;
}

enum pare_status stack_push(struct context *ctx, struct stack *s, struct tensor *t) {
    bool fits = s->count == 0 || (s->items[0].type == t->type && shape_equal(&s->items[0].shape, &t->shape));
    enum pare_status status =
        fits ? make_room(ctx, s) : fail(ctx, PARE_ERROR_INPUT, "iteration %zu gives another shape", s->count);
    if (status != PARE_OK) {
        tensor_free(t);
        return status;
    }
    s->items[s->count++] = *t;
    *t = (struct tensor){0};
    return PARE_OK;
}

static enum pare_status shape_of(struct context *ctx, const struct stack *s, int64_t axis, const struct value *like,
                                 struct tensor *out) {
    const struct shape *item = s->count > 0 ? &s->items[0].shape : NULL;
    int rank = item != NULL ? item->rank : like->rank < 0 ? 0 : like->rank;
    if (axis < -rank - 1 || axis > rank || rank + 1 > TENSOR_MAX_RANK) {
        return fail(ctx, PARE_ERROR_INPUT, "results of rank %d cannot be stacked along axis %lld", rank,
                    (long long)axis);
    }
    struct shape shape = {.rank = rank + 1};
    int at = axis_from_start(axis, rank + 1);
    for (int i = 0; i <= rank; i++) {
        int64_t known = item != NULL || i == at ? 0 : like->dims[i - (i > at)].value;
        shape.dim[i] = i == at ? (int64_t)s->count : item != NULL ? item->dim[i - (i > at)] : known < 0 ? 0 : known;
    }
    return tensor_alloc(ctx, item != NULL ? s->items[0].type : like->type, &shape, out);
}

enum pare_status stack_join(struct context *ctx, const struct stack *s, const struct stacking *how,
                            const struct value *like, struct tensor *out) {
    TRY(shape_of(ctx, s, how->axis, like, out));
    struct runs r = runs_of(out, axis_from_start(how->axis, out->shape.rank));
    for (size_t k = 0; k < s->count; k++) {
        const char *from = s->items[how->backwards ? s->count - 1 - k : k].data;
        for (size_t i = 0; i < r.outer && r.bytes > 0; i++) {
            memcpy((char *)out->data + i * r.step + k * r.bytes, from + i * r.bytes, r.bytes);
        }
    }
    return PARE_OK;
}

void stack_free(struct stack *s) {
    for (size_t i = 0; i < s->count; i++) {
        tensor_free(&s->items[i]);
    }
    free(s->items);
    *s = (struct stack){0};
}
