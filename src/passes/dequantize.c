/* A quantised network in float again, to be quantised anew: codes of constants are read as numbers, and values are no
 * longer rounded, but still saturate where their codes did, which may be the Relu that a quantiser merged.
 *
 * requires: inferred shapes; see also expand_quantized.
 * guarantees: what moves codes moves numbers; no DequantizeLinear of constants, no pair of QuantizeLinear (with one
 * constant scale) or DynamicQuantizeLinear and DequantizeLinear, no QONNX Quant of constants or with a constant range.
 * Not part of the standard pipeline. */
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

#include <math.h>

static bool all_constant(const struct node *n) {
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i] != NULL && !value_is_constant(n->inputs[i])) {
            return false;
        }
    }
    return n->input_count > 0 && !value_is_output(n->outputs[0]);
}

static bool code_range(enum dtype type, double *low, double *high) {
    static const struct {
        enum dtype type;
        double low, high;
    } ranges[] = {{DTYPE_UINT2, 0, 3},           {DTYPE_INT2, -2, 1},
                  {DTYPE_UINT4, 0, 15},          {DTYPE_INT4, -8, 7},
                  {DTYPE_UINT8, 0, UINT8_MAX},   {DTYPE_INT8, INT8_MIN, INT8_MAX},
                  {DTYPE_UINT16, 0, UINT16_MAX}, {DTYPE_INT16, INT16_MIN, INT16_MAX}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (ranges[i].type == type) {
            *low = ranges[i].low;
            *high = ranges[i].high;
            return true;
        }
    }
    return false;
}

/* Reshape(codes) read as numbers is Reshape of numbers: the DequantizeLinear moves in front of what only moves codes.
 */
static enum pare_status move_up(struct context *ctx, struct node *d, int *changes) {
    static const char *const moves[] = {"Flatten", "Gather", "Identity",  "MaxPool",   "Reshape", "Slice",
                                        "Squeeze", "Split",  "Transpose", "Unsqueeze", NULL};
    struct node *m = input_producer(d, 0);
    struct value *v = NULL;
    if (m == NULL || !node_is_any(m, moves) || m->output_count != 1 || m->outputs[0]->use_count != 1 ||
        d->inputs[1]->rank > 1 || (d->inputs[1]->rank == 1 && d->inputs[1]->dims[0].value != 1)) {
        return PARE_OK;
    }
    struct value *inputs[] = {m->inputs[0], d->inputs[1], node_input(d, 2)};
    TRY(put_before(ctx, m, d->op->name, inputs, inputs[2] == NULL ? 2 : 3, m->inputs[0], &v));
    v->type = d->outputs[0]->type;
    TRY(node_set_input(ctx, m, 0, v));
    m->outputs[0]->type = v->type;
    ++*changes;
    return node_bypass(ctx, d, m->outputs[0]);
}

/* `x`, bounded, takes the place of the node. */
static enum pare_status become_clip(struct context *ctx, struct node *n, struct value *x, double low, double high) {
    struct value *inputs[] = {x, NULL, NULL};
    TRY(add_scalar(ctx, n, "low", low, &inputs[1]));
    TRY(add_scalar(ctx, n, "high", high, &inputs[2]));
    return node_become(ctx, n, "Clip", inputs, 3);
}

static enum pare_status merge_pair(struct context *ctx, struct node *d, int *changes) {
    const struct node *q = input_producer(d, 0);
    double scale = 0, zero = 0, low = 0, high = 0;
    bool pair = node_is(q, "QuantizeLinear") && value_is_constant(d->inputs[1]) && value_scalar(d->inputs[1], &scale) &&
                (node_input(d, 2) == NULL || value_scalar(d->inputs[2], &zero));
    if (!pair || !(scale > 0) || !code_range(q->outputs[0]->type, &low, &high)) {
        return PARE_OK;
    }
    ++*changes;
    if (node_is(input_producer(q, 0), "Softmax")) { /* a rounded share may reach 1, and nothing is merged into it */
        return node_bypass(ctx, d, q->inputs[0]);
    }
    return become_clip(ctx, d, q->inputs[0], (low - zero) * scale, (high - zero) * scale);
}

/* The range of codes chosen for the values at hand holds them all: nothing saturates. */
static bool is_dynamic_pair(const struct node *d) {
    const struct node *q = input_producer(d, 0);
    return node_is(q, "DynamicQuantizeLinear") && d->inputs[0] == q->outputs[0] && q->output_count > 2 &&
           d->inputs[1] == q->outputs[1] && node_input(d, 2) == q->outputs[2];
}

/* QONNX: with one scale, its range is that of a Clip. */
static enum pare_status merge_quant(struct context *ctx, struct node *n, int *changes) {
    double scale = 0, zero = 0, bits = 0;
    bool fixed = value_scalar(n->inputs[1], &scale) && value_scalar(n->inputs[2], &zero) &&
                 value_scalar(n->inputs[3], &bits) && scale > 0 && bits >= 1;
    if (!fixed) {
        return PARE_OK;
    }
    bool is_signed = node_int(n, "signed") != 0, narrow = node_int(n, "narrow") != 0;
    double high = is_signed ? exp2(bits - 1) - 1 : exp2(bits) - (narrow ? 2 : 1);
    double low = !is_signed ? 0 : narrow ? -high : -high - 1;
    ++*changes;
    return become_clip(ctx, n, n->inputs[0], (low - zero) * scale, (high - zero) * scale);
}

static bool reads_same(const struct node *a, const struct node *b) {
    return a->op == b->op && a->inputs[0] == b->inputs[0] && a->inputs[1] == b->inputs[1] &&
           node_input(a, 2) == node_input(b, 2) && node_int(a, "axis") == node_int(b, "axis") &&
           node_int(a, "block_size") == node_int(b, "block_size");
}

/* Users of a node that reads the same codes as the same numbers as one before it, in the same graph, read that one. */
static enum pare_status join_earlier(struct context *ctx, struct arena *scratch, struct node *d, int *changes) {
    (void)scratch;
    if (!node_is(d, "DequantizeLinear") || d->inputs[0]->use_count == 1 || value_is_output(d->outputs[0])) {
        return PARE_OK;
    }
    const struct node *earlier = d->previous;
    while (earlier != NULL && !reads_same(earlier, d)) {
        earlier = earlier == d->inputs[0]->producer ? NULL : earlier->previous;
    }
    if (earlier == NULL) {
        return PARE_OK;
    }
    ++*changes;
    return node_bypass(ctx, d, earlier->outputs[0]);
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    static const char *const quantisers[] = {
        "QuantizeLinear", "DequantizeLinear", "Quant", "BipolarQuant", "Trunc", NULL};
    if (node_is_any(n, quantisers) && all_constant(n)) {
        ++*changes;
        return fold_node(ctx, scratch, n);
    }
    if (node_is(n, "Quant")) {
        return merge_quant(ctx, n, changes);
    }
    if (!node_is(n, "DequantizeLinear") || n->outputs[0]->use_count == 0) {
        return PARE_OK;
    }
    if (is_dynamic_pair(n)) {
        ++*changes;
        return node_bypass(ctx, n, input_producer(n, 0)->inputs[0]);
    }
    return node_is(input_producer(n, 0), "QuantizeLinear") ? merge_pair(ctx, n, changes) : move_up(ctx, n, changes);
}

enum pare_status pass_dequantize(struct context *ctx, struct graph *g, int *changes) {
    TRY(rewrite_nodes(ctx, g, join_earlier, changes)); /* first, while all of them still read codes */
    return rewrite_nodes(ctx, g, rewrite, changes);
}
