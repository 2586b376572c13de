/* The other way round: the least divergence within limits on flash, RAM, memory and bit operations. */
#include "search/state.h"

#include <math.h>
#include <string.h>

#define ROUNDS 5
#define NARROWEST 2     /* bits: there are no narrower widths to allow */
#define LEAST_GAIN 0.99 /* of a round's divergence over the last one's, to go on */

bool search_has_bound(const struct search *s) {
    return !isinf(s->options->max_drop);
}

bool search_has_limits(const struct search *s) {
    const struct limits *l = &s->options->limits;
    return l->memory_bits > 0 || l->flash_bytes > 0 || l->ram_bytes > 0 || l->bit_operations > 0;
}

/* ---- points and limits ---- */

static double share(uint64_t cost, uint64_t limit) {
    return limit == 0 ? 0 : (double)cost / (double)limit;
}

double limits_share(const struct limits *l, const struct candidate *c) {
    double without_file = l->flash_bytes > 0 && c->pare_bytes == 0 ? INFINITY : 0;
    double sizes = fmax(share(c->pare_bytes, l->flash_bytes), share(c->peak_bytes, l->ram_bytes));
    double sums = fmax(share(c->sums.paper_memory, l->memory_bits), share(c->sums.bit_operations, l->bit_operations));
    return fmax(fmax(sizes, sums), without_file);
}

static enum pare_status measure_share(struct search *s, struct candidate *c, double *out) {
    TRY(search_measure_size(s, c));
    *out = limits_share(&s->options->limits, c);
    return PARE_OK;
}

enum pare_status search_accept(struct search *s, struct candidate *c) {
    double used = 0;
    c->accepted = claim_promises(&s->claim, &c->measure, s->held_out.data->count);
    if (s->keeps_limits && c->accepted) {
        TRY(measure_share(s, c, &used));
    }
    c->accepted = c->accepted && used <= 1;
    return PARE_OK;
}

enum pare_status search_keep_limits(struct search *s) {
    struct edition *edition = s->knobs.edition;
    s->keeps_limits = true;
    s->best = NULL;
    for (size_t i = 0; i < s->candidate_count; i++) {
        struct candidate *c = &s->candidates[i];
        TRY(search_accept(s, c));
        if (c->accepted && (s->best == NULL || c->cost < s->best->cost)) {
            s->best = c;
        }
    }
    s->knobs.edition = edition;
    return PARE_OK;
}

/* Of two points the one that is nearer to the limits; within them, the one with less divergence. */
static bool is_nearer(const struct candidate *a, double used_a, const struct candidate *b, double used_b) {
    return fmax(used_a, 1) != fmax(used_b, 1) ? used_a < used_b : a->measure.divergence < b->measure.divergence;
}

/* There is at least one point. */
static enum pare_status find_nearest(struct search *s, struct candidate **out, double *used) {
    struct edition *edition = s->knobs.edition;
    *out = &s->candidates[0];
    TRY(measure_share(s, *out, used));
    for (size_t i = 1; i < s->candidate_count; i++) {
        struct candidate *c = &s->candidates[i];
        double own;
        TRY(measure_share(s, c, &own));
        if (is_nearer(c, own, *out, *used)) {
            *out = c;
            *used = own;
        }
    }
    s->knobs.edition = edition;
    return PARE_OK;
}

enum pare_status search_inside(struct search *s, struct candidate **out) {
    double used;
    bool accepted = false;
    *out = NULL;
    if (!search_has_limits(s)) {
        return PARE_OK;
    }
    TRY(s->keeps_limits ? PARE_OK : search_keep_limits(s)); /* it may have been stopped before */
    for (size_t i = 0; i < s->candidate_count; i++) {
        accepted = accepted || s->candidates[i].accepted;
    }
    return !accepted || !search_has_bound(s) ? find_nearest(s, out, &used) : PARE_OK;
}

/* ---- what is said of them ---- */

struct kept {
    const char *option, *what;
    uint64_t cost, limit;
};

static struct kept worst_of(const struct limits *l, const struct candidate *c) {
    const struct kept all[] = {
        {"--flash-max", "bytes of the .pare file", c->pare_bytes, l->flash_bytes},
        {"--ram-max", "bytes of activations, which widths below 8 do not make smaller", c->peak_bytes, l->ram_bytes},
        {"--memory-max", "bytes of memory", (c->sums.paper_memory + 7) / 8, l->memory_bits / 8},
        {"--bitops-max", "bit operations", c->sums.bit_operations, l->bit_operations},
    };
    struct kept worst = all[0];
    for (size_t i = 1; i < sizeof all / sizeof all[0]; i++) {
        worst = share(all[i].cost, all[i].limit) > share(worst.cost, worst.limit) ? all[i] : worst;
    }
    return worst;
}

static const char *limits_reason(struct search *s) {
    struct kept k = worst_of(&s->options->limits, s->best);
    if (s->options->limits.flash_bytes > 0 && s->best->pare_bytes == 0) {
        return arena_format(s->arena, "the network has operators that stay in float, so there is no .pare file for "
                                      "--flash-max");
    }
    bool narrowest = (knobs_widths(&s->knobs) >> NARROWEST & 1) != 0;
    const char *why =
        s->limits_impossible && narrowest ? "cannot be kept with any widths; allow more"
        : s->limits_impossible
            ? "cannot be kept with the allowed widths; allow narrower ones (--bits) or more"
            : "is kept by none of the points that the search came to before it ended; give it more time or allow more";
    return arena_format(s->arena, "%s %llu %s: the nearest point has %llu %s", k.option, (unsigned long long)k.limit,
                        why, (unsigned long long)k.cost, k.what);
}

enum pare_status search_judge_limits(struct search *s, struct search_result *r) {
    double used;
    if (!search_has_limits(s) || s->options->pick != NULL) {
        return PARE_OK;
    }
    TRY(measure_share(s, s->best, &used));
    r->limits_reason = used > 1 ? limits_reason(s) : NULL;
    return used > 1 && r->limits_reason == NULL ? fail_memory(s->ctx) : PARE_OK;
}

/* The point outside of the limits that holds the bound on the search samples and is nearest to them; NULL: none does,
 * or one within them, too. */
static enum pare_status find_nearest_holding(struct search *s, struct candidate **out) {
    struct edition *edition = s->knobs.edition;
    double least = INFINITY, used;
    *out = NULL;
    for (size_t i = 0; i < s->candidate_count; i++) {
        struct candidate *c = &s->candidates[i];
        if (c->accepted) { /* within the limits: it is not they that are in the way */
            *out = NULL;
            break;
        }
        if (claim_drop(&s->claim, &c->measure) > s->claim.bound) {
            continue;
        }
        TRY(measure_share(s, c, &used));
        if (used > 1 && used < least) {
            *out = c;
            least = used;
        }
    }
    s->knobs.edition = edition;
    return PARE_OK;
}

enum pare_status search_blame_limits(struct search *s, struct accuracy *a) {
    struct candidate *c = NULL;
    bool lost = !a->bound_held && a->drop_points > a->bound_points;
    if (!lost || !search_has_bound(s) || !search_has_limits(s) || s->options->pick != NULL) {
        return PARE_OK;
    }
    TRY(find_nearest_holding(s, &c));
    if (c == NULL) {
        return PARE_OK;
    }
    struct kept k = worst_of(&s->options->limits, c);
    a->reason =
        arena_format(s->arena,
                     "the bound is held on the search samples, but not within the limits: the nearest point that "
                     "holds it has %llu %s; allow as much (%s), or a larger drop (--max-drop)",
                     (unsigned long long)k.cost, k.what, k.option);
    return a->reason == NULL ? fail_memory(s->ctx) : PARE_OK;
}

/* ---- widths that keep the limits ---- */

/* Whether the real file and arena of these widths keep the limits; no samples are run. */
static enum pare_status fits(void *user, uint8_t *bits, bool *out) {
    struct search *s = user;
    struct candidate c = {.bits = bits, .edition = s->knobs.edition};
    double used;
    cost_sums(&s->cost, bits, &c.sums);
    TRY(measure_share(s, &c, &used));
    *out = used <= 1;
    return PARE_OK;
}

/* The first point of the path that keeps the limits; its length when none does. */
static enum pare_status first_inside(struct search *s, const struct path *p, size_t *out) {
    size_t low = 0, high = p->count; /* those before `low` do not, `high` does or is the end */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool inside;
        TRY(fits(s, p->bits + middle * p->knobs, &inside));
        if (inside) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    *out = high;
    return PARE_OK;
}

/* Every tensor at the narrowest width: tables and constants shrink with activations, too, which the model of the sizes
 * does not know. */
static void narrow_all(const struct sensitivity *harm, uint8_t *bits) {
    for (size_t k = 0; k < harm->count; k++) {
        bits[k] = (uint8_t)sensitivity_next(harm, k, 0);
    }
}

/* ---- the rounds ---- */

/* The cost of the path: how full the limits are, by sums that fit the real sizes at this point. */
static enum pare_status model_limits(struct search *s, struct candidate *at, struct cost_model *out) {
    *out = s->cost;
    TRY(search_measure_size(s, at));
    out->limits = &s->options->limits;
    out->file_overhead = (double)at->pare_bytes - (double)at->sums.parameters / 8;
    out->peak_share = (double)at->peak_bytes / (double)at->sums.activation_bytes;
    return PARE_OK;
}

/* One allocation from the sensitivities, corrected at a point, evaluated. */
static enum pare_status allocate(struct search *s, struct candidate *at, size_t sections, struct sensitivity *harm) {
    struct sensitivity near;
    struct cost_model model;
    struct path path;
    size_t first;
    struct edition *edition = s->knobs.edition;
    TRY(search_probe(s, at, sections, harm));
    TRY(search_nearby(s, at, harm, &near));
    TRY(model_limits(s, at, &model));
    s->knobs.edition = edition;
    TRY(path_build(s->ctx, s->arena, &model, sections == 1 ? harm : &near, &path));
    TRY(first_inside(s, &path, &first));
    bool found = first < path.count;
    uint8_t *bits = path.bits + (found ? first : path.count - 1) * path.knobs;
    if (!found) {
        narrow_all(harm, bits);
        TRY(fits(s, bits, &found));
    }
    s->limits_impossible = !found;
    /* The last step of the path saved more than was needed. */
    TRY(found ? allocation_fill(s->ctx, s->arena, &model, sections == 1 ? harm : &near, fits, s, bits) : PARE_OK);
    struct candidate *c;
    return search_evaluate(s, bits, true, &c);
}

enum pare_status search_within_limits(struct search *s) {
    struct candidate *at = &s->candidates[0];
    struct sensitivity harm;
    double used = 0, before = INFINITY;
    TRY(search_sensitivities(s, at, &harm));
    for (int round = 0; round < ROUNDS; round++) {
        TRY(allocate(s, at, round == 0 ? 1 : PROBE_SECTIONS, &harm));
        TRY(find_nearest(s, &at, &used));
        if (used > 1 || at->measure.divergence > before * LEAST_GAIN) {
            break;
        }
        before = at->measure.divergence;
    }
    return PARE_OK;
}
