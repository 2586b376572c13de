/* A float graph as layers: one row per node. */
#include "api/layers.h"
#include "api/work.h"
#include "graph/op.h"

static bool has_weight(const struct node *n) {
    return node_is(n, "Conv") || node_is(n, "ConvTranspose") || node_is(n, "Gemm") || node_is(n, "MatMul");
}

static void fill_layer(const struct node *n, struct inspected_layer *row) {
    struct work work = work_of(n);
    const struct value *output = n->output_count > 0 ? n->outputs[0] : NULL;
    row->layer = (struct layer_report){.name = n->name, .op = n->op->name, .macs = work.macs, .is_float = true};
    row->parameters = work.parameters;
    row->macs_open = work.open;
    if (has_weight(n)) {
        row->layer.weight.count = parameters_of(n->inputs[1]);
        row->layer.bias.count = n->input_count > 2 ? parameters_of(n->inputs[2]) : 0;
    }
    row->layer.output.count = elements_of(output);
    row->output_shape =
        output != NULL ? (struct inspected_shape){output->rank, output->dims} : (struct inspected_shape){.rank = -1};
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
