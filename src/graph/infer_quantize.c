/* Shapes of QuantizeLinear and DequantizeLinear. */
#include "graph/axes.h"
#include "graph/infer.h"

#include <inttypes.h>

static enum pare_status fail_scale(const struct infer_call *c) {
    char x[INFER_TEXT_MAX];
    char scale[INFER_TEXT_MAX];
    return infer_fail(c, "scale %s does not fit input %s (axis %" PRId64 ", block_size %" PRId64 ")",
                      infer_text(infer_input(c, 1), scale, sizeof scale), infer_text(infer_input(c, 0), x, sizeof x),
                      node_int(c->node, "axis"), node_int(c->node, "block_size"));
}

static bool certainly_differ(const struct dim *a, const struct dim *b) {
    return a->value >= 0 && b->value >= 0 && a->value != b->value;
}

/* Blocked: the scale has the input's dimensions, but one entry per block along the axis. */
static bool blocks_fit(const struct infer_value *x, const struct infer_value *scale, int axis, int64_t block) {
    if (scale->rank != x->rank || block < 1) {
        return false;
    }
    for (int i = 0; i < x->rank; i++) {
        struct dim wanted = x->dims[i];
        if (i == axis && wanted.value > 0) {
            wanted.value = (wanted.value - 1) / block + 1;
        }
        if (certainly_differ(&wanted, &scale->dims[i])) {
            return false;
        }
    }
    return true;
}

/* One scale for the tensor, one per index of the axis, or one per block along it. */
static enum pare_status check_scale(const struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const struct infer_value *scale = infer_input(c, 1);
    int64_t block = node_int(c->node, "block_size");
    int axis = 0;
    if (x->rank < 0 || scale->rank < 0 || (scale->rank == 0 && block == 0)) {
        return PARE_OK;
    }
    bool single = scale->rank == 1 && scale->dims[0].value == 1 && block == 0;
    if (!axis_resolve(node_int(c->node, "axis"), x->rank, &axis)) {
        return single ? PARE_OK : fail_scale(c);
    }
    if (block != 0) {
        return blocks_fit(x, scale, axis, block) ? PARE_OK : fail_scale(c);
    }
    bool fits = scale->rank == 1 && (single || !certainly_differ(&scale->dims[0], &x->dims[axis]));
    return fits ? PARE_OK : fail_scale(c);
}

/* A scalar and a vector of one element say the same. */
static bool is_single(const struct infer_value *v) {
    return v->rank == 0 || (v->rank == 1 && v->dims[0].value == 1);
}

static enum pare_status check_zero_point(const struct infer_call *c) {
    const struct infer_value *scale = infer_input(c, 1);
    const struct infer_value *zero = infer_input(c, 2);
    if (zero == NULL || zero->rank < 0 || scale->rank < 0) {
        return PARE_OK;
    }
    bool both_single = is_single(zero) && is_single(scale);
    bool fits = both_single || zero->rank == scale->rank;
    for (int i = 0; fits && !both_single && i < scale->rank; i++) {
        fits = !certainly_differ(&scale->dims[i], &zero->dims[i]);
    }
    char a[INFER_TEXT_MAX];
    char b[INFER_TEXT_MAX];
    return fits ? PARE_OK
                : infer_fail(c, "zero point %s and scale %s differ in shape", infer_text(zero, b, sizeof b),
                             infer_text(scale, a, sizeof a));
}

static bool is_code_type(enum dtype type) {
    switch (type) {
    case DTYPE_UINT2:
    case DTYPE_INT2:
    case DTYPE_UINT4:
    case DTYPE_INT4:
    case DTYPE_UINT8:
    case DTYPE_INT8:
    case DTYPE_UINT16:
    case DTYPE_INT16:
        return true;
    default:
        return dtype_is_minifloat(type);
    }
}

enum pare_status infer_quantize(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const struct infer_value *zero = infer_input(c, 2);
    int64_t asked = node_int(c->node, "output_dtype");
    int64_t type = zero != NULL ? (int64_t)zero->type : asked != 0 ? asked : DTYPE_UINT8;
    TRY(check_scale(c));
    TRY(check_zero_point(c));
    bool agrees = zero == NULL || asked == 0 || type == DTYPE_NONE || asked == type;
    if (!agrees || (type != DTYPE_NONE && !is_code_type((enum dtype)type))) {
        return infer_fail(
            c, "quantises to element type %" PRId64 ", output_dtype %" PRId64 "; expected one type of 2 to 16 bits",
            type, asked);
    }
    return infer_set(c, (enum dtype)type, x->rank, x->dims);
}

enum pare_status infer_dequantize(struct infer_call *c) {
    const struct infer_value *x = infer_input(c, 0);
    const struct infer_value *scale = infer_input(c, 1);
    TRY(infer_check_same_type(c, 0, 2));
    TRY(check_scale(c));
    TRY(check_zero_point(c));
    if (x->type != DTYPE_NONE && x->type != DTYPE_INT32 && !is_code_type(x->type)) {
        return infer_fail(c, "dequantises %s, expected a quantised type", dtype_name(x->type));
    }
    return infer_set(c, scale->type, x->rank, x->dims);
}
