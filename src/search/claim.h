/* The accuracy bound, and what a measurement says about it. */
#ifndef PARE_SEARCH_CLAIM_H
#define PARE_SEARCH_CLAIM_H

#include "search/evaluate.h"

struct claim {
    enum metric metric;
    double max_drop; /* as given */
    bool max_drop_relative;
    double bound; /* largest drop, as a fraction of the samples (SQNR: largest noise over signal) */
    double confidence;
    double level; /* of the test, one-sided: 1 - confidence, or less for one of several points, see search_test */
    double float_accuracy;
    size_t samples;
    const char *wider;  /* the option that would allow wider formats */
    bool measured_only; /* TECHNIQUE_EXPECTED_DROP is off */
    bool drop_only; /* the samples cannot tell whatever is done: the search goes by the measured drop, and says so */
};

/* The bound of the options on this set: relative ones take the float network's accuracy on it. */
void claim_init(struct claim *c, const struct search_options *options, const struct sample_set *set);
double claim_drop(const struct claim *c, const struct measure *m);
/* Whether the measured samples are enough to tell: a network that had lost nothing, with the same number of discordant
 * samples, would be shown to hold the bound at the claim's confidence; the one-sided error of the drop is at most the
 * bound. */
bool claim_can_tell(const struct claim *c, const struct measure *m);
/* The claim: the drop is within the bound, the samples are enough to tell, and at the claim's level the drop is shown
 * to be below twice the bound, which asks for hardly more when it is all of 1 - confidence. */
bool claim_holds(const struct claim *c, const struct measure *m);
/* What the search goes by: claim_holds, or the drop alone where the samples are too few for the claim. */
bool claim_supports(const struct claim *c, const struct measure *m);
/* Whether so many other samples will be too few for this point, to judge by the ones measured. */
bool claim_needs_samples(const struct claim *c, const struct measure *m, size_t held_out);
/* From how many on that is not so; not for SQNR. */
double claim_samples_needed(const struct claim *c, const struct measure *m);
/* The drop to expect on other samples: between the measured one and measure.expected_drop, which has less variance, the
 * nearer to the measured one the more samples there are. */
double claim_estimate(const struct claim *c, const struct measure *m);
/* Whether what was measured on the search set lets the claim be expected on `held_out` other samples: by the estimate,
 * with a quarter of a standard error to spare, since the best of many points looks better than it is. */
bool claim_promises(const struct claim *c, const struct measure *m, size_t held_out);
/* Whether the claim may hold on them all the same: by the estimate, up to half a standard error beyond the bound. What
 * is beyond the bound on the search set is worth a try behind what is not, see search_test. */
bool claim_may_hold(const struct claim *c, const struct measure *m, size_t held_out);
/* Fills the accuracy report; `reason` lies in the arena. */
enum pare_status claim_report(struct context *ctx, struct arena *a, const struct claim *search,
                              const struct measure *on_search, const struct claim *held_out,
                              const struct measure *on_held_out, struct accuracy *out);

#endif
