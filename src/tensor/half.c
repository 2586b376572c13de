#include "tensor/tensor.h"

#include <string.h>

static uint32_t bits_of(float f) {
    uint32_t bits = 0;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits) {
    float f = 0;
    memcpy(&f, &bits, sizeof f);
    return f;
}

float half_to_float(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    uint32_t exponent = (h >> 10) & 31u;
    uint32_t mantissa = h & 0x3FFu;
    if (exponent == 31) {
        return float_of(sign | 0x7F800000u | mantissa << 13);
    }
    if (exponent == 0) { /* zero and subnormals: mantissa * 2^-24, exact in float */
        float magnitude = (float)mantissa * 0x1p-24f;
        return sign != 0 ? -magnitude : magnitude;
    }
    return float_of(sign | (exponent + 112) << 23 | mantissa << 13);
}

float bfloat16_to_float(uint16_t b) {
    return float_of((uint32_t)b << 16);
}

/* Drops the low `shift` bits (1 to 31), rounding half to even. */
static uint32_t shift_round_even(uint32_t v, uint32_t shift) {
    uint32_t half = (uint32_t)1 << (shift - 1);
    uint32_t odd = (v >> shift) & 1u;
    uint32_t low = v & (2 * half - 1);
    return (v >> shift) + (low > half || (low == half && odd != 0) ? 1 : 0);
}

uint16_t float_to_half(float f) {
    uint32_t bits = bits_of(f);
    uint32_t sign = (bits >> 16) & 0x8000u;
    uint32_t magnitude = bits & 0x7FFFFFFFu;
    uint32_t exponent = magnitude >> 23;
    if (magnitude > 0x7F800000u) { /* NaN, kept quiet */
        return (uint16_t)(sign | 0x7E00u | ((magnitude >> 13) & 0x3FFu));
    }
    if (exponent >= 143) { /* 2^16 and above, infinity included */
        return (uint16_t)(sign | 0x7C00u);
    }
    if (exponent < 102) { /* below half the smallest subnormal */
        return (uint16_t)sign;
    }
    if (exponent < 113) { /* subnormal: mantissa in units of 2^-24 */
        uint32_t mantissa = (magnitude & 0x7FFFFFu) | 0x800000u;
        return (uint16_t)(sign | shift_round_even(mantissa, 126 - exponent));
    }
    return (uint16_t)(sign | shift_round_even(magnitude - (112u << 23), 13)); /* may carry into infinity */
}

uint16_t float_to_bfloat16(float f) {
    uint32_t bits = bits_of(f);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u) {
        return (uint16_t)(bits >> 16 | 0x40u);
    }
    return (uint16_t)shift_round_even(bits, 16);
}
