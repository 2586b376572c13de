#include "quant/dialect_build.h"

#include "graph/op.h"

enum pare_status build_node(struct context *ctx, struct node *before, const char *op, struct value *const *inputs,
                            int count, const char *name, struct value **out) {
    struct value *v = NULL;
    const char *node_name =
        arena_format(before->graph->arena, "%s_%s_%d", before->name, op, before->graph->value_count);
    TRY(node_name == NULL ? fail_memory(ctx) : graph_add_value(ctx, before->graph, NULL, name, &v));
    TRY(graph_add_node(ctx, before->graph, op_find(op), node_name, inputs, count, &v, 1, before, NULL));
    *out = v;
    return PARE_OK;
}

enum pare_status build_scalar(struct context *ctx, struct graph *g, enum dtype type, double x, const char *name,
                              struct value **out) {
    struct tensor t;
    TRY(tensor_new(ctx, g->arena, type, &(struct shape){.rank = 0}, &t));
    tensor_set_double(&t, 0, x);
    return graph_add_constant(ctx, g, name, &t, out);
}

enum pare_status build_with_scalar(struct context *ctx, struct node *before, const char *op, struct value *x, double c,
                                   struct value **out) {
    struct value *inputs[2] = {x, NULL};
    TRY(build_scalar(ctx, before->graph, DTYPE_DOUBLE, c, x->name, &inputs[1]));
    return build_node(ctx, before, op, inputs, 2, x->name, out);
}

enum pare_status build_cast(struct context *ctx, struct node *before, struct value *x, enum dtype type,
                            struct value **out) {
    TRY(build_node(ctx, before, "Cast", &x, 1, x->name, out));
    return node_set_int(ctx, (*out)->producer, "to", type);
}
