/* QONNX's Quant becomes Clip, QuantizeLinear and DequantizeLinear, and that of a constant its codes: the form that can
 * be read as fixed point. Widths and fractions are annotated where scales are powers of two.
 *
 * requires: inferred shapes; a constant scale, zero points of 0, whole bits from 1 to 16 (constants: to 32), rounding
 * half to even. Other Quants stay. guarantees: the same numbers. Not part of the standard pipeline. */
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

#include <math.h>
#include <string.h>

struct quant {
    int bits;
    bool is_signed;
    double low, high;           /* codes */
    const struct tensor *scale; /* one, or one per index of `axis` */
    int axis;
};

static bool is_zero(const struct value *v) {
    for (size_t i = 0; value_is_constant(v) && i < tensor_count(v->constant); i++) {
        if (tensor_get_double(v->constant, i) != 0) {
            return false;
        }
    }
    return value_is_constant(v);
}

/* The only axis along which the scale varies. */
static bool find_axis(const struct value *x, const struct tensor *scale, int *axis) {
    int varying = 0, rank = scale->shape.rank;
    *axis = 0;
    for (int i = 0; i < rank; i++) {
        if (scale->shape.dim[i] != 1) {
            *axis = x->rank - rank + i;
            varying++;
        }
    }
    return varying == 0 || (varying == 1 && *axis >= 0 && x->dims[*axis].value == (int64_t)tensor_count(scale));
}

static bool quant_of(const struct node *n, struct quant *q) {
    double bits = 0;
    const char *mode = node_string(n, "rounding_mode");
    bool even = strcmp(mode, "ROUND") == 0 || strcmp(mode, "HALF_EVEN") == 0;
    int most = value_is_constant(n->inputs[0]) ? 32 : 16;
    if (!even || !value_is_constant(n->inputs[1]) || !is_zero(n->inputs[2]) || !value_scalar(n->inputs[3], &bits) ||
        bits != floor(bits) || bits < 1 || bits > most || n->inputs[0]->rank < 0) {
        return false;
    }
    q->bits = (int)bits;
    q->is_signed = node_int(n, "signed") != 0;
    bool narrow = node_int(n, "narrow") != 0;
    q->high = q->is_signed ? exp2(bits - 1) - 1 : exp2(bits) - (narrow ? 2 : 1);
    q->low = !q->is_signed ? 0 : narrow ? -q->high : -q->high - 1;
    q->scale = n->inputs[1]->constant;
    bool wide_unsigned = !q->is_signed && q->bits > 16;
    return !wide_unsigned && find_axis(n->inputs[0], q->scale, &q->axis);
}

static enum dtype storage_of(const struct quant *q) {
    if (q->bits <= 8) {
        return q->is_signed ? DTYPE_INT8 : DTYPE_UINT8;
    }
    return q->bits > 16 ? DTYPE_INT32 : q->is_signed ? DTYPE_INT16 : DTYPE_UINT16;
}

/* False where a scale is no power of two. */
static bool fractions(const struct quant *q, int *frac) {
    for (size_t i = 0; i < tensor_count(q->scale); i++) {
        int exponent = 0;
        if (frexp(tensor_get_double(q->scale, i), &exponent) != 0.5) {
            return false;
        }
        frac[i] = 1 - exponent;
    }
    return true;
}

static enum pare_status annotate(struct context *ctx, struct value *v, const struct quant *q) {
    size_t count = tensor_count(q->scale);
    struct format *f = ARENA_NEW(v->graph->arena, struct format);
    int *frac = ARENA_ARRAY(v->graph->arena, count, int);
    if (f == NULL || frac == NULL) {
        return fail_memory(ctx);
    }
    if (count == 0 || !fractions(q, frac)) {
        return PARE_OK;
    }
    *f = (struct format){.bits = q->bits, .is_signed = q->is_signed, .frac = frac[0]};
    if (count > 1) {
        f->axis = q->axis;
        f->channels = (int)count;
        f->channel_frac = frac;
    }
    v->format = f;
    return PARE_OK;
}

/* The scales as DequantizeLinear has them. */
static enum pare_status put_scale(struct context *ctx, struct node *n, const struct quant *q, struct value **out) {
    struct tensor flat = *q->scale;
    flat.shape = (struct shape){.rank = tensor_count(q->scale) > 1, .dim = {(int64_t)tensor_count(q->scale)}};
    return add_constant(ctx, n, "scale", &flat, out);
}

static enum pare_status expand_constant(struct context *ctx, struct node *n, const struct quant *q) {
    const struct tensor *x = n->inputs[0]->constant;
    struct tensor codes;
    struct value *inputs[2] = {NULL, NULL};
    size_t inner = 1, scales = tensor_count(q->scale);
    for (int i = q->axis + 1; i < x->shape.rank; i++) {
        inner *= (size_t)x->shape.dim[i];
    }
    TRY(tensor_new(ctx, n->graph->arena, storage_of(q), &x->shape, &codes));
    for (size_t i = 0; i < tensor_count(x); i++) {
        float scale = (float)tensor_get_double(q->scale, scales == 1 ? 0 : i / inner % scales);
        double code = (double)((float)tensor_get_double(x, i) / scale);
        tensor_set_double(&codes, i, fmin(fmax(code, q->low), q->high)); /* rounds half to even */
    }
    TRY(add_constant(ctx, n, "codes", &codes, &inputs[0]));
    TRY(annotate(ctx, inputs[0], q));
    TRY(put_scale(ctx, n, q, &inputs[1]));
    TRY(node_become(ctx, n, "DequantizeLinear", inputs, 2));
    return node_set_int(ctx, n, "axis", q->axis);
}

static bool fills_type(const struct quant *q) {
    bool whole = q->bits == 8 || q->bits == 16;
    return whole && q->high - q->low == exp2(q->bits) - 1;
}

static enum pare_status expand_value(struct context *ctx, struct node *n, const struct quant *q) {
    double scale = tensor_get_double(q->scale, 0);
    struct tensor zero;
    struct value *inputs[3] = {n->inputs[0], NULL, NULL}, *clip[3] = {n->inputs[0], NULL, NULL};
    TRY(tensor_new(ctx, n->graph->arena, storage_of(q), &(struct shape){.rank = 0}, &zero));
    if (!fills_type(q)) {
        TRY(add_scalar(ctx, n, "low", q->low * scale, &clip[1]));
        TRY(add_scalar(ctx, n, "high", q->high * scale, &clip[2]));
        TRY(put_before(ctx, n, "Clip", clip, 3, n->outputs[0], &inputs[0]));
    }
    TRY(put_scale(ctx, n, q, &inputs[1]));
    TRY(add_constant(ctx, n, "zero_point", &zero, &inputs[2]));
    TRY(put_before(ctx, n, "QuantizeLinear", inputs, 3, n->outputs[0], &inputs[0]));
    inputs[0]->type = storage_of(q);
    TRY(annotate(ctx, inputs[0], q));
    return node_become(ctx, n, "DequantizeLinear", inputs, 3);
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    (void)scratch;
    struct quant q;
    if (!node_is(n, "Quant") || n->inputs[0]->type != DTYPE_FLOAT || !quant_of(n, &q) ||
        (!value_is_constant(n->inputs[0]) && tensor_count(q.scale) != 1)) {
        return PARE_OK;
    }
    ++*changes;
    return value_is_constant(n->inputs[0]) ? expand_constant(ctx, n, &q) : expand_value(ctx, n, &q);
}

enum pare_status pass_expand_quant(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
