#include "quant/histogram.h"

#include "quant/codes.h"

#include <math.h>

#define COARSER 1
#define FINER 4
#define STEPS_PER_OCTAVE 8 /* as closely as a step is chosen that may be any number */

bool histogram_init(struct histogram *h, struct arena *a, uint32_t bins) {
    *h = (struct histogram){.bins = bins, .counts = arena_array(a, (size_t)bins * 2, sizeof(*h->counts))};
    return h->counts != NULL;
}

static unsigned log2_of(uint32_t power) {
    unsigned log2 = 0;
    while (power >> log2 > 1) {
        log2++;
    }
    return log2;
}

/* How far to shift a bin's index when the range grows by that many doublings. */
static unsigned index_shift(const struct histogram *h, int doublings) {
    unsigned all = log2_of(h->bins);
    return doublings < (int)all ? (unsigned)doublings : all;
}

static void raise_range(struct histogram *h, int exponent) {
    if (!h->filled) {
        h->filled = true;
        h->exponent = exponent;
    }
    if (exponent <= h->exponent) {
        return;
    }
    unsigned shift = index_shift(h, exponent - h->exponent);
    for (uint32_t i = 0; i < 2 * h->bins; i++) {
        uint32_t half = i < h->bins ? 0 : h->bins;
        uint64_t n = h->counts[i];
        h->counts[i] = 0;
        h->counts[half + ((i - half) >> shift)] += n;
    }
    h->exponent = exponent;
}

/* Extremes of the finite values, 0 included; the number of them. */
static size_t finite_range(const float *x, size_t count, float *low, float *high) {
    size_t finite = 0;
    *low = *high = 0;
    for (size_t i = 0; i < count; i++) {
        if (isfinite(x[i])) {
            *low = x[i] < *low ? x[i] : *low;
            *high = x[i] > *high ? x[i] : *high;
            finite++;
        }
    }
    return finite;
}

void histogram_add(struct histogram *h, const float *x, size_t count) {
    float low = 0, high = 0;
    h->count += finite_range(x, count, &low, &high);
    h->low = fmin(h->low, low);
    h->high = fmax(h->high, high);
    double largest = fmax(-(double)low, high);
    if (!(largest > 0)) {
        return;
    }
    int exponent = 0;
    (void)frexp(largest, &exponent); /* largest < 2^exponent */
    raise_range(h, exponent);
    double scale = ldexp(h->bins, -h->exponent);
    for (size_t i = 0; i < count; i++) {
        if (x[i] != 0 && isfinite(x[i])) {
            h->counts[(x[i] < 0 ? h->bins : 0) + (uint32_t)(fabsf(x[i]) * scale)]++;
        }
    }
}

void histogram_merge(struct histogram *h, const struct histogram *from) {
    h->count += from->count;
    h->low = fmin(h->low, from->low);
    h->high = fmax(h->high, from->high);
    if (!from->filled) {
        return;
    }
    raise_range(h, from->exponent);
    unsigned shift = index_shift(h, h->exponent - from->exponent);
    for (uint32_t i = 0; i < h->bins; i++) {
        h->counts[i >> shift] += from->counts[i];
        h->counts[h->bins + (i >> shift)] += from->counts[h->bins + i];
    }
}

/* ---- errors ---- */

/* The integral from 0 to x of the squared error of rounding to steps of 1, for codes 0..top. */
static double error_integral(double x, double top) {
    double inside = fmin(x, top), code = floor(inside + 0.5), rest = inside - code;
    double beyond = x - inside;
    return code / 12 + rest * rest * rest / 3 + beyond * beyond * beyond / 3;
}

/* Squared error of one half of the histogram, in steps of the format; bins are `width` steps wide. */
static double half_error(const uint64_t *counts, uint32_t bins, double width, double top) {
    double sum = 0, before = 0;
    for (uint32_t i = 0; i < bins; i++) {
        double after = error_integral((i + 1) * width, top);
        sum += (double)counts[i] * (after - before);
        before = after;
    }
    return sum / width;
}

/* Of rounding to multiples of any step. */
static double step_error(const struct histogram *h, int bits, bool is_signed, double step) {
    if (!h->filled) {
        return 0;
    }
    struct format f = {.bits = bits, .is_signed = is_signed};
    double width = ldexp(1.0 / h->bins, h->exponent) / step;
    double positive = half_error(h->counts, h->bins, width, format_max(&f));
    double negative = half_error(h->counts + h->bins, h->bins, width, -(double)format_min(&f));
    return (positive + negative) * step * step / (double)h->count;
}

double histogram_error(const struct histogram *h, int bits, bool is_signed, int frac) {
    return step_error(h, bits, is_signed, ldexp(1, -frac));
}

static int best_frac(const struct histogram *h, int bits, bool is_signed, int finer, double *error) {
    double largest = is_signed ? fmax(h->high, -h->low) : h->high, least = INFINITY;
    int first = frac_for_range(largest, bits, is_signed), best = first;
    for (int frac = first - COARSER; frac <= first + finer && frac <= FRAC_LIMIT; frac++) {
        double e = histogram_error(h, bits, is_signed, frac);
        if (frac >= -FRAC_LIMIT && e < least) {
            least = e;
            best = frac;
        }
    }
    if (error != NULL) {
        *error = h->filled ? least : 0;
    }
    return h->filled ? best : first;
}

int histogram_frac(const struct histogram *h, int bits, bool is_signed, double *error) {
    return best_frac(h, bits, is_signed, FINER, error);
}

int histogram_covering_frac(const struct histogram *h, int bits, bool is_signed, double *error) {
    return best_frac(h, bits, is_signed, 0, error);
}

double histogram_step(const struct histogram *h, int bits, bool is_signed) {
    double around = ldexp(1, -histogram_frac(h, bits, is_signed, NULL)), best = around, least = INFINITY;
    for (int i = -STEPS_PER_OCTAVE; i <= STEPS_PER_OCTAVE; i++) {
        double step = around * exp2((double)i / STEPS_PER_OCTAVE), error = step_error(h, bits, is_signed, step);
        if (error < least) {
            least = error;
            best = step;
        }
    }
    return best;
}
