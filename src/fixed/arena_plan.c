/* Places the values of a program in one arena, so that values needed at the same time do not overlap.
 *
 * Finding the smallest arena is NP-hard; placing each value at the lowest free offset, in a few different orders, comes
 * near (Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020, section 5). */
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

static size_t collect(const struct program *p, const struct lifetime *lives, struct placement *values) {
    size_t count = 0;
    for (uint32_t v = 0; v < p->value_count; v++) {
        if (value_in_arena(&p->values[v], &lives[v])) {
            size_t size = (value_size(&p->values[v]) + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
            values[count++] = (struct placement){v, lives[v].first, lives[v].last, size, 0};
        }
    }
    return count;
}

static enum pare_status plan(struct context *ctx, struct program *p, struct arena *scratch, size_t *peak) {
    static placement_order *const orders[] = {by_size, by_beginning, by_duration, by_area};
    struct lifetime *lives = program_lifetimes(p, scratch);
    struct placement *values = ARENA_ARRAY(scratch, p->value_count, struct placement);
    struct placement **placed = ARENA_ARRAY(scratch, p->value_count, struct placement *);
    if (lives == NULL || values == NULL || placed == NULL) {
        return fail_memory(ctx);
    }
    size_t count = collect(p, lives, values);
    *peak = SIZE_MAX;
    for (size_t o = 0; o < sizeof(orders) / sizeof(orders[0]); o++) {
        size_t size = place_all(values, count, orders[o], placed);
        for (size_t i = 0; size < *peak && i < count; i++) {
            p->values[values[i].value].offset = (uint32_t)values[i].offset;
        }
        *peak = size < *peak ? size : *peak;
    }
    if (*peak > UINT32_MAX) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "the activations of one sample need more than 4 GB");
    }
    return PARE_OK;
}

enum pare_status program_plan_arena(struct context *ctx, struct program *p, size_t *peak) {
    struct arena scratch;
    arena_init(&scratch);
    enum pare_status status = plan(ctx, p, &scratch, peak);
    arena_free(&scratch);
    return status;
}
