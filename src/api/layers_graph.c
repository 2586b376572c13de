/* A float graph as layers: one row per node. */
#include "api/layers.h"

#include "graph/op.h"

#include <string.h>

static uint64_t count_of(const struct value *v) {
    struct shape shape;
    size_t count;
    return v != NULL && value_shape(v, 1, &shape) && shape_count(&shape, &count) ? count : 0;
}

static const struct value *input_of(const struct node *n, int index) {
    return index < n->input_count ? n->inputs[index] : NULL;
}

static uint64_t constant_count(const struct value *v) {
    return value_is_constant(v) && dtype_is_float(v->type) ? tensor_count(v->constant) : 0;
}

/* Multiply-accumulates of one sample; 0 where a shape is not known. */
static uint64_t macs_of(const struct node *n) {
    const struct value *x = input_of(n, 0), *w = input_of(n, 1);
    if (x == NULL || w == NULL || w->rank < 1 || n->outputs[0] == NULL) {
        return 0;
    }
    int64_t rows = 0;
    uint64_t positions = 0;
    if (node_is(n, "Conv")) {
        rows = w->dims[0].value;
        positions = count_of(n->outputs[0]);
    } else if (node_is(n, "ConvTranspose")) {
        rows = w->dims[0].value;
        positions = count_of(x);
    } else if (node_is(n, "Gemm")) {
        rows = w->rank == 2 ? w->dims[node_int(n, "transB") != 0 ? 0 : 1].value : 0;
        positions = count_of(n->outputs[0]);
    } else if (node_is(n, "MatMul")) {
        rows = x->rank > 0 ? x->dims[x->rank - 1].value : 0;
        return rows > 0 ? count_of(n->outputs[0]) * (uint64_t)rows : 0;
    }
    return rows > 0 ? positions * (count_of(w) / (uint64_t)rows) : 0;
}

static bool has_weight(const struct node *n) {
    return node_is(n, "Conv") || node_is(n, "ConvTranspose") || node_is(n, "Gemm") || node_is(n, "MatMul");
}

static void fill_layer(const struct node *n, struct inspected_layer *row) {
    row->layer = (struct layer_report){.name = n->name, .op = n->op->name, .macs = macs_of(n), .is_float = true};
    for (int i = 0; i < n->input_count; i++) {
        row->parameters += constant_count(n->inputs[i]);
    }
    if (has_weight(n)) {
        row->layer.weight.count = constant_count(input_of(n, 1));
        row->layer.bias.count = constant_count(input_of(n, 2));
    }
    row->layer.output.count = count_of(n->outputs[0]);
    row->macs_open = has_weight(n) && row->layer.macs == 0 && row->layer.output.count == 0;
    row->output_shape = n->outputs[0] != NULL ? (struct inspected_shape){n->outputs[0]->rank, n->outputs[0]->dims}
                                              : (struct inspected_shape){.rank = -1};
}

enum pare_status layers_of_graph(struct context *ctx, struct arena *arena, const struct graph *g,
                                 struct inspection *out) {
    out->layers = ARENA_ARRAY(arena, (size_t)g->node_count, struct inspected_layer);
    if (out->layers == NULL) {
        return fail_memory(ctx);
    }
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        fill_layer(n, &out->layers[out->layer_count++]);
    }
    return PARE_OK;
}
