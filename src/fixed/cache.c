#include "fixed/executor_impl.h"
#include "fixed/lifetimes.h"

#include <stdlib.h>
#include <string.h>

/* The values live before operator `cut`, of every sample of the list. */
struct snapshot {
    struct snapshot *next; /* newer */
    uint32_t cut;
    uint64_t clock; /* of the executor when it was begun */
    uint32_t value_count;
    uint32_t *values;           /* which */
    struct pare_value *formats; /* as they were */
    size_t stride, bytes;       /* of one sample, of all */
    bool *filled;               /* per slot */
    char *data;
};

struct executor_cache {
    size_t slots, budget, used;
    struct snapshot *oldest;
    bool wanted;
    uint32_t cut;
    struct snapshot *target; /* of the present run, or NULL */
};

enum pare_status executor_cache_new(struct context *ctx, const struct executor *e, size_t sample_count,
                                    size_t budget_bytes, struct executor_cache **out) {
    (void)e;
    *out = calloc(1, sizeof **out);
    if (*out == NULL) {
        return fail_memory(ctx);
    }
    (*out)->slots = sample_count;
    (*out)->budget = budget_bytes;
    return PARE_OK;
}

static void snapshot_free(struct snapshot *s) {
    free(s->values);
    free(s->formats);
    free(s->filled);
    free(s->data);
    free(s);
}

static void drop(struct executor_cache *cache, struct snapshot **link) {
    struct snapshot *s = *link;
    *link = s->next;
    cache->used -= s->bytes;
    snapshot_free(s);
}

void executor_cache_free(struct executor_cache *cache) {
    while (cache != NULL && cache->oldest != NULL) {
        drop(cache, &cache->oldest);
    }
    free(cache);
}

void executor_cache_want(struct executor_cache *cache, uint32_t cut) {
    if (cache != NULL) {
        cache->wanted = true;
        cache->cut = cut;
    }
}

static bool same_format(const struct pare_value *a, const struct pare_value *b) {
    return a->storage == b->storage && a->bits == b->bits && a->is_signed == b->is_signed && a->frac == b->frac &&
           a->count == b->count;
}

static bool valid(const struct snapshot *s, const struct executor *e) {
    for (uint32_t i = 0; i < s->cut; i++) {
        if (e->updated[i] > s->clock) {
            return false;
        }
    }
    for (uint32_t i = 0; i < s->value_count; i++) {
        if (!same_format(&s->formats[i], &e->program->values[s->values[i]])) {
            return false;
        }
    }
    return true;
}

/* Marks the values that exist before `cut` and are read at or after it, or are outputs. */
static void mark_live(const struct program *p, uint32_t cut, bool *exists, bool *live) {
    for (uint32_t i = 0; i < p->input_count; i++) {
        exists[p->inputs[i]] = true;
    }
    for (uint32_t i = 0; i < cut; i++) {
        exists[p->ops[i].output] = true;
    }
    for (uint32_t i = 0; i < p->output_count; i++) {
        live[p->outputs[i]] = exists[p->outputs[i]];
    }
    for (uint32_t i = cut; i < p->op_count; i++) {
        for (uint32_t k = 0; k < p->ops[i].input_count; k++) {
            live[p->ops[i].inputs[k]] = exists[p->ops[i].inputs[k]];
        }
    }
}

static enum pare_status find_live(struct context *ctx, const struct program *p, struct snapshot *s) {
    bool *marks = calloc(p->value_count * (size_t)2 + 1, sizeof *marks);
    s->values = calloc(p->value_count + (size_t)1, sizeof *s->values);
    s->formats = calloc(p->value_count + (size_t)1, sizeof *s->formats);
    if (marks == NULL || s->values == NULL || s->formats == NULL) {
        free(marks);
        return fail_memory(ctx);
    }
    mark_live(p, s->cut, marks, marks + p->value_count);
    for (uint32_t v = 0; v < p->value_count; v++) {
        if (marks[p->value_count + v] && p->values[v].constant == NULL) {
            s->values[s->value_count] = v;
            s->formats[s->value_count++] = p->values[v];
            s->stride += value_size(&p->values[v]);
        }
    }
    free(marks);
    return PARE_OK;
}

/* A snapshot that does not fit the budget is not kept: *out is NULL then. */
static enum pare_status snapshot_new(struct context *ctx, struct executor_cache *cache, const struct executor *e,
                                     struct snapshot **out) {
    *out = NULL;
    struct snapshot *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return fail_memory(ctx);
    }
    s->cut = cache->cut;
    s->clock = e->clock;
    enum pare_status status = find_live(ctx, e->program, s);
    if (status != PARE_OK || !size_multiply(s->stride + 1, cache->slots, &s->bytes) || s->bytes > cache->budget) {
        snapshot_free(s);
        return status;
    }
    while (cache->oldest != NULL && cache->used > cache->budget - s->bytes) {
        drop(cache, &cache->oldest);
    }
    s->filled = calloc(cache->slots + 1, sizeof *s->filled);
    s->data = malloc(s->bytes + 1);
    if (s->filled == NULL || s->data == NULL) {
        snapshot_free(s);
        return fail_memory(ctx);
    }
    cache->used += s->bytes;
    *out = s;
    return PARE_OK;
}

static struct snapshot **find_cut(struct executor_cache *cache, uint32_t cut) {
    struct snapshot **link = &cache->oldest;
    while (*link != NULL && (*link)->cut != cut) {
        link = &(*link)->next;
    }
    return link;
}

enum pare_status cache_begin(struct context *ctx, struct executor_cache *cache, const struct executor *e) {
    if (cache == NULL) {
        return PARE_OK;
    }
    for (struct snapshot **link = &cache->oldest; *link != NULL;) {
        if (valid(*link, e)) {
            link = &(*link)->next;
        } else {
            drop(cache, link);
        }
    }
    cache->target = NULL;
    if (!cache->wanted || cache->cut == 0 || cache->cut > e->program->op_count) {
        return PARE_OK;
    }
    cache->target = *find_cut(cache, cache->cut);
    if (cache->target == NULL) {
        struct snapshot *s;
        TRY(snapshot_new(ctx, cache, e, &s));
        *find_cut(cache, cache->cut) = s;
        cache->target = s;
    }
    return PARE_OK;
}

void cache_end(struct executor_cache *cache) {
    if (cache != NULL) {
        cache->target = NULL;
        cache->wanted = false;
    }
}

static bool is_filled(const struct snapshot *s, const struct executor_cache *cache, size_t slot) {
    return s != NULL && slot < cache->slots && s->filled[slot];
}

uint32_t cache_restore(const struct executor_cache *cache, size_t slot, uint32_t end, void *const *data) {
    if (cache == NULL || slot >= cache->slots) {
        return 0;
    }
    bool open = cache->target != NULL && !is_filled(cache->target, cache, slot);
    const struct snapshot *best = NULL;
    for (const struct snapshot *s = cache->oldest; s != NULL; s = s->next) {
        bool usable = is_filled(s, cache, slot) && s->cut <= end && (!open || s->cut <= cache->target->cut);
        best = usable && (best == NULL || s->cut > best->cut) ? s : best;
    }
    if (best == NULL) {
        return 0;
    }
    const char *from = best->data + slot * best->stride;
    for (uint32_t i = 0; i < best->value_count; i++) {
        memcpy(data[best->values[i]], from, value_size(&best->formats[i]));
        from += value_size(&best->formats[i]);
    }
    return best->cut;
}

void cache_store(struct executor_cache *cache, size_t slot, uint32_t cut, void *const *data) {
    if (cache == NULL || cache->target == NULL || cache->target->cut != cut || slot >= cache->slots ||
        cache->target->filled[slot]) {
        return;
    }
    struct snapshot *s = cache->target;
    char *to = s->data + slot * s->stride;
    for (uint32_t i = 0; i < s->value_count; i++) {
        memcpy(to, data[s->values[i]], value_size(&s->formats[i]));
        to += value_size(&s->formats[i]);
    }
    s->filled[slot] = true;
}
