/* Element types, shapes, and dense row-major tensors. */
#ifndef PARE_TENSOR_TENSOR_H
#define PARE_TENSOR_TENSOR_H

#include "base/arena.h"
#include "base/context.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers are those of ONNX TensorProto.DataType. */
enum dtype {
    DTYPE_NONE = 0,
    DTYPE_FLOAT = 1,
    DTYPE_UINT8 = 2,
    DTYPE_INT8 = 3,
    DTYPE_UINT16 = 4,
    DTYPE_INT16 = 5,
    DTYPE_INT32 = 6,
    DTYPE_INT64 = 7,
    DTYPE_STRING = 8,
    DTYPE_BOOL = 9,
    DTYPE_FLOAT16 = 10,
    DTYPE_DOUBLE = 11,
    DTYPE_UINT32 = 12,
    DTYPE_UINT64 = 13,
    DTYPE_BFLOAT16 = 16,
    DTYPE_FLOAT8E4M3FN = 17,
    DTYPE_FLOAT8E4M3FNUZ = 18,
    DTYPE_FLOAT8E5M2 = 19,
    DTYPE_FLOAT8E5M2FNUZ = 20,
    DTYPE_UINT4 = 21,
    DTYPE_INT4 = 22,
    DTYPE_FLOAT4E2M1 = 23,
    DTYPE_FLOAT8E8M0 = 24,
    DTYPE_UINT2 = 25,
    DTYPE_INT2 = 26
};

/* Bytes of one element in memory (float4, int4, int2 and their unsigned twins are held one per byte);
 * 0 for types that pare does not hold. */
size_t dtype_size(enum dtype type);
const char *dtype_name(enum dtype type);      /* "float32", "int8", ...: never NULL */
enum dtype dtype_from_name(const char *name); /* DTYPE_NONE when unknown */
bool dtype_is_float(enum dtype type);

#define TENSOR_MAX_RANK 8

struct shape {
    int rank;
    int64_t dim[TENSOR_MAX_RANK];
};

/* Product of the dimensions (1 for a scalar); false when negative or above SIZE_MAX / 16. */
bool shape_count(const struct shape *s, size_t *count);
bool shape_equal(const struct shape *a, const struct shape *b);
/* Writes "[1,3,32,32]", with ? for a negative (unknown) dimension, and returns `text`. */
char *shape_text(const struct shape *s, char *text, size_t size);

/* `data` belongs to whoever made the tensor: an arena, the heap, or a mapped file. */
struct tensor {
    enum dtype type;
    struct shape shape;
    void *data;
};

size_t tensor_count(const struct tensor *t); /* elements; the shape is taken as checked */
size_t tensor_bytes(const struct tensor *t);

/* Zeroed tensor in an arena. PARE_ERROR_MEMORY, or PARE_ERROR_INPUT on an impossible size. */
enum pare_status tensor_new(struct context *ctx, struct arena *a, enum dtype type, const struct shape *shape,
                            struct tensor *out);
/* The same on the heap (not zeroed, 64-byte aligned); free with tensor_free, which accepts an empty tensor. */
enum pare_status tensor_alloc(struct context *ctx, enum dtype type, const struct shape *shape, struct tensor *out);
void tensor_free(struct tensor *t);

/* Element i as a double or an int64 (numeric types; narrow floats widened; to int64 truncates and saturates). */
double tensor_get_double(const struct tensor *t, size_t i);
int64_t tensor_get_int(const struct tensor *t, size_t i);
/* Rounds half to even and saturates for integers and floats of up to 8 bits. */
void tensor_set_double(struct tensor *t, size_t i, double v);
void tensor_set_int(struct tensor *t, size_t i, int64_t v);

/* A copy as another type, in an arena. */
enum pare_status tensor_convert(struct context *ctx, struct arena *a, const struct tensor *t, enum dtype type,
                                struct tensor *out);

float half_to_float(uint16_t h);
float bfloat16_to_float(uint16_t b);
uint16_t float_to_half(float f); /* half to even */
uint16_t float_to_bfloat16(float f);

/* The floating types of 4 and 8 bits. */
bool dtype_is_minifloat(enum dtype type);
double minifloat_to_double(enum dtype type, uint8_t code);

/* How a number without a code of its own is brought to one. */
struct minifloat_rounding {
    bool saturate; /* what is too large becomes the largest number; else NaN, or infinity where there is one */
    enum { MINIFLOAT_NEAREST, MINIFLOAT_UP, MINIFLOAT_DOWN } scale; /* of FLOAT8E8M0; others round half to even */
};

uint8_t minifloat_of(enum dtype type, double v, struct minifloat_rounding rounding);

#endif
