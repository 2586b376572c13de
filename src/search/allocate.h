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
/* Takes the harm of knob k as measured against width `now` (infinite where it was not) to harm against infinite width,
 * for the widths of the mask `considered`. Harm is taken to be proportional to the mean squared error error[b] that
 * rounding to b bits causes: measured differences of wide formats drown in the noise of the other tensors, so they
 * only take part in finding the factor, their median, and serve for narrower widths themselves. */
void sensitivity_fit(struct sensitivity *s, size_t k, int now, uint32_t considered, const double *error);

/* Of all knobs at these widths. */
double sensitivity_sum(const struct sensitivity *s, const uint8_t *bits);

/* The next wider width of knob k that is considered; 0: none. */
int sensitivity_next(const struct sensitivity *s, size_t k, int now);

struct path {
    size_t knobs, count;
    uint8_t *bits; /* [count][knobs], from the most expensive to the cheapest */
    double *harm;  /* [count], predicted */
};

/* Starts with every knob at its widest considered width and goes down to the narrowest, at each step with the knob and
 * width of least added harm per saved cost: the greedy solution of the multiple-choice knapsack, whose points are
 * optimal for its linear relaxation (Sinha and Zoltners 1979, section 2). */
enum pare_status path_build(struct context *ctx, struct arena *a, const struct cost_model *m,
                            const struct sensitivity *s, struct path *out);

/* Whether these widths are within what may be spent. */
typedef enum pare_status allocation_fits(void *user, uint8_t *bits, bool *out);

/* Spends what `bits`, which fit, leave over, one width after the other with the most harm prevented per cost: where one
 * tensor makes up most of the cost, points of the path lie far apart. */
enum pare_status allocation_fill(struct context *ctx, struct arena *a, const struct cost_model *m,
                                 const struct sensitivity *s, allocation_fits *fits, void *user, uint8_t *bits);

#endif
