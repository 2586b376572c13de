/* The rewritten ONNX: a scheme's formats as QuantizeLinear/DequantizeLinear nodes, and back. */
#ifndef PARE_QUANT_EXCHANGE_H
#define PARE_QUANT_EXCHANGE_H

#include "quant/scheme.h"

/* The name under which the integers of a value stand in the rewritten ONNX: "<name>_quantized", in `a`. */
char *quantized_name(struct arena *a, const char *value_name);

/* A new graph, ready for onnx_write (docs/numerics.md, "How a width is written in ONNX"). Behind every point's value v:
 *
 *   producer -> v_float -> [Clip -> v_clipped ->] QuantizeLinear -> v_quantized -> DequantizeLinear -> v
 *
 * with a Clip where the width is narrower than the type; a graph input keeps its name, and its readers read
 * v_dequantized. Weights, biases and constant operands become integer initializers w_quantized with a DequantizeLinear;
 * formats become annotations of the integer tensors. Constants that stay are shared with the scheme's graph, which must
 * outlive the new one; free it with graph_free. PARE_ERROR_UNSUPPORTED naming the node that ONNX has no words for. */
enum pare_status export_graph(struct context *ctx, const struct scheme *s, struct graph **out);

/* Whether the graph has QuantizeLinear nodes that all have power-of-two scales and zero points of 0. */
bool import_recognises(const struct graph *g);
/* The reverse: a clean graph (QuantizeLinear, DequantizeLinear and their Clips gone) and its scheme with every format
 * and code, so that lowering gives the same integer program. *graph is replaced. Widths come from the annotations where
 * they agree with the codes, else from the types and Clips. PARE_ERROR_UNSUPPORTED naming the node where a pattern is
 * not pare's. */
enum pare_status import_graph(struct context *ctx, struct graph **graph, struct scheme **out);

#endif
