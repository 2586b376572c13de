/* Constants moved out of a message into a file beside the model. */
#ifndef PARE_ONNX_EXTERNALIZE_H
#define PARE_ONNX_EXTERNALIZE_H

#include "onnx/encode.h"

/* Writes the raw data of the larger initializers to `path`.data, which *size grows by; the messages then name it. */
enum pare_status externalize(struct encoder *e, Onnx__GraphProto *graph, const char *path, uint64_t *size);

#endif
