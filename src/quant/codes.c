#include "quant/codes.h"

#include "runtime/arith.h"

#include <math.h>

int32_t quantize_to(double x, int frac, int32_t low, int32_t high) {
    double scaled = isnan(x) ? 0 : rint(ldexp(x, frac)); /* the default rounding mode: half to even */
    return scaled <= low ? low : scaled >= high ? high : (int32_t)scaled;
}

int32_t quantize(double x, const struct format *f, int channel) {
    return quantize_to(x, format_frac(f, channel), format_min(f), format_max(f));
}

double dequantize(int32_t code, const struct format *f, int channel) {
    return ldexp(code, -format_frac(f, channel));
}

void store_code(void *data, size_t i, const struct format *f, int32_t code) {
    if (f->bits > 8) {
        ((uint16_t *)data)[i] = (uint16_t)code;
    } else {
        ((uint8_t *)data)[i] = (uint8_t)code;
    }
}

int32_t load_code(const void *data, size_t i, const struct format *f) {
    if (f->bits > 8) {
        return f->is_signed ? ((const int16_t *)data)[i] : ((const uint16_t *)data)[i];
    }
    return f->is_signed ? ((const int8_t *)data)[i] : ((const uint8_t *)data)[i];
}

void quantize_floats(const float *x, size_t count, const struct format *f, void *codes) {
    double scale = ldexp(1, f->frac);
    int32_t low = format_min(f), high = format_max(f);
    for (size_t i = 0; i < count; i++) {
        store_code(codes, i, f, quantize_to(x[i] * scale, 0, low, high));
    }
}

void dequantize_codes(const void *codes, size_t count, const struct format *f, float *x) {
    double scale = ldexp(1, -f->frac);
    for (size_t i = 0; i < count; i++) {
        x[i] = (float)(load_code(codes, i, f) * scale);
    }
}

int frac_for_range(double largest, int bits, bool is_signed) {
    if (!(largest > 0) || isinf(largest)) {
        return 0;
    }
    int32_t top = code_max((unsigned)bits, is_signed);
    int frac = (int)floor(log2(top / largest));
    return frac > FRAC_LIMIT ? FRAC_LIMIT : frac < -FRAC_LIMIT ? -FRAC_LIMIT : frac;
}

static double squared_error(const float *x, size_t count, const float *importance, const struct format *f) {
    double sum = 0;
    double scale = ldexp(1, f->frac), step = ldexp(1, -f->frac);
    int32_t low = format_min(f), high = format_max(f);
    for (size_t i = 0; i < count; i++) {
        double e = x[i] - quantize_to(x[i] * scale, 0, low, high) * step;
        sum += e * e * (importance == NULL ? 1 : importance[i]);
    }
    return sum;
}

int frac_for_elements(const float *x, size_t count, const float *importance, int bits, bool is_signed, int limit) {
    double largest = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(x[i]));
    }
    int first = frac_for_range(largest, bits, is_signed), best = first < limit ? first : limit;
    double least = INFINITY;
    /* From one bit coarser (the negative end reaches further than the positive one) to clipping at an eighth. */
    for (int frac = first - 1; frac <= first + 3 && frac <= limit; frac++) {
        struct format f = {.bits = bits, .is_signed = is_signed, .frac = frac};
        double e = squared_error(x, count, importance, &f);
        if (e < least) {
            least = e;
            best = frac;
        }
    }
    return best;
}

enum pare_status format_constant(struct context *ctx, struct arena *a, struct value *v, int bits) {
    size_t count = tensor_count(v->constant);
    float *x = ARENA_ARRAY(a, count, float);
    struct format *f = ARENA_NEW(a, struct format);
    if (x == NULL || f == NULL) {
        return fail_memory(ctx);
    }
    bool is_signed = false;
    for (size_t i = 0; i < count; i++) {
        x[i] = (float)tensor_get_double(v->constant, i);
        is_signed = is_signed || x[i] < 0;
    }
    *f = (struct format){.bits = bits, .is_signed = is_signed};
    f->frac = frac_for_elements(x, count, NULL, bits, is_signed, FRAC_LIMIT);
    v->format = f;
    return PARE_OK;
}
