#include "search/search.h"

#include "quant/lower.h"
#include "search/allocate.h"
#include "search/claim.h"
#include "search/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CALIBRATION_SAMPLES 512
#define SENSITIVITY_SAMPLES_MAX 256
#define SENSITIVITY_SAMPLES_MIN 32
#define SENSITIVITY_MACS 2e12 /* spent on one round of sensitivities: fewer samples for larger networks */
#define CACHE_BYTES ((size_t)2 << 30)
#define ROUNDS 3 /* of sensitivities, each at the point that the last one found */
#define POLISHING_EVALUATIONS 8

/* A state whose accuracy on the whole search set is known. */
struct candidate {
    uint8_t *bits;
    struct measure measure;
    struct cost_sums sums;
    double cost;
    bool accepted;
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
    struct sample_set search_set, held_out, few; /* `few`: the sensitivities' */
    struct claim claim;
    size_t *order; /* knobs, the last operator of the program first */
    struct candidate *candidates;
    size_t candidate_count, candidate_capacity;
    struct candidate *best; /* the cheapest accepted one */
    size_t full_evaluations;
    struct timespec start;
    char note[128];
};

static double seconds_since(const struct timespec *start) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + 1e-9 * (double)(now.tv_nsec - start->tv_nsec);
}

static void report(struct search *s, const char *phase, size_t done, size_t total) {
    if (s->best != NULL) {
        snprintf(s->note, sizeof(s->note), "best: %.1f %% of the 8-bit cost, drop %.2f points, %zu evaluations",
                 100 * s->best->cost, 100 * claim_drop(&s->claim, &s->best->measure), s->full_evaluations);
    }
    struct progress p = {.phase = phase, .done = done, .total = total, .seconds_left = -1};
    p.note = s->best == NULL ? NULL : s->note;
    context_progress(s->ctx, &p);
}

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
    c->accepted = claim_holds(&s->claim, &c->measure);
    if (c->accepted && (s->best == NULL || c->cost < s->best->cost)) {
        s->best = c;
    }
    report(s, "search", s->full_evaluations, 0);
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
        report(s, "sensitivity", i, s->knobs.count);
        TRY(measure_knob(s, bits, s->order[i], reach, base.divergence, out));
    }
    sensitivity_order(out);
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
            double ratio = fmax(around->harm[k][lower_bits], 1e-9) / saved;
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

/* All tensors at one width: 8 bits, or wider where that does not hold the bound. */
static enum pare_status find_start(struct search *s, uint8_t *bits) {
    for (int b = widths_base(s->options->widths); b != 0; b = widths_next_higher(s->options->widths, b)) {
        memset(bits, b, s->knobs.count);
        struct candidate *c = NULL;
        TRY(evaluate(s, bits, &c));
        if (c->accepted) {
            return PARE_OK;
        }
    }
    return PARE_ERROR_BOUND; /* the reason is given by conclude() */
}

static enum pare_status walk(struct search *s) {
    uint8_t *bits = ARENA_ARRAY(s->arena, s->knobs.count, uint8_t);
    if (bits == NULL) {
        return fail_memory(s->ctx);
    }
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

/* ---- set-up ---- */

static enum pare_status collect(struct search *s, const struct dataset *calibration) {
    struct dataset few;
    TRY(dataset_take(s->ctx, s->arena, calibration, s->options->seed, CALIBRATION_SAMPLES, &few));
    report(s, "calibration", 0, few.count);
    TRY(statistics_collect(s->ctx, s->scheme, NULL, few.count, load_sample, &few, &s->statistics));
    report(s, "rounding", 0, 0);
    return knobs_new(s->ctx, s->arena, s->scheme, s->statistics, s->options->widths, &s->knobs);
}

/* Samples of the sensitivities: as many as the work allows, the same on every machine. */
static size_t few_samples(const struct search *s) {
    double macs = 1;
    for (size_t i = 0; i < s->scheme->linear_count; i++) {
        macs += (double)s->scheme->linears[i].macs;
    }
    double samples = SENSITIVITY_MACS / (macs * (double)s->knobs.count * 6);
    samples = fmin(fmax(samples, SENSITIVITY_SAMPLES_MIN), SENSITIVITY_SAMPLES_MAX);
    return (size_t)samples;
}

static uint64_t identity(const struct search *s) {
    uint64_t h = s->options->seed;
    for (size_t i = 0; i < s->scheme->linear_count; i++) {
        const struct linear *l = &s->scheme->linears[i];
        h = hash_of(l->rows_float, (size_t)l->rows * l->columns * sizeof(float), h);
        h = hash_of(l->bias_float, l->rows * sizeof(float), h);
    }
    uint64_t sets[3] = {s->search_set.data->hash, s->held_out.data->hash, s->options->metric};
    h = hash_of(sets, sizeof(sets), h);
    return hash_of(&s->options->widths, sizeof(s->options->widths), h);
}

static enum pare_status make_sets(struct search *s, const struct search_data *data) {
    struct dataset *sets = ARENA_ARRAY(s->arena, 3, struct dataset);
    if (sets == NULL) {
        return fail_memory(s->ctx);
    }
    const struct dataset *all = data->validation;
    sets[0] = *all;
    if (data->test != NULL) {
        sets[1] = *data->test;
    } else if (all->count < 2) {
        return fail(s->ctx, PARE_ERROR_INPUT, "%s: one sample cannot be split into search and held-out samples",
                    all->place);
    } else {
        TRY(dataset_split(s->ctx, s->arena, all, s->options->seed, all->count / 2, &sets[0], &sets[1]));
    }
    enum metric metric = s->options->metric;
    report(s, "float network", 0, sets[0].count + sets[1].count);
    TRY(sample_set_new(s->ctx, s->scheme, metric, "search", &sets[0], &s->search_set));
    report(s, "float network", sets[0].count, sets[0].count + sets[1].count);
    return sample_set_new(s->ctx, s->scheme, metric, "held-out", &sets[1], &s->held_out);
}

static enum pare_status make_few(struct search *s) {
    struct dataset *few = ARENA_NEW(s->arena, struct dataset);
    if (few == NULL) {
        return fail_memory(s->ctx);
    }
    TRY(dataset_take(s->ctx, s->arena, s->search_set.data, s->options->seed, few_samples(s), few));
    TRY(sample_set_new(s->ctx, s->scheme, s->options->metric, "few", few, &s->few));
    return executor_cache_new(s->ctx, s->evaluator.executor, few->count, CACHE_BYTES, &s->few.cache);
}

static enum pare_status prepare(struct search *s, const struct search_data *data) {
    if (s->scheme->linear_count == 0) {
        return fail(s->ctx, PARE_ERROR_UNSUPPORTED, "the model has no layer with constant weights to quantise");
    }
    TRY(make_sets(s, data));
    TRY(collect(s, data->calibration != NULL ? data->calibration : s->search_set.data));
    TRY(cost_model_new(s->ctx, s->arena, &s->knobs, s->options->cost, &s->cost));
    TRY(journal_open(s->ctx, s->options->journal_path, identity(s), s->options->resume, &s->journal));
    s->candidate_capacity = 1000;
    s->candidates = ARENA_ARRAY(s->arena, s->candidate_capacity, struct candidate);
    uint8_t *bits = ARENA_ARRAY(s->arena, s->knobs.count, uint8_t);
    if (s->candidates == NULL || bits == NULL) {
        return fail_memory(s->ctx);
    }
    memset(bits, widths_base(s->options->widths), s->knobs.count);
    knobs_set_all(&s->knobs, bits);
    TRY(evaluator_new(s->ctx, s->arena, &s->knobs, s->options->metric, s->journal, &s->evaluator));
    TRY(make_few(s));
    claim_init(&s->claim, s->options, &s->search_set);
    return order_knobs(s);
}

/* ---- the claim ---- */

static int by_cost(const void *a, const void *b) {
    const struct candidate *x = *(struct candidate *const *)a, *y = *(struct candidate *const *)b;
    return x->cost < y->cost ? -1 : x->cost > y->cost;
}

/* Accepted candidates, the cheapest first; where none was accepted, the one with the smallest drop. */
static enum pare_status ranked(struct search *s, struct candidate ***out, size_t *count) {
    struct candidate **list = ARENA_ARRAY(s->arena, s->candidate_count + 1, struct candidate *);
    if (list == NULL) {
        return fail_memory(s->ctx);
    }
    struct candidate *nearest = NULL;
    *count = 0;
    for (size_t i = 0; i < s->candidate_count; i++) {
        struct candidate *c = &s->candidates[i];
        if (c->accepted) {
            list[(*count)++] = c;
        }
        if (nearest == NULL || claim_drop(&s->claim, &c->measure) < claim_drop(&s->claim, &nearest->measure)) {
            nearest = c;
        }
    }
    qsort(list, *count, sizeof(struct candidate *), by_cost);
    if (*count == 0 && nearest != NULL) {
        list[(*count)++] = nearest;
    }
    *out = list;
    return PARE_OK;
}

/* Takes the cheapest accepted point whose claim the held-out samples support; each test that fails moves on to a point
 * that costs at least a hundredth more. Without any, the last one tried, and why. */
static enum pare_status conclude(struct search *s, struct search_result *r) {
    struct candidate **list = NULL;
    size_t count = 0;
    TRY(ranked(s, &list, &count));
    struct claim claim;
    claim_init(&claim, s->options, &s->held_out);
    struct candidate *chosen = NULL;
    struct measure held_out = {0};
    for (size_t i = 0; i < count; i++) {
        bool last = i + 1 == count;
        if (chosen != NULL && list[i]->cost < chosen->cost * 1.01 && !last) {
            continue;
        }
        TRY(evaluator_measure(s->ctx, &s->evaluator, &s->held_out, list[i]->bits, &held_out));
        s->full_evaluations++;
        chosen = list[i];
        if (claim_holds(&claim, &held_out)) {
            break;
        }
    }
    if (chosen == NULL) {
        return PARE_ERROR_BOUND;
    }
    s->best = chosen;
    TRY(evaluator_apply(s->ctx, &s->evaluator, chosen->bits));
    return claim_report(s->ctx, s->arena, &s->claim, &chosen->measure, &claim, &held_out, &r->accuracy);
}

/* ---- the result ---- */

static enum pare_status fill_pareto(struct search *s, struct search_result *r) {
    struct candidate **list = ARENA_ARRAY(s->arena, s->candidate_count + 1, struct candidate *);
    r->pareto = ARENA_ARRAY(s->arena, s->candidate_count + 1, struct pareto_point);
    if (list == NULL || r->pareto == NULL) {
        return fail_memory(s->ctx);
    }
    for (size_t i = 0; i < s->candidate_count; i++) {
        list[i] = &s->candidates[i];
    }
    qsort(list, s->candidate_count, sizeof(struct candidate *), by_cost);
    double least = INFINITY;
    for (size_t i = 0; i < s->candidate_count; i++) {
        double drop = claim_drop(&s->claim, &list[i]->measure);
        if (drop < least || list[i] == s->best) {
            r->pareto[r->pareto_count++] = (struct pareto_point){100 * drop,
                                                                 list[i]->cost,
                                                                 list[i]->sums.paper_memory,
                                                                 list[i]->sums.paper_multiplication,
                                                                 list[i]->sums.bit_operations,
                                                                 list[i] == s->best};
            least = fmin(least, drop);
        }
    }
    return PARE_OK;
}

static enum pare_status file_sizes(struct context *ctx, struct program *p, uint64_t *bytes, uint64_t *peak) {
    size_t arena = 0;
    TRY(program_plan_arena(ctx, p, &arena));
    *peak = arena;
    struct buffer b;
    buffer_init(&b);
    enum pare_status status = program_write(ctx, p, &b);
    *bytes = status == PARE_OK ? b.size : 0;
    buffer_free(&b);
    if (status == PARE_ERROR_UNSUPPORTED) { /* operators in float: there is no file */
        context_clear(ctx);
        return PARE_OK;
    }
    return status;
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
    uint8_t *bits = ARENA_ARRAY(s->arena, s->knobs.count, uint8_t);
    if (bits == NULL) {
        return fail_memory(s->ctx);
    }
    if (s->options->widths >> 8 & 1) {
        memset(bits, 8, s->knobs.count);
        TRY(evaluator_apply(s->ctx, &s->evaluator, bits));
        TRY(file_sizes(s->ctx, s->evaluator.program, &c->pare_bytes_8bit, &c->peak_activation_bytes_8bit));
    }
    TRY(evaluator_apply(s->ctx, &s->evaluator, s->best->bits));
    return file_sizes(s->ctx, s->evaluator.program, &c->pare_bytes, &c->peak_activation_bytes);
}

static enum pare_status finish(struct search *s, enum pare_status status, struct search_result *r) {
    bool have_point = s->candidate_count > 0;
    if ((status != PARE_OK && status != PARE_ERROR_BOUND && status != PARE_ERROR_INTERRUPTED) || !have_point) {
        return status;
    }
    r->interrupted = status == PARE_ERROR_INTERRUPTED;
    context_clear(s->ctx);
    bool (*cancelled)(void *) = s->ctx->cancelled;
    s->ctx->cancelled = NULL; /* an interrupted search still measures and hands over its best point */
    report(s, "held-out", 0, 0);
    enum pare_status concluded = conclude(s, r);
    if (concluded == PARE_OK) {
        concluded = fill_pareto(s, r);
    }
    if (concluded == PARE_OK) {
        concluded = fill_cost(s, r);
    }
    s->ctx->cancelled = cancelled;
    if (concluded != PARE_OK) {
        return concluded;
    }
    r->full_evaluations = s->full_evaluations;
    r->seconds = seconds_since(&s->start);
    r->program = s->evaluator.program;
    s->evaluator.program = NULL;
    if (r->interrupted) {
        return fail(s->ctx, PARE_ERROR_INTERRUPTED, "interrupted; the best point so far was kept");
    }
    return r->accuracy.bound_held ? PARE_OK : fail(s->ctx, PARE_ERROR_BOUND, "%s", r->accuracy.reason);
}

enum pare_status search_run(struct context *ctx, const struct graph *g, const struct search_data *data,
                            const struct search_options *options, struct search_result *out) {
    *out = (struct search_result){0};
    arena_init(&out->arena);
    struct search s = {.ctx = ctx, .options = options, .arena = &out->arena};
    clock_gettime(CLOCK_MONOTONIC, &s.start);
    enum pare_status status = graph_clone(ctx, g, false, &out->graph);
    if (status == PARE_OK) {
        status = scheme_new(ctx, out->graph, &out->scheme);
    }
    s.scheme = out->scheme;
    if (status == PARE_OK) {
        status = prepare(&s, data);
    }
    if (status == PARE_OK) {
        status = walk(&s);
    }
    status = finish(&s, status, out);
    sample_set_free(&s.search_set);
    sample_set_free(&s.held_out);
    sample_set_free(&s.few);
    evaluator_free(&s.evaluator);
    program_free(s.evaluator.program);
    journal_close(s.journal);
    statistics_free(s.statistics);
    return status;
}

void search_result_free(struct search_result *r) {
    program_free(r->program);
    scheme_free(r->scheme);
    graph_free(r->graph);
    arena_free(&r->arena);
    *r = (struct search_result){0};
}
