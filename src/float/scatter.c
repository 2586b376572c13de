/* GatherElements, GatherND, ScatterElements, ScatterND, TensorScatter and OneHot. */
#include "float/integer.h"
#include "float/kernels.h"
#include "float/strided.h"

#include <math.h>
#include <string.h>

/* An index as an offset from the start of an axis. */
static enum pare_status resolve(struct float_call *c, int64_t index, int64_t length, int64_t *out) {
    if (index < -length || index >= length) {
        return fail(c->ctx, PARE_ERROR_INPUT, "index %lld is outside an axis of length %lld", (long long)index,
                    (long long)length);
    }
    *out = index < 0 ? index + length : index;
    return PARE_OK;
}

/* ---- one index per element ---- */

/* Walks over the elements of input 1 and where they lead to in input 0. */
struct walk {
    int axis;
    int64_t stride[1][TENSOR_MAX_RANK], along, length;
    int64_t index[TENSOR_MAX_RANK], offset;
};

static enum pare_status walk_begin(struct float_call *c, struct walk *w) {
    const struct shape *shape = &c->inputs[0]->shape, *indices = &c->inputs[1]->shape;
    *w = (struct walk){.axis = axis_from_start(node_int(c->node, "axis"), shape->rank)};
    dense_strides(shape, w->stride[0]);
    w->along = w->stride[0][w->axis];
    w->length = shape->dim[w->axis];
    w->stride[0][w->axis] = 0;
    for (int i = 0; i < shape->rank; i++) {
        if (i != w->axis && indices->dim[i] > shape->dim[i]) {
            return fail(c->ctx, PARE_ERROR_INPUT, "axis %d has %lld indices for %lld elements", i,
                        (long long)indices->dim[i], (long long)shape->dim[i]);
        }
    }
    return PARE_OK;
}

static enum pare_status walk_next(struct float_call *c, struct walk *w, size_t i, size_t *at) {
    int64_t position = 0;
    TRY(resolve(c, tensor_get_int(c->inputs[1], i), w->length, &position));
    *at = (size_t)(w->offset + position * w->along);
    strided_advance(&c->inputs[1]->shape, w->index, 1, w->stride, &w->offset);
    return PARE_OK;
}

enum pare_status float_gather_elements(struct float_call *c) {
    struct walk w;
    size_t size = dtype_size(c->inputs[0]->type), at = 0;
    TRY(walk_begin(c, &w));
    for (size_t i = 0, count = tensor_count(c->inputs[1]); i < count; i++) {
        TRY(walk_next(c, &w, i, &at));
        memcpy((char *)c->outputs[0].data + i * size, (const char *)c->inputs[0]->data + at * size, size);
    }
    return PARE_OK;
}

enum reduction { REDUCE_NONE, REDUCE_ADD, REDUCE_MUL, REDUCE_MAX, REDUCE_MIN };

static enum reduction reduction_of(const struct float_call *c) {
    static const char *const names[] = {"none", "add", "mul", "max", "min"};
    int i = 4;
    while (i > 0 && strcmp(node_string(c->node, "reduction"), names[i]) != 0) {
        i--;
    }
    return (enum reduction)i;
}

static double combine_reals(enum reduction r, double a, double b) {
    switch (r) {
    case REDUCE_ADD:
        return a + b;
    case REDUCE_MUL:
        return a * b;
    case REDUCE_MAX:
        return isnan(a) || a > b ? a : b;
    default:
        return isnan(a) || a < b ? a : b;
    }
}

static int64_t combine_integers(enum reduction r, enum dtype type, int64_t a, int64_t b) {
    bool greater = integer_key(a, type) > integer_key(b, type);
    switch (r) {
    case REDUCE_ADD:
        return integer_add(a, b);
    case REDUCE_MUL:
        return integer_multiply(a, b);
    case REDUCE_MAX:
        return greater ? a : b;
    default:
        return greater ? b : a;
    }
}

/* Brings element `from` of the updates into element `to` of the output. */
static void combine(struct tensor *out, size_t to, const struct tensor *updates, size_t from, enum reduction r) {
    if (r == REDUCE_NONE) {
        size_t size = dtype_size(out->type);
        memcpy((char *)out->data + to * size, (const char *)updates->data + from * size, size);
    } else if (dtype_is_float(out->type)) {
        tensor_set_double(out, to, combine_reals(r, tensor_get_double(out, to), tensor_get_double(updates, from)));
    } else {
        integer_store(out, to, combine_integers(r, out->type, integer_load(out, to), integer_load(updates, from)));
    }
}

enum pare_status float_scatter_elements(struct float_call *c) {
    struct walk w;
    enum reduction r = reduction_of(c);
    size_t at = 0, count = tensor_count(c->inputs[1]);
    TRY(walk_begin(c, &w));
    TRY(float_copy(c));
    if (tensor_count(c->inputs[2]) != count) {
        return fail(c->ctx, PARE_ERROR_INPUT, "%zu updates are given for %zu indices", tensor_count(c->inputs[2]),
                    count);
    }
    for (size_t i = 0; i < count; i++) {
        TRY(walk_next(c, &w, i, &at));
        combine(&c->outputs[0], at, c->inputs[2], i, r);
    }
    return PARE_OK;
}

/* ---- one index per several dimensions ---- */

/* The first element that row `row` of the indices points to, in dimensions [first, first + depth) of input 0. */
static enum pare_status point(struct float_call *c, size_t row, int first, int depth, size_t *at) {
    const struct shape *shape = &c->inputs[0]->shape;
    size_t offset = 0;
    for (int i = 0; i < depth; i++) {
        int64_t index = 0;
        TRY(resolve(c, tensor_get_int(c->inputs[1], row * (size_t)depth + (size_t)i), shape->dim[first + i], &index));
        offset = offset * (size_t)shape->dim[first + i] + (size_t)index;
    }
    *at = offset * dims_product(shape, first + depth, shape->rank);
    return PARE_OK;
}

enum pare_status float_gather_nd(struct float_call *c) {
    const struct tensor *in = c->inputs[0];
    const struct shape *indices = &c->inputs[1]->shape;
    int batch = (int)node_int(c->node, "batch_dims"), depth = (int)indices->dim[indices->rank - 1];
    size_t bytes = dims_product(&in->shape, batch + depth, in->shape.rank) * dtype_size(in->type), at = 0;
    size_t batches = dims_product(indices, 0, batch), rows = dims_product(indices, batch, indices->rank - 1);
    size_t step = dims_product(&in->shape, batch, in->shape.rank);
    if (batches > 0 && dims_product(&in->shape, 0, batch) != batches) {
        return fail(c->ctx, PARE_ERROR_INPUT, "the batch dimensions of data and indices differ");
    }
    for (size_t i = 0; i < batches * rows && bytes > 0; i++) {
        TRY(point(c, i, batch, depth, &at));
        at = (at + i / rows * step) * dtype_size(in->type);
        memcpy((char *)c->outputs[0].data + i * bytes, (const char *)in->data + at, bytes);
    }
    return PARE_OK;
}

enum pare_status float_scatter_nd(struct float_call *c) {
    const struct shape *indices = &c->inputs[1]->shape, *shape = &c->inputs[0]->shape;
    enum reduction r = reduction_of(c);
    int depth = indices->rank > 0 ? (int)indices->dim[indices->rank - 1] : 0;
    if (depth < 1 || depth > shape->rank) {
        return fail(c->ctx, PARE_ERROR_INPUT, "indices of %d dimensions for data of %d", depth, shape->rank);
    }
    size_t rows = dims_product(indices, 0, indices->rank - 1), part = dims_product(shape, depth, shape->rank), at = 0;
    TRY(float_copy(c));
    if (tensor_count(c->inputs[2]) != rows * part) {
        return fail(c->ctx, PARE_ERROR_INPUT, "%zu updates are given for %zu places", tensor_count(c->inputs[2]),
                    rows * part);
    }
    for (size_t i = 0; i < rows; i++) {
        TRY(point(c, i, 0, depth, &at));
        for (size_t k = 0; k < part; k++) {
            combine(&c->outputs[0], at + k, c->inputs[2], i * part + k, r);
        }
    }
    return PARE_OK;
}

/* ---- caches ---- */

/* Where update `step` of a sample is written, along an axis of `length`. */
static enum pare_status cache_position(struct float_call *c, size_t sample, size_t step, size_t length, size_t *at) {
    const struct tensor *first = call_input(c, 2);
    int64_t begin = first != NULL ? tensor_get_int(first, sample) : 0;
    bool circular = strcmp(node_string(c->node, "mode"), "circular") == 0;
    if (begin < 0 || (!circular && ((size_t)begin >= length || length - (size_t)begin <= step))) {
        return fail(c->ctx, PARE_ERROR_INPUT, "write index %lld does not fit a cache of length %zu", (long long)begin,
                    length);
    }
    *at = ((size_t)begin + step) % length;
    return PARE_OK;
}

enum pare_status float_tensor_scatter(struct float_call *c) {
    const struct shape *cache = &c->inputs[0]->shape, *update = &c->inputs[1]->shape;
    int axis = axis_from_start(node_int(c->node, "axis"), cache->rank);
    size_t length = (size_t)cache->dim[axis], steps = (size_t)update->dim[axis], at = 0;
    size_t outer = dims_product(cache, 0, axis), samples = (size_t)cache->dim[0];
    size_t bytes = dims_product(cache, axis + 1, cache->rank) * dtype_size(c->inputs[0]->type);
    const struct tensor *first = call_input(c, 2);
    if (dims_product(update, 0, axis) != outer || (first != NULL && tensor_count(first) != samples) ||
        dims_product(update, axis + 1, update->rank) != dims_product(cache, axis + 1, cache->rank) || steps > length) {
        return fail(c->ctx, PARE_ERROR_INPUT, "the update does not fit the cache");
    }
    TRY(float_copy(c));
    for (size_t i = 0; i < outer && bytes > 0; i++) {
        for (size_t k = 0; k < steps; k++) {
            TRY(cache_position(c, i / (outer / samples), k, length, &at));
            memcpy((char *)c->outputs[0].data + (i * length + at) * bytes,
                   (const char *)c->inputs[1]->data + (i * steps + k) * bytes, bytes);
        }
    }
    return PARE_OK;
}

/* Indices outside the depth are off everywhere. */
enum pare_status float_one_hot(struct float_call *c) {
    const struct tensor *indices = c->inputs[0], *values = c->inputs[2];
    struct tensor *out = &c->outputs[0];
    int axis = axis_from_start(node_int(c->node, "axis"), out->shape.rank);
    int64_t depth = out->shape.dim[axis];
    size_t inner = dims_product(&out->shape, axis + 1, out->shape.rank), size = dtype_size(values->type);
    for (size_t i = 0, count = tensor_count(out); i < count; i++) {
        size_t line = i / inner / (size_t)depth * inner + i % inner;
        int64_t index = tensor_get_int(indices, line), here = (int64_t)(i / inner % (size_t)depth);
        bool on = index == here || index + depth == here;
        memcpy((char *)out->data + i * size, (const char *)values->data + (on ? size : 0), size);
    }
    return PARE_OK;
}
