/* Private to src/search: one search under way. */
#ifndef PARE_SEARCH_STATE_H
#define PARE_SEARCH_STATE_H

#include "search/claim.h"
#include "search/cost.h"
#include "search/evaluate.h"

/* A state whose accuracy on the whole search set is known. */
struct candidate {
    uint8_t *bits;
    const struct edition *edition;
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
    struct dataset calibration;
    struct sample_set search_set, held_out, few; /* `few`: the sensitivities' */
    struct claim claim;
    size_t *order; /* knobs, the last operator of the program first */
    struct candidate *candidates;
    size_t candidate_count, candidate_capacity;
    struct candidate *best;      /* the cheapest accepted one */
    const uint8_t *revised_bits; /* widths for which weights were last rounded again; or NULL */
    struct candidate **front;    /* for the report: the cheapest first */
    size_t front_count;
    size_t full_evaluations;
    double start; /* of the search, by monotonic_seconds() */
    char note[128];
};

/* From here on, when there is a point to fall back on, the time limit counts. */
void search_limit_time(struct search *s);
void search_report(struct search *s, const char *phase, size_t done, size_t total);

/* From uniform widths down to the cheapest point that holds the bound on the search set. PARE_ERROR_BOUND when none
 * does; the points that were evaluated stand in s->candidates whatever the outcome. */
enum pare_status search_walk(struct search *s);

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
