/* Opset canonicalisation: what an operator meant in the opset of the file, said as the IR says it (opset 21). */
#ifndef PARE_ONNX_CONVERT_H
#define PARE_ONNX_CONVERT_H

#include "onnx/draft.h"

#define OPSET_MIN 7
#define OPSET_MAX 25

/* Whether the operator of the default domain exists in the opset and has a row or a converter. */
bool convert_knows(const char *op_type, int opset);
/* Brings the draft to the IR's meaning and emits it. */
enum pare_status convert_node(struct draft *d);
/* Once shapes are known: gives each Softmax from before opset 13 its meaning; *changed when nodes were added. */
enum pare_status convert_softmaxes(struct import *im, bool *changed);

typedef enum pare_status converter(struct draft *d);

/* Attributes that became inputs. */
converter convert_clip, convert_dropout, convert_pad, convert_axes, convert_slice, convert_split;
/* Forms that the IR does not have. */
converter convert_batch_normalization, convert_cast, convert_dequantize, convert_quantize, convert_training;
converter convert_upsample_7, convert_upsample_9, convert_resize_10, convert_resize_11;
converter convert_softmax;

#endif
