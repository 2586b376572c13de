/* The exactness certificate: how large an accumulator can get, for any input in format (docs/numerics.md). */
#ifndef PARE_QUANT_CERTIFICATE_H
#define PARE_QUANT_CERTIFICATE_H

#include "quant/scheme.h"

/* Largest |partial sum| of any order of summation, over the output channels: positive and negative parts apart, aligned
 * bias included. Saturates at INT64_MAX. */
int64_t linear_accumulator(const struct linear *l, const struct bias_choice *bias);
/* The same for MATMUL of two activations. */
int64_t product_accumulator(const struct program *p, const struct pare_op *op);
/* The same for any operator of a lowered program, from its packed parameters. */
int64_t op_accumulator(const struct program *p, const struct pare_op *op);

int accumulator_bits(int64_t largest); /* 32 or 64 */
/* Whether a float32 runtime computes the same integers: accumulators up to 2^24, and no function that it
 * approximates. `op` is one of the program's; a table without the name of its function is not certain. */
bool op_exact_in_float32(const struct program *p, const struct pare_op *op);

#endif
