#include "tensor/tensor.h"

#include <string.h>

static const struct {
    enum dtype type;
    unsigned char size;
    bool is_float;
    const char *name;
} rows[] = {
    {DTYPE_FLOAT, 4, true, "float32"},
    {DTYPE_UINT8, 1, false, "uint8"},
    {DTYPE_INT8, 1, false, "int8"},
    {DTYPE_UINT16, 2, false, "uint16"},
    {DTYPE_INT16, 2, false, "int16"},
    {DTYPE_INT32, 4, false, "int32"},
    {DTYPE_INT64, 8, false, "int64"},
    {DTYPE_STRING, 0, false, "string"},
    {DTYPE_BOOL, 1, false, "bool"},
    {DTYPE_FLOAT16, 2, true, "float16"},
    {DTYPE_DOUBLE, 8, true, "float64"},
    {DTYPE_UINT32, 4, false, "uint32"},
    {DTYPE_UINT64, 8, false, "uint64"},
    {DTYPE_BFLOAT16, 2, true, "bfloat16"},
    {DTYPE_UINT4, 1, false, "uint4"},
    {DTYPE_INT4, 1, false, "int4"},
    {DTYPE_UINT2, 1, false, "uint2"},
    {DTYPE_INT2, 1, false, "int2"},
    {DTYPE_FLOAT8E4M3FN, 1, true, "float8e4m3fn"},
    {DTYPE_FLOAT8E4M3FNUZ, 1, true, "float8e4m3fnuz"},
    {DTYPE_FLOAT8E5M2, 1, true, "float8e5m2"},
    {DTYPE_FLOAT8E5M2FNUZ, 1, true, "float8e5m2fnuz"},
    {DTYPE_FLOAT4E2M1, 1, true, "float4e2m1"},
    {DTYPE_FLOAT8E8M0, 1, true, "float8e8m0"},
};

#define ROW_COUNT (sizeof rows / sizeof rows[0])

static size_t row_of(enum dtype type) {
    size_t i = 0;
    while (i < ROW_COUNT && rows[i].type != type) {
        i++;
    }
    return i;
}

size_t dtype_size(enum dtype type) {
    size_t i = row_of(type);
    return i < ROW_COUNT ? rows[i].size : 0;
}

const char *dtype_name(enum dtype type) {
    size_t i = row_of(type);
    return i < ROW_COUNT ? rows[i].name : "unknown type";
}

enum dtype dtype_from_name(const char *name) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return rows[i].type;
        }
    }
    return DTYPE_NONE;
}

bool dtype_is_float(enum dtype type) {
    size_t i = row_of(type);
    return i < ROW_COUNT && rows[i].is_float;
}
