/* The walk through the widths: full evaluations, sensitivities, bisection of a budget path, polishing. */
#include "search/allocate.h"
#include "search/state.h"

#include <math.h>
#include <string.h>

#define ROUNDS 5 /* of sensitivities, each at the point that the last one found */
#define RUNGS 2
#define EVALUATIONS_MAX (34 - RUNGS) /* besides those of the held-out samples */
#define POLISHING_EVALUATIONS 6
#define LARGE_IMAGE 64 /* output positions */

/* ---- full evaluations ---- */

static struct candidate *find_candidate(const struct search *s, const uint8_t *bits) {
    for (size_t i = 0; i < s->candidate_count; i++) {
        const struct candidate *c = &s->candidates[i];
        if (c->edition == s->knobs.edition && memcmp(c->bits, bits, s->knobs.count) == 0) {
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
    c->edition = s->knobs.edition;
    *out = c;
    return PARE_OK;
}

static bool is_better(const struct search *s, const struct candidate *a, const struct candidate *b) {
    if (!search_has_bound(s)) {
        return a->measure.divergence < b->measure.divergence;
    }
    return a->cost < b->cost ||
           (a->cost == b->cost && claim_estimate(&s->claim, &a->measure) < claim_estimate(&s->claim, &b->measure));
}

enum pare_status search_evaluate(struct search *s, const uint8_t *bits, struct candidate **out) {
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
    TRY(search_accept(s, c));
    if (c->accepted && (s->best == NULL || is_better(s, c, s->best))) {
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

const struct reach reach_everything = {KNOB_MAX_BITS, KNOB_MAX_BITS, 3}, reach_nearby = {2, 2, 1};
static const struct reach below = {0, 1, 1};

static uint32_t considered(const struct search *s, size_t k, int now, const struct reach *r) {
    int base = widths_base(s->options->widths);
    uint32_t mask = 0;
    for (int b = now - r->down < 0 ? 0 : now - r->down; b <= KNOB_MAX_BITS && b <= now + r->up; b++) {
        bool wanted = b == now || (s->knobs.items[k].widths >> b & 1 && (b <= base || b <= now));
        mask |= wanted ? 1u << b : 0;
    }
    return mask;
}

static bool is_measured(uint32_t mask, int now, int b, const struct reach *r) {
    bool is_narrowest = (mask & ((1u << b) - 1)) == 0;
    return b < now && mask >> b & 1 && (b <= now - r->first || is_narrowest);
}

static enum pare_status measure_knob(struct search *s, uint8_t *bits, size_t k, const struct reach *reach, double base,
                                     struct sensitivity *out) {
    int now = bits[k];
    uint32_t mask = considered(s, k, now, reach);
    double error[KNOB_MAX_BITS + 1] = {0};
    for (int b = 0; b <= KNOB_MAX_BITS; b++) {
        error[b] = mask >> b & 1 ? knobs_error(&s->knobs, k, b) : 0;
        if (is_measured(mask, now, b, reach)) {
            struct measure m;
            bits[k] = (uint8_t)b;
            TRY(evaluator_measure(s->ctx, &s->evaluator, &s->few, bits, &m));
            out->harm[k][b] = m.divergence - base;
        }
    }
    bits[k] = (uint8_t)now;
    sensitivity_fit(out, k, now, mask, error);
    return PARE_OK;
}

enum pare_status search_sensitivities(struct search *s, const uint8_t *at, const struct reach *reach,
                                      struct sensitivity *out) {
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

/* ---- rounding again ---- */

/* Large images show enough of themselves in half of the samples. */
static size_t revision_samples(const struct search *s, size_t i) {
    const struct linear *l = &s->scheme->linears[i];
    size_t count = s->calibration.count;
    return l->out->count / l->rows >= LARGE_IMAGE ? (count + 1) / 2 : count;
}

/* Linear `i` rounded again for what the integer program at these widths, with all layers before it as the edition has
 * them, computes as its input. */
static enum pare_status revise_linear(struct search *s, const uint8_t *bits, size_t i, struct edition *e) {
    struct quantised_run run = {s->evaluator.program, s->evaluator.executor, i};
    struct sample_source source = {load_sample, &s->calibration, NULL};
    struct statistics *st = NULL;
    size_t knob = s->cost.weight_knob[i];
    TRY(evaluator_apply(s->ctx, &s->evaluator, bits));
    TRY(statistics_collect(s->ctx, s->scheme, &source, revision_samples(s, i), &run, &st));
    enum pare_status status = edition_revise(s->ctx, &s->knobs, e, i, bits[knob], st);
    statistics_free(st);
    return status;
}

enum pare_status search_revise(struct search *s, const struct candidate *before) {
    struct candidate *after = NULL;
    struct edition *revised = NULL;
    if (s->options->without & TECHNIQUE_REVISION) {
        return PARE_OK;
    }
    if (s->revised_bits != NULL && memcmp(s->revised_bits, before->bits, s->knobs.count) == 0) {
        s->knobs.edition = before->edition;
        return PARE_OK;
    }
    s->revised_bits = before->bits;
    uint64_t id = hash_of(before->bits, s->knobs.count, before->edition->id + 1);
    TRY(edition_new(s->ctx, &s->knobs, before->edition, id, &revised));
    s->knobs.edition = revised;
    for (size_t i = 0; i < s->scheme->linear_count; i++) {
        search_report(s, "rounding", i, s->scheme->linear_count);
        TRY(revise_linear(s, before->bits, i, revised));
    }
    TRY(search_evaluate(s, before->bits, &after));
    if (after->measure.divergence >= before->measure.divergence) {
        s->knobs.edition = before->edition;
    }
    return PARE_OK;
}

/* ---- the walk ---- */

static enum pare_status try_point(struct search *s, const struct path *p, size_t i, bool *accepted) {
    struct candidate *c = NULL;
    TRY(search_evaluate(s, p->bits + i * p->knobs, &c));
    *accepted = c->accepted;
    return PARE_OK;
}

/* Rounds leave some for the polishing. */
static bool may_evaluate(const struct search *s) {
    return s->full_evaluations + POLISHING_EVALUATIONS < EVALUATIONS_MAX;
}

/* Between an accepted point (or the beginning) and a refused one (or the end), until they lie close. */
static enum pare_status bisect(struct search *s, const struct path *p, size_t low, size_t high) {
    while (high - low > 1 + p->count / 100 && may_evaluate(s)) {
        size_t middle = low + (high - low) / 2;
        bool accepted = false;
        TRY(try_point(s, p, middle, &accepted));
        *(accepted ? &low : &high) = middle;
    }
    return PARE_OK;
}

/* The furthest accepted point of a path whose acceptance is taken as monotone, looked for from `start` on in growing
 * strides. */
static enum pare_status gallop(struct search *s, const struct path *p, size_t start) {
    bool first = false, accepted = false;
    size_t at = start, stride = 1 + p->count / 24;
    TRY(try_point(s, p, at, &first));
    for (accepted = first; accepted == first && may_evaluate(s); stride *= 2) {
        size_t next = first ? at + stride : at - stride;
        if (first ? next >= p->count : stride > at) {
            return first ? bisect(s, p, at, p->count) : bisect(s, p, 0, at);
        }
        TRY(try_point(s, p, next, &accepted));
        if (accepted != first) {
            return first ? bisect(s, p, at, next) : bisect(s, p, next, at);
        }
        at = next;
    }
    return PARE_OK;
}

/* The point of the path whose predicted harm is that of the widths `bits`. */
static size_t equal_harm(const struct path *p, const struct sensitivity *around, const uint8_t *bits) {
    double harm = sensitivity_sum(around, bits);
    size_t i = 0;
    while (i + 1 < p->count && p->harm[i + 1] <= harm) {
        i++;
    }
    return i;
}

/* One knob after the other is taken down where the sensitivities at the best point promise most, each step tried on all
 * samples. */
static enum pare_status polish(struct search *s, const struct sensitivity *around) {
    uint8_t *bits = ARENA_ARRAY(s->arena, s->knobs.count, uint8_t);
    bool *tried = ARENA_ARRAY(s->arena, s->knobs.count, bool);
    if (bits == NULL || tried == NULL) {
        return fail_memory(s->ctx);
    }
    for (int i = 0; i < POLISHING_EVALUATIONS && s->full_evaluations < EVALUATIONS_MAX; i++) {
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
        TRY(search_evaluate(s, bits, &c));
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
        TRY(search_evaluate(s, bits, &c));
        settle_claim(s, c);
        if (c->accepted) {
            return PARE_OK;
        }
    }
    return PARE_ERROR_BOUND; /* the reason is given by conclude() */
}

enum pare_status search_start(struct search *s) {
    uint8_t *bits = ARENA_ARRAY(s->arena, s->knobs.count, uint8_t);
    if (bits == NULL) {
        return fail_memory(s->ctx);
    }
    TRY(order_knobs(s));
    TRY(find_start(s, bits));
    search_limit_time(s);
    return PARE_OK;
}

/* Rungs between the best point and 8 bits, where the claim can come to rest: every tensor one and two widths wider. */
static enum pare_status add_rungs(struct search *s) {
    const struct candidate *best = s->best;
    uint8_t *bits = ARENA_ARRAY(s->arena, s->knobs.count, uint8_t);
    if (bits == NULL) {
        return fail_memory(s->ctx);
    }
    memcpy(bits, best->bits, s->knobs.count);
    s->knobs.edition = best->edition;
    for (int rung = 0; rung < RUNGS; rung++) {
        for (size_t k = 0; k < s->knobs.count; k++) {
            int wider = widths_next_higher(s->knobs.items[k].widths, bits[k]);
            bool within = wider != 0 && (wider <= widths_base(s->options->widths) || wider <= best->bits[k]);
            bits[k] = within ? (uint8_t)wider : bits[k];
        }
        struct candidate *c = NULL;
        TRY(search_evaluate(s, bits, &c));
    }
    return PARE_OK;
}

enum pare_status search_walk(struct search *s) {
    struct sensitivity around;
    for (int round = 0; round < ROUNDS && may_evaluate(s); round++) {
        double before = s->best->cost;
        struct path path;
        TRY(round == 0 ? PARE_OK : search_revise(s, s->best));
        TRY(search_sensitivities(s, s->best->bits, round == 0 ? &reach_everything : &reach_nearby, &around));
        TRY(path_build(s->ctx, s->arena, &s->cost, &around, &path));
        TRY(round == 0 ? bisect(s, &path, 0, path.count) : gallop(s, &path, equal_harm(&path, &around, s->best->bits)));
        if (round > 0 && s->best->cost > before * 0.99) {
            break;
        }
    }
    TRY(search_revise(s, s->best));
    TRY(search_sensitivities(s, s->best->bits, &below, &around));
    TRY(polish(s, &around));
    return add_rungs(s);
}
