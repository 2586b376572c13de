/* Integer arithmetic of ONNX types, which wraps. */
#ifndef PARE_FLOAT_INTEGER_H
#define PARE_FLOAT_INTEGER_H

#include "tensor/tensor.h"

/* The low bits of v that the type has, read as that type. */
int64_t integer_wrap(int64_t v, enum dtype type);

int64_t integer_add(int64_t a, int64_t b);
int64_t integer_subtract(int64_t a, int64_t b);
int64_t integer_multiply(int64_t a, int64_t b);
/* Towards zero; b must not be 0. */
int64_t integer_divide(int64_t a, int64_t b);

#endif
