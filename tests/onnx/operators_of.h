/* The operators of a model, read from the wire without the importer under test. */
#ifndef TESTS_ONNX_OPERATORS_OF_H
#define TESTS_ONNX_OPERATORS_OF_H

#include <stddef.h>

#define OPERATOR_NAME_MAX 64
#define OPERATORS_MAX 128

struct operators {
    char names[OPERATORS_MAX][OPERATOR_NAME_MAX]; /* each once: of the graph, its subgraphs and its functions */
    int count;
    int nodes; /* of the graph itself */
};

void operators_of(const void *model, size_t size, struct operators *out);

#endif
