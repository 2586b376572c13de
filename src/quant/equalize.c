#include "quant/equalize.h"

#include "base/map.h"
#include "passes/channel_scale.h"
#include "quant/histogram.h"

#include <math.h>
#include <stdlib.h>

#define BITS 4 /* at which channels are made alike */
#define FRAC 3 /* of all of them then: values up to 2, so that those of a Concat are alike too */
#define BINS 128
#define EXPONENT_MAX 40
/* Histograms of one worker: networks with more channels are left as they are. */
#define CHANNELS_MAX ((size_t)1 << 17)

/* A value to be measured. */
struct measured {
    const struct scalable *scalable;
    struct histogram **histograms; /* [workers][channels] */
};

struct equalizer {
    struct arena arena;
    struct scalable *scalables;
    size_t count, workers;
    struct map measured; /* value -> struct measured */
};

/* ---- measuring ---- */

static enum pare_status add_histograms(struct context *ctx, struct equalizer *e, int64_t channels,
                                       struct histogram **out) {
    *out = ARENA_ARRAY(&e->arena, (size_t)channels, struct histogram);
    bool complete = *out != NULL;
    for (int64_t c = 0; complete && c < channels; c++) {
        complete = histogram_init(&(*out)[c], &e->arena, BINS);
    }
    return complete ? PARE_OK : fail_memory(ctx);
}

static enum pare_status add_measured(struct context *ctx, struct equalizer *e, const struct scalable *s,
                                     const struct value *v) {
    struct measured *m = ARENA_NEW(&e->arena, struct measured);
    struct histogram **histograms = ARENA_ARRAY(&e->arena, e->workers, struct histogram *);
    if (m == NULL || histograms == NULL) {
        return fail_memory(ctx);
    }
    *m = (struct measured){s, histograms};
    for (size_t w = 0; w < e->workers; w++) {
        TRY(add_histograms(ctx, e, s->channels, &m->histograms[w]));
    }
    return map_set(&e->measured, v, m) ? PARE_OK : fail_memory(ctx);
}

static enum pare_status prepare(struct context *ctx, struct equalizer *e) {
    map_init(&e->measured, &e->arena);
    for (size_t i = 0; i < e->count; i++) {
        for (int k = 0; k < e->scalables[i].value_count; k++) {
            TRY(add_measured(ctx, e, &e->scalables[i], e->scalables[i].values[k]));
        }
    }
    return PARE_OK;
}

static enum pare_status observe(void *user, struct context *ctx, const struct observation *o, const struct value *v,
                                const struct tensor *t) {
    (void)ctx;
    const struct equalizer *e = user;
    const struct measured *m = map_get(&e->measured, v);
    if (m == NULL) {
        return PARE_OK;
    }
    size_t channels = (size_t)m->scalable->channels, size = channel_size(t);
    for (size_t i = 0; i < tensor_count(t); i += size) {
        histogram_add(&m->histograms[o->worker][i / size % channels], (const float *)t->data + i, size);
    }
    return PARE_OK;
}

/* ---- scaling ---- */

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The best fraction of every channel that is not silent, less their median: how far to scale it up. *shift is at most
 * how far to scale all of them up. */
static enum pare_status limit_exponents(struct context *ctx, struct equalizer *e, const struct measured *m,
                                        double *exponents, double *shift) {
    size_t channels = (size_t)m->scalable->channels, count = 0;
    double *fracs = ARENA_ARRAY(&e->arena, channels, double), *sorted = ARENA_ARRAY(&e->arena, channels, double);
    if (fracs == NULL || sorted == NULL) {
        return fail_memory(ctx);
    }
    for (size_t c = 0; c < channels; c++) {
        struct histogram *h = &m->histograms[0][c];
        for (size_t w = 1; w < e->workers; w++) {
            histogram_merge(h, &m->histograms[w][c]);
        }
        bool is_signed = h->low < 0;
        if (h->filled) {
            fracs[c] = sorted[count++] = -log2(histogram_step(h, BITS + is_signed, is_signed));
        }
    }
    qsort(sorted, count, sizeof(double), by_size);
    if (count > 0 && sorted[count / 2] - FRAC < *shift) {
        *shift = sorted[count / 2] - FRAC;
    }
    for (size_t c = 0; c < channels && count > 0; c++) {
        double wanted = m->histograms[0][c].filled ? fracs[c] - sorted[count / 2] : EXPONENT_MAX;
        exponents[c] = wanted < exponents[c] ? wanted : exponents[c];
    }
    return PARE_OK;
}

static double clamp_exponent(double x) {
    return fmin(fmax(x, -EXPONENT_MAX), EXPONENT_MAX);
}

/* Of what the values that are scaled together would like, the least: a small addend must not blow up its sum. */
static enum pare_status scale(struct context *ctx, struct equalizer *e, const struct scalable *s) {
    double *exponents = ARENA_ARRAY(&e->arena, (size_t)s->channels, double), shift = EXPONENT_MAX;
    double *scales = ARENA_ARRAY(&e->arena, (size_t)s->channels, double);
    if (exponents == NULL || scales == NULL) {
        return fail_memory(ctx);
    }
    for (int64_t c = 0; c < s->channels; c++) {
        exponents[c] = EXPONENT_MAX;
    }
    for (int k = 0; k < s->value_count; k++) {
        TRY(limit_exponents(ctx, e, map_get(&e->measured, s->values[k]), exponents, &shift));
    }
    for (int64_t c = 0; c < s->channels; c++) {
        bool silent = exponents[c] == EXPONENT_MAX;
        scales[c] = silent ? 1 : exp2(clamp_exponent(exponents[c] + shift));
    }
    return scalable_apply(ctx, s, scales);
}

static bool is_small(const struct equalizer *e) {
    size_t channels = 0;
    for (size_t i = 0; i < e->count; i++) {
        channels += (size_t)e->scalables[i].channels * (size_t)e->scalables[i].value_count;
    }
    return channels <= CHANNELS_MAX;
}

static enum pare_status run(struct context *ctx, struct graph *g, struct equalizer *e, size_t count,
                            const struct sample_source *source) {
    TRY(scalable_list(ctx, &e->arena, g, &e->scalables, &e->count));
    if (e->count == 0 || !is_small(e)) {
        return PARE_OK;
    }
    TRY(prepare(ctx, e));
    TRY(observe_samples(ctx, g, source, 0, count, observe, e));
    for (size_t i = 0; i < e->count; i++) {
        TRY(scale(ctx, e, &e->scalables[i]));
    }
    return PARE_OK;
}

enum pare_status equalize(struct context *ctx, struct graph *g, size_t count, const struct sample_source *source) {
    struct equalizer e = {.workers = ctx->threads > 1 ? (size_t)ctx->threads : 1};
    arena_init(&e.arena);
    enum pare_status status = run(ctx, g, &e, count, source);
    arena_free(&e.arena);
    return status;
}
