#include "float/codes.h"

bool codes_range(enum dtype type, int32_t *low, int32_t *high) {
    switch (type) {
    case DTYPE_UINT2:
        return *low = 0, *high = 3, true;
    case DTYPE_INT2:
        return *low = -2, *high = 1, true;
    case DTYPE_UINT4:
        return *low = 0, *high = 15, true;
    case DTYPE_INT4:
        return *low = -8, *high = 7, true;
    case DTYPE_UINT8:
        return *low = 0, *high = UINT8_MAX, true;
    case DTYPE_INT8:
        return *low = INT8_MIN, *high = INT8_MAX, true;
    case DTYPE_UINT16:
        return *low = 0, *high = UINT16_MAX, true;
    case DTYPE_INT16:
        return *low = INT16_MIN, *high = INT16_MAX, true;
    case DTYPE_INT32:
        return *low = INT32_MIN, *high = INT32_MAX, true;
    default:
        return false;
    }
}

#define LOAD(type)                                                                                                     \
    for (size_t i = 0; i < count; i++) {                                                                               \
        codes[i] = ((const type *)t->data)[start + i];                                                                 \
    }

void codes_load(const struct tensor *t, size_t start, size_t count, int32_t *codes) {
    if (t->type == DTYPE_INT32) {
        LOAD(int32_t)
    } else if (t->type == DTYPE_INT16) {
        LOAD(int16_t)
    } else if (t->type == DTYPE_UINT16) {
        LOAD(uint16_t)
    } else if (t->type == DTYPE_INT8 || t->type == DTYPE_INT4 || t->type == DTYPE_INT2) {
        LOAD(int8_t)
    } else {
        LOAD(uint8_t)
    }
}

#define STORE(type)                                                                                                    \
    for (size_t i = 0; i < count; i++) {                                                                               \
        ((type *)t->data)[start + i] = (type)codes[i];                                                                 \
    }

void codes_store(struct tensor *t, size_t start, size_t count, const int32_t *codes) {
    if (t->type == DTYPE_INT32) {
        STORE(int32_t)
    } else if (t->type == DTYPE_INT16) {
        STORE(int16_t)
    } else if (t->type == DTYPE_UINT16) {
        STORE(uint16_t)
    } else if (t->type == DTYPE_INT8 || t->type == DTYPE_INT4 || t->type == DTYPE_INT2) {
        STORE(int8_t)
    } else {
        STORE(uint8_t)
    }
}
