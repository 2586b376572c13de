/* Shapes that the user gives to inputs whose dimensions the model leaves open. */
#ifndef PARE_API_INPUT_SHAPE_H
#define PARE_API_INPUT_SHAPE_H

#include "graph/graph.h"

struct input_shape {
    char *name;         /* "": the only input */
    struct shape shape; /* -1: stays open */
    struct input_shape *next;
};

/* "NAME=1,3,48,192", or without NAME=; appended to the list. False when the text is no shape, or memory is short. */
bool input_shape_parse(struct input_shape **list, const char *text);
void input_shapes_free(struct input_shape *list);

/* Fixes the inputs of the graph, and everything that has the same open dimensions. PARE_ERROR_USAGE where there is no
 * such input, or the model says otherwise. */
enum pare_status input_shapes_apply(struct context *ctx, const struct input_shape *list, struct graph *g);

/* "NAME=1,3,H,W": what to give for it; open dimensions by their symbols, or SIZE. Returns `text`. */
char *input_shape_argument(const struct value *input, char *text, size_t size);

/* What quantize does to an open batch that the network depends on. */
#define BATCH_FIXED                                                                                                    \
    "operators depend on how many samples there are, so the batch is fixed at 1: model.onnx takes one sample at a "    \
    "time"

#endif
