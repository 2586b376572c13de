/* The float run of a model on arrays named like its inputs: run_float MODEL.onnx INPUTS.npz OUTPUTS.npz
 *
 * Exit 0, 1 on an error, or 4 when the model needs an operator that pare does not have. */
#include "float/float.h"
#include "onnx/onnx.h"
#include "tensor/npy.h"

#include <stdio.h>

static enum pare_status run(struct context *ctx, struct arena *arena, const struct graph *g, char **paths) {
    struct tensor_set in;
    TRY(npz_read(ctx, arena, paths[0], &in));
    struct tensor *inputs = ARENA_ARRAY(arena, (size_t)g->input_count, struct tensor);
    struct tensor *outputs = ARENA_ARRAY(arena, (size_t)g->output_count, struct tensor);
    struct named_tensor *items = ARENA_ARRAY(arena, (size_t)g->output_count, struct named_tensor);
    if (inputs == NULL || outputs == NULL || items == NULL) {
        return fail_memory(ctx);
    }
    for (int i = 0; i < g->input_count; i++) {
        const struct tensor *t = tensor_set_find(&in, g->inputs[i]->name);
        if (t == NULL) {
            return fail(ctx, PARE_ERROR_INPUT, "%s: no array %s", paths[0], g->inputs[i]->name);
        }
        inputs[i] = *t;
    }
    TRY(float_run(ctx, g, inputs, outputs, NULL, NULL));
    for (int i = 0; i < g->output_count; i++) {
        items[i] = (struct named_tensor){g->outputs[i]->name, outputs[i]};
    }
    enum pare_status status = npz_write(ctx, paths[1], &(struct tensor_set){(size_t)g->output_count, items});
    for (int i = 0; i < g->output_count; i++) {
        tensor_free(&outputs[i]);
    }
    return status;
}

int main(int argc, char **argv) {
    struct context ctx;
    struct arena arena;
    struct graph *g = NULL;
    if (argc != 4) {
        fprintf(stderr, "usage: run_float MODEL.onnx INPUTS.npz OUTPUTS.npz\n");
        return 2;
    }
    context_init(&ctx);
    arena_init(&arena);
    enum pare_status status = onnx_read(&ctx, argv[1], &g);
    if (status == PARE_OK) {
        status = run(&ctx, &arena, g, argv + 2);
    }
    if (status != PARE_OK) {
        fprintf(stderr, "%s\n", ctx.diag.message);
    }
    graph_free(g);
    arena_free(&arena);
    return status == PARE_OK ? 0 : status == PARE_ERROR_UNSUPPORTED ? 4 : 1;
}
