#include "quant/dialect.h"

#include "graph/op.h"
#include "passes/passes.h"
#include "quant/dialect_build.h"

#include <math.h>
#include <string.h>

#define BITS_MIN 2 /* of a tensor of zeros, which has none of its own */

/* Bits that hold every code: more than announced where groups share a finer fraction. */
static int bits_of(const struct format *f, const struct tensor *codes) {
    int bits = f->bits > BITS_MIN ? f->bits : BITS_MIN;
    for (size_t i = 0, count = codes == NULL ? 0 : tensor_count(codes); i < count; i++) {
        int64_t code = tensor_get_int(codes, i);
        while (code < -(INT64_C(1) << (bits - 1)) || code >= INT64_C(1) << (bits - f->is_signed)) {
            bits++;
        }
    }
    return bits;
}

/* The axis of the scales in a tensor of this rank. */
static int axis_of(const struct node *d, int rank) {
    int64_t axis = node_int(d, "axis");
    return (int)(axis < 0 ? axis + rank : axis);
}

/* codes * scale. */
static enum pare_status real_numbers(struct context *ctx, const struct node *d, struct value **out) {
    const struct tensor *codes = d->inputs[0]->constant, *scale = d->inputs[1]->constant;
    int axis = axis_of(d, codes->shape.rank);
    size_t inner = 1, scales = tensor_count(scale);
    struct tensor real;
    TRY(tensor_new(ctx, d->graph->arena, DTYPE_FLOAT, &codes->shape, &real));
    for (int i = axis + 1; i < codes->shape.rank; i++) {
        inner *= (size_t)codes->shape.dim[i];
    }
    for (size_t i = 0; i < tensor_count(codes); i++) {
        double step = tensor_get_double(scale, scales == 1 ? 0 : i / inner % scales);
        tensor_set_double(&real, i, (double)tensor_get_int(codes, i) * step);
    }
    return graph_add_constant(ctx, d->graph, d->inputs[0]->name, &real, out);
}

/* The scales in a shape that broadcasts to the tensor. */
static enum pare_status broadcast_scale(struct context *ctx, const struct node *d, int rank, struct value **out) {
    const struct tensor *scale = d->inputs[1]->constant;
    struct tensor wide = *scale;
    if (scale->shape.rank == 0 || rank == 1) {
        *out = d->inputs[1];
        return PARE_OK;
    }
    wide.shape = (struct shape){.rank = rank};
    for (int i = 0; i < rank; i++) {
        wide.shape.dim[i] = i == axis_of(d, rank) ? scale->shape.dim[0] : 1;
    }
    return graph_add_constant(ctx, d->graph, d->inputs[1]->name, &wide, out);
}

/* In front of the rounding's own Clip, whose bounds are the format's. */
static struct value *unrounded(const struct node *q, const struct format *f) {
    const struct node *clip = q->inputs[0]->producer;
    double low = 0, high = 0;
    bool own = node_is(clip, "Clip") && clip->input_count == 3 && value_scalar(clip->inputs[1], &low) &&
               value_scalar(clip->inputs[2], &high) && low == ldexp(format_min(f), -f->frac) &&
               high == ldexp(format_max(f), -f->frac);
    return own ? clip->inputs[0] : q->inputs[0];
}

static enum pare_status replace(struct context *ctx, struct node *d, struct value *x, struct value *scale,
                                const struct format *f, int bits) {
    struct value *inputs[4] = {x, scale, NULL, NULL}, *old = d->outputs[0], *v = NULL;
    TRY(build_scalar(ctx, d->graph, DTYPE_FLOAT, 0, "zero_point", &inputs[2]));
    TRY(build_scalar(ctx, d->graph, DTYPE_FLOAT, bits, "bits", &inputs[3]));
    TRY(build_node(ctx, d, "Quant", inputs, 4, old->name, &v));
    v->type = DTYPE_FLOAT;
    v->rank = old->rank;
    memcpy(v->dims, old->dims, sizeof v->dims);
    TRY(node_set_int(ctx, v->producer, "signed", f->is_signed));
    TRY(node_set_int(ctx, v->producer, "narrow", 0));
    TRY(node_set_string(ctx, v->producer, "rounding_mode", "ROUND"));
    return graph_replace(ctx, d->graph, old, v);
}

static enum pare_status rewrite(struct context *ctx, struct node *d) {
    const struct value *codes = d->inputs[0];
    const struct node *q = codes->producer;
    const struct format *f = codes->format;
    struct value *x = NULL, *scale = NULL;
    if (f == NULL || d->inputs[1]->constant == NULL || (codes->constant == NULL && !node_is(q, "QuantizeLinear"))) {
        return fail(ctx, PARE_ERROR_INTERNAL, "%s: its format is not known", d->name);
    }
    if (codes->constant == NULL) {
        return replace(ctx, d, unrounded(q, f), d->inputs[1], f, bits_of(f, NULL));
    }
    TRY(real_numbers(ctx, d, &x));
    TRY(broadcast_scale(ctx, d, codes->constant->shape.rank, &scale));
    return replace(ctx, d, x, scale, f, bits_of(f, codes->constant));
}

enum pare_status dialect_qonnx(struct context *ctx, struct graph *g) {
    int changes = 0;
    for (struct node *n = g->first, *next; n != NULL; n = next) {
        next = n->next;
        TRY(node_is(n, "DequantizeLinear") ? rewrite(ctx, n) : PARE_OK);
    }
    return passes_run_one(ctx, g, "dead_code", &changes);
}
