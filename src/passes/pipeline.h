/* The passes, each in a file of its name, and what runs a list of them. */
#ifndef PARE_PASSES_PIPELINE_H
#define PARE_PASSES_PIPELINE_H

#include "passes/passes.h"

pass_function pass_constant_fold;
pass_function pass_dead_code;
pass_function pass_identity;
pass_function pass_reshape_cleanup;
pass_function pass_resize_sizes;
pass_function pass_gelu;
pass_function pass_hard_activation;
pass_function pass_relu_clip;
pass_function pass_resolve_auto_pad;
pass_function pass_transpose;
pass_function pass_transpose_into_weights;
pass_function pass_fused_matmul;
pass_function pass_pad_into_conv;
pass_function pass_matmul_to_gemm;
pass_function pass_div_to_mul;
pass_function pass_fold_batch_normalization;
pass_function pass_batch_normalization_forward;
pass_function pass_batch_normalization_to_conv;
/* Of the pipelines for networks that others quantised. */
pass_function pass_fuse_quantized, pass_expand_quantized, pass_expand_quant, pass_expand_dynamic, pass_dequantize;
/* Of the pipelines for networks in half and in double precision. */
pass_function pass_widen, pass_narrow;

/* Passes to run round after round: the first `early` of `count`, and the others once these have nothing left to do. */
struct pipeline {
    const struct pass *passes;
    size_t early, count; /* count at most 64 */
};

enum pare_status pipeline_run(struct context *ctx, struct graph **g, const struct pipeline *pipeline,
                              const struct pass_options *options);

#endif
