#include "quant/equalize.h"

#include "base/map.h"
#include "passes/channel_scale.h"
#include "quant/histogram.h"

#define BITS 4          /* at which channels are made alike */
#define FRAC (BITS - 1) /* of all of them then: values up to 2 */
#define BINS 128
#define EXPONENT_MAX 40
/* Histograms of one worker: networks with more channels are left as they are. */
#define CHANNELS_MAX ((size_t)1 << 17)

struct equalizer {
    struct arena arena;
    struct scalable *scalables;
    size_t count;
    struct map numbers;            /* value -> index of its scalable + 1 */
    struct histogram **histograms; /* [workers * count][channels] */
};

/* ---- measuring ---- */

static enum pare_status add_histograms(struct context *ctx, struct equalizer *e, const struct scalable *s,
                                       struct histogram **out) {
    *out = ARENA_ARRAY(&e->arena, (size_t)s->channels, struct histogram);
    bool complete = *out != NULL;
    for (int64_t c = 0; complete && c < s->channels; c++) {
        complete = histogram_init(&(*out)[c], &e->arena, BINS);
    }
    return complete ? PARE_OK : fail_memory(ctx);
}

static enum pare_status prepare(struct context *ctx, struct equalizer *e, size_t workers) {
    e->histograms = ARENA_ARRAY(&e->arena, workers * e->count, struct histogram *);
    if (e->histograms == NULL) {
        return fail_memory(ctx);
    }
    map_init(&e->numbers, &e->arena);
    for (size_t i = 0; i < e->count; i++) {
        if (!map_set(&e->numbers, e->scalables[i].value, (void *)(uintptr_t)(i + 1))) {
            return fail_memory(ctx);
        }
        for (size_t w = 0; w < workers; w++) {
            TRY(add_histograms(ctx, e, &e->scalables[i], &e->histograms[w * e->count + i]));
        }
    }
    return PARE_OK;
}

static enum pare_status observe(void *user, struct context *ctx, const struct observation *o, const struct value *v,
                                const struct tensor *t) {
    (void)ctx;
    struct equalizer *e = user;
    uintptr_t number = (uintptr_t)map_get(&e->numbers, v);
    if (number == 0) {
        return PARE_OK;
    }
    struct histogram *h = e->histograms[(size_t)o->worker * e->count + number - 1];
    size_t channels = (size_t)e->scalables[number - 1].channels, size = tensor_count(t) / channels;
    for (size_t c = 0; c < channels; c++) {
        histogram_add(&h[c], (const float *)t->data + c * size, size);
    }
    return PARE_OK;
}

/* ---- scaling ---- */

static int exponent_of(const struct histogram *h) {
    if (!h->filled) {
        return 0;
    }
    int exponent = histogram_frac(h, h->low < 0 ? BITS + 1 : BITS, h->low < 0, NULL) - FRAC;
    return exponent > EXPONENT_MAX ? EXPONENT_MAX : exponent < -EXPONENT_MAX ? -EXPONENT_MAX : exponent;
}

static enum pare_status scale(struct context *ctx, struct equalizer *e, size_t workers, size_t i) {
    const struct scalable *s = &e->scalables[i];
    struct histogram *all = e->histograms[i];
    int *exponents = ARENA_ARRAY(&e->arena, (size_t)s->channels, int);
    bool done = false;
    if (exponents == NULL) {
        return fail_memory(ctx);
    }
    for (int64_t c = 0; c < s->channels; c++) {
        for (size_t w = 1; w < workers; w++) {
            histogram_merge(&all[c], &e->histograms[w * e->count + i][c]);
        }
        exponents[c] = exponent_of(&all[c]);
    }
    return scalable_apply(ctx, s, exponents, &done);
}

static bool is_small(const struct equalizer *e) {
    size_t channels = 0;
    for (size_t i = 0; i < e->count; i++) {
        channels += (size_t)e->scalables[i].channels;
    }
    return channels <= CHANNELS_MAX;
}

static enum pare_status run(struct context *ctx, struct graph *g, struct equalizer *e, size_t count,
                            const struct sample_source *source) {
    size_t workers = ctx->threads > 1 ? (size_t)ctx->threads : 1;
    TRY(scalable_list(ctx, &e->arena, g, &e->scalables, &e->count));
    if (e->count == 0 || !is_small(e)) {
        return PARE_OK;
    }
    TRY(prepare(ctx, e, workers));
    TRY(observe_samples(ctx, g, source, 0, count, observe, e));
    for (size_t i = 0; i < e->count; i++) {
        TRY(scale(ctx, e, workers, i));
    }
    return PARE_OK;
}

enum pare_status equalize(struct context *ctx, struct graph *g, size_t count, const struct sample_source *source) {
    struct equalizer e = {.count = 0};
    arena_init(&e.arena);
    enum pare_status status = run(ctx, g, &e, count, source);
    arena_free(&e.arena);
    return status;
}
