/* The standard pipeline. */
#include "passes/pipeline.h"

#include <string.h>

static const struct pass passes[] = {
    {"constant_fold", pass_constant_fold, false, 0},
    {"identity", pass_identity, false, 0},
    {"reshape_cleanup", pass_reshape_cleanup, false, 0},
    {"resize_sizes", pass_resize_sizes, false, 0},
    {"fused_matmul", pass_fused_matmul, true, 0},
    {"hard_activation", pass_hard_activation, true, 14},
    {"gelu", pass_gelu, true, 20},
    {"relu_clip", pass_relu_clip, false, 0},
    {"resolve_auto_pad", pass_resolve_auto_pad, false, 0},
    {"transpose", pass_transpose, false, 0},
    {"pad_into_conv", pass_pad_into_conv, false, 0},
    {"matmul_to_gemm", pass_matmul_to_gemm, false, 0},
    {"transpose_into_weights", pass_transpose_into_weights, false, 0},
    {"div_to_mul", pass_div_to_mul, true, 0},
    {"fold_batch_normalization", pass_fold_batch_normalization, true, 0},
    {"batch_normalization_forward", pass_batch_normalization_forward, true, 0},
    {"dead_code", pass_dead_code, false, 0},
    /* late: what the early ones could not fold */
    {"batch_normalization_to_conv", pass_batch_normalization_to_conv, true, 0},
};

#define PASS_COUNT (sizeof passes / sizeof passes[0])

static const struct pipeline standard = {.passes = passes, .early = PASS_COUNT - 1, .count = PASS_COUNT};

const struct pass *passes_list(size_t *count) {
    *count = PASS_COUNT;
    return passes;
}

static const struct pass *find_pass(const char *name) {
    for (size_t i = 0; i < PASS_COUNT; i++) {
        if (strcmp(passes[i].name, name) == 0) {
            return &passes[i];
        }
    }
    return NULL;
}

static enum pare_status run_list(struct context *ctx, struct graph **g, const struct pass *list, size_t count) {
    struct pipeline pipeline = {.passes = list, .early = count, .count = count};
    struct pass_options options = {.check_numerics = false};
    return pipeline_run(ctx, g, &pipeline, &options);
}

enum pare_status passes_fuse_quantized(struct context *ctx, struct graph **g) {
    static const struct pass list[] = {{"fuse_quantized", pass_fuse_quantized, false, 0},
                                       {"dead_code", pass_dead_code, false, 0}};
    return run_list(ctx, g, list, 2);
}

/* What nobody reads stays: a scheme wants the rounding of every input. */
enum pare_status passes_expand_quantized(struct context *ctx, struct graph **g) {
    static const struct pass list[] = {{"expand_quantized", pass_expand_quantized, false, 0},
                                       {"expand_quant", pass_expand_quant, false, 0}};
    return run_list(ctx, g, list, 2);
}

enum pare_status passes_dequantize(struct context *ctx, struct graph **g) {
    static const struct pass list[] = {{"expand_quantized", pass_expand_quantized, false, 0},
                                       {"expand_dynamic", pass_expand_dynamic, true, 0},
                                       {"dequantize", pass_dequantize, false, 0},
                                       {"dead_code", pass_dead_code, false, 0}};
    return run_list(ctx, g, list, 4);
}

enum pare_status passes_widen(struct context *ctx, struct graph **g) {
    static const struct pass list[] = {{"widen", pass_widen, true, 0}, {"dead_code", pass_dead_code, false, 0}};
    return run_list(ctx, g, list, 2);
}

enum pare_status passes_narrow(struct context *ctx, struct graph **g, int *changes) {
    static const struct pass list[] = {{"narrow", pass_narrow, true, 0}};
    static const struct pipeline pipeline = {.passes = list, .early = 1, .count = 1};
    struct pass_options options = {.changes = changes};
    return pipeline_run(ctx, g, &pipeline, &options);
}

static enum pare_status fail_unknown(struct context *ctx, const char *name) {
    return fail(ctx, PARE_ERROR_USAGE, "%s: no pass of this name", name);
}

enum pare_status passes_run(struct context *ctx, struct graph **g, const struct pass_options *options) {
    if (options->dump_after != NULL && find_pass(options->dump_after) == NULL) {
        return fail_unknown(ctx, options->dump_after);
    }
    return pipeline_run(ctx, g, &standard, options);
}

enum pare_status passes_run_one(struct context *ctx, struct graph *g, const char *name, int *changes) {
    const struct pass *pass = find_pass(name);
    if (pass == NULL) {
        return fail_unknown(ctx, name);
    }
    TRY(graph_verify(ctx, g));
    TRY(graph_infer(ctx, g));
    TRY(pass->run(ctx, g, changes));
    TRY(graph_verify(ctx, g));
    return graph_infer(ctx, g);
}
