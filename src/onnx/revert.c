/* Meanings of the IR as older opsets spell them. */
#include "onnx/form.h"

#include "graph/axes.h"

#include <string.h>

/* ---- inputs that were attributes ---- */

/* Moves a constant input to an attribute of integers, or of one number. */
static enum pare_status to_attr(struct form *f, int index, const char *name, enum attr_type type, int since) {
    const struct value *v = form_input(f, index);
    if (v == NULL) {
        return PARE_OK;
    }
    if (!value_is_constant(v)) {
        return form_refuse(f, since, "%s with computed %s", f->op_type, name);
    }
    size_t count = tensor_count(v->constant);
    struct attr *a = &f->attrs[f->attr_count++];
    *a = (struct attr){.name = name, .type = type, .count = count};
    a->ints = ARENA_ARRAY(f->e->arena, count, int64_t);
    if (a->ints == NULL) {
        return fail_memory(f->e->ctx);
    }
    for (size_t i = 0; i < count; i++) {
        a->ints[i] = tensor_get_int(v->constant, i);
    }
    a->i = count == 1 ? a->ints[0] : 0;
    a->f = count == 1 ? (float)tensor_get_double(v->constant, 0) : 0;
    f->inputs[index] = NULL;
    return PARE_OK;
}

static enum pare_status revert_clip(struct form *f) {
    TRY(to_attr(f, 1, "min", ATTR_FLOAT, 11));
    return to_attr(f, 2, "max", ATTR_FLOAT, 11);
}

static enum pare_status revert_dropout(struct form *f) {
    f->input_count = f->input_count > 2 ? 2 : f->input_count; /* the import leaves only false as a third */
    return to_attr(f, 1, "ratio", ATTR_FLOAT, 12);
}

static enum pare_status revert_pad(struct form *f) {
    TRY(to_attr(f, 1, "pads", ATTR_INTS, 11));
    return to_attr(f, 2, "value", ATTR_FLOAT, 11);
}

static enum pare_status revert_axes(struct form *f) {
    const struct value *axes = form_input(f, 1);
    bool none = axes != NULL && value_is_constant(axes) && tensor_count(axes->constant) == 0;
    if (none) {
        f->inputs[1] = NULL; /* all of them, as without axes */
        return PARE_OK;
    }
    return to_attr(f, 1, "axes", ATTR_INTS, strncmp(f->op_type, "Reduce", 6) == 0 ? 18 : 13);
}

static bool all_ones(const struct value *v) {
    for (size_t i = 0; v != NULL && i < tensor_count(v->constant); i++) {
        if (tensor_get_int(v->constant, i) != 1) {
            return false;
        }
    }
    return true;
}

static enum pare_status revert_slice(struct form *f) {
    const struct value *steps = form_input(f, 4);
    if (steps != NULL && (!value_is_constant(steps) || !all_ones(steps))) {
        return form_refuse(f, 10, "Slice with steps");
    }
    f->input_count = f->input_count > 4 ? 4 : f->input_count;
    TRY(to_attr(f, 1, "starts", ATTR_INTS, 10));
    TRY(to_attr(f, 2, "ends", ATTR_INTS, 10));
    return to_attr(f, 3, "axes", ATTR_INTS, 10);
}

static enum pare_status revert_top_k(struct form *f) {
    return to_attr(f, 1, "k", ATTR_INT, 10);
}

/* Equal parts were what the number of outputs said. */
static enum pare_status revert_split_18(struct form *f) {
    const struct value *x = f->inputs[0];
    int axis = 0;
    bool known = x->rank >= 0 && axis_resolve(node_int(f->node, "axis"), x->rank, &axis);
    if (form_input(f, 1) == NULL && (!known || x->dims[axis].value % f->node->output_count != 0)) {
        return form_refuse(f, 18, "Split into unequal parts by their number");
    }
    form_drop_attr(f, "num_outputs");
    return PARE_OK;
}

static enum pare_status revert_split_13(struct form *f) {
    return to_attr(f, 1, "split", ATTR_INTS, 13);
}

/* ---- other meanings ---- */

/* All dimensions from the axis on were normalised together. */
static enum pare_status revert_softmax(struct form *f) {
    const struct value *x = f->inputs[0];
    int axis = 0;
    bool last = x->rank >= 0 && axis_resolve(node_int(f->node, "axis"), x->rank, &axis);
    for (int i = axis + 1; last && i < x->rank; i++) {
        last = x->dims[i].value == 1;
    }
    if (!last) {
        return form_refuse(f, 13, "%s along another axis than the last", f->op_type);
    }
    form_drop_attr(f, "axis");
    f->attrs[f->attr_count++] = (struct attr){.name = "axis", .type = ATTR_INT, .i = axis};
    return PARE_OK;
}

/* Until opset 12 the regions and scales had to be there, if empty. */
static enum pare_status revert_resize_12(struct form *f) {
    for (int i = 1; i < 3; i++) {
        if (form_input(f, i) == NULL) {
            TRY(encode_empty_floats(f->e, &f->inputs[i]));
            f->input_count = f->input_count <= i ? i + 1 : f->input_count;
        }
    }
    return PARE_OK;
}

static bool is_string(const struct form *f, const char *attribute, const char *text) {
    return strcmp(node_string(f->node, attribute), text) == 0;
}

/* Which way constant scales go. */
static void scale_directions(const struct value *scales, bool *grows, bool *shrinks) {
    for (size_t i = 0; i < tensor_count(scales->constant); i++) {
        *grows = *grows || tensor_get_double(scales->constant, i) > 1;
        *shrinks = *shrinks || tensor_get_double(scales->constant, i) < 1;
    }
}

/* Resize 10 and Upsample: asymmetric; nearest took the floor where it grew, and in Resize 10 the ceiling where it
 * shrank. Upsample only grew. */
static bool resize_10_says(const struct form *f) {
    const struct value *scales = form_input(f, 2);
    bool grows = false, shrinks = false;
    if (scales == NULL || !value_is_constant(scales) || form_input(f, 3) != NULL ||
        !is_string(f, "coordinate_transformation_mode", "asymmetric")) {
        return false;
    }
    scale_directions(scales, &grows, &shrinks);
    bool linear = is_string(f, "mode", "linear");
    bool nearest = is_string(f, "mode", "nearest") && !(grows && shrinks) &&
                   is_string(f, "nearest_mode", shrinks ? "ceil" : "floor");
    return (linear || nearest) && (f->e->opset == 10 || !shrinks);
}

static enum pare_status revert_resize_10(struct form *f) {
    const struct value *scales = form_input(f, 2);
    if (!resize_10_says(f)) {
        return form_refuse(f, 11, "Resize in a form that Upsample does not have");
    }
    form_drop_attr(f, "coordinate_transformation_mode");
    form_drop_attr(f, "nearest_mode");
    f->op_type = f->e->opset == 10 ? "Resize" : "Upsample";
    f->inputs[1] = scales;
    f->input_count = 2;
    if (f->e->opset >= 9) {
        return PARE_OK;
    }
    TRY(to_attr(f, 1, "scales", ATTR_FLOATS, 9));
    struct attr *a = &f->attrs[f->attr_count - 1];
    a->floats = ARENA_ARRAY(f->e->arena, a->count, float);
    if (a->floats == NULL) {
        return fail_memory(f->e->ctx);
    }
    for (size_t i = 0; i < a->count; i++) {
        a->floats[i] = (float)tensor_get_double(scales->constant, i);
    }
    return PARE_OK;
}

static enum pare_status revert_cast(struct form *f) {
    bool fits = f->node->outputs[0]->type != DTYPE_BFLOAT16;
    return fits ? PARE_OK : form_refuse(f, 13, "Cast to bfloat16");
}

/* Operators that meant something else before, in a form that is not rebuilt. */
static enum pare_status revert_never(struct form *f) {
    return form_refuse(f, 0, "%s, which meant something else before", f->op_type);
}

static const struct {
    const char *op_type;
    int since, until; /* the opsets that want it */
    reverter *revert;
} reverters[] = {
    {"Cast", WRITE_OPSET_MIN, 12, revert_cast},
    {"Clip", WRITE_OPSET_MIN, 10, revert_clip},
    {"DFT", WRITE_OPSET_MIN, 19, revert_never},
    {"Dropout", WRITE_OPSET_MIN, 11, revert_dropout},
    {"GridSample", WRITE_OPSET_MIN, 19, revert_never},
    {"GroupNormalization", WRITE_OPSET_MIN, 20, revert_never},
    {"Hardmax", WRITE_OPSET_MIN, 12, revert_softmax},
    {"LogSoftmax", WRITE_OPSET_MIN, 12, revert_softmax},
    {"Pad", WRITE_OPSET_MIN, 10, revert_pad},
    {"ReduceL1", WRITE_OPSET_MIN, 17, revert_axes},
    {"ReduceL2", WRITE_OPSET_MIN, 17, revert_axes},
    {"ReduceLogSum", WRITE_OPSET_MIN, 17, revert_axes},
    {"ReduceLogSumExp", WRITE_OPSET_MIN, 17, revert_axes},
    {"ReduceMax", WRITE_OPSET_MIN, 17, revert_axes},
    {"ReduceMean", WRITE_OPSET_MIN, 17, revert_axes},
    {"ReduceMin", WRITE_OPSET_MIN, 17, revert_axes},
    {"ReduceProd", WRITE_OPSET_MIN, 17, revert_axes},
    {"ReduceSum", WRITE_OPSET_MIN, 12, revert_axes},
    {"ReduceSumSquare", WRITE_OPSET_MIN, 17, revert_axes},
    {"Resize", WRITE_OPSET_MIN, 10, revert_resize_10},
    {"Resize", 11, 12, revert_resize_12},
    {"RoiAlign", WRITE_OPSET_MIN, 15, revert_never},
    {"Slice", WRITE_OPSET_MIN, 9, revert_slice},
    {"Softmax", WRITE_OPSET_MIN, 12, revert_softmax},
    {"Split", WRITE_OPSET_MIN, 17, revert_split_18},
    {"Split", WRITE_OPSET_MIN, 12, revert_split_13},
    {"Squeeze", WRITE_OPSET_MIN, 12, revert_axes},
    {"TopK", WRITE_OPSET_MIN, 9, revert_top_k},
    {"Unsqueeze", WRITE_OPSET_MIN, 12, revert_axes},
};

static enum pare_status own_ints(struct form *f, struct attr *a) {
    int64_t *copy = ARENA_ARRAY(f->e->arena, a->count, int64_t);
    if (copy == NULL) {
        return fail_memory(f->e->ctx);
    }
    for (size_t i = 0; i < a->count; i++) {
        copy[i] = a->ints[i];
    }
    a->ints = copy;
    return PARE_OK;
}

/* Before opset 11 axes were counted from the front only. */
static enum pare_status count_from_front(struct form *f) {
    const struct value *counted = strcmp(f->op_type, "Unsqueeze") == 0 ? f->node->outputs[0] : form_input(f, 0);
    for (int i = 0; i < f->attr_count; i++) {
        struct attr *a = &f->attrs[i];
        bool one = a->type == ATTR_INT && strcmp(a->name, "axis") == 0;
        bool list = a->type == ATTR_INTS && strcmp(a->name, "axes") == 0;
        TRY(list ? own_ints(f, a) : PARE_OK);
        int64_t *axes = one ? &a->i : a->ints;
        for (size_t k = 0; k < (one ? 1 : list ? a->count : 0); k++) {
            if (axes[k] < 0 && (counted == NULL || counted->rank < 0)) {
                return form_refuse(f, 11, "%s with an axis counted from the end of an unknown rank", f->op_type);
            }
            axes[k] += axes[k] < 0 ? counted->rank : 0;
        }
    }
    return PARE_OK;
}

enum pare_status form_revert(struct form *f) {
    const char *op_type = f->op_type;
    for (size_t i = 0; i < sizeof reverters / sizeof reverters[0]; i++) {
        bool wanted = f->e->opset >= reverters[i].since && f->e->opset <= reverters[i].until;
        if (wanted && strcmp(reverters[i].op_type, op_type) == 0) {
            TRY(reverters[i].revert(f));
        }
    }
    return f->e->opset < 11 ? count_from_front(f) : PARE_OK;
}
