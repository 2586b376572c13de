/* Another point of a search that has ended. */
#include "base/decimal.h"
#include "search/state.h"

#include <math.h>
#include <stdio.h>

static const char *point_text(const struct search *s, size_t i, char *text, size_t size) {
    const struct candidate *c = s->front[i];
    format_decimal(text, size,
                   "point %zu: drop of %.2f points on the search samples, %.0f bytes of memory, %llu of flash, %llu of "
                   "RAM, %llu bit operations",
                   i + 1, 100 * claim_drop(&s->claim, &c->measure), (double)c->sums.paper_memory / 8,
                   (unsigned long long)c->pare_bytes, (unsigned long long)c->peak_bytes,
                   (unsigned long long)c->sums.bit_operations);
    return text;
}

static enum pare_status no_such_point(const struct search *s) {
    return fail(s->ctx, PARE_ERROR_USAGE, "there is no point %zu: the search found %zu, numbered from 1",
                s->options->pick->point, s->front_count);
}

/* Whether it is the number of held-out samples alone that is against the point. */
static bool lacks_samples(const struct search *s, const struct claim *wanted, const struct candidate *c) {
    const struct pick *p = s->options->pick;
    return p->max_drop > 0 && limits_share(&p->limits, c) <= 1 && !wanted->drop_only &&
           claim_drop(wanted, &c->measure) <= wanted->bound &&
           claim_needs_samples(wanted, &c->measure, s->held_out.data->count);
}

static enum pare_status none_meets(const struct search *s, const struct claim *wanted, size_t nearest) {
    char text[256];
    if (lacks_samples(s, wanted, s->front[nearest])) {
        return fail(
            s->ctx, PARE_ERROR_BOUND,
            "too few samples for the bound of %.2f points: the %zu held-out ones could not tell for the nearest of "
            "the %zu points of the search, about %.0f could; search again with more (--test; of --data three "
            "fifths are held out), or allow a larger drop (--drop-max). It is %s",
            100 * wanted->bound, s->held_out.data->count, s->front_count,
            claim_samples_needed(wanted, &s->front[nearest]->measure), point_text(s, nearest, text, sizeof text));
    }
    return fail(s->ctx, PARE_ERROR_BOUND, "none of the %zu points of the search %s; the nearest is %s", s->front_count,
                s->options->pick->max_drop > 0 ? "promises this on other samples" : "meets this",
                point_text(s, nearest, text, sizeof text));
}

/* Takes a further, dearer point into the list: of a bound, those that promise more than the ones before; without one
 * the most accurate alone. */
static void take(const struct search *s, const struct claim *wanted, struct candidate *c, struct candidate **list,
                 size_t *count) {
    if (*count == 0) {
        list[(*count)++] = c;
        return;
    }
    struct candidate **last = &list[*count - 1];
    if (s->options->pick->max_drop > 0) {
        if (claim_estimate(wanted, &c->measure) < claim_estimate(wanted, &(*last)->measure)) {
            list[(*count)++] = c;
        }
    } else if (claim_drop(wanted, &c->measure) <= claim_drop(wanted, &(*last)->measure)) {
        *last = c;
    }
}

/* The points that meet what is asked for. */
static enum pare_status find(const struct search *s, const struct claim *wanted, struct candidate **list,
                             size_t *count) {
    const struct pick *p = s->options->pick;
    size_t nearest = 0;
    double least = INFINITY;
    for (size_t i = 0; i < s->front_count; i++) {
        struct candidate *c = s->front[i];
        double excess = limits_share(&p->limits, c);
        bool promised = p->max_drop == 0 || claim_promises(wanted, &c->measure, s->held_out.data->count);
        double lacking = promised ? 0 : claim_estimate(wanted, &c->measure) / wanted->bound;
        if (excess <= 1 && promised) {
            take(s, wanted, c, list, count);
        }
        if (fmax(excess, lacking) < least) {
            least = fmax(excess, lacking);
            nearest = i;
        }
    }
    return *count == 0 ? none_meets(s, wanted, nearest) : PARE_OK;
}

static enum pare_status find_points(const struct search *s, const struct claim *wanted, struct candidate **list,
                                    size_t *count) {
    size_t number = s->options->pick->point;
    *count = 0;
    if (number == 0) {
        return find(s, wanted, list, count);
    }
    if (number > s->front_count) {
        return no_such_point(s);
    }
    list[(*count)++] = s->front[number - 1];
    return PARE_OK;
}

/* The bound that is wanted, or that of the search. */
static struct claim claim_on(const struct search *s, const struct sample_set *set) {
    struct search_options options = *s->options;
    struct claim c;
    if (options.pick->max_drop > 0) {
        options.max_drop = options.pick->max_drop;
        options.max_drop_relative = options.pick->max_drop_relative;
    }
    claim_init(&c, &options, set);
    return c;
}

static enum pare_status say_loss(const struct search *s, struct accuracy *a) {
    a->reason = arena_format(s->arena,
                             "the point that was picked loses %.2f points on %zu held-out samples; pick a more "
                             "accurate one",
                             a->drop_points, a->held_out_samples);
    return a->reason == NULL ? fail_memory(s->ctx) : PARE_OK;
}

enum pare_status search_pick(struct search *s, struct search_result *r) {
    if (s->front_count != s->options->pick->points) {
        return fail(s->ctx, PARE_ERROR_INPUT,
                    "%s: leads to %zu points, but the report has %zu; search again (--resume)",
                    s->options->journal_path, s->front_count, s->options->pick->points);
    }
    for (size_t i = 0; i < s->front_count; i++) {
        TRY(search_measure_size(s, s->front[i]));
    }
    struct claim wanted = claim_on(s, &s->search_set), held_out = claim_on(s, &s->held_out);
    wanted.drop_only = s->claim.drop_only;
    held_out.drop_only = wanted.drop_only;
    size_t count;
    struct measure m;
    struct candidate **list = ARENA_ARRAY(s->arena, s->front_count, struct candidate *);
    if (list == NULL) {
        return fail_memory(s->ctx);
    }
    TRY(find_points(s, &wanted, list, &count));
    s->evaluator.journal_only = false;
    TRY(search_test(s, &held_out, list, count, NULL, &m));
    TRY(claim_report(s->ctx, s->arena, &wanted, &s->best->measure, &held_out, &m, &r->accuracy));
    return claim_drop(&held_out, &m) > held_out.bound ? say_loss(s, &r->accuracy) : PARE_OK;
}
