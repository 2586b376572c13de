#include "float/integer.h"

unsigned integer_bits(enum dtype type) {
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
    unsigned bits = integer_bits(type);
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

int64_t integer_load(const struct tensor *t, size_t i) {
    return t->type == DTYPE_UINT64 ? signed_of(((const uint64_t *)t->data)[i], UINT64_MAX) : tensor_get_int(t, i);
}

void integer_store(struct tensor *t, size_t i, int64_t v) {
    if (t->type == DTYPE_UINT64) {
        ((uint64_t *)t->data)[i] = (uint64_t)v;
    } else {
        tensor_set_int(t, i, t->type == DTYPE_BOOL ? v : integer_wrap(v, t->type));
    }
}

int64_t integer_key(int64_t v, enum dtype type) {
    return type == DTYPE_UINT64 ? v ^ INT64_MIN : v;
}

int64_t integer_remainder(int64_t a, int64_t b) {
    return b == -1 ? 0 : a % b;
}

int64_t integer_modulo(int64_t a, int64_t b) {
    int64_t r = integer_remainder(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

int64_t integer_power(int64_t a, int64_t exponent) {
    int64_t result = 1;
    if (exponent < 0) {
        return a == 1 ? 1 : a == -1 ? 1 - 2 * (exponent & 1) : 0;
    }
    for (uint64_t left = (uint64_t)exponent; left > 0; left >>= 1) {
        result = (left & 1) != 0 ? integer_multiply(result, a) : result;
        a = integer_multiply(a, a);
    }
    return result;
}

int64_t integer_divide_unsigned(int64_t a, int64_t b) {
    return signed_of((uint64_t)a / (uint64_t)b, UINT64_MAX);
}

int64_t integer_remainder_unsigned(int64_t a, int64_t b) {
    return signed_of((uint64_t)a % (uint64_t)b, UINT64_MAX);
}
