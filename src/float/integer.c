#include "float/integer.h"

static unsigned bits_of(enum dtype type) {
    switch (type) {
    case DTYPE_INT2:
    case DTYPE_UINT2:
        return 2;
    case DTYPE_INT4:
    case DTYPE_UINT4:
        return 4;
    default:
        return (unsigned)dtype_size(type) * 8;
    }
}

static bool is_signed(enum dtype type) {
    return type == DTYPE_INT2 || type == DTYPE_INT4 || type == DTYPE_INT8 || type == DTYPE_INT16 ||
           type == DTYPE_INT32 || type == DTYPE_INT64;
}

/* The two's complement number with these low bits. */
static int64_t signed_of(uint64_t low, uint64_t mask) {
    return low > mask / 2 ? -(int64_t)(mask - low) - 1 : (int64_t)low;
}

int64_t integer_wrap(int64_t v, enum dtype type) {
    unsigned bits = bits_of(type);
    if (bits == 0 || bits >= 64) {
        return v;
    }
    uint64_t mask = (UINT64_C(1) << bits) - 1, low = (uint64_t)v & mask;
    return is_signed(type) ? signed_of(low, mask) : (int64_t)low;
}

int64_t integer_add(int64_t a, int64_t b) {
    return signed_of((uint64_t)a + (uint64_t)b, UINT64_MAX);
}

int64_t integer_subtract(int64_t a, int64_t b) {
    return signed_of((uint64_t)a - (uint64_t)b, UINT64_MAX);
}

int64_t integer_multiply(int64_t a, int64_t b) {
    return signed_of((uint64_t)a * (uint64_t)b, UINT64_MAX);
}

int64_t integer_divide(int64_t a, int64_t b) {
    return b == -1 ? integer_subtract(0, a) : a / b;
}
