/* Private to src/search: one search under way. */
#ifndef PARE_SEARCH_STATE_H
#define PARE_SEARCH_STATE_H

#include "quant/paired.h"
#include "search/allocate.h"
#include "search/calibration.h"
#include "search/claim.h"
#include "search/cost.h"
#include "search/evaluate.h"

/* A state whose accuracy on the whole search set is known. */
struct candidate {
    uint8_t *bits;
    struct edition *edition;
    struct measure measure;
    struct cost_sums sums;
    double cost;
    bool accepted;
    bool sized; /* the next two are known */
    uint64_t pare_bytes, peak_bytes;
};

struct search {
    struct context *ctx;
    const struct search_options *options;
    struct arena *arena; /* of the result */
    struct scheme *scheme;
    struct statistics *statistics;
    struct knobs knobs;
    struct cost_model cost;
    struct evaluator evaluator;
    struct journal *journal;
    struct calibration calibration;
    struct sample_set search_set, held_out, few; /* `few`: the sensitivities' */
    struct claim claim;
    size_t *order; /* knobs, the last operator of the program first */
    struct candidate *candidates;
    size_t candidate_count, candidate_capacity;
    struct candidate *best; /* the cheapest accepted one */
    struct graph *given;    /* the float network with all its channels; owned where it is not the result's */
    const struct dropped_list *dropped;
    struct paired *paired; /* of the calibration samples */
    struct executor_cache *calibration_cache;
    struct candidate **front; /* for the report: the cheapest first */
    size_t front_count;
    size_t full_evaluations;
    bool start_fails;       /* no uniform widths hold the bound on the search set */
    uint64_t given_hash;    /* before it was annotated */
    bool keeps_limits;      /* accepted points are within the limits, too */
    bool limits_impossible; /* even the narrowest widths exceed them */
    double start;           /* of the search, by monotonic_seconds() */
    char note[128];
};

/* From here on, when there is a point to fall back on, the time limit counts. */
void search_limit_time(struct search *s);
void search_report(struct search *s, const char *phase, size_t done, size_t total);

/* ---- steps that the walk and the budget share ---- */

/* The point with these widths, measured on the search set: with the first edition's weights, or with weights rounded
 * for the inputs that the program has at these widths. The best one so far is kept in s->best. */
enum pare_status search_evaluate(struct search *s, const uint8_t *bits, bool fitted, struct candidate **out);
/* The operator of the program whose weights, bias or output it is; 0 for the network's inputs. */
uint32_t search_knob_op(const struct search *s, size_t knob);
/* The graph of the scheme without channels that the others make good, and what went added to the list; NULL where none
 * can go for a tenth of the bound on the search set. Needs the statistics. */
enum pare_status search_drop_redundant(struct search *s, struct dropped_list *dropped, struct graph **out);
/* Harm of every (tensor, width) at the quantised point `at`, all other tensors as they are there. */
enum pare_status search_sensitivities(struct search *s, const struct candidate *at, struct sensitivity *out);
#define PROBE_SECTIONS 3 /* of the program, from the second round on */
/* Corrects them at another point: weights, and activations, of each of so many sections of the program are made
 * narrower there, all of a section at once, and measured with weights fitted to that. Up to 2 * sections evaluations.
 */
enum pare_status search_probe(struct search *s, const struct candidate *at, size_t sections, struct sensitivity *harm);
/* What has been corrected at a point is true around it: only two widths up and down of its own. */
enum pare_status search_nearby(struct search *s, const struct candidate *at, const struct sensitivity *harm,
                               struct sensitivity *out);
/* The edition of a candidate with these widths. */
enum pare_status search_edition(struct search *s, const uint8_t *bits, bool fitted, struct edition **out);
/* Rounds the weights of an edition, the first layer first: the `fit` of the evaluator, `user` the search. */
enum pare_status search_fit(void *user, struct context *ctx, struct edition *edition);

/* ---- limits ---- */

bool search_has_bound(const struct search *s);
bool search_has_limits(const struct search *s);
/* The largest of costs over their limits: at most 1 is within. The sizes must be known. */
double limits_share(const struct limits *l, const struct candidate *c);
/* Sets c->accepted: the bound is promised, and the limits are kept where s->keeps_limits is set. */
enum pare_status search_accept(struct search *s, struct candidate *c);
/* From here on points count only within the limits: judges all so far anew. */
enum pare_status search_keep_limits(struct search *s);
/* Looks for the least divergence within the limits, where the walk has left no accepted point that keeps them. */
enum pare_status search_within_limits(struct search *s);
/* The point to take where the bound decides nothing: without one, the least divergence within the limits; else the
 * point within them, or nearest to them, when none is accepted. NULL: the accepted ones are to be chosen from. */
enum pare_status search_inside(struct search *s, struct candidate **out);
/* Says in the result what is wrong where s->best exceeds them. */
enum pare_status search_judge_limits(struct search *s, struct search_result *r);
/* Where the chosen point does not hold the bound because those that do exceed the limits, says so as its reason. */
enum pare_status search_blame_limits(struct search *s, struct accuracy *a);

/* ---- the search ---- */

/* Uniform widths that hold the bound on the search set. PARE_ERROR_BOUND when none does; the points that were evaluated
 * stand in s->candidates whatever the outcome. */
enum pare_status search_start(struct search *s);
/* The point whose widths the options give, whether it holds the bound or not. PARE_ERROR_INPUT where they cannot be
 * followed. */
enum pare_status search_given(struct search *s);
/* From there down to the cheapest point that holds the bound on the search set. */
enum pare_status search_walk(struct search *s);

/* Points (at least one, the cheapest first) are tested on the held-out samples in an order that does not depend on
 * them, the dearest first, at the levels of struct fallback. The cheapest that held becomes s->best, and the claim's
 * level what it was tested at; when none did, the first. Where the samples are too few for any claim (drop_only) the
 * cheapest within the bound is taken. Long lists are thinned, most of all below
 * `from` (NULL: the cheapest). */
enum pare_status search_test(struct search *s, struct claim *claim, struct candidate **list, size_t count,
                             const struct candidate *from, struct measure *out);
/* Lists s->front: the points that no other one beats in cost and drop, and s->best. */
enum pare_status search_list_front(struct search *s);
/* Real sizes of what would be written for a point: pare_bytes 0 where there is no file. */
enum pare_status search_measure_size(struct search *s, struct candidate *c);
/* Takes the point of the front that the options pick, and measures it on the held-out samples. */
enum pare_status search_pick(struct search *s, struct search_result *r);

/* Takes the cheapest accepted point whose claim the held-out samples support, and fills accuracy, cost and Pareto
 * front. */
enum pare_status search_conclude(struct search *s, struct search_result *r);

#endif
