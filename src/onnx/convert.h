/* Opset canonicalisation: what an operator meant in the opset of the file, said as the IR says it. */
#ifndef PARE_ONNX_CONVERT_H
#define PARE_ONNX_CONVERT_H

#include "onnx/draft.h"

#define OPSET_MIN 1
#define OPSET_MAX 28

/* Whether the operator of the default domain exists in the opset and has a row or a converter. */
bool convert_knows(const char *op_type, int opset);
/* Brings the draft to the IR's meaning and emits it. */
enum pare_status convert_node(struct draft *d);
/* The same for other domains. */
bool convert_knows_contrib(const char *domain, const char *op_type);
enum pare_status convert_contrib_node(struct draft *d, const char *domain);
/* Once shapes are known: gives each Softmax from before opset 13 its meaning; *changed when nodes were added. */
enum pare_status convert_softmaxes(struct import *im, bool *changed);

typedef enum pare_status converter(struct draft *d);

/* Attributes that became inputs. */
converter convert_clip, convert_dropout, convert_pad_1, convert_pad, convert_axes, convert_slice, convert_split;
converter convert_dft_17, convert_reshape_1, convert_top_k_1;
/* Forms that the IR does not have. */
converter convert_batch_normalization, convert_cast_1, convert_cast, convert_cast_like, convert_bit_cast;
converter convert_output_type;
converter convert_dequantize, convert_quantize, convert_training, convert_scan_8;
converter convert_upsample_1, convert_upsample_7, convert_upsample_9, convert_resize_10, convert_resize_11;
converter convert_softmax; /* LogSoftmax and Hardmax, too */
/* Defaults, names and parameters that changed. */
converter convert_concat_1, convert_gemm_1, convert_grid_sample_16, convert_lp_pool_1, convert_recurrent;
converter convert_roi_align_10, convert_scatter, convert_tile_1;
/* Of com.microsoft. */
converter convert_dynamic_lstm;
/* Broadcasting before opset 7: of the second input, from an axis on. */
converter convert_broadcast, convert_prelu_1;

#endif
