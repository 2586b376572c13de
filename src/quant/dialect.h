/* The rewritten ONNX in other words: graphs that export_graph made, changed in place. */
#ifndef PARE_QUANT_DIALECT_H
#define PARE_QUANT_DIALECT_H

#include "quant/exchange.h"

/* QONNX (Pappalardo et al. 2022, arXiv:2206.07527): a Quant node in place of each QuantizeLinear, DequantizeLinear and
 * their Clip; parameters are floats behind one. The same numbers. */
enum pare_status dialect_qonnx(struct context *ctx, struct graph *g);

/* Convolutions and products whose accumulators exceed what a float32 holds exactly become sums of ConvInteger or
 * MatMulInteger over the bytes of their codes, scaled and rounded in double precision: exact in any runtime. What ONNX
 * has no integer operator for stays, with a warning that names it. *changed: the layers that were rewritten. */
enum pare_status dialect_integer(struct context *ctx, struct scheme *s, struct graph *g, int *changed);

#endif
