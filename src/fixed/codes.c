#include "fixed/codes.h"

#include "runtime/arith.h"

/* One loop per storage and part; the commonest steps apart, so that they are vectorised. */
#define COPY_STEP(type, expression, by)                                                                                \
    for (size_t i = 0; i < count; i++) {                                                                               \
        const type code = ((const type *)codes)[(ptrdiff_t)i * (by)];                                                  \
        out[i] = (expression);                                                                                         \
    }

#define COPY_CODES(type, expression)                                                                                   \
    do {                                                                                                               \
        if (step == 1) {                                                                                               \
            COPY_STEP(type, expression, 1)                                                                             \
        } else if (step == 2) {                                                                                        \
            COPY_STEP(type, expression, 2)                                                                             \
        } else {                                                                                                       \
            COPY_STEP(type, expression, step)                                                                          \
        }                                                                                                              \
    } while (0)

#define COPY_PART(type)                                                                                                \
    do {                                                                                                               \
        if (part == CODE_WHOLE) {                                                                                      \
            COPY_CODES(type, (int16_t)code);                                                                           \
        } else if (part == CODE_LOW) {                                                                                 \
            COPY_CODES(type, (int16_t)(code & 255));                                                                   \
        } else {                                                                                                       \
            COPY_CODES(type, (int16_t)floor_shift32(code, 8));                                                         \
        }                                                                                                              \
    } while (0)

void codes_to_int16(const void *codes, uint8_t storage, enum code_part part, ptrdiff_t step, size_t count,
                    int16_t *out) {
    switch (storage) {
    case PARE_U8:
        COPY_PART(uint8_t);
        break;
    case PARE_I8:
        COPY_PART(int8_t);
        break;
    case PARE_U16:
        COPY_PART(uint16_t);
        break;
    default:
        COPY_PART(int16_t);
        break;
    }
}

void codes_to_int32(const void *codes, uint8_t storage, ptrdiff_t step, size_t count, int32_t *out) {
    switch (storage) {
    case PARE_U8:
        COPY_CODES(uint8_t, code);
        break;
    case PARE_I8:
        COPY_CODES(int8_t, code);
        break;
    case PARE_U16:
        COPY_CODES(uint16_t, code);
        break;
    default:
        COPY_CODES(int16_t, code);
        break;
    }
}

bool codes_fit_int16(const struct pare_value *value) {
    return value->storage != PARE_U16 || value->bits <= 15;
}
