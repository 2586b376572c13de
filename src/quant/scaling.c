#include "quant/scaling.h"

#include "graph/axes.h"
#include "graph/op.h"

#include <math.h>

/* ---- reading ---- */

static bool fraction_of(double scale, int *frac) {
    int exponent = 0;
    if (!(scale > 0) || isinf(scale) || frexp(scale, &exponent) != 0.5) {
        return false;
    }
    *frac = 1 - exponent;
    return *frac >= -SCALING_FRAC_MAX && *frac <= SCALING_FRAC_MAX;
}

static bool scales_fit(const struct value *scale) {
    int frac = 0;
    if (!value_is_constant(scale) || scale->constant->shape.rank > 1 || tensor_count(scale->constant) == 0) {
        return false;
    }
    for (size_t i = 0; i < tensor_count(scale->constant); i++) {
        if (!fraction_of(tensor_get_double(scale->constant, i), &frac)) {
            return false;
        }
    }
    return true;
}

static bool zero_points_fit(const struct node *n) {
    const struct value *zero = n->input_count > 2 ? n->inputs[2] : NULL;
    if (zero != NULL && !value_is_constant(zero)) {
        return false;
    }
    for (size_t i = 0; zero != NULL && i < tensor_count(zero->constant); i++) {
        if (tensor_get_int(zero->constant, i) != 0) {
            return false;
        }
    }
    return true;
}

bool scaling_is_fixed_point(const struct node *n) {
    return node_int(n, "block_size") == 0 && scales_fit(n->inputs[1]) && zero_points_fit(n);
}

static int bits_of(enum dtype type) {
    switch (type) {
    case DTYPE_INT2:
    case DTYPE_UINT2:
        return 2;
    case DTYPE_INT4:
    case DTYPE_UINT4:
        return 4;
    case DTYPE_INT8:
    case DTYPE_UINT8:
        return 8;
    case DTYPE_INT16:
    case DTYPE_UINT16:
        return 16;
    default:
        return 32;
    }
}

static bool is_unsigned(enum dtype type) {
    return type == DTYPE_UINT2 || type == DTYPE_UINT4 || type == DTYPE_UINT8 || type == DTYPE_UINT16;
}

static enum pare_status read_channels(struct context *ctx, struct arena *a, const struct node *n, struct format *f) {
    const struct tensor *scale = n->inputs[1]->constant;
    size_t count = tensor_count(scale);
    bool found = axis_resolve(node_int(n, "axis"), n->inputs[0]->rank, &f->axis);
    if (!found || n->inputs[0]->dims[f->axis].value != (int64_t)count) {
        return fail(ctx, PARE_ERROR_INPUT, "%s (%s): %zu scales do not fit its input", n->name, n->op->name, count);
    }
    f->channels = (int)count;
    f->channel_frac = ARENA_ARRAY(a, count, int);
    if (f->channel_frac == NULL) {
        return fail_memory(ctx);
    }
    for (size_t i = 0; i < count; i++) {
        fraction_of(tensor_get_double(scale, i), &f->channel_frac[i]);
    }
    return PARE_OK;
}

enum pare_status scaling_format(struct context *ctx, struct arena *a, const struct node *n, struct format *out) {
    if (!scaling_is_fixed_point(n)) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "%s (%s): its scale is no power of two, or it has a zero point",
                    n->name, n->op->name);
    }
    enum dtype type = node_is(n, "QuantizeLinear") ? n->outputs[0]->type : n->inputs[0]->type;
    *out = (struct format){.bits = bits_of(type), .is_signed = !is_unsigned(type)};
    const struct tensor *scale = n->inputs[1]->constant;
    if (tensor_count(scale) > 1) {
        return read_channels(ctx, a, n, out);
    }
    fraction_of(tensor_get_double(scale, 0), &out->frac);
    return PARE_OK;
}

/* ---- writing ---- */

static bool fractions_differ(const struct format *f) {
    for (int i = 1; f->channel_frac != NULL && i < f->channels; i++) {
        if (f->channel_frac[i] != f->channel_frac[0]) {
            return true;
        }
    }
    return false;
}

enum pare_status scaling_add_scale(struct context *ctx, struct graph *g, const char *name, const struct format *f,
                                   struct value **out) {
    struct tensor t;
    struct shape shape = {.rank = fractions_differ(f), .dim = {f->channels}};
    TRY(tensor_new(ctx, g->arena, DTYPE_FLOAT, &shape, &t));
    for (size_t i = 0; i < tensor_count(&t); i++) {
        int frac = format_frac(f, (int)i);
        if (frac < -SCALING_FRAC_MAX || frac > SCALING_FRAC_MAX) {
            return fail(ctx, PARE_ERROR_UNSUPPORTED, "%s: steps of 2^%d do not fit the scales of ONNX, 2^-%d to 2^%d",
                        name, -frac, SCALING_FRAC_MAX, SCALING_FRAC_MAX);
        }
        ((float *)t.data)[i] = ldexpf(1, -frac);
    }
    char *scale = arena_format(g->arena, "%s_scale", name);
    return scale == NULL ? fail_memory(ctx) : graph_add_constant(ctx, g, scale, &t, out);
}

int scaling_axis_of_weight(const struct linear *l) {
    const struct shape *w = &l->weight->constant->shape;
    int axis = 0;
    switch (l->node->op->id) {
    case OP_ConvTranspose:
    case OP_MatMul:
        return 1;
    case OP_Gemm:
        return node_int(l->node, "transB") ? 0 : 1;
    case OP_PRelu: /* slopes are shaped [channels, 1, ...], or the same behind leading ones */
        while (axis < w->rank - 1 && w->dim[axis] != (int64_t)l->rows) {
            axis++;
        }
        return axis;
    default:
        return 0;
    }
}
