/* Integer arithmetic of ONNX types, which wraps. An element of uint64 is held as the int64 with the same bits. */
#ifndef PARE_FLOAT_INTEGER_H
#define PARE_FLOAT_INTEGER_H

#include "tensor/tensor.h"

/* The low bits of v that the type has, read as that type. */
int64_t integer_wrap(int64_t v, enum dtype type);
unsigned integer_bits(enum dtype type); /* of one element */

/* Element i of an integer or boolean tensor, bit for bit; storing wraps. */
int64_t integer_load(const struct tensor *t, size_t i);
void integer_store(struct tensor *t, size_t i, int64_t v);
/* Numbers in the order of the elements that they stand for. */
int64_t integer_key(int64_t v, enum dtype type);

int64_t integer_add(int64_t a, int64_t b);
int64_t integer_subtract(int64_t a, int64_t b);
int64_t integer_multiply(int64_t a, int64_t b);
/* Towards zero; b must not be 0. */
int64_t integer_divide(int64_t a, int64_t b);
/* With the sign of the dividend (as C) or of the divisor (as Python); b must not be 0. */
int64_t integer_remainder(int64_t a, int64_t b);
int64_t integer_modulo(int64_t a, int64_t b);
/* Wraps; negative exponents give 0 but for the bases 1 and -1. */
int64_t integer_power(int64_t a, int64_t exponent);
/* The same bits read as uint64. */
int64_t integer_divide_unsigned(int64_t a, int64_t b);
int64_t integer_remainder_unsigned(int64_t a, int64_t b);

#endif
