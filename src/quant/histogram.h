/* Distribution of a stream of values in constant memory, exact to a bin, whatever the order they came in. */
#ifndef PARE_QUANT_HISTOGRAM_H
#define PARE_QUANT_HISTOGRAM_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bin i counts the magnitudes in [i, i + 1) * 2^exponent / bins. The range doubles when a value exceeds it, and pairs
 * of bins become one: since counts are integers, the order of values and of merges leaves no trace. */
struct histogram {
    uint64_t *counts; /* [2][bins]: positive values, then negative ones; zeros are counted in `count` only */
    uint32_t bins;    /* a power of two */
    int exponent;     /* meaningful once `filled` */
    bool filled;
    uint64_t count; /* finite values so far */
    double low, high;
};

/* `bins` must be a power of two. False when out of memory. */
bool histogram_init(struct histogram *h, struct arena *a, uint32_t bins);
/* Values that are not finite are left out. */
void histogram_add(struct histogram *h, const float *x, size_t count);
void histogram_merge(struct histogram *h, const struct histogram *from); /* of as many bins */

/* Mean squared error of rounding to `bits` bits at fraction `frac`, values taken as spread evenly over their bin. */
double histogram_error(const struct histogram *h, int bits, bool is_signed, int frac);
/* The fraction with the least such error, from one bit coarser than covering the range to clipping at a 16th of it. */
int histogram_frac(const struct histogram *h, int bits, bool is_signed, double *error);
/* The same without clipping. */
int histogram_covering_frac(const struct histogram *h, int bits, bool is_signed, double *error);
/* The step with the least such error, where it need not be a power of two. */
double histogram_step(const struct histogram *h, int bits, bool is_signed);

#endif
