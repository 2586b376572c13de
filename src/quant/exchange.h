/* The rewritten ONNX: a scheme's formats as QuantizeLinear/DequantizeLinear nodes, and back. */
#ifndef PARE_QUANT_EXCHANGE_H
#define PARE_QUANT_EXCHANGE_H

#include "quant/scheme.h"

/* The name under which the integers of a value stand in the rewritten ONNX: "<name>_quantized", in `a`. */
char *quantized_name(struct arena *a, const char *value_name);

/* A new graph, ready for onnx_write (docs/numerics.md, "How each width is written in ONNX"): after every point's value
 * v producer -> v_float [-> Clip to the narrow range -> v_clipped] -> QuantizeLinear -> v_quantized -> DequantizeLinear
 * -> v (for a graph input: v -> [Clip ->] QuantizeLinear -> v_quantized -> DequantizeLinear -> v_dequantized), integer
 * initializers with DequantizeLinear for weights (int4 for up to 4 bits, int8, int16; per axis where the fractions
 * differ), int32 for biases aligned to weight frac + input frac, and constant operands. Formats become annotations of
 * the integer tensors. */
enum pare_status export_graph(struct context *ctx, const struct scheme *s, struct graph **out);

/* Whether the graph has QuantizeLinear nodes that all have power-of-two scales and zero points of 0. */
bool import_recognises(const struct graph *g);
/* The reverse: a clean graph (QuantizeLinear, DequantizeLinear and their Clips gone) and its scheme with every format
 * and code, so that lowering gives the same integer program. *graph is replaced. Widths come from the annotations where
 * they agree with the codes, else from the types and Clips. PARE_ERROR_UNSUPPORTED naming the node where a pattern is
 * not pare's. */
enum pare_status import_graph(struct context *ctx, struct graph **graph, struct scheme **out);

#endif
