/* The points to choose from, and the sizes of what would be written for each. */
#include "search/state.h"

#include <math.h>
#include <stdlib.h>

static int by_cost_and_drop(const void *a, const void *b) {
    const struct candidate *x = *(struct candidate *const *)a, *y = *(struct candidate *const *)b;
    if (x->cost != y->cost) {
        return x->cost < y->cost ? -1 : 1;
    }
    double first = x->measure.divergence, second = y->measure.divergence;
    return first < second ? -1 : first > second;
}

enum pare_status search_list_front(struct search *s) {
    s->front = ARENA_ARRAY(s->arena, s->candidate_count, struct candidate *);
    if (s->front == NULL) {
        return fail_memory(s->ctx);
    }
    for (size_t i = 0; i < s->candidate_count; i++) {
        s->front[i] = &s->candidates[i];
    }
    qsort(s->front, s->candidate_count, sizeof(struct candidate *), by_cost_and_drop);
    double least = INFINITY;
    s->front_count = 0;
    for (size_t i = 0; i < s->candidate_count; i++) {
        struct candidate *c = s->front[i];
        double drop = claim_drop(&s->claim, &c->measure);
        if (drop < least || c == s->best) {
            s->front[s->front_count++] = c;
            least = fmin(least, drop);
        }
    }
    return PARE_OK;
}

static enum pare_status file_size(struct context *ctx, const struct program *p, enum packing packing, uint64_t *bytes) {
    struct buffer b;
    buffer_init(&b);
    enum pare_status status = program_write_packed(ctx, p, packing, &b);
    *bytes = status == PARE_OK ? b.size : 0;
    buffer_free(&b);
    if (status == PARE_ERROR_UNSUPPORTED) { /* operators in float: there is no file */
        context_clear(ctx);
        return PARE_OK;
    }
    return status;
}

enum pare_status search_measure_size(struct search *s, struct candidate *c) {
    if (c->sized) {
        return PARE_OK;
    }
    size_t arena = 0;
    s->knobs.edition = c->edition;
    TRY(evaluator_apply(s->ctx, &s->evaluator, c->bits));
    TRY(program_plan_arena(s->ctx, s->evaluator.program, &arena));
    TRY(file_size(s->ctx, s->evaluator.program, s->options->packing, &c->pare_bytes));
    c->peak_bytes = arena;
    c->sized = true;
    return PARE_OK;
}
