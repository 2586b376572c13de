/* The larger and the smaller of two; of reals, what is not a number wins. */
#ifndef PARE_FLOAT_EXTREMES_H
#define PARE_FLOAT_EXTREMES_H

#include <math.h>
#include <stdint.h>

static inline double larger(double a, double b) {
    return isnan(a) || a > b ? a : b;
}

static inline double smaller(double a, double b) {
    return isnan(a) || a < b ? a : b;
}

static inline int64_t integer_larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static inline int64_t integer_smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

#endif
