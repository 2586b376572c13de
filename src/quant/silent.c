#include "quant/silent.h"

#include "base/map.h"
#include "passes/channel_drop.h"

#define CHANNELS_MAX ((size_t)1 << 24)

/* Channels that hang together, and which of them were heard: [workers][channels]. */
struct listening {
    const struct scalable *scalable;
    bool *heard;
};

struct listener {
    struct arena *arena;
    struct listening *items;
    size_t count, workers;
    struct map read; /* value that an exit reads -> struct listening */
};

/* ---- hearing ---- */

static enum pare_status listen_to(struct context *ctx, struct listener *l, const struct scalable *s) {
    struct listening *item = &l->items[l->count++];
    *item = (struct listening){s, ARENA_ARRAY(l->arena, l->workers * (size_t)s->channels, bool)};
    bool complete = item->heard != NULL;
    for (int i = 0; complete && i < s->exit_count; i++) {
        complete = map_set(&l->read, s->exits[i].node->inputs[s->exits[i].index], item);
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
        if (channels <= CHANNELS_MAX && channel_drop_possible(&all[i])) {
            TRY(listen_to(ctx, l, &all[i]));
        }
    }
    return PARE_OK;
}

static enum pare_status observe(void *user, struct context *ctx, const struct observation *o, const struct value *v,
                                const struct tensor *t) {
    (void)ctx;
    const struct listener *l = user;
    const struct listening *item = map_get(&l->read, v);
    if (item == NULL) {
        return PARE_OK;
    }
    size_t channels = (size_t)item->scalable->channels, size = channel_size(t);
    const float *x = t->data;
    bool *heard = item->heard + (size_t)o->worker * channels;
    for (size_t i = 0; i < tensor_count(t); i++) {
        heard[i / size % channels] |= x[i] != 0;
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

static enum pare_status take_out(struct context *ctx, struct listener *l, const struct listening *item,
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
    for (int i = 0; i < s->linear_count; i++) {
        out->items[out->count++] = (struct dropped_channels){s->linears[i]->name, silent, s->channels};
    }
    return channel_drop(ctx, s, drop);
}

static enum pare_status run(struct context *ctx, struct listener *l, struct graph *g, size_t count,
                            const struct sample_source *source, struct dropped_list *out) {
    TRY(prepare(ctx, l, g));
    if (l->count == 0) {
        return PARE_OK;
    }
    TRY(observe_samples(ctx, g, source, 0, count, observe, l));
    for (size_t i = 0; i < l->count; i++) {
        TRY(take_out(ctx, l, &l->items[i], out));
    }
    return PARE_OK;
}

enum pare_status drop_silent_channels(struct context *ctx, struct arena *a, struct graph *g, size_t count,
                                      const struct sample_source *source, struct dropped_list *out) {
    struct arena scratch;
    struct listener l = {.arena = &scratch, .workers = ctx->threads > 1 ? (size_t)ctx->threads : 1};
    *out = (struct dropped_list){ARENA_ARRAY(a, (size_t)g->node_count, struct dropped_channels), 0};
    if (out->items == NULL) {
        return fail_memory(ctx);
    }
    if (count < SILENT_SAMPLES_MIN) {
        return PARE_OK;
    }
    arena_init(&scratch);
    enum pare_status status = run(ctx, &l, g, count, source, out);
    arena_free(&scratch);
    return status;
}
