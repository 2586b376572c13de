#include "onnx/convert.h"

#include "graph/op.h"

#include <string.h>

/* Where the IR says an operator otherwise than the opsets [since, until] of the file did. What has no row means the
 * same in all opsets that have it. */
static const struct rule {
    const char *op_type;
    int since, until;
    converter *convert;
} rules[] = {
    {"Add", 1, 6, convert_broadcast},
    {"And", 1, 6, convert_broadcast},
    {"BatchNormalization", 1, OPSET_MAX, convert_batch_normalization},
    {"BitCast", 26, OPSET_MAX, convert_bit_cast},
    {"BlackmanWindow", 17, OPSET_MAX, convert_output_type},
    {"Cast", 1, 5, convert_cast_1},
    {"Cast", 6, OPSET_MAX, convert_cast},
    {"CastLike", 15, OPSET_MAX, convert_cast_like},
    {"Clip", 1, 10, convert_clip},
    {"Concat", 1, 3, convert_concat_1},
    {"DFT", 17, 19, convert_dft_17},
    {"DequantizeLinear", 10, OPSET_MAX, convert_dequantize},
    {"Div", 1, 6, convert_broadcast},
    {"Dropout", 1, 11, convert_dropout},
    {"Dropout", 12, OPSET_MAX, convert_training},
    {"Equal", 1, 6, convert_broadcast},
    {"EyeLike", 9, OPSET_MAX, convert_output_type},
    {"GRU", 1, 6, convert_recurrent},
    {"Gemm", 1, 6, convert_gemm_1},
    {"GlobalLpPool", 1, 1, convert_lp_pool_1},
    {"Greater", 1, 6, convert_broadcast},
    {"GridSample", 16, 19, convert_grid_sample_16},
    {"HammingWindow", 17, OPSET_MAX, convert_output_type},
    {"HannWindow", 17, OPSET_MAX, convert_output_type},
    {"Hardmax", 1, 12, convert_softmax},
    {"LSTM", 1, 6, convert_recurrent},
    {"Less", 1, 6, convert_broadcast},
    {"LogSoftmax", 1, 12, convert_softmax},
    {"LpPool", 1, 1, convert_lp_pool_1},
    {"MelWeightMatrix", 17, OPSET_MAX, convert_output_type},
    {"Mul", 1, 6, convert_broadcast},
    {"Or", 1, 6, convert_broadcast},
    {"PRelu", 1, 6, convert_prelu_1},
    {"Pad", 1, 1, convert_pad_1},
    {"Pad", 2, 10, convert_pad},
    {"Pow", 1, 6, convert_broadcast},
    {"QuantizeLinear", 10, OPSET_MAX, convert_quantize},
    {"RNN", 1, 6, convert_recurrent},
    {"ReduceL1", 1, 17, convert_axes},
    {"ReduceL2", 1, 17, convert_axes},
    {"ReduceLogSum", 1, 17, convert_axes},
    {"ReduceLogSumExp", 1, 17, convert_axes},
    {"ReduceMax", 1, 17, convert_axes},
    {"ReduceMean", 1, 17, convert_axes},
    {"ReduceMin", 1, 17, convert_axes},
    {"ReduceProd", 1, 17, convert_axes},
    {"ReduceSum", 1, 12, convert_axes},
    {"ReduceSumSquare", 1, 17, convert_axes},
    {"Reshape", 1, 4, convert_reshape_1},
    {"Resize", 10, 10, convert_resize_10},
    {"Resize", 11, OPSET_MAX, convert_resize_11},
    {"RoiAlign", 10, 15, convert_roi_align_10},
    {"Scan", 8, 8, convert_scan_8},
    {"Scatter", 9, 10, convert_scatter},
    {"Slice", 1, 9, convert_slice},
    {"Softmax", 1, 12, convert_softmax},
    {"Split", 1, 17, convert_split},
    {"Squeeze", 1, 12, convert_axes},
    {"Sub", 1, 6, convert_broadcast},
    {"Tile", 1, 5, convert_tile_1},
    {"TopK", 1, 9, convert_top_k_1},
    {"Unsqueeze", 1, 12, convert_axes},
    {"Upsample", 1, 6, convert_upsample_1},
    {"Upsample", 7, 8, convert_upsample_7},
    {"Upsample", 9, 9, convert_upsample_9},
    {"Xor", 1, 6, convert_broadcast},
};

static const struct rule *find_rule(const char *op_type, int opset) {
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (strcmp(rules[i].op_type, op_type) == 0 && opset >= rules[i].since && opset <= rules[i].until) {
            return &rules[i];
        }
    }
    return NULL;
}

bool convert_knows(const char *op_type, int opset) {
    const struct op *op = op_find(op_type);
    return (op != NULL && op_domain(op)[0] == '\0') || find_rule(op_type, opset) != NULL;
}

/* Operators of the first opsets listed the inputs whose memory they could reuse. */
static enum pare_status drop_reuse(struct draft *d) {
    const struct attr *reuse = NULL;
    return d->im->opset < 6 ? draft_take(d, "consumed_inputs", ATTR_INTS, &reuse) : PARE_OK;
}

enum pare_status convert_node(struct draft *d) {
    const struct rule *rule = find_rule(d->op_type, d->im->opset);
    TRY(drop_reuse(d));
    if (rule != NULL) {
        TRY(rule->convert(d));
    }
    return draft_emit(d);
}
