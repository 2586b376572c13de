/* Writes ONNX messages byte by byte, independently of protobuf-c, so that tests can also write wrong ones. Field
 * numbers are those of proto/onnx.proto. */
#ifndef TEST_ONNX_WRITER_H
#define TEST_ONNX_WRITER_H

#include "base/bytes.h"
#include "tensor/tensor.h"

#include <string.h>

typedef struct buffer message;

static inline void put_varint(message *m, uint64_t v) {
    for (; v >= 0x80; v >>= 7) {
        write_u8(m, (uint8_t)(v | 0x80));
    }
    write_u8(m, (uint8_t)v);
}

static inline void put_int(message *m, uint32_t field, int64_t v) {
    put_varint(m, field << 3);
    put_varint(m, (uint64_t)v);
}

static inline void put_bytes(message *m, uint32_t field, const void *data, size_t size) {
    put_varint(m, field << 3 | 2);
    put_varint(m, size);
    write_bytes(m, data, size);
}

static inline void put_text(message *m, uint32_t field, const char *text) {
    put_bytes(m, field, text, strlen(text));
}

static inline void put_float(message *m, uint32_t field, float f) {
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    put_varint(m, field << 3 | 5);
    write_u32(m, bits);
}

/* Appends `part` as a submessage and frees it. */
static inline void put_message(message *m, uint32_t field, message part) {
    put_bytes(m, field, part.data, part.size);
    buffer_free(&part);
}

static inline message new_message(void) {
    message m;
    buffer_init(&m);
    return m;
}

enum { MODEL_IR_VERSION = 1, MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_METADATA = 14 };
enum {
    GRAPH_NODE = 1,
    GRAPH_NAME = 2,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    GRAPH_QUANTIZATION_ANNOTATION = 14
};
enum { NODE_INPUT = 1, NODE_OUTPUT, NODE_NAME, NODE_OP_TYPE, NODE_ATTRIBUTE, NODE_DOMAIN = 7 };
enum {
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_F,
    ATTRIBUTE_I,
    ATTRIBUTE_S,
    ATTRIBUTE_T,
    ATTRIBUTE_G,
    ATTRIBUTE_FLOATS,
    ATTRIBUTE_INTS,
    ATTRIBUTE_TYPE = 20
};
enum {
    TENSOR_DIMS = 1,
    TENSOR_TYPE,
    TENSOR_FLOATS = 4,
    TENSOR_INT32S,
    TENSOR_STRINGS,
    TENSOR_INT64S,
    TENSOR_NAME,
    TENSOR_RAW,
    TENSOR_DOUBLES,
    TENSOR_UINT64S,
    TENSOR_EXTERNAL = 13,
    TENSOR_LOCATION
};

static inline message pair(const char *key, const char *value) {
    message m = new_message();
    put_text(&m, 1, key);
    put_text(&m, 2, value);
    return m;
}

/* Name, type and dims; the data are still to be put. */
static inline message tensor_head(const char *name, int type, const int64_t *dims, int rank) {
    message m = new_message();
    for (int i = 0; i < rank; i++) {
        put_int(&m, TENSOR_DIMS, dims[i]);
    }
    put_int(&m, TENSOR_TYPE, type);
    put_text(&m, TENSOR_NAME, name);
    return m;
}

static inline message raw_tensor(const char *name, int type, const int64_t *dims, int rank, const void *data,
                                 size_t size) {
    message m = tensor_head(name, type, dims, rank);
    put_bytes(&m, TENSOR_RAW, data, size);
    return m;
}

static inline message float_tensor(const char *name, const float *values, int64_t count) {
    return raw_tensor(name, DTYPE_FLOAT, &count, 1, values, (size_t)count * sizeof *values);
}

/* A graph input or output; rank -1: no shape. Dimensions below zero are called "N". */
static inline message value_info(const char *name, int type, const int64_t *dims, int rank) {
    message m = new_message(), holder = new_message(), tensor = new_message(), shape = new_message();
    for (int i = 0; i < rank; i++) {
        message dim = new_message();
        if (dims[i] >= 0) {
            put_int(&dim, 1, dims[i]);
        } else {
            put_text(&dim, 2, dims[i] == -1 ? "N" : "M");
        }
        put_message(&shape, 1, dim);
    }
    put_int(&tensor, 1, type);
    if (rank >= 0) {
        put_message(&tensor, 2, shape);
    } else {
        buffer_free(&shape);
    }
    put_message(&holder, 1, tensor);
    put_text(&m, 1, name);
    put_message(&m, 2, holder);
    return m;
}

/* `inputs` and `outputs` are separated by blanks; "-" is an omitted one. */
static inline void put_names(message *m, uint32_t field, const char *names) {
    while (*names != '\0') {
        size_t length = strcspn(names, " ");
        bool omitted = length == 1 && names[0] == '-';
        put_bytes(m, field, names, omitted ? 0 : length);
        names += length + (names[length] == ' ');
    }
}

static inline message node_head(const char *op, const char *name, const char *inputs, const char *outputs) {
    message m = new_message();
    put_names(&m, NODE_INPUT, inputs);
    put_names(&m, NODE_OUTPUT, outputs);
    put_text(&m, NODE_NAME, name);
    put_text(&m, NODE_OP_TYPE, op);
    return m;
}

static inline message int_attribute(const char *name, int64_t v) {
    message m = new_message();
    put_text(&m, ATTRIBUTE_NAME, name);
    put_int(&m, ATTRIBUTE_I, v);
    put_int(&m, ATTRIBUTE_TYPE, 2);
    return m;
}

static inline message float_attribute(const char *name, float v) {
    message m = new_message();
    put_text(&m, ATTRIBUTE_NAME, name);
    put_float(&m, ATTRIBUTE_F, v);
    put_int(&m, ATTRIBUTE_TYPE, 1);
    return m;
}

static inline message ints_attribute(const char *name, const int64_t *v, int count) {
    message m = new_message();
    put_text(&m, ATTRIBUTE_NAME, name);
    for (int i = 0; i < count; i++) {
        put_int(&m, ATTRIBUTE_INTS, v[i]);
    }
    put_int(&m, ATTRIBUTE_TYPE, 7);
    return m;
}

/* A model around a graph message, which it frees. */
static inline message model_of(int opset, message graph) {
    message m = new_message(), import = new_message();
    put_int(&m, MODEL_IR_VERSION, 8);
    put_int(&import, 2, opset);
    put_message(&m, MODEL_OPSET, import);
    put_message(&m, MODEL_GRAPH, graph);
    return m;
}

/* A graph with input x: float32 [N,3,4,4] and output y of unknown shape; nodes and initializers are still to be put. */
static inline message graph_head(void) {
    message m = new_message();
    put_text(&m, GRAPH_NAME, "g");
    put_message(&m, GRAPH_INPUT, value_info("x", DTYPE_FLOAT, (const int64_t[]){-1, 3, 4, 4}, 4));
    put_message(&m, GRAPH_OUTPUT, value_info("y", DTYPE_FLOAT, NULL, -1));
    return m;
}

static inline void put_node(message *graph, const char *op, const char *name, const char *inputs, const char *outputs) {
    put_message(graph, GRAPH_NODE, node_head(op, name, inputs, outputs));
}

#endif
