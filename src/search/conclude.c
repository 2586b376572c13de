/* The end of a search: the claim on the held-out samples, and the figures of the chosen point. */
#include "search/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
static enum pare_status choose(struct search *s, struct search_result *r) {
    struct candidate **list = NULL;
    size_t count = 0;
    TRY(ranked(s, &list, &count));
    struct claim claim;
    claim_init(&claim, s->options, &s->held_out);
    claim.drop_only = s->claim.drop_only;
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
        if (claim_supports(&claim, &held_out)) {
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

enum pare_status search_conclude(struct search *s, struct search_result *r) {
    search_report(s, "held-out", 0, 0);
    TRY(choose(s, r));
    TRY(fill_pareto(s, r));
    return fill_cost(s, r);
}
