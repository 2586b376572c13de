/* What rounding loses: bench_round MODEL.onnx DATA.npz [SAMPLES] [THREADS] [--scale S]
 *
 * Calibrates on that many samples of the data (at most half), rounds every linear operator at 2 to 8 bits, and prints
 * per width the geometric mean over operators of the output error on the other samples, what second-order rounding
 * leaves of the error of nearest on either, and the times. Data are scaled by S (1/255 unless given). */
#include "onnx/onnx.h"
#include "passes/passes.h"
#include "quant/codes.h"
#include "quant/moments.h"
#include "quant/round.h"
#include "quant/statistics.h"
#include "tensor/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bench {
    struct context ctx;
    struct arena arena;
    struct graph *graph;
    struct scheme *scheme;
    struct dataset data[2]; /* calibration, held-out */
    struct statistics *statistics, *held_out;
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
    struct dataset_spec spec = {.inputs = &input, .input_count = 1, .label_use = LABELS_IGNORED, .preprocess = &p};
    TRY(dataset_read(&b->ctx, &b->arena, path, &spec, &all));
    samples = samples < all.count / 2 ? samples : all.count / 2;
    return dataset_split(&b->ctx, &b->arena, &all, 1, samples, &b->data[0], &b->data[1]);
}

/* Mean over rows of the output error on the samples of `m`. */
static double error_on(const struct linear *l, const struct weight_choice *w, const struct moments *m) {
    size_t n = l->columns;
    double *h = calloc(n * n + n, sizeof(*h)), sum = 0;
    for (uint32_t r = 0; h != NULL && m->gram != NULL && r < l->rows; r++) {
        uint32_t group = r / (l->rows / l->groups);
        double *d = h + n * n;
        if (r % (l->rows / l->groups) == 0) {
            moments_objective(m, group, h);
        }
        for (size_t c = 0; c < n; c++) {
            d[c] = l->rows_float[r * n + c] - dequantize(w->codes[r * n + c], &w->format, (int)r);
        }
        for (size_t c = 0; c < n; c++) {
            for (size_t k = 0; k < n; k++) {
                sum += d[c] * d[k] * h[c * n + k] / l->rows;
            }
        }
    }
    free(h);
    return sum;
}

struct result {
    double calibrated, held_out, elapsed;
};

/* Geometric means over the linear operators, since their errors differ by orders of magnitude. */
static enum pare_status round_all(struct bench *b, int bits, enum rounding rounding, struct result *out) {
    *out = (struct result){0};
    double count = (double)b->scheme->linear_count;
    for (size_t i = 0; i < b->scheme->linear_count; i++) {
        struct weight_choice w;
        double start = seconds();
        TRY(round_weights(&b->ctx, &b->arena, b->scheme, i, statistics_moments(b->statistics, i), bits, 0, rounding,
                          &w));
        out->elapsed += seconds() - start;
        double held_out = error_on(&b->scheme->linears[i], &w, statistics_moments(b->held_out, i));
        out->calibrated += log(w.output_error + 1e-30) / count;
        out->held_out += log(held_out + 1e-30) / count;
    }
    return PARE_OK;
}

static enum pare_status measure(struct bench *b) {
    double start = seconds();
    TRY(statistics_collect(&b->ctx, b->scheme, &(struct sample_source){load, &b->data[0], NULL}, b->data[0].count,
                           &b->statistics));
    printf("%zu samples on %d threads: %.2f s\n", b->data[0].count, b->ctx.threads, seconds() - start);
    TRY(statistics_collect(&b->ctx, b->scheme, &(struct sample_source){load, &b->data[1], NULL}, b->data[1].count,
                           &b->held_out));
    for (int bits = 2; bits <= 8; bits++) {
        struct result nearest, second;
        TRY(round_all(b, bits, ROUND_NEAREST, &nearest));
        TRY(round_all(b, bits, ROUND_SECOND_ORDER, &second));
        printf("%d bits: nearest %.4g (%.2f s), second order %.4g (%.2f s), ratio %.4f, held-out %.4f\n", bits,
               exp(nearest.held_out), nearest.elapsed, exp(second.held_out), second.elapsed,
               exp(second.calibrated - nearest.calibrated), exp(second.held_out - nearest.held_out));
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
    statistics_free(b.held_out);
    scheme_free(b.scheme);
    graph_free(b.graph);
    arena_free(&b.arena);
    return status == PARE_OK ? 0 : 1;
}
