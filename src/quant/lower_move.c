/* Operators that move codes: an alias where the order of the elements stays, else strided copies or a gather. */
#include "graph/axes.h"
#include "graph/slice.h"
#include "quant/codes.h"
#include "quant/rules.h"

#include <string.h>

static bool fixed_shapes(const struct node *n) {
    struct shape s;
    return value_shape(n->inputs[0], 1, &s) && n->outputs[0] != NULL && value_shape(n->outputs[0], 1, &s);
}

/* Inputs from `first` on are constants or omitted. */
static bool rest_constant(const struct node *n, int first) {
    for (int i = first; i < n->input_count; i++) {
        if (n->inputs[i] != NULL && !value_is_constant(n->inputs[i])) {
            return false;
        }
    }
    return true;
}

/* The integers of a constant input in the program's arena; NULL and 0 where it is omitted. */
static enum pare_status constant_ints(struct lowering *l, const struct node *n, int i, const int64_t **ints,
                                      int *count) {
    *ints = NULL;
    *count = 0;
    if (i >= n->input_count || n->inputs[i] == NULL) {
        return PARE_OK;
    }
    const struct tensor *t = n->inputs[i]->constant;
    int64_t *copy = ARENA_ARRAY(l->program->arena, tensor_count(t), int64_t);
    if (copy == NULL) {
        return fail_memory(l->ctx);
    }
    for (size_t k = 0; k < tensor_count(t); k++) {
        copy[k] = tensor_get_int(t, k);
    }
    *ints = copy;
    *count = (int)tensor_count(t);
    return PARE_OK;
}

static void dense_steps(const struct shape *s, int64_t *step) {
    int64_t size = 1;
    for (int i = s->rank - 1; i >= 0; i--) {
        step[i] = size;
        size *= s->dim[i];
    }
}

/* ---- the same codes in the same order ---- */

static bool same_dims(const struct pare_value *pv, const struct value *v) {
    struct shape s;
    bool same = value_shape(v, 1, &s) && s.rank == pv->rank;
    for (int i = 0; same && i < s.rank; i++) {
        same = s.dim[i] == (int64_t)pv->dims[i];
    }
    return same;
}

/* PRelu finds its channels by the dimensions of its input; all others by what their node's shapes say. */
static bool dims_matter(const struct value *v) {
    for (int i = 0; i < v->use_count; i++) {
        if (v->uses[i].node == NULL || v->uses[i].node->op->id == OP_PRelu) {
            return true;
        }
    }
    return false;
}

static enum pare_status copy_whole(struct lowering *l, const struct node *n) {
    struct pare_op *op = NULL;
    TRY(lower_op(l, n, PARE_COPY, n->inputs, 1, &op));
    op->u.copy.rank = 1;
    op->u.copy.dims[0] = l->program->values[op->output].count;
    op->u.copy.in_stride[0] = 1;
    op->u.copy.out_stride[0] = 1;
    return PARE_OK;
}

/* An output of the graph keeps its own name and dimensions. */
static enum pare_status lower_pass(struct lowering *l, const struct node *n) {
    const struct value *out = n->outputs[0];
    uint32_t from = 0;
    TRY(lower_value(l, n->inputs[0], &from));
    bool needs_own = value_is_output(out) || (dims_matter(out) && !same_dims(&l->program->values[from], out));
    return needs_own ? copy_whole(l, n) : lower_alias(l, out, n->inputs[0]);
}

static bool pass_applies(const struct node *n) {
    return fixed_shapes(n) && (n->output_count < 2 || n->outputs[1] == NULL); /* no mask of a Dropout */
}

const struct rule rule_pass = {RULE_KEEPS, false, pass_applies, lower_pass, NULL, "a fixed shape"};

/* ---- Transpose ---- */

static bool keeps_order(const struct shape *in, const int *perm) {
    int last = -1;
    for (int i = 0; i < in->rank; i++) {
        if (in->dim[perm[i]] > 1 && perm[i] < last) {
            return false;
        }
        last = in->dim[perm[i]] > 1 ? perm[i] : last;
    }
    return true;
}

static enum pare_status lower_transpose(struct lowering *l, const struct node *n) {
    struct shape in, out;
    int perm[TENSOR_MAX_RANK] = {0};
    int64_t from[TENSOR_MAX_RANK] = {0}, to[TENSOR_MAX_RANK] = {0};
    value_shape(n->inputs[0], 1, &in);
    value_shape(n->outputs[0], 1, &out);
    TRY(axes_of_transpose(l->ctx, n, in.rank, perm));
    if (keeps_order(&in, perm)) {
        return lower_pass(l, n);
    }
    struct pare_op *op = NULL;
    TRY(lower_op(l, n, PARE_COPY, n->inputs, 1, &op));
    dense_steps(&in, from);
    dense_steps(&out, to);
    op->u.copy.rank = (uint8_t)in.rank;
    for (int i = 0; i < in.rank; i++) {
        op->u.copy.dims[i] = (uint32_t)out.dim[i];
        op->u.copy.in_stride[i] = (int32_t)from[perm[i]];
        op->u.copy.out_stride[i] = (int32_t)to[i];
    }
    return PARE_OK;
}

const struct rule rule_transpose = {RULE_KEEPS, false, fixed_shapes, lower_transpose, NULL, "a fixed shape"};

/* ---- Slice, Split ---- */

/* `output` is input[start + o * step] along every axis. */
static enum pare_status copy_region(struct lowering *l, const struct node *n, const struct value *output,
                                    const int64_t *start, const int64_t *step) {
    struct shape in, out;
    int64_t from[TENSOR_MAX_RANK] = {0}, to[TENSOR_MAX_RANK] = {0}, base = 0;
    value_shape(n->inputs[0], 1, &in);
    value_shape(output, 1, &out);
    struct pare_op *op = NULL;
    TRY(lower_op_to(l, n, PARE_COPY, n->inputs, 1, output, &op));
    dense_steps(&in, from);
    dense_steps(&out, to);
    op->u.copy.rank = (uint8_t)out.rank;
    for (int i = 0; i < out.rank; i++) {
        op->u.copy.dims[i] = (uint32_t)out.dim[i];
        op->u.copy.in_stride[i] = (int32_t)(out.dim[i] > 1 ? from[i] * step[i] : 0);
        op->u.copy.out_stride[i] = (int32_t)to[i];
        base += from[i] * start[i];
    }
    op->u.copy.in_base = (uint32_t)base;
    return PARE_OK;
}

static bool slice_applies(const struct node *n) {
    return fixed_shapes(n) && rest_constant(n, 1);
}

static enum pare_status lower_slice(struct lowering *l, const struct node *n) {
    struct slice_inputs in = {0};
    struct shape shape;
    struct slice s = {0};
    int count = 0;
    TRY(constant_ints(l, n, 1, &in.starts, &in.length));
    TRY(constant_ints(l, n, 2, &in.ends, &count));
    TRY(constant_ints(l, n, 3, &in.axes, &count));
    TRY(constant_ints(l, n, 4, &in.steps, &count));
    value_shape(n->inputs[0], 1, &shape);
    TRY(slice_resolve(l->ctx, &in, &shape, &s));
    return copy_region(l, n, n->outputs[0], s.start, s.step);
}

const struct rule rule_slice = {RULE_KEEPS,  false, slice_applies,
                                lower_slice, NULL,  "constant bounds and a fixed shape"};

static bool split_applies(const struct node *n) {
    struct shape s;
    for (int i = 0; i < n->output_count; i++) {
        if (n->outputs[i] == NULL || !value_shape(n->outputs[i], 1, &s)) {
            return false;
        }
    }
    return fixed_shapes(n) && rest_constant(n, 1);
}

static enum pare_status lower_split(struct lowering *l, const struct node *n) {
    struct shape s;
    int axis = 0;
    int64_t start[TENSOR_MAX_RANK] = {0}, step[TENSOR_MAX_RANK];
    for (int i = 0; i < TENSOR_MAX_RANK; i++) {
        step[i] = 1;
    }
    for (int i = 0; i < n->output_count; i++) {
        value_shape(n->outputs[i], 1, &s);
        if (!axis_resolve(node_int(n, "axis"), s.rank, &axis)) {
            return fail(l->ctx, PARE_ERROR_INPUT, "it has no such axis");
        }
        if (n->outputs[i]->use_count > 0) {
            TRY(copy_region(l, n, n->outputs[i], start, step));
        }
        start[axis] += s.dim[axis];
    }
    return PARE_OK;
}

const struct rule rule_split = {RULE_KEEPS, false, split_applies, lower_split, NULL, "constant sizes and fixed shapes"};

/* ---- Pad ---- */

static double fill_value(const struct node *n) {
    double fill = 0;
    return n->input_count > 2 && n->inputs[2] != NULL && value_scalar(n->inputs[2], &fill) ? fill : 0;
}

static bool pads_with_constant(const struct node *n) {
    return strcmp(node_string(n, "mode"), "constant") == 0 && fixed_shapes(n) && rest_constant(n, 1);
}

/* Every format holds 0; any other fill value is rounded to a format chosen for the output. */
static bool pads_with_zero(const struct node *n) {
    return pads_with_constant(n) && fill_value(n) == 0;
}

/* Where the input's elements come to lie; false when every one of them is cut away. */
static bool set_pad_region(const struct shape *in, const struct shape *out, const struct padding *p,
                           struct pare_op *op) {
    int64_t from[TENSOR_MAX_RANK] = {0}, to[TENSOR_MAX_RANK] = {0}, in_base = 0, out_base = 0;
    dense_steps(in, from);
    dense_steps(out, to);
    op->u.copy.rank = (uint8_t)in->rank;
    for (int i = 0; i < in->rank; i++) {
        int64_t first = p->begin[i] < 0 ? -p->begin[i] : 0;
        int64_t last = p->end[i] < 0 ? in->dim[i] + p->end[i] : in->dim[i];
        if (last <= first) {
            return false;
        }
        op->u.copy.dims[i] = (uint32_t)(last - first);
        op->u.copy.in_stride[i] = (int32_t)from[i];
        op->u.copy.out_stride[i] = (int32_t)to[i];
        in_base += first * from[i];
        out_base += (p->begin[i] < 0 ? 0 : p->begin[i]) * to[i];
    }
    op->u.copy.in_base = (uint32_t)in_base;
    op->u.copy.out_base = (uint32_t)out_base;
    return true;
}

static enum pare_status lower_pad(struct lowering *l, const struct node *n) {
    const int64_t *pads, *axes;
    int pad_count = 0, axis_count = 0;
    struct padding padding = {0};
    struct shape in, out;
    value_shape(n->inputs[0], 1, &in);
    value_shape(n->outputs[0], 1, &out);
    TRY(constant_ints(l, n, 1, &pads, &pad_count));
    TRY(constant_ints(l, n, 3, &axes, &axis_count));
    TRY(padding_resolve(l->ctx, pads, pad_count, axes, axis_count, in.rank, &padding));
    struct pare_op *op = NULL;
    TRY(lower_op(l, n, PARE_COPY, n->inputs, 1, &op));
    if (!set_pad_region(&in, &out, &padding, op)) {
        return fail(l->ctx, PARE_ERROR_UNSUPPORTED, "it cuts all of its input away");
    }
    const struct pare_value *y = &l->program->values[op->output];
    struct format f = {.bits = y->bits, .is_signed = y->is_signed, .frac = y->frac};
    int32_t fill = quantize(fill_value(n), &f, 0);
    op->u.copy.fill = true;
    op->u.copy.fill_code = fill < op->low ? op->low : fill > op->high ? op->high : fill;
    return PARE_OK;
}

static const struct rule rule_pad_value = {RULE_ROUNDS, true, pads_with_constant,
                                           lower_pad,   NULL, "constant padding of a fixed shape"};
const struct rule rule_pad = {RULE_KEEPS, false,           pads_with_zero,
                              lower_pad,  &rule_pad_value, "constant padding of a fixed shape"};

/* ---- Gather ---- */

static bool gather_applies(const struct node *n) {
    return fixed_shapes(n) && value_is_constant(n->inputs[1]);
}

static enum pare_status gather_indices(struct lowering *l, const struct tensor *t, int64_t length, const void **out) {
    uint32_t *indices = ARENA_ARRAY(l->program->arena, tensor_count(t), uint32_t);
    for (size_t i = 0; indices != NULL && i < tensor_count(t); i++) {
        int64_t index = tensor_get_int(t, i);
        if (index < -length || index >= length) {
            return fail(l->ctx, PARE_ERROR_INPUT, "index %lld is outside of an axis of length %lld", (long long)index,
                        (long long)length);
        }
        indices[i] = (uint32_t)(index < 0 ? index + length : index);
    }
    *out = indices;
    return indices == NULL ? fail_memory(l->ctx) : PARE_OK;
}

static enum pare_status lower_gather(struct lowering *l, const struct node *n) {
    struct shape in;
    int axis = 0;
    if (!value_shape(n->inputs[0], 1, &in) || !axis_resolve(node_int(n, "axis"), in.rank, &axis)) {
        return fail(l->ctx, PARE_ERROR_INPUT, "it has no such axis");
    }
    const struct tensor *picked = n->inputs[1]->constant;
    struct pare_op *op = NULL;
    TRY(lower_op(l, n, PARE_GATHER, n->inputs, 1, &op));
    op->u.gather.outer = 1;
    op->u.gather.inner = 1;
    for (int i = 0; i < in.rank; i++) {
        *(i < axis ? &op->u.gather.outer : &op->u.gather.inner) *= i == axis ? 1 : (uint32_t)in.dim[i];
    }
    op->u.gather.in_axis = (uint32_t)in.dim[axis];
    op->u.gather.out_axis = (uint32_t)tensor_count(picked);
    return gather_indices(l, picked, in.dim[axis], &op->u.gather.indices);
}

const struct rule rule_gather = {RULE_KEEPS,   false, gather_applies,
                                 lower_gather, NULL,  "constant indices and a fixed shape"};
