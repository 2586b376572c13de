/* Model-local functions: every call becomes the nodes of the function. */
#ifndef PARE_ONNX_FUNCTIONS_H
#define PARE_ONNX_FUNCTIONS_H

#include "onnx/import.h"

/* The model's graph without calls of its functions, in its subgraphs neither; the same graph where there are none. What
 * is new lives in im->scratch and points into the model. Names inside of a call begin with that of its first output.
 * PARE_ERROR_INPUT when functions call each other in a circle, or the result has more than GRAPH_MAX_NODES nodes. */
enum pare_status functions_inline(struct import *im, const Onnx__ModelProto *model, const Onnx__GraphProto **out);

#endif
