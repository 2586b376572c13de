/* What rounding loses: bench_round MODEL.onnx DATA.npz [SAMPLES] [THREADS] [--scale S]
 *
 * Calibrates on the samples, rounds every linear operator at 2 to 8 bits, and prints per width the mean over operators of the
 * output error, relative to what two bits lose to nearest, and the time. Data are scaled by S (1/255 unless given). */
#include "onnx/onnx.h"
#include "passes/passes.h"
#include "quant/round.h"
#include "tensor/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bench {
    struct context ctx;
    struct arena arena;
    struct graph *graph;
    struct scheme *scheme;
    struct dataset data;
    struct statistics *statistics;
};

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static enum pare_status load(void *user, struct context *ctx, size_t sample, struct tensor *inputs) {
    (void)ctx;
    dataset_load(user, sample, inputs);
    return PARE_OK;
}

static enum pare_status read_data(struct bench *b, const char *path, const char *scale, size_t samples) {
    struct dataset all;
    struct preprocess p;
    preprocess_init(&p);
    p.layout = LAYOUT_NHWC;
    TRY(preprocess_parse_number(&b->ctx, "--scale", scale, &p.scale));
    struct input_spec input = {.name = b->graph->inputs[0]->name, .type = DTYPE_FLOAT};
    if (!value_shape(b->graph->inputs[0], 1, &input.shape)) {
        return fail(&b->ctx, PARE_ERROR_UNSUPPORTED, "the input's shape is open");
    }
    p.layout = input.shape.rank == 4 && input.shape.dim[1] > input.shape.dim[3] ? LAYOUT_NHWC : LAYOUT_NCHW;
    struct dataset_spec spec = {.inputs = &input, .input_count = 1, .ignore_labels = true, .preprocess = &p};
    TRY(dataset_read(&b->ctx, &b->arena, path, &spec, &all));
    return dataset_take(&b->ctx, &b->arena, &all, 1, samples, &b->data);
}

static double error_at(struct bench *b, int bits, enum rounding rounding, double *elapsed) {
    double sum = 0, start = seconds();
    for (size_t i = 0; i < b->scheme->linear_count; i++) {
        struct weight_choice w;
        if (round_weights(&b->ctx, &b->arena, b->scheme, i, b->statistics, bits, 0, rounding, &w) != PARE_OK) {
            return -1;
        }
        sum += w.output_error;
    }
    *elapsed = seconds() - start;
    return sum / (double)b->scheme->linear_count;
}

static enum pare_status measure(struct bench *b) {
    double start = seconds();
    TRY(statistics_collect(&b->ctx, b->scheme, NULL, b->data.count, load, &b->data, &b->statistics));
    printf("%zu samples on %d threads: %.2f s\n", b->data.count, b->ctx.threads, seconds() - start);
    for (int bits = 2; bits <= 8; bits++) {
        double times[2], nearest = error_at(b, bits, ROUND_NEAREST, &times[0]);
        double second = error_at(b, bits, ROUND_SECOND_ORDER, &times[1]);
        printf("%d bits: nearest %.4g (%.2f s), second order %.4g (%.2f s), ratio %.3f\n", bits, nearest, times[0],
               second, times[1], second / nearest);
    }
    return PARE_OK;
}

static enum pare_status run(struct bench *b, int argc, char **argv) {
    const char *scale = "1/255";
    for (int i = 3; i + 1 < argc; i++) {
        scale = strcmp(argv[i], "--scale") == 0 ? argv[i + 1] : scale;
    }
    struct pass_options options = {0};
    TRY(onnx_read(&b->ctx, argv[1], &b->graph));
    TRY(passes_run(&b->ctx, &b->graph, &options));
    TRY(scheme_new(&b->ctx, b->graph, &b->scheme));
    TRY(read_data(b, argv[2], scale, argc > 3 ? strtoul(argv[3], NULL, 10) : 512));
    return measure(b);
}

int main(int argc, char **argv) {
    struct bench b = {0};
    if (argc < 3) {
        fprintf(stderr, "usage: bench_round MODEL.onnx DATA.npz [SAMPLES] [THREADS] [--scale S]\n");
        return 2;
    }
    context_init(&b.ctx);
    arena_init(&b.arena);
    b.ctx.threads = argc > 4 ? (int)strtol(argv[4], NULL, 10) : b.ctx.threads;
    enum pare_status status = run(&b, argc, argv);
    if (status != PARE_OK) {
        fprintf(stderr, "bench_round: %s\n", b.ctx.diag.message);
    }
    statistics_free(b.statistics);
    scheme_free(b.scheme);
    graph_free(b.graph);
    arena_free(&b.arena);
    return status == PARE_OK ? 0 : 1;
}
