/* Operators that repeat, cut out or rearrange whole parts of a tensor. */
#include "float/integer.h"
#include "float/kernels.h"
#include "float/mapped.h"
#include "float/strided.h"

#include <string.h>

/* ---- Tile, CenterCropPad ---- */

static enum pare_status repeat_axis(struct float_call *c, int axis, int64_t **source) {
    int64_t length = c->inputs[0]->shape.dim[axis], count = c->outputs[0].shape.dim[axis];
    *source = call_scratch(c, (size_t)count, sizeof **source);
    for (int64_t o = 0; *source != NULL && o < count; o++) {
        (*source)[o] = o % length;
    }
    return *source != NULL ? PARE_OK : PARE_ERROR_MEMORY;
}

enum pare_status float_tile(struct float_call *c) {
    struct mapping mapping;
    for (int i = 0; i < c->outputs[0].shape.rank; i++) {
        TRY(repeat_axis(c, i, &mapping.source[i]));
    }
    mapped_copy(&mapping, c->inputs[0], NULL, &c->outputs[0]);
    return PARE_OK;
}

/* Half of the difference in front, rounded down. */
static enum pare_status center_axis(struct float_call *c, int axis, int64_t **source) {
    int64_t length = c->inputs[0]->shape.dim[axis], count = c->outputs[0].shape.dim[axis];
    int64_t first = count < length ? (length - count) / 2 : -((count - length) / 2);
    *source = call_scratch(c, (size_t)count, sizeof **source);
    for (int64_t o = 0; *source != NULL && o < count; o++) {
        (*source)[o] = first + o >= 0 && first + o < length ? first + o : -1;
    }
    return *source != NULL ? PARE_OK : PARE_ERROR_MEMORY;
}

enum pare_status float_center_crop_pad(struct float_call *c) {
    struct mapping mapping;
    int64_t zero = 0; /* all bits zero: the zero of every type */
    for (int i = 0; i < c->outputs[0].shape.rank; i++) {
        TRY(center_axis(c, i, &mapping.source[i]));
    }
    mapped_copy(&mapping, c->inputs[0], &zero, &c->outputs[0]);
    return PARE_OK;
}

/* ---- DepthToSpace, SpaceToDepth ---- */

/* Both are a transposition of [N, a, b, c, d, e], where two dimensions are the block. */
static void transpose_blocks(struct float_call *c, const int64_t sizes[6], const int perm[6]) {
    struct shape from = {.rank = 6}, to = {.rank = 6};
    int64_t strides[TENSOR_MAX_RANK];
    struct strided block = {.rank = 6};
    for (int i = 0; i < 6; i++) {
        from.dim[i] = sizes[i];
        to.dim[i] = sizes[perm[i]];
    }
    dense_strides(&from, strides);
    dense_strides(&to, block.to);
    for (int i = 0; i < 6; i++) {
        block.dim[i] = to.dim[i];
        block.from[i] = strides[perm[i]];
    }
    strided_copy(&block, c->inputs[0]->data, c->outputs[0].data, dtype_size(c->inputs[0]->type));
}

enum pare_status float_depth_to_space(struct float_call *c) {
    const int64_t *d = c->inputs[0]->shape.dim, b = node_int(c->node, "blocksize");
    if (strcmp(node_string(c->node, "mode"), "CRD") == 0) {
        transpose_blocks(c, (int64_t[]){d[0], d[1] / (b * b), b, b, d[2], d[3]}, (int[]){0, 1, 4, 2, 5, 3});
    } else {
        transpose_blocks(c, (int64_t[]){d[0], b, b, d[1] / (b * b), d[2], d[3]}, (int[]){0, 3, 4, 1, 5, 2});
    }
    return PARE_OK;
}

enum pare_status float_space_to_depth(struct float_call *c) {
    const int64_t *d = c->inputs[0]->shape.dim, b = node_int(c->node, "blocksize");
    transpose_blocks(c, (int64_t[]){d[0], d[1], d[2] / b, b, d[3] / b, b}, (int[]){0, 3, 5, 1, 2, 4});
    return PARE_OK;
}

/* ---- triangles and diagonals ---- */

enum pare_status float_trilu(struct float_call *c) {
    const struct shape *shape = &c->inputs[0]->shape;
    const struct tensor *diagonal = call_input(c, 1);
    int64_t rows = shape->dim[shape->rank - 2], columns = shape->dim[shape->rank - 1];
    int64_t k = diagonal != NULL && tensor_count(diagonal) == 1 ? tensor_get_int(diagonal, 0) : 0;
    bool upper = node_int(c->node, "upper") != 0;
    size_t size = dtype_size(c->inputs[0]->type);
    TRY(float_copy(c));
    for (size_t i = 0, count = tensor_count(c->inputs[0]); i < count; i++) {
        int64_t column = (int64_t)i % columns, row = (int64_t)i / columns % rows;
        int64_t above = integer_subtract(column - row, k); /* the diagonal */
        if (upper ? above < 0 : above > 0) {
            memset((char *)c->outputs[0].data + i * size, 0, size);
        }
    }
    return PARE_OK;
}

enum pare_status float_eye_like(struct float_call *c) {
    struct tensor *out = &c->outputs[0];
    int64_t columns = out->shape.dim[1], k = node_int(c->node, "k");
    for (size_t i = 0, count = tensor_count(out); i < count; i++) {
        tensor_set_int(out, i, integer_subtract((int64_t)i % columns - (int64_t)i / columns, k) == 0);
    }
    return PARE_OK;
}

/* ---- along an axis ---- */

/* The first `length` of every sample's steps in the opposite order. */
enum pare_status float_reverse_sequence(struct float_call *c) {
    const struct tensor *in = c->inputs[0], *lengths = c->inputs[1];
    int time = (int)node_int(c->node, "time_axis");
    int64_t d0 = in->shape.dim[0], d1 = in->shape.dim[1], steps = in->shape.dim[time];
    size_t bytes = dims_product(&in->shape, 2, in->shape.rank) * dtype_size(in->type);
    for (int64_t i = 0; i < d0 * d1; i++) {
        int64_t sample = time == 0 ? i % d1 : i / d1, step = time == 0 ? i / d1 : i % d1;
        int64_t length = tensor_get_int(lengths, (size_t)sample);
        if (length < 0 || length > steps) {
            return fail(c->ctx, PARE_ERROR_INPUT, "length %lld of sample %lld is not within %lld steps",
                        (long long)length, (long long)sample, (long long)steps);
        }
        int64_t source = step < length ? length - 1 - step : step;
        int64_t from = time == 0 ? source * d1 + sample : sample * d1 + source;
        memcpy((char *)c->outputs[0].data + (size_t)i * bytes, (const char *)in->data + (size_t)from * bytes, bytes);
    }
    return PARE_OK;
}

/* Cumulative sums or products; an exclusive one begins with what changes nothing. */
struct cumulation {
    bool exclusive, reverse, product;
    size_t length, stride;
};

static void cumulate_line(const struct tensor *in, struct tensor *out, size_t begin, const struct cumulation *k) {
    double real = k->product;
    int64_t integer = k->product;
    bool is_real = dtype_is_float(in->type);
    for (size_t i = 0; i < k->length; i++) {
        size_t at = begin + (k->reverse ? k->length - 1 - i : i) * k->stride;
        double x = is_real ? tensor_get_double(in, at) : 0.0;
        int64_t n = is_real ? 0 : integer_load(in, at);
        double next = k->product ? real * x : real + x;
        int64_t integer_next = k->product ? integer_multiply(integer, n) : integer_add(integer, n);
        if (is_real) {
            tensor_set_double(out, at, k->exclusive ? real : next);
        } else {
            integer_store(out, at, k->exclusive ? integer : integer_next);
        }
        real = next;
        integer = integer_next;
    }
}

static enum pare_status cumulate(struct float_call *c, bool product) {
    const struct tensor *in = c->inputs[0];
    int64_t given = tensor_count(c->inputs[1]) == 1 ? tensor_get_int(c->inputs[1], 0) : INT64_MAX;
    if (given < -in->shape.rank || given >= in->shape.rank || in->type == DTYPE_BOOL) {
        return fail(c->ctx, PARE_ERROR_INPUT, "the axis does not exist in rank %d, or the type is bool",
                    in->shape.rank);
    }
    int axis = axis_from_start(given, in->shape.rank);
    struct cumulation k = {.exclusive = node_int(c->node, "exclusive") != 0,
                           .reverse = node_int(c->node, "reverse") != 0,
                           .product = product,
                           .length = (size_t)in->shape.dim[axis],
                           .stride = dims_product(&in->shape, axis + 1, in->shape.rank)};
    size_t lines = dims_product(&in->shape, 0, axis) * k.stride;
    for (size_t i = 0; i < lines; i++) {
        cumulate_line(in, &c->outputs[0], i / k.stride * k.length * k.stride + i % k.stride, &k);
    }
    return PARE_OK;
}

enum pare_status float_cum_sum(struct float_call *c) {
    return cumulate(c, false);
}

enum pare_status float_cum_prod(struct float_call *c) {
    return cumulate(c, true);
}
