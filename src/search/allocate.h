/* Which tensor gets how many bits: a path of ever cheaper widths, by predicted harm per saved cost. */
#ifndef PARE_SEARCH_ALLOCATE_H
#define PARE_SEARCH_ALLOCATE_H

#include "search/cost.h"

/* Predicted divergence of knob k at width b; infinite where the width is not considered. */
struct sensitivity {
    size_t count;
    double (*harm)[KNOB_MAX_BITS + 1];
};

enum pare_status sensitivity_new(struct context *ctx, struct arena *a, size_t knobs, struct sensitivity *out);
/* Takes the harm of knob k as measured against width `now` (0 there, of either sign elsewhere) to harm against infinite
 * width. Each bit divides rounding noise by 4; measured differences of wide formats drown in the noise of the other
 * tensors, so they serve as upper limits only, under a third of the next narrower width's harm. */
void sensitivity_smooth(struct sensitivity *s, size_t k, int now);

struct path {
    size_t knobs, count;
    uint8_t *bits; /* [count][knobs], from the most expensive to the cheapest */
};

/* Starts with every knob at its widest considered width and goes down to the narrowest, at each step with the knob and
 * width of least added harm per saved cost: the greedy solution of the multiple-choice knapsack, whose points are
 * optimal for its linear relaxation (Sinha and Zoltners 1979, section 2). */
enum pare_status path_build(struct context *ctx, struct arena *a, const struct cost_model *m,
                            const struct sensitivity *s, struct path *out);

#endif
