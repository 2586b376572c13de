/* Places the values of a program in one arena, so that values needed at the same time do not overlap.
 *
 * An operator that works element by element may write over an input that is read for the last time. Finding the
 * smallest arena is NP-hard; placing each value at the lowest free offset, in a few different orders, comes near
 * (Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020, section 5). */
#include "fixed/lifetimes.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_ALIGNMENT 4

struct placement {
    uint32_t value;
    uint32_t first, last;
    size_t size, offset;
};

typedef int placement_order(const void *a, const void *b);

static int compare(size_t a, size_t b) {
    return (a > b) - (a < b);
}

static int by_size(const void *a, const void *b) {
    const struct placement *x = a, *y = b;
    int order = compare(y->size, x->size);
    return order != 0 ? order : compare(x->value, y->value);
}

static int by_beginning(const void *a, const void *b) {
    const struct placement *x = a, *y = b;
    int order = compare(x->first, y->first);
    return order != 0 ? order : by_size(a, b);
}

static int by_duration(const void *a, const void *b) {
    const struct placement *x = a, *y = b;
    int order = compare(y->last - y->first, x->last - x->first);
    return order != 0 ? order : by_size(a, b);
}

static int by_area(const void *a, const void *b) {
    const struct placement *x = a, *y = b;
    double area_x = (double)x->size * (x->last - x->first + 1), area_y = (double)y->size * (y->last - y->first + 1);
    return area_x != area_y ? (area_x < area_y ? 1 : -1) : by_size(a, b);
}

static bool meet(const struct placement *a, const struct placement *b) {
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest gap between the values already placed, which `placed` holds by offset. */
static void place(struct placement *p, struct placement **placed, size_t count) {
    p->offset = 0;
    for (size_t i = 0; i < count; i++) {
        if (!meet(p, placed[i])) {
            continue;
        }
        if (p->offset + p->size <= placed[i]->offset) {
            break;
        }
        size_t end = placed[i]->offset + placed[i]->size;
        p->offset = end > p->offset ? end : p->offset;
    }
    size_t at = count;
    for (; at > 0 && placed[at - 1]->offset > p->offset; at--) {
        placed[at] = placed[at - 1];
    }
    placed[at] = p;
}

static size_t place_all(struct placement *values, size_t count, placement_order *order, struct placement **placed) {
    size_t peak = 0;
    qsort(values, count, sizeof(*values), order);
    for (size_t i = 0; i < count; i++) {
        place(&values[i], placed, i);
        size_t end = values[i].offset + values[i].size;
        peak = end > peak ? end : peak;
    }
    return peak;
}

/* Bottom and top of the arena in turn, where that does with `limit` bytes: the best for a chain, whose neighbours then
 * never need more than both of their sizes. False where it does not. */
static bool place_in_turn(struct placement *values, size_t count, size_t limit) {
    qsort(values, count, sizeof(*values), by_beginning);
    for (size_t i = 0; i < count; i++) {
        struct placement *p = &values[i];
        bool bottom = true, top = p->size <= limit;
        for (size_t k = 0; k < i; k++) {
            bool together = meet(p, &values[k]);
            bottom = bottom && (!together || values[k].offset >= p->size);
            top = top && (!together || values[k].offset + values[k].size <= limit - p->size);
        }
        if (!bottom && !top) {
            return false;
        }
        p->offset = bottom ? 0 : limit - p->size;
    }
    return true;
}

static size_t aligned_size(const struct pare_value *v) {
    return (value_size(v) + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
}

/* ---- values that share a place ---- */

struct plan {
    struct program *program;
    const struct lifetime *lives;
    uint32_t *place;            /* of each value: the index of the first value of its place */
    struct placement *values;   /* places */
    struct placement **placed;  /* scratch */
    struct placement *by_value; /* the place that begins with a value */
    size_t count;
    size_t best;
};

enum sharing { SHARE_NOTHING, SHARE_FIRST, SHARE_LAST };

/* An output may lie where an input lies that nobody reads later. */
static void join_places(struct plan *plan, enum sharing sharing) {
    const struct program *p = plan->program;
    for (uint32_t v = 0; v < p->value_count; v++) {
        plan->place[v] = v;
    }
    for (uint32_t i = 0; sharing != SHARE_NOTHING && i < p->op_count; i++) {
        int input = program_overwritten_input(p, plan->lives, i, sharing == SHARE_LAST);
        if (input >= 0) {
            plan->place[p->ops[i].output] = plan->place[p->ops[i].inputs[input]];
        }
    }
}

static void collect(struct plan *plan) {
    const struct program *p = plan->program;
    struct placement *by_value = plan->by_value;
    memset(by_value, 0, p->value_count * sizeof(*by_value));
    for (uint32_t v = 0; v < p->value_count; v++) {
        struct placement *at = &by_value[plan->place[v]];
        if (value_in_arena(&p->values[v], &plan->lives[v])) {
            bool begun = at->size > 0;
            at->value = plan->place[v];
            at->first = begun && at->first < plan->lives[v].first ? at->first : plan->lives[v].first;
            at->last = begun && at->last > plan->lives[v].last ? at->last : plan->lives[v].last;
            at->size = aligned_size(&p->values[v]); /* the same for all that share it */
        }
    }
    plan->count = 0;
    for (uint32_t v = 0; v < p->value_count; v++) {
        if (by_value[v].size > 0) {
            plan->values[plan->count++] = by_value[v];
        }
    }
}

static void keep_best(struct plan *plan, size_t peak) {
    struct program *p = plan->program;
    if (peak >= plan->best) {
        return;
    }
    plan->best = peak;
    for (size_t i = 0; i < plan->count; i++) {
        plan->by_value[plan->values[i].value].offset = plan->values[i].offset;
    }
    for (uint32_t v = 0; v < p->value_count; v++) {
        if (value_in_arena(&p->values[v], &plan->lives[v])) {
            p->values[v].offset = (uint32_t)plan->by_value[plan->place[v]].offset;
        }
    }
}

static size_t most_alive(const struct plan *plan) {
    size_t most = 0;
    for (uint32_t step = 0; step <= plan->program->op_count + 1; step++) {
        size_t bytes = 0;
        for (size_t i = 0; i < plan->count; i++) {
            bool alive = plan->values[i].first <= step && step <= plan->values[i].last;
            bytes += alive ? plan->values[i].size : 0;
        }
        most = bytes > most ? bytes : most;
    }
    return most;
}

static void try_orders(struct plan *plan) {
    static placement_order *const orders[] = {by_size, by_beginning, by_duration, by_area};
    size_t bound = most_alive(plan);
    if (bound < plan->best && place_in_turn(plan->values, plan->count, bound)) {
        keep_best(plan, bound);
    }
    for (size_t o = 0; o < sizeof(orders) / sizeof(orders[0]) && plan->best > bound; o++) {
        keep_best(plan, place_all(plan->values, plan->count, orders[o], plan->placed));
    }
}

static enum pare_status make_plan(struct context *ctx, struct program *p, struct arena *scratch, size_t *peak) {
    struct plan plan = {.program = p, .lives = program_lifetimes(p, scratch), .best = SIZE_MAX};
    plan.place = ARENA_ARRAY(scratch, p->value_count, uint32_t);
    plan.values = ARENA_ARRAY(scratch, p->value_count, struct placement);
    plan.by_value = ARENA_ARRAY(scratch, p->value_count, struct placement);
    plan.placed = ARENA_ARRAY(scratch, p->value_count, struct placement *);
    if (plan.lives == NULL || plan.place == NULL || plan.values == NULL || plan.by_value == NULL ||
        plan.placed == NULL) {
        return fail_memory(ctx);
    }
    for (enum sharing sharing = SHARE_NOTHING; sharing <= SHARE_LAST; sharing++) {
        join_places(&plan, sharing);
        collect(&plan);
        try_orders(&plan);
    }
    *peak = plan.best;
    if (*peak > UINT32_MAX) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "the activations of one sample need more than 4 GB");
    }
    return PARE_OK;
}

enum pare_status program_plan_arena(struct context *ctx, struct program *p, size_t *peak) {
    struct arena scratch;
    arena_init(&scratch);
    enum pare_status status = make_plan(ctx, p, &scratch, peak);
    arena_free(&scratch);
    return status;
}
