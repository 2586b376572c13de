/* Products of codes that end in numbers, as dynamic quantisation writes them, become products of numbers:
 *
 *   Mul(Cast(ConvInteger(a, b, a0, b0)), Mul(sa, sb))  →  Conv(DequantizeLinear(a, sa, a0), (b - b0) * sb)
 *
 * and MatMulInteger a MatMul.
 *
 * requires: inferred shapes; constant b, b0 and sb, one per tensor or per output channel (sb of ConvInteger: one); one
 * sa and a0. Others stay. guarantees: the same numbers but for float rounding. Not part of the standard pipeline. */
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

struct product {
    const struct node *integers;         /* ConvInteger or MatMulInteger */
    struct value *a_scale;               /* of its first operand */
    const struct tensor *weight, *scale; /* codes and scale of the second */
    const struct tensor *zero_point;     /* of the second, or NULL */
    size_t channels, stride;             /* element i is of channel i / stride % channels */
};

static bool is_single(const struct value *v) {
    return v->rank == 0 || (v->rank == 1 && v->dims[0].value == 1);
}

/* Which elements of the weight share an output channel; false where there is no such axis. */
static bool find_channels(struct product *p) {
    const struct shape *s = &p->weight->shape;
    bool conv = node_is(p->integers, "ConvInteger");
    size_t count = tensor_count(p->weight);
    if (s->rank < 2 || count == 0) {
        return false;
    }
    p->channels = (size_t)s->dim[conv ? 0 : s->rank - 1];
    p->stride = conv ? count / p->channels : 1;
    return true;
}

static bool has_weight(struct product *p) {
    const struct value *w = p->integers->inputs[1], *zero = node_input(p->integers, 3);
    if (!value_is_constant(w) || (zero != NULL && !value_is_constant(zero))) {
        return false;
    }
    p->weight = w->constant;
    p->zero_point = zero == NULL ? NULL : zero->constant;
    size_t zeros = zero == NULL ? 1 : tensor_count(zero->constant), scales = tensor_count(p->scale);
    if (!find_channels(p) || (zeros != 1 && zeros != p->channels)) {
        return false;
    }
    bool per_column = node_is(p->integers, "MatMulInteger") && p->scale->shape.rank == 1;
    return scales == 1 || (per_column && scales == p->channels);
}

/* One of the two scales is constant: that of the weight, if both are. */
static bool has_scales(const struct node *scales, struct product *p) {
    if (!node_is(scales, "Mul")) {
        return false;
    }
    int weight = value_is_float_constant(scales->inputs[1]) ? 1 : 0;
    if (!value_is_float_constant(scales->inputs[weight])) {
        return false;
    }
    p->scale = scales->inputs[weight]->constant;
    p->a_scale = scales->inputs[1 - weight];
    return is_single(p->a_scale);
}

/* Whether input `side` of the Mul is the product, and the other the scales. */
static bool product_of(const struct node *mul, int side, struct product *p) {
    static const char *const products[] = {"ConvInteger", "MatMulInteger", NULL};
    const struct node *cast = input_producer(mul, side);
    const struct node *integers = node_is(cast, "Cast") ? input_producer(cast, 0) : NULL;
    if (integers == NULL || !node_is_any(integers, products) || mul->outputs[0]->type != DTYPE_FLOAT ||
        mul->outputs[0]->rank != cast->outputs[0]->rank) {
        return false;
    }
    const struct value *zero = node_input(integers, 2);
    p->integers = integers;
    return (zero == NULL || is_single(zero)) && has_scales(input_producer(mul, 1 - side), p) && has_weight(p);
}

/* ---- the product of numbers ---- */

static double per_channel(const struct tensor *t, size_t channel) {
    return tensor_get_double(t, tensor_count(t) == 1 ? 0 : channel);
}

static enum pare_status put_weight(struct context *ctx, struct node *n, const struct product *p, struct value **out) {
    struct tensor real;
    TRY(tensor_new(ctx, n->graph->arena, DTYPE_FLOAT, &p->weight->shape, &real));
    for (size_t i = 0, count = tensor_count(&real); i < count; i++) {
        size_t channel = i / p->stride % p->channels;
        double zero = p->zero_point == NULL ? 0 : per_channel(p->zero_point, channel);
        tensor_set_double(&real, i, (tensor_get_double(p->weight, i) - zero) * per_channel(p->scale, channel));
    }
    return add_constant(ctx, n, "weight", &real, out);
}

static enum pare_status put_dequantize(struct context *ctx, struct node *n, const struct product *p,
                                       struct value **out) {
    struct value *inputs[] = {p->integers->inputs[0], p->a_scale, node_input(p->integers, 2)};
    TRY(graph_add_value(ctx, n->graph, NULL, inputs[0]->name, out));
    value_copy_type(*out, inputs[0]);
    (*out)->type = DTYPE_FLOAT;
    return graph_add_node(ctx, n->graph, op_find("DequantizeLinear"), NULL, inputs, inputs[2] == NULL ? 2 : 3, out, 1,
                          n, NULL);
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    struct product p;
    struct value *inputs[2] = {NULL, NULL};
    (void)scratch;
    if (!node_is(n, "Mul") || (!product_of(n, 0, &p) && !product_of(n, 1, &p))) {
        return PARE_OK;
    }
    TRY(put_dequantize(ctx, n, &p, &inputs[0]));
    TRY(put_weight(ctx, n, &p, &inputs[1]));
    n->origin = p.integers->origin;
    TRY(node_become(ctx, n, node_is(p.integers, "ConvInteger") ? "Conv" : "MatMul", inputs, 2));
    ++*changes;
    return node_copy_attributes(ctx, p.integers, n);
}

enum pare_status pass_expand_dynamic(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
