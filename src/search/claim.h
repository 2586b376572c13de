/* The accuracy bound, and what a measurement says about it. */
#ifndef PARE_SEARCH_CLAIM_H
#define PARE_SEARCH_CLAIM_H

#include "search/evaluate.h"

struct claim {
    enum metric metric;
    double bound; /* largest drop, as a fraction of the samples (SQNR: largest noise over signal) */
    double confidence;
    double float_accuracy;
    size_t samples;
};

/* The bound of the options on this set: relative ones take the float network's accuracy on it. */
void claim_init(struct claim *c, const struct search_options *options, const struct sample_set *set);
double claim_drop(const struct claim *c, const struct measure *m);
/* The drop, and at the claim's confidence its upper limit too, are within the bound. */
bool claim_holds(const struct claim *c, const struct measure *m);
/* Fills the accuracy report; `reason` lies in the arena. */
enum pare_status claim_report(struct context *ctx, struct arena *a, const struct claim *search,
                              const struct measure *on_search, const struct claim *held_out,
                              const struct measure *on_held_out, struct accuracy *out);

#endif
