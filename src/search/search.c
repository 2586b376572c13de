#include "search/search.h"

#include "quant/equalize.h"
#include "quant/lower.h"
#include "quant/silent.h"
#include "search/state.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SENSITIVITY_SAMPLES_MAX 512
#define SENSITIVITY_SAMPLES_MIN 64
#define SENSITIVITY_MACS 3e12 /* spent on sensitivities: fewer samples for larger networks */
#define CACHE_BYTES ((size_t)2 << 30)
#define CALIBRATION_CACHE_BYTES ((size_t)1 << 30)
#define CANDIDATES_MAX 1000

void search_limit_time(struct search *s) {
    bool counts = s->options->time_limit > 0 && s->options->pick == NULL;
    s->ctx->deadline = counts ? s->start + s->options->time_limit : 0;
}

static double seconds_left(const struct search *s) {
    return s->ctx->deadline > 0 ? fmax(s->ctx->deadline - monotonic_seconds(), 0) : -1;
}

void search_report(struct search *s, const char *phase, size_t done, size_t total) {
    if (s->best != NULL) {
        snprintf(s->note, sizeof(s->note), "best: %.1f %% of the 8-bit cost, drop %.2f points, %zu evaluations",
                 100 * s->best->cost, 100 * claim_drop(&s->claim, &s->best->measure), s->full_evaluations);
    }
    struct progress p = {.phase = phase, .done = done, .total = total, .seconds_left = seconds_left(s)};
    p.note = s->best == NULL ? NULL : s->note;
    context_progress(s->ctx, &p);
}

static struct allowed_widths allowed_widths(const struct search_options *o) {
    return (struct allowed_widths){.weights = o->weight_widths != 0 ? o->weight_widths : o->widths,
                                   .activations = o->activation_widths != 0 ? o->activation_widths : o->widths,
                                   .inputs = o->input_widths != 0 ? o->input_widths : o->widths,
                                   .others = o->widths};
}

static enum pare_status collect(struct search *s) {
    struct sample_source source = calibration_source(&s->calibration);
    search_report(s, "calibration", 0, s->calibration.count);
    statistics_free(s->statistics);
    s->statistics = NULL;
    return statistics_collect(s->ctx, s->scheme, &source, s->calibration.count, &s->statistics);
}

static enum pare_status make_knobs(struct search *s) {
    search_report(s, "rounding", 0, 0);
    struct allowed_widths allowed = allowed_widths(s->options);
    return knobs_new(s->ctx, s->arena, s->scheme, s->statistics, &allowed, &s->knobs);
}

/* Samples of the sensitivities: as many as the work allows, the same on every machine. */
static size_t few_samples(const struct search *s) {
    double macs = 1;
    for (size_t i = 0; i < s->scheme->linear_count; i++) {
        macs += (double)s->scheme->linears[i].macs;
    }
    double knobs = 2 * (double)s->scheme->linear_count + (double)s->scheme->point_count;
    double samples = SENSITIVITY_MACS / (macs * knobs * 4);
    samples = fmin(fmax(samples, SENSITIVITY_SAMPLES_MIN), SENSITIVITY_SAMPLES_MAX);
    return (size_t)samples;
}

/* Whatever changes a measurement: the rewritten network, the samples as it sees them, the settings, this version; which
 * channels have gone is told by the measurement itself. */
static uint64_t identity(const struct search *s) {
    const struct search_options *o = s->options;
    uint64_t numbers[] = {s->search_set.data->hash, s->held_out.data->hash, s->calibration.hash, o->metric, o->widths,
                          o->weight_widths,         o->activation_widths,   o->input_widths,     o->seed,   o->without};
    uint64_t h = hash_of(PARE_VERSION, strlen(PARE_VERSION), 0);
    return hash_of(numbers, sizeof(numbers), hash_of(&s->given_hash, sizeof(s->given_hash), h));
}

/* The claim needs more samples than the search, which has the expected drop besides the measured one. */
static size_t search_share(size_t count) {
    size_t share = count * 2 / 5;
    return share < 1 ? 1 : share;
}

/* The search set, and the held-out one. */
static enum pare_status choose_sets(struct search *s, const struct search_data *data, struct dataset *sets) {
    const struct dataset *all = data->validation;
    sets[0] = *all;
    if (data->test != NULL) {
        sets[1] = *data->test;
    } else if (all->count < 2) {
        return fail(s->ctx, PARE_ERROR_INPUT, "%s: one sample cannot be split into search and held-out samples",
                    all->place);
    } else {
        TRY(dataset_split(s->ctx, s->arena, all, s->options->seed, search_share(all->count), &sets[0], &sets[1]));
    }
    return PARE_OK;
}

static enum pare_status new_scheme(struct search *s, struct graph *g, struct scheme **out) {
    TRY(scheme_new(s->ctx, g, out));
    s->scheme = *out;
    s->scheme->without = s->options->without;
    if (s->scheme->linear_count == 0) {
        return fail(s->ctx, PARE_ERROR_UNSUPPORTED, "the model has no layer with constant weights to quantise");
    }
    return PARE_OK;
}

static enum pare_status measure_sets(struct search *s, const struct dataset *sets) {
    enum metric metric = s->options->metric;
    search_report(s, "float network", 0, sets[0].count + sets[1].count);
    TRY(sample_set_new(s->ctx, s->scheme, metric, "search", &sets[0], &s->search_set));
    search_report(s, "float network", sets[0].count, sets[0].count + sets[1].count);
    return sample_set_new(s->ctx, s->scheme, metric, "held-out", &sets[1], &s->held_out);
}

/* The given network is kept. */
static enum pare_status replace_graph(struct search *s, struct search_result *r, struct graph *without) {
    scheme_withdraw(r->scheme);
    r->scheme = s->scheme = NULL;
    if (r->graph != s->given) {
        graph_free(r->graph);
    }
    r->graph = without;
    return new_scheme(s, r->graph, &r->scheme);
}

static enum pare_status drop_silent(struct search *s, struct search_result *r) {
    struct sample_source source = calibration_source(&s->calibration);
    if (s->options->keep_channels || s->options->without & TECHNIQUE_SILENT_CHANNELS ||
        s->calibration.count < SILENT_SAMPLES_MIN) {
        return PARE_OK;
    }
    search_report(s, "silent channels", 0, s->calibration.count);
    struct graph *without = NULL;
    TRY(graph_clone(s->ctx, r->graph, false, &without));
    scheme_clear_formats(without);
    enum pare_status status =
        drop_silent_channels(s->ctx, s->arena, without, s->calibration.count, &source, &r->dropped);
    if (status != PARE_OK || r->dropped.count == 0) {
        graph_free(without);
        return status;
    }
    return replace_graph(s, r, without);
}

/* The float network and what it costs at 8 bits are what was given; what is quantised may have lost channels. */
static enum pare_status make_scheme(struct search *s, const struct dataset *sets, struct search_result *r,
                                    struct cost_sums *at_8) {
    struct sample_source source = calibration_source(&s->calibration);
    search_report(s, "equalisation", 0, s->calibration.count);
    bool equal = !(s->options->without & TECHNIQUE_EQUALISATION);
    s->given = r->graph;
    s->dropped = &r->dropped;
    TRY(equal ? equalize(s->ctx, r->graph, s->calibration.count, &source) : PARE_OK);
    TRY(graph_hash(s->ctx, r->graph, 0, &s->given_hash));
    TRY(new_scheme(s, r->graph, &r->scheme));
    TRY(measure_sets(s, sets));
    cost_sums_8bit(s->scheme, at_8);
    return drop_silent(s, r);
}

/* Needs the statistics, and renews them where channels have gone. */
static enum pare_status drop_redundant(struct search *s, struct search_result *r) {
    struct graph *without = NULL;
    TRY(search_drop_redundant(s, &r->dropped, &without));
    if (without == NULL) {
        return PARE_OK;
    }
    TRY(replace_graph(s, r, without));
    return collect(s);
}

/* Calibration samples, which need no labels: widths chosen by the search set would look better on it than they are. As
 * the network sees them that redundant channels have not been taken out of. */
static enum pare_status make_few(struct search *s) {
    struct dataset *few = ARENA_NEW(s->arena, struct dataset);
    const struct calibration *c = &s->calibration;
    enum metric metric = s->options->metric == METRIC_SQNR ? METRIC_SQNR : METRIC_AGREEMENT;
    if (few == NULL) {
        return fail_memory(s->ctx);
    }
    const struct dataset *larger = c->own.count > c->more.count ? &c->own : &c->more;
    TRY(dataset_take(s->ctx, s->arena, larger, s->options->seed, few_samples(s), few));
    return sample_set_new(s->ctx, s->scheme, metric, "few", few, &s->few);
}

static enum pare_status make_paired(struct search *s) {
    struct sample_source source = calibration_source(&s->calibration);
    size_t count = s->calibration.count;
    s->evaluator.fit = search_fit;
    s->evaluator.user = s;
    TRY(executor_cache_new(s->ctx, s->evaluator.executor, count, CALIBRATION_CACHE_BYTES, &s->calibration_cache));
    struct wanted_network wanted = {s->given, s->dropped};
    return paired_new(s->ctx, s->scheme, &wanted, &source, count, &s->paired);
}

static enum pare_status describe(struct search *s, const struct search_result *r) {
    const struct search_options *o = s->options;
    return o->describe == NULL ? PARE_OK : o->describe(o->user, s->ctx, r, &s->evaluator.program->metadata);
}

static enum pare_status prepare(struct search *s, const struct search_data *data, struct search_result *r) {
    struct dataset *sets = ARENA_ARRAY(s->arena, 2, struct dataset);
    if (sets == NULL) {
        return fail_memory(s->ctx);
    }
    TRY(choose_sets(s, data, sets));
    TRY(calibration_choose(s->ctx, s->arena, data->calibration, &sets[0], s->options->seed, &s->calibration));
    struct cost_sums at_8;
    TRY(make_scheme(s, sets, r, &at_8));
    TRY(collect(s));
    TRY(make_few(s));
    TRY(drop_redundant(s, r));
    TRY(make_knobs(s));
    TRY(cost_model_new(s->ctx, s->arena, &s->knobs, s->options->cost, &at_8, &s->cost));
    TRY(journal_open(s->ctx, s->options->journal_path, identity(s), s->options->resume, &s->journal));
    s->candidate_capacity = CANDIDATES_MAX;
    s->candidates = ARENA_ARRAY(s->arena, s->candidate_capacity, struct candidate);
    uint8_t *bits = ARENA_ARRAY(s->arena, s->knobs.count, uint8_t);
    if (s->candidates == NULL || bits == NULL) {
        return fail_memory(s->ctx);
    }
    knobs_fill(&s->knobs, bits, widths_base(knobs_widths(&s->knobs)));
    knobs_set_all(&s->knobs, bits);
    TRY(evaluator_new(s->ctx, s->arena, &s->knobs, s->journal, &s->evaluator));
    TRY(graph_hash(s->ctx, s->scheme->graph, 0, &s->evaluator.network));
    s->evaluator.journal_only = s->options->pick != NULL;
    TRY(describe(s, r));
    TRY(executor_cache_new(s->ctx, s->evaluator.executor, s->few.data->count, CACHE_BYTES, &s->few.cache));
    TRY(make_paired(s));
    claim_init(&s->claim, s->options, &s->search_set);
    return PARE_OK;
}

static bool is_asked_to_stop(const struct search *s) {
    return s->ctx->cancelled != NULL && s->ctx->cancelled(s->ctx->user);
}

static enum search_end end_of(const struct search *s, enum pare_status status) {
    if (status != PARE_ERROR_INTERRUPTED) {
        return SEARCH_COMPLETE;
    }
    return !is_asked_to_stop(s) && context_late(s->ctx) ? SEARCH_OUT_OF_TIME : SEARCH_INTERRUPTED;
}

/* A search that is repeated from its journal has to come as far as it came the first time. */
static bool is_short_of_its_end(const struct search *s, enum pare_status status) {
    const struct pick *p = s->options->pick;
    return p != NULL && status == PARE_ERROR_INTERRUPTED && (p->end == SEARCH_COMPLETE || is_asked_to_stop(s));
}

static enum pare_status explain_missing(struct search *s, enum pare_status status) {
    if (s->options->pick == NULL || status != PARE_ERROR_INTERRUPTED || is_asked_to_stop(s)) {
        return status;
    }
    context_clear(s->ctx);
    return fail(s->ctx, PARE_ERROR_INPUT,
                "%s: lacks a measurement of the search that the report tells of; search again (--resume)",
                s->options->journal_path);
}

static enum pare_status finish(struct search *s, enum pare_status status, struct search_result *r) {
    bool have_point = s->candidate_count > 0 && !is_short_of_its_end(s, status);
    if ((status != PARE_OK && status != PARE_ERROR_BOUND && status != PARE_ERROR_INTERRUPTED) || !have_point) {
        return status;
    }
    r->end = s->options->pick != NULL ? s->options->pick->end : end_of(s, status);
    s->ctx->deadline = 0;
    context_clear(s->ctx);
    bool (*cancelled)(void *) = s->ctx->cancelled;
    s->ctx->cancelled = NULL; /* a search that was stopped still measures and hands over its best point */
    enum pare_status concluded = search_conclude(s, r);
    s->ctx->cancelled = cancelled;
    if (concluded != PARE_OK) {
        return concluded;
    }
    r->full_evaluations = s->full_evaluations;
    r->seconds = monotonic_seconds() - s->start;
    r->program = s->evaluator.program;
    s->evaluator.program = NULL;
    if (r->end == SEARCH_INTERRUPTED && s->options->pick == NULL) {
        return fail(s->ctx, PARE_ERROR_INTERRUPTED, "interrupted; the best point so far was kept");
    }
    if (r->limits_reason != NULL) {
        return fail(s->ctx, PARE_ERROR_BOUND, "%s", r->limits_reason);
    }
    return r->accuracy.bound_held ? PARE_OK : fail(s->ctx, PARE_ERROR_BOUND, "%s", r->accuracy.reason);
}

/* Down to the bound, or to the limits, or first to the one and then to the other. */
static enum pare_status walk(struct search *s) {
    if (s->options->given != NULL) {
        return search_given(s);
    }
    TRY(search_start(s));
    TRY(search_has_bound(s) ? search_walk(s) : PARE_OK);
    if (!search_has_limits(s)) {
        return PARE_OK;
    }
    TRY(search_keep_limits(s));
    return s->best != NULL && search_has_bound(s) ? PARE_OK : search_within_limits(s);
}

/* One search, begun at `start` (monotonic_seconds), with `evaluations` behind it. */
struct attempt {
    double start;
    size_t evaluations;
    bool
        misses_channels; /* out: without those that were taken out no uniform widths hold the bound on the search set */
};

static enum pare_status run(struct context *ctx, const struct graph *g, const struct search_data *data,
                            const struct search_options *options, struct attempt *a, struct search_result *out) {
    *out = (struct search_result){0};
    arena_init(&out->arena);
    struct search s = {.ctx = ctx, .options = options, .arena = &out->arena, .start = a->start};
    s.full_evaluations = a->evaluations;
    enum pare_status status = graph_clone(ctx, g, false, &out->graph);
    if (status == PARE_OK) {
        status = prepare(&s, data, out);
    }
    if (status == PARE_OK) {
        status = walk(&s);
    }
    a->misses_channels = out->dropped.count > 0 && s.start_fails && (status == PARE_OK || status == PARE_ERROR_BOUND);
    a->evaluations = s.full_evaluations;
    status = a->misses_channels ? status : explain_missing(&s, finish(&s, status, out));
    ctx->deadline = 0;
    sample_set_free(&s.search_set);
    sample_set_free(&s.held_out);
    sample_set_free(&s.few);
    executor_cache_free(s.calibration_cache);
    paired_free(s.paired);
    if (s.given != out->graph) {
        graph_free(s.given);
    }
    evaluator_free(&s.evaluator);
    program_free(s.evaluator.program);
    journal_close(s.journal);
    statistics_free(s.statistics);
    return status;
}

enum pare_status search_run(struct context *ctx, const struct graph *g, const struct search_data *data,
                            const struct search_options *options, struct search_result *out) {
    struct attempt a = {.start = monotonic_seconds()};
    enum pare_status status = run(ctx, g, data, options, &a, out);
    if (!a.misses_channels) {
        return status;
    }
    struct search_options whole = *options;
    whole.keep_channels = true;
    whole.resume = options->journal_path != NULL; /* it goes on */
    search_result_free(out);
    context_clear(ctx);
    context_warn(ctx, "without channels that are silent, or that others make good, the bound cannot be held: all stay");
    return run(ctx, g, data, &whole, &a, out);
}

void search_result_free(struct search_result *r) {
    program_free(r->program);
    scheme_free(r->scheme);
    graph_free(r->graph);
    arena_free(&r->arena);
    *r = (struct search_result){0};
}
