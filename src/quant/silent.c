#include "quant/silent.h"

#include "base/map.h"
#include "passes/channel_drop.h"

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
