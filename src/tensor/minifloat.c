/* Floating-point types of 4 and 8 bits, by their parameters (OCP "Open Compute Project 8-bit Floating Point
 * Specification" and "Microscaling Formats"; the FNUZ twins by Noune et al., "8-bit Numerical Formats for Deep Neural
 * Networks"). */
#include "tensor/tensor.h"

#include <math.h>

enum special {
    SPECIAL_NONE,     /* every code is a number */
    SPECIAL_NAN_LAST, /* the codes with all bits of the magnitude set */
    SPECIAL_NAN_ZERO, /* the code of -0 */
    SPECIAL_IEEE      /* infinities and NaNs with the largest exponent */
};

static const struct minifloat {
    enum dtype type;
    int exponent_bits, mantissa_bits, bias;
    enum special special;
} minifloats[] = {
    {DTYPE_FLOAT8E4M3FN, 4, 3, 7, SPECIAL_NAN_LAST}, {DTYPE_FLOAT8E4M3FNUZ, 4, 3, 8, SPECIAL_NAN_ZERO},
    {DTYPE_FLOAT8E5M2, 5, 2, 15, SPECIAL_IEEE},      {DTYPE_FLOAT8E5M2FNUZ, 5, 2, 16, SPECIAL_NAN_ZERO},
    {DTYPE_FLOAT4E2M1, 2, 1, 1, SPECIAL_NONE},
};

/* FLOAT8E8M0 holds no sign and no mantissa: code c is 2^(c - 127). */
#define SCALE_BIAS 127
#define SCALE_NAN 255

static const struct minifloat *find(enum dtype type) {
    for (size_t i = 0; i < sizeof minifloats / sizeof *minifloats; i++) {
        if (minifloats[i].type == type) {
            return &minifloats[i];
        }
    }
    return NULL;
}

bool dtype_is_minifloat(enum dtype type) {
    return type == DTYPE_FLOAT8E8M0 || find(type) != NULL;
}

/* All bits below the sign. */
static int magnitude_mask(const struct minifloat *m) {
    return (1 << (m->exponent_bits + m->mantissa_bits)) - 1;
}

/* The code of the largest number. */
static int largest(const struct minifloat *m) {
    int mask = magnitude_mask(m);
    return m->special == SPECIAL_IEEE ? mask - (1 << m->mantissa_bits) : mask - (m->special == SPECIAL_NAN_LAST);
}

static double magnitude_of(const struct minifloat *m, int code) {
    int exponent = code >> m->mantissa_bits, mantissa = code & ((1 << m->mantissa_bits) - 1);
    int normal = exponent > 0;
    return ldexp(mantissa + (normal << m->mantissa_bits), exponent + !normal - m->bias - m->mantissa_bits);
}

double minifloat_to_double(enum dtype type, uint8_t code) {
    const struct minifloat *m = find(type);
    if (m == NULL) {
        return code == SCALE_NAN ? (double)NAN : ldexp(1.0, code - SCALE_BIAS);
    }
    int magnitude = code & magnitude_mask(m);
    bool negative = code > magnitude_mask(m);
    if (m->special == SPECIAL_NAN_ZERO && negative && magnitude == 0) {
        return (double)NAN;
    }
    if (magnitude > largest(m)) {
        bool infinite = m->special == SPECIAL_IEEE && magnitude == largest(m) + 1;
        return copysign(infinite ? (double)INFINITY : (double)NAN, negative ? -1.0 : 1.0);
    }
    return negative ? -magnitude_of(m, magnitude) : magnitude_of(m, magnitude);
}

static uint8_t scale_of(double v, struct minifloat_rounding rounding) {
    int exponent = 0;
    double fraction = frexp(v, &exponent); /* v = fraction * 2^exponent, 0.5 <= fraction < 1 */
    if (isnan(v) || (!rounding.saturate && (isinf(v) || v <= 0))) {
        return SCALE_NAN;
    }
    if (isinf(v) || v <= 0) {
        return v > 0 ? SCALE_NAN - 1 : 0;
    }
    bool up = rounding.scale == MINIFLOAT_UP ? fraction > 0.5 : rounding.scale == MINIFLOAT_NEAREST && fraction >= 0.75;
    int code = exponent - 1 + up + SCALE_BIAS;
    bool outside = code < 0 || code >= SCALE_NAN;
    return outside ? (rounding.saturate ? (code < 0 ? 0 : SCALE_NAN - 1) : SCALE_NAN) : (uint8_t)code;
}

/* Half to even; may exceed the largest code. */
static int nearest_code(const struct minifloat *m, double magnitude) {
    int exponent = 0, smallest = 1 - m->bias;
    (void)frexp(magnitude, &exponent);
    exponent = magnitude == 0.0 || exponent - 1 < smallest ? smallest : exponent - 1;
    double steps = rint(ldexp(magnitude, m->mantissa_bits - exponent));
    /* The steps of a normal number hold the leading one, which counts as one exponent. */
    return ((exponent - smallest) << m->mantissa_bits) + (int)steps;
}

static int too_large(const struct minifloat *m, bool negative, bool saturate) {
    if (saturate || m->special == SPECIAL_NONE) {
        return largest(m) | (negative ? magnitude_mask(m) + 1 : 0);
    }
    if (m->special == SPECIAL_NAN_ZERO) {
        return magnitude_mask(m) + 1;
    }
    return (largest(m) + 1) | (negative ? magnitude_mask(m) + 1 : 0);
}

static int nan_code(const struct minifloat *m, bool negative) {
    int sign = magnitude_mask(m) + 1;
    if (m->special == SPECIAL_NAN_ZERO || m->special == SPECIAL_NONE) {
        return sign; /* without NaN, -0 stands in: what ONNX's own cases expect */
    }
    int code = m->special == SPECIAL_IEEE ? largest(m) + 1 + (1 << (m->mantissa_bits - 1)) : magnitude_mask(m);
    return code | (negative ? sign : 0);
}

uint8_t minifloat_of(enum dtype type, double v, struct minifloat_rounding rounding) {
    const struct minifloat *m = find(type);
    bool negative = signbit(v);
    if (m == NULL) {
        return scale_of(v, rounding);
    }
    if (isnan(v)) {
        return (uint8_t)nan_code(m, negative);
    }
    double magnitude = fabs(v), most = 2 * magnitude_of(m, largest(m));
    int code = magnitude >= most ? largest(m) + 1 : nearest_code(m, magnitude);
    if (code > largest(m)) {
        return (uint8_t)too_large(m, negative, rounding.saturate);
    }
    bool signed_zero = code > 0 || m->special != SPECIAL_NAN_ZERO;
    return (uint8_t)(code | (negative && signed_zero ? magnitude_mask(m) + 1 : 0));
}
