/* Samples per second of the float run: bench_float MODEL.onnx [SAMPLES] [THREADS]
 *
 * Inputs are made up from a seed; symbolic dimensions are 1. A sample is one run of the network. */
#include "base/parallel.h"
#include "float/float.h"
#include "onnx/onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct bench {
    const struct graph *graph;
    struct tensor *inputs;
};

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static enum pare_status make_inputs(struct context *ctx, struct arena *arena, struct bench *b) {
    uint32_t state = 1;
    b->inputs = ARENA_ARRAY(arena, (size_t)b->graph->input_count, struct tensor);
    for (int i = 0; b->inputs != NULL && i < b->graph->input_count; i++) {
        struct shape shape;
        const struct value *v = b->graph->inputs[i];
        if (!value_shape(v, 1, &shape)) {
            return fail(ctx, PARE_ERROR_UNSUPPORTED, "%s: only the first dimension may be open", v->name);
        }
        TRY(tensor_new(ctx, arena, v->type, &shape, &b->inputs[i]));
        for (size_t k = 0; k < tensor_count(&b->inputs[i]); k++) {
            state = state * 1664525u + 1013904223u;
            tensor_set_double(&b->inputs[i], k, (double)(state >> 16) / 65536.0);
        }
    }
    return b->inputs != NULL ? PARE_OK : fail_memory(ctx);
}

static enum pare_status run_sample(void *user, struct context *ctx, size_t i, int worker) {
    (void)i, (void)worker;
    const struct bench *b = user;
    struct tensor *outputs = calloc((size_t)b->graph->output_count, sizeof *outputs);
    if (outputs == NULL) {
        return fail_memory(ctx);
    }
    enum pare_status status = float_run(ctx, b->graph, b->inputs, outputs, NULL, NULL);
    for (int k = 0; k < b->graph->output_count; k++) {
        tensor_free(&outputs[k]);
    }
    free(outputs);
    return status;
}

static enum pare_status measure(struct context *ctx, struct arena *arena, const struct graph *g, size_t samples) {
    struct bench b = {.graph = g};
    TRY(make_inputs(ctx, arena, &b));
    TRY(run_sample(&b, ctx, 0, 0));
    double start = seconds();
    TRY(parallel_for(ctx, samples, run_sample, &b));
    double elapsed = seconds() - start;
    printf("%zu samples on %d threads: %.3f s, %.1f per second\n", samples, ctx->threads, elapsed,
           (double)samples / elapsed);
    return PARE_OK;
}

int main(int argc, char **argv) {
    struct context ctx;
    struct arena arena;
    struct graph *g = NULL;
    if (argc < 2) {
        fprintf(stderr, "usage: bench_float MODEL.onnx [SAMPLES] [THREADS]\n");
        return 2;
    }
    context_init(&ctx);
    arena_init(&arena);
    size_t samples = argc > 2 ? strtoul(argv[2], NULL, 10) : 200;
    ctx.threads = argc > 3 ? (int)strtol(argv[3], NULL, 10) : ctx.threads;
    enum pare_status status = onnx_read(&ctx, argv[1], &g);
    if (status == PARE_OK) {
        status = measure(&ctx, &arena, g, samples);
    }
    if (status != PARE_OK) {
        fprintf(stderr, "bench_float: %s\n", ctx.diag.message);
    }
    graph_free(g);
    arena_free(&arena);
    return status == PARE_OK ? 0 : 1;
}
