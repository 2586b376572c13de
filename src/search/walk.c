/* The walk through the widths: full evaluations, sensitivities, bisection of a budget path, polishing. */
#include "search/allocate.h"
#include "search/state.h"

#include <math.h>
#include <string.h>

#define ROUNDS 3 /* of sensitivities, each at the point that the last one found */
#define POLISHING_EVALUATIONS 8

/* ---- full evaluations ---- */

static struct candidate *find_candidate(const struct search *s, const uint8_t *bits) {
    for (size_t i = 0; i < s->candidate_count; i++) {
        if (memcmp(s->candidates[i].bits, bits, s->knobs.count) == 0) {
            return &s->candidates[i];
        }
    }
    return NULL;
}

static enum pare_status add_candidate(struct search *s, const uint8_t *bits, struct candidate **out) {
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
    return PARE_OK;
}

static enum pare_status evaluate(struct search *s, const uint8_t *bits, struct candidate **out) {
    *out = find_candidate(s, bits);
    if (*out != NULL) {
        return PARE_OK;
    }
    struct candidate *c = NULL;
    TRY(add_candidate(s, bits, &c));
    TRY(evaluator_measure(s->ctx, &s->evaluator, &s->search_set, bits, &c->measure));
    s->candidate_count++;
    s->full_evaluations++;
    cost_sums(&s->cost, bits, &c->sums);
    c->cost = cost_relative(&s->cost, &c->sums);
    c->accepted = claim_promises(&s->claim, &c->measure, s->held_out.data->count);
    if (c->accepted && (s->best == NULL || c->cost < s->best->cost)) {
        s->best = c;
    }
    search_report(s, "search", s->full_evaluations, 0);
    *out = c;
    return PARE_OK;
}

/* ---- sensitivities ---- */

static uint32_t knob_op(const struct search *s, size_t k) {
    const struct knob *n = &s->knobs.items[k];
    const struct program *p = s->evaluator.program;
    const struct value *v =
        n->kind == KNOB_ACTIVATION ? s->scheme->points[n->index].value : s->scheme->linears[n->index].output;
    for (uint32_t i = 0; i < p->op_count; i++) {
        if (p->value_names[p->ops[i].output] == v->name) {
            return i;
        }
    }
    return 0; /* the network's input */
}

/* From the end of the program to its beginning, so that the snapshots before an operator stay valid until its turn. */
static enum pare_status order_knobs(struct search *s) {
    s->order = ARENA_ARRAY(s->arena, s->knobs.count, size_t);
    uint32_t *ops = ARENA_ARRAY(s->arena, s->knobs.count, uint32_t);
    if (s->order == NULL || ops == NULL) {
        return fail_memory(s->ctx);
    }
    for (size_t k = 0; k < s->knobs.count; k++) {
        ops[k] = knob_op(s, k);
        size_t i = k;
        for (; i > 0 && ops[s->order[i - 1]] < ops[k]; i--) {
            s->order[i] = s->order[i - 1];
        }
        s->order[i] = k;
    }
    return PARE_OK;
}

/* Widths from `reach` above to `reach` below the current one. */
static bool considered(const struct search *s, size_t k, int now, int b, int reach) {
    int base = widths_base(s->options->widths);
    return (s->knobs.items[k].widths >> b & 1) && b <= now + reach && b >= now - reach && (b <= base || b <= now);
}

static enum pare_status measure_knob(struct search *s, uint8_t *bits, size_t k, int reach, double base,
                                     struct sensitivity *out) {
    int now = bits[k];
    out->harm[k][now] = 0;
    for (int b = 2; b <= KNOB_MAX_BITS; b++) {
        if (b == now || !considered(s, k, now, b, reach)) {
            continue;
        }
        struct measure m;
        bits[k] = (uint8_t)b;
        TRY(evaluator_measure(s->ctx, &s->evaluator, &s->few, bits, &m));
        out->harm[k][b] = m.divergence - base;
    }
    bits[k] = (uint8_t)now;
    sensitivity_smooth(out, k, now);
    return PARE_OK;
}

/* Harm of every (tensor, width) at the quantised point `at`, all other tensors as they are there. */
static enum pare_status measure_sensitivities(struct search *s, const uint8_t *at, int reach, struct sensitivity *out) {
    TRY(sensitivity_new(s->ctx, s->arena, s->knobs.count, out));
    uint8_t *bits = ARENA_ARRAY(s->arena, s->knobs.count, uint8_t);
    if (bits == NULL) {
        return fail_memory(s->ctx);
    }
    memcpy(bits, at, s->knobs.count);
    for (uint32_t i = 0; i < s->evaluator.program->op_count; i++) {
        executor_cache_want(s->few.cache, i);
    }
    struct measure base;
    TRY(evaluator_measure(s->ctx, &s->evaluator, &s->few, bits, &base));
    for (size_t i = 0; i < s->knobs.count; i++) {
        search_report(s, "sensitivity", i, s->knobs.count);
        TRY(measure_knob(s, bits, s->order[i], reach, base.divergence, out));
    }
    return PARE_OK;
}

/* ---- the walk ---- */

/* The furthest accepted point of a path whose acceptance is taken as monotone. */
static enum pare_status bisect(struct search *s, const struct path *p) {
    size_t low = 0, high = p->count; /* invariant: low accepted (or not known to be refused), high refused */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        struct candidate *c = NULL;
        TRY(evaluate(s, p->bits + middle * p->knobs, &c));
        if (c->accepted) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return PARE_OK;
}

/* One knob after the other is taken down where the sensitivities at the best point promise most, each step tried on all
 * samples. */
static enum pare_status polish(struct search *s, const struct sensitivity *around) {
    uint8_t *bits = ARENA_ARRAY(s->arena, s->knobs.count, uint8_t);
    bool *tried = ARENA_ARRAY(s->arena, s->knobs.count, bool);
    if (bits == NULL || tried == NULL) {
        return fail_memory(s->ctx);
    }
    for (int i = 0; i < POLISHING_EVALUATIONS; i++) {
        memcpy(bits, s->best->bits, s->knobs.count);
        double least = INFINITY;
        size_t chosen = SIZE_MAX;
        for (size_t k = 0; k < s->knobs.count; k++) {
            int now = bits[k], lower_bits = widths_next_lower(s->knobs.items[k].widths, now);
            if (tried[k] || lower_bits == 0 || isinf(around->harm[k][lower_bits])) {
                continue;
            }
            bits[k] = (uint8_t)lower_bits;
            struct cost_sums sums;
            cost_sums(&s->cost, bits, &sums);
            double saved = s->best->cost - cost_relative(&s->cost, &sums);
            double ratio = (around->harm[k][lower_bits] - around->harm[k][now]) / saved;
            if (saved > 0 && ratio < least) {
                least = ratio;
                chosen = k;
            }
            bits[k] = (uint8_t)now;
        }
        if (chosen == SIZE_MAX) {
            return PARE_OK;
        }
        tried[chosen] = true;
        bits[chosen] = (uint8_t)widths_next_lower(s->knobs.items[chosen].widths, bits[chosen]);
        struct candidate *c = NULL;
        TRY(evaluate(s, bits, &c));
    }
    return PARE_OK;
}

/* Where 8 bits everywhere already disagree with the float network too often for the samples to tell, fewer bits will
 * not help. */
static void settle_claim(struct search *s, struct candidate *c) {
    s->claim.drop_only = claim_needs_samples(&s->claim, &c->measure, s->held_out.data->count);
    c->accepted = claim_promises(&s->claim, &c->measure, s->held_out.data->count);
    s->best = c->accepted ? c : NULL;
}

/* All tensors at one width: 8 bits, or wider where that does not hold the bound. */
static enum pare_status find_start(struct search *s, uint8_t *bits) {
    for (int b = widths_base(s->options->widths); b != 0; b = widths_next_higher(s->options->widths, b)) {
        memset(bits, b, s->knobs.count);
        struct candidate *c = NULL;
        TRY(evaluate(s, bits, &c));
        settle_claim(s, c);
        if (c->accepted) {
            return PARE_OK;
        }
    }
    return PARE_ERROR_BOUND; /* the reason is given by conclude() */
}

enum pare_status search_walk(struct search *s) {
    uint8_t *bits = ARENA_ARRAY(s->arena, s->knobs.count, uint8_t);
    if (bits == NULL) {
        return fail_memory(s->ctx);
    }
    TRY(order_knobs(s));
    TRY(find_start(s, bits));
    struct sensitivity around;
    for (int round = 0; round < ROUNDS; round++) {
        double before = s->best->cost;
        int reach = round == 0 ? KNOB_MAX_BITS : 2;
        struct path path;
        TRY(measure_sensitivities(s, s->best->bits, reach, &around));
        TRY(path_build(s->ctx, s->arena, &s->cost, &around, &path));
        TRY(bisect(s, &path));
        if (round > 0 && s->best->cost > before * 0.995) {
            break;
        }
    }
    TRY(measure_sensitivities(s, s->best->bits, 1, &around));
    return polish(s, &around);
}
