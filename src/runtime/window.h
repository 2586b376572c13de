/* Which taps of a sliding window meet the input, along one axis: one definition for kernels and checks. */
#ifndef PARE_RUNTIME_WINDOW_H
#define PARE_RUNTIME_WINDOW_H

#include <stdint.h>

/* Taps [first, last) of a window. */
struct taps {
    int32_t first, last;
};

/* The taps k of [0, kernel) for which begin <= start + k * dilation < end. */
static inline struct taps taps_between(int32_t start, int32_t kernel, int32_t dilation, int32_t begin, int32_t end) {
    struct taps t = {0, kernel};
    if (start < begin) {
        t.first = (begin - start - 1) / dilation + 1;
    }
    int32_t beyond = start < end ? (end - start - 1) / dilation + 1 : 0;
    t.last = beyond < kernel ? beyond : kernel;
    t.first = t.first < t.last ? t.first : t.last;
    return t;
}

#endif
