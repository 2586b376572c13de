#include "search/claim.h"

#include <math.h>

static const char *wider_option(const struct search_options *o) {
    bool by_kind = o->weight_widths != 0 || o->activation_widths != 0;
    return o->given != NULL ? "--widths" : by_kind ? "--weight-bits, --activation-bits, --bits" : "--bits";
}

void claim_init(struct claim *c, const struct search_options *options, const struct sample_set *set) {
    double accuracy = (double)set->right_count / (double)set->data->count;
    bool relative = options->max_drop_relative && options->metric != METRIC_SQNR;
    *c = (struct claim){.metric = options->metric,
                        .max_drop = options->max_drop,
                        .max_drop_relative = options->max_drop_relative,
                        .bound = relative ? options->max_drop * accuracy : options->max_drop,
                        .confidence = options->confidence,
                        .level = 1 - options->confidence,
                        .measured_only = options->without & TECHNIQUE_EXPECTED_DROP,
                        .float_accuracy = accuracy,
                        .samples = set->data->count,
                        .wider = wider_option(options)};
}

double claim_drop(const struct claim *c, const struct measure *m) {
    return c->metric == METRIC_SQNR ? m->noise_ratio : paired_drop(&m->paired);
}

#define EXPECTATION_DOUBT 0.25 /* of the bound */
#define SEARCH_MARGIN 0.25     /* standard errors */
#define HOPE 0.5               /* standard errors */
#define DISCORDANCE_SLACK 1.05 /* of the standard error: other samples disagree a little more or less often */

/* One-sided error of the drop at the claim's confidence. */
static double resolution(const struct claim *c, const struct measure *m) {
    return normal_quantile(c->confidence) * paired_error(&m->paired);
}

bool claim_can_tell(const struct claim *c, const struct measure *m) {
    return c->metric == METRIC_SQNR || resolution(c, m) <= c->bound;
}

/* One-sided error at the level of the test, of a network that loses twice the bound. */
static double level_error(const struct claim *c, const struct measure *m) {
    return c->metric == METRIC_SQNR ? 0 : normal_quantile(1 - c->level) * paired_error_under(&m->paired, 2 * c->bound);
}

bool claim_holds(const struct claim *c, const struct measure *m) {
    double drop = claim_drop(c, m);
    return claim_can_tell(c, m) && drop <= c->bound && drop + level_error(c, m) <= 2 * c->bound;
}

bool claim_supports(const struct claim *c, const struct measure *m) {
    return c->drop_only ? claim_drop(c, m) <= c->bound : claim_holds(c, m);
}

bool claim_needs_samples(const struct claim *c, const struct measure *m, size_t held_out) {
    double elsewhere = DISCORDANCE_SLACK * sqrt((double)c->samples / (double)held_out);
    return c->metric != METRIC_SQNR && resolution(c, m) * elsewhere > c->bound;
}

double claim_samples_needed(const struct claim *c, const struct measure *m) {
    double ratio = DISCORDANCE_SLACK * resolution(c, m) / c->bound;
    return ceil((double)c->samples * ratio * ratio);
}

/* Weight of the measured drop against the expected one, which has next to no variance but may be off by a part of the
 * bound: each in proportion to the other's mean squared error. */
static double measured_weight(const struct claim *c, const struct measure *m) {
    double error = paired_error(&m->paired), doubt = EXPECTATION_DOUBT * c->bound;
    return c->measured_only || isinf(doubt) ? 1 : doubt * doubt / (doubt * doubt + error * error);
}

double claim_estimate(const struct claim *c, const struct measure *m) {
    if (c->metric == METRIC_SQNR) {
        return m->noise_ratio;
    }
    double weight = measured_weight(c, m);
    return weight * paired_drop(&m->paired) + (1 - weight) * m->expected_drop;
}

static bool is_within(const struct claim *c, const struct measure *m, size_t held_out, double margin) {
    if (c->metric == METRIC_SQNR) {
        return claim_holds(c, m);
    }
    return (c->drop_only || !claim_needs_samples(c, m, held_out)) &&
           claim_estimate(c, m) + margin * paired_error(&m->paired) <= c->bound;
}

bool claim_promises(const struct claim *c, const struct measure *m, size_t held_out) {
    return is_within(c, m, held_out, SEARCH_MARGIN);
}

bool claim_may_hold(const struct claim *c, const struct measure *m, size_t held_out) {
    return is_within(c, m, held_out, -HOPE);
}

static double quantized_accuracy(const struct claim *c, const struct measure *m) {
    if (c->metric == METRIC_SQNR) {
        return m->noise_ratio > 0 ? 1 / m->noise_ratio : INFINITY;
    }
    return c->float_accuracy - paired_drop(&m->paired);
}

/* Samples at which the error would equal the bound, were the rates the same. */
static double samples_needed(const struct claim *c, const struct measure *m) {
    double ratio = c->bound > 0 ? resolution(c, m) / c->bound : INFINITY;
    return ceil((double)m->paired.samples * ratio * ratio);
}

static double decibels(double noise_ratio) {
    return noise_ratio > 0 ? -10 * log10(noise_ratio) : INFINITY;
}

static const char *reason_of_loss(struct arena *a, const struct claim *c, const struct measure *m) {
    double drop = claim_drop(c, m);
    if (c->metric == METRIC_SQNR) {
        return arena_format(
            a,
            "the noise bound of %.2f %% (%.1f dB) cannot be held with the allowed widths: %.2f %% (%.1f dB) "
            "on the held-out samples; allow wider ones (%s) or more noise (--max-drop)",
            100 * c->bound, decibels(c->bound), 100 * drop, decibels(drop), c->wider);
    }
    if (c->float_accuracy == 0) {
        return arena_format(a,
                            "the float network is right on none of the held-out samples; check the labels and what the "
                            "data need (--scale, --mean, --std, --layout)");
    }
    return arena_format(a,
                        "the bound of %.2f points cannot be held with the allowed widths: %.2f points %s on %zu "
                        "held-out sample%s; allow wider ones (%s) or a larger drop (--max-drop)",
                        100 * c->bound, 100 * drop, c->metric == METRIC_AGREEMENT ? "get another class" : "are lost",
                        c->samples, c->samples == 1 ? "" : "s", c->wider);
}

static const char *reason_of(struct arena *a, const struct claim *c, const struct measure *m) {
    if (claim_drop(c, m) > c->bound || c->bound == 0) {
        return reason_of_loss(a, c, m);
    }
    if (claim_can_tell(c, m) && !c->drop_only) {
        return arena_format(a,
                            "too few samples for the bound of %.2f points: a drop of %.2f points on %zu held-out "
                            "sample%s is not shown to be below "
                            "twice the bound at %.4g %% confidence, which one of several points has to be; give more "
                            "(--test; of --data three "
                            "fifths are held out), or allow a larger drop (--max-drop)",
                            100 * c->bound, 100 * claim_drop(c, m), c->samples, c->samples == 1 ? "" : "s",
                            100 * (1 - c->level));
    }
    if (claim_can_tell(c, m)) {
        return arena_format(
            a,
            "too few samples for the bound of %.2f points: %zu held-out sample%s cannot tell at 8 bits "
            "everywhere, so that nothing was claimed; give more (--test; of --data three fifths are held "
            "out), or allow a larger drop (--max-drop)",
            100 * c->bound, c->samples, c->samples == 1 ? "" : "s");
    }
    return arena_format(
        a,
        "too few samples for the bound of %.2f points: on %zu held-out sample%s with %zu discordant ones the drop is "
        "only known to %.2f points (%.4g %% confidence); give about %.0f held-out samples (--test; of --data three "
        "fifths are held out), or allow a larger drop (--max-drop)",
        100 * c->bound, c->samples, c->samples == 1 ? "" : "s", m->paired.lost + m->paired.won, 100 * resolution(c, m),
        100 * c->confidence, samples_needed(c, m));
}

enum pare_status claim_report(struct context *ctx, struct arena *a, const struct claim *search,
                              const struct measure *on_search, const struct claim *held_out,
                              const struct measure *on_held_out, struct accuracy *out) {
    const struct paired *p = &on_held_out->paired;
    *out = (struct accuracy){.metric = held_out->metric,
                             .quantized_search = quantized_accuracy(search, on_search),
                             .quantized_held_out = quantized_accuracy(held_out, on_held_out),
                             .divergence_search = on_search->divergence,
                             .divergence_held_out = on_held_out->divergence,
                             .confidence = 1 - held_out->level,
                             .max_drop = held_out->max_drop,
                             .max_drop_relative = held_out->max_drop_relative,
                             .bound_points = 100 * held_out->bound,
                             .search_samples = search->samples,
                             .held_out_samples = held_out->samples,
                             .bound_held = !held_out->drop_only && claim_holds(held_out, on_held_out)};
    double drop = claim_drop(held_out, on_held_out);
    out->drop_points = 100 * drop;
    out->drop_relative = drop;
    if (held_out->metric != METRIC_SQNR) {
        out->float_search = search->float_accuracy;
        out->float_held_out = held_out->float_accuracy;
        out->drop_relative = held_out->float_accuracy > 0 ? drop / held_out->float_accuracy : 0;
        out->discordant = p->lost + p->won;
        paired_interval(p, out->confidence, out->interval_points);
        out->error_points = 100 * level_error(held_out, on_held_out);
        out->interval_points[0] *= 100;
        out->interval_points[1] *= 100;
    }
    if (!out->bound_held) {
        out->reason = reason_of(a, held_out, on_held_out);
        return out->reason == NULL ? fail_memory(ctx) : PARE_OK;
    }
    return PARE_OK;
}
