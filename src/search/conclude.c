/* The end of a search: the claim on the held-out samples, and the figures of the chosen point. */
#include "search/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TESTS_MAX 9
#define CHEAPER_TESTS_MAX 3 /* of them, below the best point */
#define FIRST_STRIDE 0.02   /* of the cost */
#define STRIDE_GROWTH 1.5
#define OVERTAKEN 0.25 /* standard errors */
#define SHARE_LEAST 0.02

/* ---- the claim ---- */

static int by_cost(const void *a, const void *b) {
    const struct candidate *x = *(struct candidate *const *)a, *y = *(struct candidate *const *)b;
    if (x->cost != y->cost) {
        return x->cost < y->cost ? -1 : 1;
    }
    return x->measure.divergence < y->measure.divergence ? -1 : x->measure.divergence > y->measure.divergence;
}

/* The candidates that may hold the claim, the cheapest first; without those that cost more than another and promise
 * clearly less, unless no claim can be made and all of them may be looked at. Where there are none, the one with the
 * smallest drop. */
static enum pare_status front(struct search *s, struct candidate ***out, size_t *count) {
    struct candidate **list = ARENA_ARRAY(s->arena, s->candidate_count + 1, struct candidate *), *nearest = NULL;
    if (list == NULL) {
        return fail_memory(s->ctx);
    }
    size_t accepted = 0;
    for (size_t i = 0; i < s->candidate_count; i++) {
        struct candidate *c = &s->candidates[i];
        bool may_hold = claim_may_hold(&s->claim, &c->measure, s->held_out.data->count);
        if (c->accepted || (may_hold && !s->keeps_limits)) {
            list[accepted++] = c;
        }
        bool nearer = nearest == NULL || claim_drop(&s->claim, &c->measure) < claim_drop(&s->claim, &nearest->measure);
        nearest = nearer ? c : nearest;
    }
    qsort(list, accepted, sizeof(struct candidate *), by_cost);
    struct candidate *inside = NULL;
    TRY(search_inside(s, &inside));
    *out = list;
    *count = 0;
    if (inside != NULL) {
        list[(*count)++] = inside;
        return PARE_OK;
    }
    double least = INFINITY;
    for (size_t i = 0; i < accepted; i++) {
        double estimate = claim_estimate(&s->claim, &list[i]->measure);
        double error = paired_error(&list[i]->measure.paired);
        if (s->claim.drop_only || estimate < least + OVERTAKEN * error) {
            list[(*count)++] = list[i];
        }
        least = fmin(least, estimate);
    }
    if (*count == 0 && nearest != NULL) {
        list[(*count)++] = nearest;
    }
    *out = list;
    return PARE_OK;
}

/* Leaves of a list, the cheapest first, that one and then those that promise most among their neighbours in cost, which
 * are close at its beginning and further apart where more and more is spent; or `evenly` up to the dearest. */
static size_t thin_up(const struct search *s, struct candidate **list, size_t count, bool evenly, size_t most) {
    double range = list[count - 1]->cost / list[0]->cost;
    double stride = evenly ? pow(range, 1.0 / (double)(most - 1)) - 1 : FIRST_STRIDE;
    size_t kept = 0;
    for (size_t i = 0; i < count; kept++) {
        struct candidate *best = list[i];
        double end = list[i++]->cost * (1 + stride);
        if (kept == most - 1 || (evenly && end >= list[count - 1]->cost)) {
            best = list[count - 1];
            i = count;
        }
        for (; i < count && list[i]->cost < end; i++) {
            double promise = claim_estimate(&s->claim, &list[i]->measure);
            best = kept > 0 && promise < claim_estimate(&s->claim, &best->measure) ? list[i] : best;
        }
        list[kept] = best;
        stride *= evenly ? 1 : STRIDE_GROWTH;
    }
    return kept;
}

/* The same from the dearest on, down to few: they stand at the end of the list then. */
static size_t thin_down(const struct search *s, struct candidate **list, size_t count) {
    double stride = FIRST_STRIDE;
    size_t kept = 0;
    for (size_t i = count; i > 0 && kept < CHEAPER_TESTS_MAX; stride *= STRIDE_GROWTH) {
        struct candidate *best = list[--i];
        double end = best->cost * (1 - stride);
        for (; i > 0 && list[i - 1]->cost > end; i--) {
            double promise = claim_estimate(&s->claim, &list[i - 1]->measure);
            best = promise < claim_estimate(&s->claim, &best->measure) ? list[i - 1] : best;
        }
        list[count - ++kept] = best;
    }
    return kept;
}

/* Most tests are for the point that the search has come to (NULL: the cheapest) and those that cost more: what costs
 * less has disappointed already, or promises little. */
static size_t thin(const struct search *s, struct candidate **list, size_t count, const struct candidate *from,
                   bool evenly) {
    size_t split = 0;
    while (!evenly && from != NULL && split + 1 < count && list[split]->cost < from->cost) {
        split++;
    }
    size_t below = thin_down(s, list, split);
    size_t above = thin_up(s, list + split, count - split, evenly, TESTS_MAX - below);
    memmove(list, list + split - below, (below + above) * sizeof(struct candidate *));
    return below + above;
}

/* Of the level, by the chance that the point holds, to judge by the search set: what is likely to hold hands its share
 * on. By its cube, since in a simulation higher powers gained no more than a hundredth. */
static double share_of(const struct search *s, const struct candidate *c) {
    double room = s->claim.bound - claim_estimate(&s->claim, &c->measure), error = paired_error(&c->measure.paired);
    double chance = 0.5 * erfc(-room / (error * sqrt(2)));
    return fmax(chance * chance * chance, SHARE_LEAST);
}

enum pare_status search_test(struct search *s, struct claim *claim, struct candidate **list, size_t count,
                             const struct candidate *from, struct measure *out) {
    struct candidate *chosen = NULL;
    struct claim at = *claim;
    size_t tests = thin(s, list, count, from, claim->drop_only);
    double shares[TESTS_MAX];
    struct fallback levels;
    for (size_t i = 0; i < tests; i++) {
        shares[i] = share_of(s, list[tests - 1 - i]);
    }
    fallback_begin(&levels, 1 - claim->confidence, shares, tests);
    for (size_t i = tests; i-- > 0;) {
        struct measure m;
        s->knobs.edition = list[i]->edition;
        TRY(evaluator_measure(s->ctx, &s->evaluator, &s->held_out, list[i]->bits, &m));
        s->full_evaluations++;
        at.level = claim->drop_only ? claim->level : fallback_level(&levels);
        bool held = claim_supports(&at, &m);
        if (held || chosen == NULL) {
            chosen = list[i];
            *claim = at;
            *out = m;
        }
        fallback_go_on(&levels, held);
    }
    s->best = chosen;
    return PARE_OK;
}

static enum pare_status choose(struct search *s, struct search_result *r) {
    struct candidate **list = NULL;
    size_t count = 0;
    struct measure held_out = {0};
    struct claim claim;
    TRY(front(s, &list, &count));
    claim_init(&claim, s->options, &s->held_out);
    claim.drop_only = s->claim.drop_only;
    TRY(search_test(s, &claim, list, count, s->best, &held_out));
    return claim_report(s->ctx, s->arena, &s->claim, &s->best->measure, &claim, &held_out, &r->accuracy);
}

/* ---- the result ---- */

static enum pare_status fill_pareto(struct search *s, struct search_result *r) {
    r->pareto = ARENA_ARRAY(s->arena, s->front_count, struct pareto_point);
    if (r->pareto == NULL) {
        return fail_memory(s->ctx);
    }
    r->pareto_count = s->front_count;
    for (size_t i = 0; i < s->front_count; i++) {
        struct candidate *c = s->front[i];
        TRY(search_measure_size(s, c));
        r->pareto[i] = (struct pareto_point){.drop_points = 100 * claim_drop(&s->claim, &c->measure),
                                             .cost = c->cost,
                                             .memory_bits = c->sums.paper_memory,
                                             .multiplication = c->sums.paper_multiplication,
                                             .bit_operations = c->sums.bit_operations,
                                             .pare_bytes = c->pare_bytes,
                                             .peak_activation_bytes = c->peak_bytes,
                                             .chosen = c == s->best};
    }
    return PARE_OK;
}

static bool all_may_have(const struct knobs *k, int width) {
    return (k->allowed.weights & k->allowed.others & k->allowed.activations) >> width & 1;
}

/* At 8 bits everywhere, where that is among the widths. */
static enum pare_status fill_sizes_8bit(struct search *s, struct cost *c) {
    struct candidate eights = {.bits = ARENA_ARRAY(s->arena, s->knobs.count, uint8_t), .edition = s->best->edition};
    if (eights.bits == NULL) {
        return fail_memory(s->ctx);
    }
    if (all_may_have(&s->knobs, 8)) {
        knobs_fill(&s->knobs, eights.bits, 8);
        TRY(search_measure_size(s, &eights));
    }
    c->pare_bytes_8bit = eights.pare_bytes;
    c->peak_activation_bytes_8bit = eights.peak_bytes;
    return PARE_OK;
}

static enum pare_status fill_cost(struct search *s, struct search_result *r) {
    struct cost *c = &r->cost;
    const struct cost_sums *now = &s->best->sums, *at_8 = &s->cost.at_8;
    c->memory_bits = now->paper_memory;
    c->memory_bits_8bit = at_8->paper_memory;
    c->multiplication = now->paper_multiplication;
    c->multiplication_8bit = at_8->paper_multiplication;
    c->parameter_bits = now->parameters;
    c->parameter_bits_8bit = at_8->parameters;
    c->bit_operations = now->bit_operations;
    c->bit_operations_8bit = at_8->bit_operations;
    c->pare_bytes = s->best->pare_bytes;
    c->peak_activation_bytes = s->best->peak_bytes;
    return fill_sizes_8bit(s, c);
}

enum pare_status search_conclude(struct search *s, struct search_result *r) {
    search_report(s, "held-out", 0, 0);
    TRY(choose(s, r));
    TRY(search_list_front(s));
    TRY(s->options->pick != NULL ? search_pick(s, r) : PARE_OK);
    TRY(search_judge_limits(s, r));
    TRY(search_blame_limits(s, &r->accuracy));
    TRY(fill_pareto(s, r));
    TRY(fill_cost(s, r));
    s->knobs.edition = s->best->edition;
    return evaluator_apply(s->ctx, &s->evaluator, s->best->bits);
}
