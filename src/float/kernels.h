/* What the kernels share: their declarations, scratch memory, and the way of rare element types. */
#ifndef PARE_FLOAT_KERNELS_H
#define PARE_FLOAT_KERNELS_H

#include "float/float.h"

#define OP(name, in_min, in_max, out_min, out_max, attrs, infer, kernel, rule) float_kernel float_##kernel;
#include "graph/ops.def"
#undef OP

/* The input at `index`, or NULL where it is omitted or left off the end. */
const struct tensor *call_input(const struct float_call *c, int index);

/* Whether input 0 is float32: the type that every kernel works in. */
bool call_is_float32(const struct float_call *c);

/* Runs `kernel` with float32 copies of the inputs that share the type of input 0, and brings the
 * outputs back to their types. Exact in and out for float16, bfloat16 and integers of up to 16 bits;
 * PARE_ERROR_UNSUPPORTED for other types, naming them. */
enum pare_status call_widened(struct float_call *c, float_kernel *kernel);

/* PARE_ERROR_UNSUPPORTED: "Op does not run on <type>". */
enum pare_status call_refuse_type(struct float_call *c, enum dtype type);

/* Scratch of count * size bytes, freed after the call; NULL with PARE_ERROR_MEMORY recorded. */
void *call_scratch(struct float_call *c, size_t count, size_t size);

/* A negative axis counts from the end. */
int axis_from_start(int64_t axis, int rank);

/* The elements of an integer (or float) input as int64 in scratch; *values NULL and *count 0 where it is omitted. */
enum pare_status call_integers(struct float_call *c, int index, int64_t **values, int *count);

/* The elements of an input as double in scratch; *values NULL where it is omitted. */
enum pare_status call_doubles(struct float_call *c, int index, double **values);
/* Whether an output is there and wanted. */
bool call_wants(const struct float_call *c, int output);

/* Product of dimensions [begin, end). */
size_t dims_product(const struct shape *s, int begin, int end);

#endif
