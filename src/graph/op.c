#include "graph/op.h"

#include "graph/infer.h"

#include <string.h>

const struct op op_table[OP_COUNT] = {
#define OP(name, in_min, in_max, out_min, out_max, attrs, infer, kernel, rule)                                         \
    {OP_##name, #name, in_min, in_max, out_min, out_max, attrs, infer_##infer},
#include "graph/ops.def"
#undef OP
};

/* The rows stand in alphabetical order. */
const struct op *op_find(const char *name) {
    int low = 0;
    int high = OP_COUNT;
    while (low < high) {
        int middle = low + (high - low) / 2;
        int order = strcmp(name, op_table[middle].name);
        if (order == 0) {
            return &op_table[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

static const char *const type_names[] = {"i", "f", "s", "is", "fs", "t", "g", "ss"};

const char *attr_type_name(enum attr_type type) {
    return type_names[type];
}

static enum attr_type attr_type_from_name(const char *name, size_t length) {
    int type = ATTR_INT;
    while (strlen(type_names[type]) != length || strncmp(type_names[type], name, length) != 0) {
        type++;
    }
    return (enum attr_type)type;
}

bool op_attr_find(const struct op *op, const char *name, struct op_attr *out) {
    size_t length = strlen(name);
    for (const char *at = op->attrs; *at != '\0'; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        size_t key = strcspn(at, ":");
        if (key == length && strncmp(at, name, length) == 0) {
            const char *type = at + key + 1;
            size_t type_length = strcspn(type, "= ");
            const char *text = type[type_length] == '=' ? type + type_length + 1 : NULL;
            *out = (struct op_attr){.type = attr_type_from_name(type, type_length),
                                    .text = text,
                                    .length = text == NULL ? 0 : strcspn(text, " ")};
            return true;
        }
        at += word;
    }
    return false;
}

const char *op_domain(const struct op *op) {
    switch (op->id) {
    case OP_FusedMatMul:
    case OP_QGemm:
    case OP_QLinearAdd:
    case OP_QLinearAveragePool:
    case OP_QLinearGlobalAveragePool:
    case OP_QLinearMul:
    case OP_QLinearSoftmax:
        return OP_DOMAIN_MICROSOFT;
    case OP_BipolarQuant:
    case OP_Quant:
    case OP_Trunc:
        return OP_DOMAIN_QONNX;
    default:
        return "";
    }
}
