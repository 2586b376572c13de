/* TensorProto to tensor. */
#ifndef PARE_ONNX_DECODE_H
#define PARE_ONNX_DECODE_H

#include "onnx/external.h"
#include "tensor/tensor.h"

/* What pare holds an element type of a file as: float16 and bfloat16 are widened to float32, types
 * that pare does not hold give DTYPE_NONE. */
enum dtype onnx_held_type(int32_t data_type);
const char *onnx_type_name(int32_t data_type); /* "FLOAT8E5M2"; "type 77" is given as "unknown" */

/* Every encoding: raw_data, the typed fields, external data; (u)int4 and (u)int2 unpacked to one element per byte.
 * The data are allocated in `a`; scratch memory comes from external->arena. PARE_ERROR_UNSUPPORTED for a type that pare
 * does not hold or a rank above TENSOR_MAX_RANK, PARE_ERROR_INPUT where the number of elements is wrong. Messages begin
 * with the tensor's name. */
enum pare_status onnx_decode_tensor(struct context *ctx, struct arena *a, struct external *external,
                                    const Onnx__TensorProto *proto, struct tensor *out);

#endif
