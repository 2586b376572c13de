#include "fixed/codes.h"

#include "runtime/arith.h"

/* One loop per storage and part; the unit step apart, so that it is vectorised. */
#define COPY_CODES(type, expression)                                                                                   \
    do {                                                                                                               \
        const type *in = codes;                                                                                        \
        if (step == 1) {                                                                                               \
            for (size_t i = 0; i < count; i++) {                                                                       \
                const type code = in[i];                                                                               \
                out[i] = (int16_t)(expression);                                                                        \
            }                                                                                                          \
        } else {                                                                                                       \
            for (size_t i = 0; i < count; i++) {                                                                       \
                const type code = in[i * step];                                                                        \
                out[i] = (int16_t)(expression);                                                                        \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

#define COPY_PART(type)                                                                                                \
    do {                                                                                                               \
        if (part == CODE_WHOLE) {                                                                                      \
            COPY_CODES(type, code);                                                                                    \
        } else if (part == CODE_LOW) {                                                                                 \
            COPY_CODES(type, code & 255);                                                                              \
        } else {                                                                                                       \
            COPY_CODES(type, floor_shift32(code, 8));                                                                  \
        }                                                                                                              \
    } while (0)

void codes_to_int16(const void *codes, uint8_t storage, enum code_part part, size_t step, size_t count, int16_t *out) {
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

#define WIDEN_CODES(type)                                                                                              \
    do {                                                                                                               \
        const type *in = codes;                                                                                        \
        if (step == 1) {                                                                                               \
            for (size_t i = 0; i < count; i++) {                                                                       \
                out[i] = in[i];                                                                                        \
            }                                                                                                          \
        } else {                                                                                                       \
            for (size_t i = 0; i < count; i++) {                                                                       \
                out[i] = in[(ptrdiff_t)i * step];                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

void codes_to_int32(const void *codes, uint8_t storage, ptrdiff_t step, size_t count, int32_t *out) {
    switch (storage) {
    case PARE_U8:
        WIDEN_CODES(uint8_t);
        break;
    case PARE_I8:
        WIDEN_CODES(int8_t);
        break;
    case PARE_U16:
        WIDEN_CODES(uint16_t);
        break;
    default:
        WIDEN_CODES(int16_t);
        break;
    }
}

bool codes_fit_int16(const struct pare_value *value) {
    return value->storage != PARE_U16 || value->bits <= 15;
}
