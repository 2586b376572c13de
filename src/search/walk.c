/* The walk through the widths: full evaluations, sensitivities, bisection of a budget path, polishing. */
#include "search/allocate.h"
#include "search/state.h"

#include <math.h>
#include <string.h>

#define ROUNDS 4           /* of probes, each at the point that the last one found */
#define LEAST_GAIN 0.99    /* of a round's cost over the last one's, to go on */
#define EVALUATIONS_MAX 26 /* with the rungs and the tests at most 40 */
#define DESCENT 0.97       /* of the cost, at a time */
#define LAST_DESCENT 0.985 /* where that was too much */
#define POLISHING_EVALUATIONS 3
#define POLISHING_SAVES 0.002 /* of the cost, to be worth an evaluation */
#define RUNG_MAX 0.9          /* of the cost at 8 bits */
#define UNIFORM_MOST 6        /* bits */
#define UNIFORM_LEAST 4

/* ---- full evaluations ---- */

static struct candidate *find_candidate(const struct search *s, const uint8_t *bits, bool fitted) {
    for (size_t i = 0; i < s->candidate_count; i++) {
        const struct candidate *c = &s->candidates[i];
        if ((c->edition != s->knobs.first) == fitted && memcmp(c->bits, bits, s->knobs.count) == 0) {
            return &s->candidates[i];
        }
    }
    return NULL;
}

static enum pare_status add_candidate(struct search *s, const uint8_t *bits, bool fitted, struct candidate **out) {
    if (s->candidate_count == s->candidate_capacity) { /* fixed room: pointers to candidates stay valid */
        return fail(s->ctx, PARE_ERROR_INTERNAL, "search: more than %zu full evaluations", s->candidate_capacity);
    }
    struct candidate *c = &s->candidates[s->candidate_count];
    c->bits = ARENA_ARRAY(s->arena, s->knobs.count, uint8_t);
    if (c->bits == NULL) {
        return fail_memory(s->ctx);
    }
    memcpy(c->bits, bits, s->knobs.count);
    *out = c;
    return search_edition(s, bits, fitted, &c->edition);
}

static bool is_better(const struct search *s, const struct candidate *a, const struct candidate *b) {
    if (!search_has_bound(s)) {
        return a->measure.divergence < b->measure.divergence;
    }
    return a->cost < b->cost ||
           (a->cost == b->cost && claim_estimate(&s->claim, &a->measure) < claim_estimate(&s->claim, &b->measure));
}

enum pare_status search_evaluate(struct search *s, const uint8_t *bits, bool fitted, struct candidate **out) {
    fitted = fitted && !(s->options->without & TECHNIQUE_FITTING);
    *out = find_candidate(s, bits, fitted);
    if (*out != NULL) {
        return PARE_OK;
    }
    struct candidate *c = NULL;
    TRY(add_candidate(s, bits, fitted, &c));
    s->knobs.edition = c->edition;
    TRY(evaluator_measure(s->ctx, &s->evaluator, &s->search_set, bits, &c->measure));
    s->candidate_count++;
    s->full_evaluations++;
    cost_sums(&s->cost, bits, &c->sums);
    c->cost = cost_relative(&s->cost, &c->sums);
    TRY(search_accept(s, c));
    if (c->accepted && (s->best == NULL || is_better(s, c, s->best))) {
        s->best = c;
    }
    search_report(s, "search", s->full_evaluations, 0);
    *out = c;
    return PARE_OK;
}

/* ---- the walk ---- */

static enum pare_status try_point(struct search *s, const struct path *p, size_t i, bool *accepted) {
    struct candidate *c = NULL;
    TRY(search_evaluate(s, p->bits + i * p->knobs, true, &c));
    *accepted = c->accepted;
    return PARE_OK;
}

static bool may_evaluate(const struct search *s, size_t times) {
    return s->full_evaluations + times <= EVALUATIONS_MAX;
}

/* Between an accepted point (or the beginning) and a refused one (or the end), until they lie close. */
static enum pare_status bisect(struct search *s, const struct path *p, size_t low, size_t high) {
    while (high - low > 1 + p->count / 100 && may_evaluate(s, 1)) {
        size_t middle = low + (high - low) / 2;
        bool accepted = false;
        TRY(try_point(s, p, middle, &accepted));
        *(accepted ? &low : &high) = middle;
    }
    return PARE_OK;
}

/* The knob whose next narrower width harms least for the cost that it saves; SIZE_MAX: none is worth it. */
static size_t most_promising(const struct search *s, const struct sensitivity *harm, uint8_t *bits, const bool *tried) {
    double least = INFINITY;
    size_t chosen = SIZE_MAX;
    for (size_t k = 0; k < s->knobs.count; k++) {
        int now = bits[k], lower = widths_next_lower(s->knobs.items[k].widths, now);
        if (tried[k] || lower == 0 || isinf(harm->harm[k][lower])) {
            continue;
        }
        struct cost_sums sums;
        bits[k] = (uint8_t)lower;
        cost_sums(&s->cost, bits, &sums);
        bits[k] = (uint8_t)now;
        double saved = s->best->cost - cost_relative(&s->cost, &sums);
        double ratio = (harm->harm[k][lower] - harm->harm[k][now]) / saved;
        if (saved > POLISHING_SAVES && ratio < least) {
            least = ratio;
            chosen = k;
        }
    }
    return chosen;
}

/* One knob after the other is taken down from the best point, each step tried on all samples. */
static enum pare_status polish(struct search *s, const struct sensitivity *harm) {
    uint8_t *bits = ARENA_ARRAY(s->arena, s->knobs.count, uint8_t);
    bool *tried = ARENA_ARRAY(s->arena, s->knobs.count, bool);
    if (bits == NULL || tried == NULL) {
        return fail_memory(s->ctx);
    }
    for (int i = 0; i < POLISHING_EVALUATIONS && may_evaluate(s, 1); i++) {
        memcpy(bits, s->best->bits, s->knobs.count);
        size_t k = most_promising(s, harm, bits, tried);
        if (k == SIZE_MAX) {
            return PARE_OK;
        }
        struct candidate *c = NULL;
        tried[k] = true;
        bits[k] = (uint8_t)widths_next_lower(s->knobs.items[k].widths, bits[k]);
        TRY(search_evaluate(s, bits, true, &c));
    }
    return PARE_OK;
}

/* Where 8 bits everywhere already disagree with the float network too often for the held-out samples to tell, fewer
 * bits will not help. All that the walk learns of these samples is whether they are enough. */
static enum pare_status settle_claim(struct search *s, struct candidate *c) {
    struct claim claim, lenient = s->claim;
    struct measure held_out;
    claim_init(&claim, s->options, &s->held_out);
    s->knobs.edition = c->edition;
    TRY(evaluator_measure(s->ctx, &s->evaluator, &s->held_out, c->bits, &held_out));
    s->full_evaluations++;
    s->claim.drop_only = !claim_can_tell(&claim, &held_out);
    lenient.drop_only = true; /* whether the samples are enough is known, not to be foretold */
    c->accepted = claim_promises(&lenient, &c->measure, s->held_out.data->count);
    s->best = c->accepted ? c : NULL;
    return PARE_OK;
}

static enum pare_status try_start(struct search *s, const uint8_t *bits, bool fitted) {
    size_t before = s->candidate_count;
    struct candidate *c = NULL;
    TRY(search_evaluate(s, bits, fitted, &c));
    return s->candidate_count == before ? PARE_OK : settle_claim(s, c); /* else it was tried and refused */
}

/* All tensors at one width: 8 bits, or wider where that does not hold the bound; the widest fitted, too. */
static enum pare_status find_start(struct search *s, uint8_t *bits) {
    uint32_t widths = knobs_widths(&s->knobs);
    for (int b = widths_base(widths); b != 0 && s->best == NULL; b = widths_next_higher(widths, b)) {
        knobs_fill(&s->knobs, bits, b);
        TRY(try_start(s, bits, false));
    }
    TRY(s->best == NULL ? try_start(s, bits, true) : PARE_OK);
    s->start_fails = s->best == NULL;
    return s->best != NULL ? PARE_OK : PARE_ERROR_BOUND; /* the reason is given by conclude() */
}

enum pare_status search_start(struct search *s) {
    uint8_t *bits = ARENA_ARRAY(s->arena, s->knobs.count, uint8_t);
    if (bits == NULL) {
        return fail_memory(s->ctx);
    }
    TRY(find_start(s, bits));
    search_limit_time(s);
    return PARE_OK;
}

/* ---- cheaper points ---- */

struct spending {
    const struct cost_model *cost;
    double most;
};

static enum pare_status is_within(void *user, uint8_t *bits, bool *out) {
    const struct spending *p = user;
    struct cost_sums sums;
    cost_sums(p->cost, bits, &sums);
    *out = cost_relative(p->cost, &sums) <= p->most;
    return PARE_OK;
}

/* A path, and what it was built from. */
struct way {
    const struct sensitivity *harm;
    struct path path;
};

/* Evaluates the first point of the path that costs at most so much, with what it leaves of that spent. */
static enum pare_status evaluate_at_cost(struct search *s, const struct way *w, double cost, struct candidate **out) {
    struct spending p = {&s->cost, cost};
    uint8_t *bits = ARENA_ARRAY(s->arena, w->path.knobs, uint8_t);
    if (bits == NULL) {
        return fail_memory(s->ctx);
    }
    bool within = false;
    for (size_t i = 0; i < w->path.count && !within; i++) {
        memcpy(bits, w->path.bits + i * w->path.knobs, w->path.knobs);
        TRY(is_within(&p, bits, &within));
    }
    TRY(within ? allocation_fill(s->ctx, s->arena, &s->cost, w->harm, is_within, &p, bits) : PARE_OK);
    return search_evaluate(s, bits, true, out);
}

/* From the best point down the path, as long as the claim may hold: it tries what is beyond the best point, too. */
static enum pare_status descend(struct search *s, const struct way *w) {
    double cost = s->best->cost;
    for (double step = DESCENT; step < 1 && may_evaluate(s, 1);) {
        struct candidate *c = NULL;
        TRY(evaluate_at_cost(s, w, cost * step, &c));
        if (c->cost < cost && claim_may_hold(&s->claim, &c->measure, s->held_out.data->count)) {
            cost = c->cost;
        } else {
            step = step < LAST_DESCENT ? LAST_DESCENT : 1;
        }
    }
    return PARE_OK;
}

/* Points up the path from the best one, where the claim can come to rest: the last ones so that it need not begin with
 * a leap from 8 bits. */
static enum pare_status add_rungs(struct search *s, const struct way *w) {
    static const double costs[] = {1.05, 1.1, 1.17, 1.28, 1.45};
    double best = s->best->cost;
    for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]) && best * costs[i] < RUNG_MAX; i++) {
        struct candidate *c = NULL;
        TRY(evaluate_at_cost(s, w, best * costs[i], &c));
    }
    return PARE_OK;
}

/* A time limit may end before the sensitivities are known: something narrower than the start is tried at once. */
static enum pare_status try_uniform(struct search *s) {
    uint8_t *bits = ARENA_ARRAY(s->arena, s->knobs.count, uint8_t);
    uint32_t widths = knobs_widths(&s->knobs);
    if (bits == NULL) {
        return fail_memory(s->ctx);
    }
    bool accepted = true;
    for (int b = UNIFORM_MOST; b >= UNIFORM_LEAST && accepted; b--) {
        if (widths >> b & 1) {
            struct candidate *c = NULL;
            knobs_fill(&s->knobs, bits, b);
            TRY(search_evaluate(s, bits, true, &c));
            accepted = c->accepted;
        }
    }
    return PARE_OK;
}

enum pare_status search_walk(struct search *s) {
    struct sensitivity harm, near;
    struct way way = {0};
    const struct candidate *start = s->best;
    TRY(s->options->time_limit > 0 ? try_uniform(s) : PARE_OK);
    TRY(search_sensitivities(s, start, &harm));
    for (int round = 0; round < ROUNDS; round++) {
        double before = s->best->cost;
        size_t sections = round == 0 ? 1 : PROBE_SECTIONS;
        if (!may_evaluate(s, 2 * sections + 1)) {
            break;
        }
        TRY(search_probe(s, round == 0 ? start : s->best, sections, &harm));
        TRY(search_nearby(s, s->best, &harm, &near));
        way.harm = round == 0 ? &harm : &near;
        TRY(path_build(s->ctx, s->arena, &s->cost, way.harm, &way.path));
        if (way.path.count == 1) { /* no tensor has another width */
            struct candidate *c = NULL;
            return search_evaluate(s, s->best->bits, true, &c);
        }
        TRY(round == 0 ? bisect(s, &way.path, 0, way.path.count) : descend(s, &way));
        TRY(round == 0 ? PARE_OK : polish(s, &harm));
        if (round > 0 && s->best->cost > before * LEAST_GAIN) {
            break;
        }
    }
    return way.path.count > 0 ? add_rungs(s, &way) : PARE_OK;
}
