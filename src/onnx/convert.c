#include "onnx/convert.h"

#include "graph/op.h"

#include <string.h>

/* The meaning of an operator between two opsets. Rows stand where the IR says it otherwise (`convert`), or where
 * the operator does not exist in every supported opset. What has no row means the same in all of them. */
static const struct rule {
    const char *op_type;
    int since, until;
    converter *convert;
} rules[] = {
    {"BatchNormalization", 7, 25, convert_batch_normalization},
    {"Cast", 7, 25, convert_cast},
    {"Clip", 7, 10, convert_clip},
    {"Clip", 11, 25, NULL},
    {"ConstantOfShape", 9, 25, NULL},
    {"DequantizeLinear", 10, 25, convert_dequantize},
    {"Dropout", 7, 11, convert_dropout},
    {"Dropout", 12, 25, convert_training},
    {"HardSwish", 14, 25, NULL},
    {"Pad", 7, 10, convert_pad},
    {"Pad", 11, 25, NULL},
    {"QuantizeLinear", 10, 25, convert_quantize},
    {"ReduceMean", 7, 17, convert_axes},
    {"ReduceMean", 18, 25, NULL},
    {"Resize", 10, 10, convert_resize_10},
    {"Resize", 11, 25, convert_resize_11},
    {"Slice", 7, 9, convert_slice},
    {"Slice", 10, 25, NULL},
    {"Softmax", 7, 12, convert_softmax},
    {"Softmax", 13, 25, NULL},
    {"Split", 7, 17, convert_split},
    {"Split", 18, 25, NULL},
    {"Squeeze", 7, 12, convert_axes},
    {"Squeeze", 13, 25, NULL},
    {"Unsqueeze", 7, 12, convert_axes},
    {"Unsqueeze", 13, 25, NULL},
    {"Upsample", 7, 8, convert_upsample_7},
    {"Upsample", 9, 9, convert_upsample_9},
};

/* The rule for this opset; *ruled tells whether the operator has any. */
static const struct rule *find_rule(const char *op_type, int opset, bool *ruled) {
    *ruled = false;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (strcmp(rules[i].op_type, op_type) != 0) {
            continue;
        }
        *ruled = true;
        if (opset >= rules[i].since && opset <= rules[i].until) {
            return &rules[i];
        }
    }
    return NULL;
}

bool convert_knows(const char *op_type, int opset) {
    bool ruled = false;
    const struct rule *rule = find_rule(op_type, opset, &ruled);
    return rule != NULL || (!ruled && op_find(op_type) != NULL);
}

enum pare_status convert_node(struct draft *d) {
    bool ruled = false;
    const struct rule *rule = find_rule(d->op_type, d->im->opset, &ruled);
    if (rule != NULL && rule->convert != NULL) {
        TRY(rule->convert(d));
    }
    return draft_emit(d);
}
