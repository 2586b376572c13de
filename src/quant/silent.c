#include "quant/silent.h"

#include "base/map.h"
#include "passes/channel_drop.h"

#include <string.h>

#define CHANNELS_MAX ((size_t)1 << 24)

/* Channels that hang together, and which of them were heard: [workers][channels]. */
struct listening {
    const struct scalable *scalable;
    bool *heard;
};

/* Where they are read: channel c at first + c * repeat. */
struct reading {
    const struct listening *listening;
    int64_t first, repeat;
    const struct reading *next; /* of the same value */
};

struct listener {
    struct arena *arena;
    struct listening *items;
    size_t count, workers;
    struct map read; /* value that a linear operator reads -> struct reading */
};

/* ---- hearing ---- */

static enum pare_status listen_to(struct context *ctx, struct listener *l, const struct scalable *s) {
    struct channel_reader *readers;
    size_t count;
    bool possible;
    TRY(channel_readers(ctx, l->arena, s, &readers, &count, &possible));
    if (!possible) {
        return PARE_OK;
    }
    struct listening *item = &l->items[l->count++];
    *item = (struct listening){s, ARENA_ARRAY(l->arena, l->workers * (size_t)s->channels, bool)};
    bool complete = item->heard != NULL;
    for (size_t i = 0; complete && i < count; i++) {
        struct value *v = readers[i].node->inputs[0];
        const struct reading *last = map_get(&l->read, v);
        if (readers[i].passes || (last != NULL && last->listening == item)) { /* another reader of the same value */
            continue;
        }
        struct reading *r = ARENA_NEW(l->arena, struct reading);
        complete = r != NULL;
        if (complete) {
            *r = (struct reading){item, readers[i].first, readers[i].repeat, map_get(&l->read, v)};
            complete = map_set(&l->read, v, r);
        }
    }
    return complete ? PARE_OK : fail_memory(ctx);
}

static enum pare_status prepare(struct context *ctx, struct listener *l, const struct graph *g) {
    struct scalable *all = NULL;
    size_t count = 0, channels = 0;
    TRY(scalable_list(ctx, l->arena, g, &all, &count));
    map_init(&l->read, l->arena);
    l->items = ARENA_ARRAY(l->arena, count, struct listening);
    if (l->items == NULL) {
        return fail_memory(ctx);
    }
    for (size_t i = 0; i < count; i++) {
        channels += (size_t)all[i].channels;
        TRY(channels <= CHANNELS_MAX ? listen_to(ctx, l, &all[i]) : PARE_OK);
    }
    return PARE_OK;
}

static void hear(const struct reading *r, int worker, const struct tensor *t) {
    int64_t channels = r->listening->scalable->channels, all = t->shape.dim[1];
    size_t size = channel_size(t), count = tensor_count(t);
    bool *heard = r->listening->heard + worker * channels;
    const float *x = t->data;
    for (size_t i = 0; i < count; i++) {
        int64_t at = (int64_t)(i / size) % all - r->first;
        if (at >= 0 && at < channels * r->repeat) {
            heard[at / r->repeat] |= x[i] != 0;
        }
    }
}

static enum pare_status observe(void *user, struct context *ctx, const struct observation *o, const struct value *v,
                                const struct tensor *t) {
    (void)ctx;
    const struct listener *l = user;
    for (const struct reading *r = map_get(&l->read, v); r != NULL; r = r->next) {
        hear(r, o->worker, t);
    }
    return PARE_OK;
}

/* ---- the list ---- */

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

/* ---- taking out ---- */

/* All workers' together into the first one's; the number of channels that nobody heard. */
static int64_t count_silent(const struct listener *l, const struct listening *item) {
    size_t channels = (size_t)item->scalable->channels;
    int64_t silent = 0;
    for (size_t c = 0; c < channels; c++) {
        for (size_t w = 1; w < l->workers; w++) {
            item->heard[c] |= item->heard[w * channels + c];
        }
        silent += !item->heard[c];
    }
    return silent;
}

static enum pare_status take_out(struct context *ctx, struct arena *a, struct listener *l, const struct listening *item,
                                 struct dropped_list *out) {
    const struct scalable *s = item->scalable;
    int64_t silent = count_silent(l, item);
    bool *drop = ARENA_ARRAY(l->arena, (size_t)s->channels, bool);
    if (silent == 0 || silent == s->channels) { /* a network that says nothing stays as it is */
        return PARE_OK;
    }
    if (drop == NULL) {
        return fail_memory(ctx);
    }
    for (int64_t c = 0; c < s->channels; c++) {
        drop[c] = !item->heard[c];
    }
    TRY(dropped_add(ctx, a, out, s, drop));
    return channel_drop(ctx, s, drop);
}

static enum pare_status run(struct context *ctx, struct arena *a, struct listener *l, struct graph *g, size_t count,
                            const struct sample_source *source, struct dropped_list *out) {
    TRY(prepare(ctx, l, g));
    if (l->count == 0) {
        return PARE_OK;
    }
    TRY(observe_samples(ctx, g, source, 0, count, observe, l));
    for (size_t i = 0; i < l->count; i++) {
        TRY(take_out(ctx, a, l, &l->items[i], out));
    }
    return PARE_OK;
}

enum pare_status drop_silent_channels(struct context *ctx, struct arena *a, struct graph *g, size_t count,
                                      const struct sample_source *source, struct dropped_list *out) {
    struct arena scratch;
    struct listener l = {.arena = &scratch, .workers = ctx->threads > 1 ? (size_t)ctx->threads : 1};
    *out = (struct dropped_list){0};
    if (count < SILENT_SAMPLES_MIN) {
        return PARE_OK;
    }
    arena_init(&scratch);
    enum pare_status status = run(ctx, a, &l, g, count, source, out);
    arena_free(&scratch);
    return status;
}
