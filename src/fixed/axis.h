/* One axis of a convolution or a transposed convolution, as sums of taps over consecutive samples.
 *
 * The padded input is split by its position modulo the stride into phases; then every tap of a strided convolution
 * reads consecutive samples of one phase. A transposed convolution is instead split at its output: the outputs of
 * equal position modulo the stride form a lattice, which is a convolution of stride 1 with some of the taps. */
#ifndef PARE_FIXED_AXIS_H
#define PARE_FIXED_AXIS_H

#include "base/arena.h"
#include "base/context.h"

#include <stdbool.h>
#include <stdint.h>

struct tap {
    uint32_t kernel; /* index in the kernel */
    uint32_t phase;  /* index into axis.phase */
    uint32_t index;  /* output j of the lattice reads sample index + j of that phase */
};

struct lattice { /* the outputs start, start + step, ... */
    uint32_t start, step, count;
    uint32_t tap_count;
    struct tap *taps;
};

struct axis {
    uint32_t in_size, out_size, kernel, stride, dilation, pad; /* given */
    uint32_t taps_per_word; /* given: taps that are read with the one before them need no phase of their own */
    uint32_t spacing; /* sample i of phase p is input i * spacing + phase[p] - margin; zero where that is outside */
    int64_t margin;
    uint32_t phase_count;
    uint32_t *phase;
    uint32_t extent; /* samples per phase */
    uint32_t lattice_count;
    struct lattice *lattices;
};

/* Whether the axis, of a program that was checked, is small enough to be planned. */
bool axis_fits(const struct axis *axis);
/* Fill what follows from the given fields of an axis that fits; memory in `arena`. */
enum pare_status axis_plan_conv(struct context *ctx, struct arena *arena, struct axis *axis);
enum pare_status axis_plan_transpose(struct context *ctx, struct arena *arena, struct axis *axis);

#endif
