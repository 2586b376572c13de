#include "quant/dropped.h"

#include "passes/channel_drop.h"

#include <string.h>

static struct dropped_channels *find_dropped(struct dropped_channels *items, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(items[i].name, name) == 0) {
            return &items[i];
        }
    }
    return NULL;
}

const struct dropped_channels *dropped_of(const struct dropped_list *list, const char *name) {
    return find_dropped(list->items, list->count, name);
}

/* `drop` counts those that are left. */
static bool mark_gone(struct arena *a, struct dropped_channels *d, const bool *drop) {
    bool *gone = ARENA_ARRAY(a, (size_t)d->channels, bool);
    size_t left = 0;
    for (int64_t c = 0; gone != NULL && c < d->channels; c++) {
        gone[c] = (d->gone != NULL && d->gone[c]) || drop[left++];
        d->dropped += gone[c] && (d->gone == NULL || !d->gone[c]);
    }
    d->gone = gone;
    return gone != NULL;
}

static enum pare_status copy_list(struct context *ctx, struct arena *a, const struct dropped_list *from,
                                  size_t capacity, struct dropped_list *out) {
    struct dropped_list made = {ARENA_ARRAY(a, capacity + 1, struct dropped_channels), from->count, capacity};
    if (made.items == NULL) {
        return fail_memory(ctx);
    }
    if (from->count > 0) {
        memcpy(made.items, from->items, from->count * sizeof(*made.items));
    }
    *out = made;
    return PARE_OK;
}

enum pare_status dropped_copy(struct context *ctx, struct arena *a, const struct dropped_list *from,
                              struct dropped_list *out) {
    return copy_list(ctx, a, from, from->count, out);
}

static enum pare_status add_node(struct context *ctx, struct arena *a, struct dropped_list *list, const char *name,
                                 int64_t channels, const bool *drop) {
    struct dropped_channels *d = find_dropped(list->items, list->count, name);
    if (d == NULL) {
        TRY(list->count == list->capacity ? copy_list(ctx, a, list, 2 * list->count + 16, list) : PARE_OK);
        d = &list->items[list->count++];
        *d = (struct dropped_channels){arena_string(a, name), 0, channels, NULL};
    }
    return d->name != NULL && mark_gone(a, d, drop) ? PARE_OK : fail_memory(ctx);
}

/* A depthwise convolution may have other channels, too. */
static enum pare_status add_passing(struct context *ctx, struct arena *a, struct dropped_list *list,
                                    const struct channel_reader *r, int64_t channels, const bool *drop) {
    int64_t all = r->node->inputs[1]->constant->shape.dim[0];
    bool *wide = ARENA_ARRAY(a, (size_t)all, bool);
    if (wide == NULL) {
        return fail_memory(ctx);
    }
    for (int64_t c = 0; c < channels * r->repeat; c++) {
        wide[r->first + c] = drop[c / r->repeat];
    }
    return add_node(ctx, a, list, r->node->name, all, wide);
}

static enum pare_status add_all(struct context *ctx, struct arena *a, struct arena *scratch, struct dropped_list *list,
                                const struct scalable *s, const bool *drop) {
    struct channel_reader *readers;
    size_t count;
    bool possible;
    TRY(channel_readers(ctx, scratch, s, &readers, &count, &possible));
    for (int i = 0; i < s->linear_count; i++) {
        TRY(add_node(ctx, a, list, s->linears[i]->name, s->channels, drop));
    }
    for (size_t i = 0; i < count; i++) {
        TRY(readers[i].passes ? add_passing(ctx, a, list, &readers[i], s->channels, drop) : PARE_OK);
    }
    return PARE_OK;
}

enum pare_status dropped_add(struct context *ctx, struct arena *a, struct dropped_list *list, const struct scalable *s,
                             const bool *drop) {
    struct arena scratch;
    arena_init(&scratch);
    enum pare_status status = add_all(ctx, a, &scratch, list, s, drop);
    arena_free(&scratch);
    return status;
}
