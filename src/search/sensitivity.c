/* What each width of each tensor costs in divergence, at a point. */
#include "search/allocate.h"
#include "search/state.h"

#include <math.h>
#include <string.h>

#define FIRST_MEASURED 3 /* bits */
#define FRAC_DOUBT 3.0   /* of the least squared error: fractions with more are not looked at */
#define FRAC_GAIN 0.9    /* of the harm, and by FRAC_NOISE: less is noise */
#define FRAC_NOISE 0.005
#define WIDE_INPUT_HARM 0.002 /* at 8 bits, for an input to be worth two bytes a code */
#define REACH 2               /* widths */
#define PROBE_HARM 0.03       /* of divergence */
#define PROBE_HARM_MAX 0.6    /* beyond, divergence is no longer proportional to anything */
#define PROBE_LEAST 0.05
#define PROBE_MOST 2.0

uint32_t search_knob_op(const struct search *s, size_t knob) {
    const struct knob *n = &s->knobs.items[knob];
    const struct program *p = s->evaluator.program;
    const struct value *v =
        n->kind == KNOB_ACTIVATION ? s->scheme->points[n->index].value : s->scheme->linears[n->index].output;
    for (uint32_t i = 0; i < p->op_count; i++) {
        if (p->value_names[p->ops[i].output] == v->name) {
            return i;
        }
    }
    return 0;
}

/* From the end of the program to its beginning, so that the snapshots before an operator stay valid until its turn. */
static enum pare_status order_knobs(struct search *s) {
    s->order = ARENA_ARRAY(s->arena, s->knobs.count, size_t);
    uint32_t *ops = ARENA_ARRAY(s->arena, s->knobs.count, uint32_t);
    if (s->order == NULL || ops == NULL) {
        return fail_memory(s->ctx);
    }
    for (size_t k = 0; k < s->knobs.count; k++) {
        ops[k] = search_knob_op(s, k);
        size_t i = k;
        for (; i > 0 && ops[s->order[i - 1]] < ops[k]; i--) {
            s->order[i] = s->order[i - 1];
        }
        s->order[i] = k;
    }
    return PARE_OK;
}

static bool is_input(const struct search *s, size_t k) {
    const struct knob *n = &s->knobs.items[k];
    return n->kind == KNOB_ACTIVATION && s->scheme->points[n->index].value->is_input;
}

static uint32_t considered(const struct search *s, size_t k, int now) {
    int base = widths_base(s->options->widths);
    uint32_t mask = 1u << now;
    for (int b = 0; b <= KNOB_MAX_BITS; b++) {
        mask |= s->knobs.items[k].widths >> b & 1 && (b <= base || b <= now || is_input(s, k)) ? 1u << b : 0;
    }
    return mask;
}

/* Differences between wide formats are mostly noise: harm is measured from some bits below the current width on. */
static bool is_measured(uint32_t mask, int now, int b) {
    bool is_narrowest = (mask & ((1u << b) - 1)) == 0;
    return b < now && mask >> b & 1 && (b <= now - FIRST_MEASURED || is_narrowest);
}

static enum pare_status measure_harm(struct search *s, const uint8_t *bits, double base, double *harm) {
    struct measure m;
    TRY(evaluator_measure(s->ctx, &s->evaluator, &s->few, bits, &m));
    *harm = m.divergence - base;
    return PARE_OK;
}

/* Squared errors weigh rare large values more than the network does, and cannot tell apart fractions that are about
 * as good: of those the one that harms least is taken, `harm` being that of the best by squared error. */
static enum pare_status choose_frac(struct search *s, const uint8_t *bits, size_t k, double base, double *harm) {
    struct knobs *knobs = &s->knobs;
    size_t point = knobs->items[k].index;
    int b = bits[k], first = knobs->fracs[point][b], best = first;
    double error = knobs->point_errors[point][b];
    for (int frac = first - 1; frac <= first + 1; frac += 2) {
        double other;
        knobs_set_frac(knobs, k, b, frac);
        if (knobs->point_errors[point][b] > FRAC_DOUBT * error) {
            continue;
        }
        TRY(measure_harm(s, bits, base, &other));
        if (other < *harm * FRAC_GAIN && other < *harm - FRAC_NOISE) {
            best = frac;
            *harm = other;
        }
    }
    knobs_set_frac(knobs, k, b, best);
    return PARE_OK;
}

static enum pare_status measure_knob(struct search *s, uint8_t *bits, size_t k, double base, struct sensitivity *out) {
    int now = bits[k];
    uint32_t mask = considered(s, k, now);
    double error[KNOB_MAX_BITS + 1] = {0};
    bool chooses = s->knobs.items[k].kind == KNOB_ACTIVATION && !(s->options->without & TECHNIQUE_CLIPPING);
    for (int b = 0; b <= KNOB_MAX_BITS; b++) {
        if (is_measured(mask, now, b)) {
            bits[k] = (uint8_t)b;
            TRY(measure_harm(s, bits, base, &out->harm[k][b]));
            TRY(chooses ? choose_frac(s, bits, k, base, &out->harm[k][b]) : PARE_OK);
        }
        error[b] = mask >> b & 1 ? knobs_error(&s->knobs, k, b) : 0;
    }
    bits[k] = (uint8_t)now;
    sensitivity_fit(out, k, now, mask, error);
    for (int b = 9; out->harm[k][8] < WIDE_INPUT_HARM && is_input(s, k) && b <= KNOB_MAX_BITS; b++) {
        out->harm[k][b] = INFINITY;
    }
    return PARE_OK;
}

enum pare_status search_sensitivities(struct search *s, const struct candidate *at, struct sensitivity *out) {
    TRY(s->order == NULL ? order_knobs(s) : PARE_OK);
    TRY(sensitivity_new(s->ctx, s->arena, s->knobs.count, out));
    uint8_t *bits = ARENA_ARRAY(s->arena, s->knobs.count, uint8_t);
    if (bits == NULL) {
        return fail_memory(s->ctx);
    }
    memcpy(bits, at->bits, s->knobs.count);
    for (uint32_t i = 0; i < s->evaluator.program->op_count; i++) {
        executor_cache_want(s->few.cache, i);
    }
    struct measure base;
    s->knobs.edition = s->knobs.first; /* all weights of one kind, whether `at` has fitted ones or not */
    TRY(evaluator_measure(s->ctx, &s->evaluator, &s->few, bits, &base));
    for (size_t i = 0; i < s->knobs.count; i++) {
        search_report(s, "sensitivity", i, s->knobs.count);
        TRY(measure_knob(s, bits, s->order[i], base.divergence, out));
    }
    return PARE_OK;
}

/* ---- probes ---- */

/* Knobs of a kind in a part of the program. */
struct group {
    enum knob_kind kind;
    size_t section, sections;
};

/* Sections have the same number of knobs each; the first one is the end of the program. */
static bool *members(const struct search *s, const struct group *g) {
    bool *in = ARENA_ARRAY(s->arena, s->knobs.count, bool);
    for (size_t i = 0; in != NULL && i < s->knobs.count; i++) {
        size_t k = s->order[i];
        in[k] = s->knobs.items[k].kind == g->kind && i * g->sections / s->knobs.count == g->section;
    }
    return in;
}

/* Each of the group one width narrower, where there is one; what that is predicted to add. */
static double narrow(const struct search *s, const bool *group, const struct sensitivity *harm, uint8_t *bits) {
    double added = 0;
    for (size_t k = 0; k < s->knobs.count; k++) {
        int lower = widths_next_lower(s->knobs.items[k].widths, bits[k]);
        if (group[k] && lower != 0 && !isinf(harm->harm[k][lower]) && !isinf(harm->harm[k][bits[k]])) {
            added += harm->harm[k][lower] - harm->harm[k][bits[k]];
            bits[k] = (uint8_t)lower;
        }
    }
    return added;
}

/* All of the group made narrower, at least once and then as far as the harm stays small enough to add up. */
static double probe_widths(const struct search *s, const bool *group, const struct sensitivity *harm, uint8_t *bits,
                           uint8_t *next) {
    double predicted = narrow(s, group, harm, bits);
    for (;;) {
        memcpy(next, bits, s->knobs.count);
        double further = predicted + narrow(s, group, harm, next);
        if (further > PROBE_HARM || memcmp(next, bits, s->knobs.count) == 0) {
            return predicted;
        }
        memcpy(bits, next, s->knobs.count);
        predicted = further;
    }
}

static enum pare_status probe(struct search *s, const struct candidate *at, const struct group *g,
                              struct sensitivity *harm) {
    bool *group = members(s, g);
    uint8_t *bits = ARENA_ARRAY(s->arena, 2 * s->knobs.count, uint8_t);
    if (group == NULL || bits == NULL) {
        return fail_memory(s->ctx);
    }
    memcpy(bits, at->bits, s->knobs.count);
    double predicted = probe_widths(s, group, harm, bits, bits + s->knobs.count);
    if (predicted <= 0 || predicted > PROBE_HARM_MAX || memcmp(bits, at->bits, s->knobs.count) == 0) {
        return PARE_OK;
    }
    struct candidate *c = NULL;
    TRY(search_evaluate(s, bits, true, &c));
    double factor = (c->measure.divergence - at->measure.divergence) / predicted;
    factor = fmin(fmax(factor, PROBE_LEAST), PROBE_MOST);
    for (size_t k = 0; k < s->knobs.count; k++) {
        for (int b = 0; group[k] && b <= KNOB_MAX_BITS; b++) {
            harm->harm[k][b] *= factor;
        }
    }
    return PARE_OK;
}

/* Harm of single tensors is clear where all others are wide, and drowns in theirs where they are narrow. What many
 * of them do together is clear there, too: what has become of their harm, and how much of it the fitted weights take
 * away. */
enum pare_status search_probe(struct search *s, const struct candidate *at, size_t sections, struct sensitivity *harm) {
    if (s->options->without & TECHNIQUE_FITTING) {
        return PARE_OK;
    }
    for (size_t i = 0; i < sections; i++) {
        TRY(probe(s, at, &(struct group){KNOB_WEIGHT, i, sections}, harm));
        TRY(probe(s, at, &(struct group){KNOB_ACTIVATION, i, sections}, harm));
    }
    return PARE_OK;
}

enum pare_status search_nearby(struct search *s, const struct candidate *at, const struct sensitivity *harm,
                               struct sensitivity *out) {
    TRY(sensitivity_new(s->ctx, s->arena, harm->count, out));
    for (size_t k = 0; k < harm->count; k++) {
        const double *all = harm->harm[k];
        double *near = out->harm[k];
        int now = at->bits[k];
        near[now] = all[now];
        for (int b = now - 1, steps = REACH; b >= 0 && steps > 0; b--) {
            near[b] = all[b];
            steps -= !isinf(all[b]);
        }
        for (int b = now + 1, steps = REACH; b <= KNOB_MAX_BITS && steps > 0; b++) {
            near[b] = all[b];
            steps -= !isinf(all[b]);
        }
    }
    return PARE_OK;
}
