/* Calibration: samples run in batches. Within a batch, the samples run in parallel: values go to histograms of the
 * worker, which count and hence merge exactly, and unfolded inputs of the linear operators to the sample's own tile.
 * Then the linear operators in parallel add the tiles to their moments, samples in order. */
#include "quant/statistics.h"

#include "base/parallel.h"
#include "quant/histogram.h"
#include "quant/moments.h"
#include "quant/sampling.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BINS_MAX ((uint32_t)2048)
#define BINS_MIN ((uint32_t)128)
#define HISTOGRAM_BYTES ((size_t)64 << 20) /* of one worker, where that leaves BINS_MIN */
#define TILE_BYTES ((size_t)256 << 20)     /* of all samples of a batch, where that leaves one sample */
#define BATCH_MAX ((size_t)64)
#define VECTORS_BYTES ((size_t)1 << 29) /* of all linear operators whose inputs are kept */
#define POSITIONS ((size_t)1 << 15)     /* of all samples together, per linear operator */

struct statistics {
    struct arena arena;
    struct histogram *histograms; /* [points] */
    struct moments *moments;      /* [linears] */
    bool clips;
};

/* The unfolded inputs of one linear operator. */
struct unfolded {
    struct sampling sampling;
    size_t offset; /* sum of the tiles' floats of the linear operators before */
    size_t next;   /* linear with the same input value + 1, or 0 */
};

struct collector {
    struct statistics *st;
    const struct scheme *scheme;
    struct sample_source source;
    size_t count;
    struct arena arena;
    size_t *points, *linears; /* by position in graph->values: index + 1, or 0 */
    struct unfolded *unfolded;
    struct histogram **histograms; /* [workers][points] */
    size_t floats;                 /* of a sample's unfolded inputs, all linear operators */
    size_t batch, first;
    float *tiles; /* one after the other, for each linear operator [batch][positions][groups][columns] */
};

/* ---- preparation ---- */

static enum pare_status prepare_unfolded(struct context *ctx, struct collector *c, size_t i) {
    struct unfolded *u = &c->unfolded[i];
    const struct linear *l = &c->scheme->linears[i];
    TRY(sampling_init(ctx, l, c->count, POSITIONS, &u->sampling));
    u->offset = c->floats;
    if (!size_add(c->floats, u->sampling.floats, &c->floats)) {
        return fail_memory(ctx);
    }
    size_t *linear = &c->linears[l->input->position];
    u->next = *linear;
    *linear = i + 1;
    return PARE_OK;
}

static enum pare_status prepare_tables(struct context *ctx, struct collector *c) {
    const struct scheme *s = c->scheme;
    c->points = ARENA_ARRAY(&c->arena, (size_t)s->graph->value_count, size_t);
    c->linears = ARENA_ARRAY(&c->arena, (size_t)s->graph->value_count, size_t);
    c->unfolded = ARENA_ARRAY(&c->arena, s->linear_count, struct unfolded);
    if (c->points == NULL || c->linears == NULL || c->unfolded == NULL) {
        return fail_memory(ctx);
    }
    for (size_t i = 0; i < s->point_count; i++) {
        c->points[s->points[i].value->position] = i + 1;
    }
    for (size_t i = 0; i < s->linear_count; i++) {
        TRY(prepare_unfolded(ctx, c, i));
    }
    size_t batch = TILE_BYTES / sizeof(float) / (c->floats + 1);
    c->batch = batch < 1 ? 1 : batch > BATCH_MAX ? BATCH_MAX : batch;
    c->tiles = arena_array(&c->arena, c->floats, c->batch * sizeof(float));
    return c->tiles != NULL ? PARE_OK : fail_memory(ctx);
}

static struct histogram *new_histograms(struct arena *a, size_t points) {
    uint32_t bins = BINS_MAX;
    while (bins > BINS_MIN && points > HISTOGRAM_BYTES / (2 * bins * sizeof(uint64_t))) {
        bins /= 2;
    }
    struct histogram *h = ARENA_ARRAY(a, points, struct histogram);
    for (size_t i = 0; h != NULL && i < points; i++) {
        if (!histogram_init(&h[i], a, bins)) {
            return NULL;
        }
    }
    return h;
}

static size_t worker_count(const struct context *ctx) {
    return ctx->threads > 1 ? (size_t)ctx->threads : 1;
}

static enum pare_status prepare_workers(struct context *ctx, struct collector *c) {
    size_t count = worker_count(ctx);
    c->histograms = ARENA_ARRAY(&c->arena, count, struct histogram *);
    for (size_t i = 0; c->histograms != NULL && i < count; i++) {
        c->histograms[i] = new_histograms(&c->arena, c->scheme->point_count);
        if (c->histograms[i] == NULL) {
            return fail_memory(ctx);
        }
    }
    return c->histograms != NULL ? PARE_OK : fail_memory(ctx);
}

/* The largest number of columns, a power of two, with which all Gram matrices stay within their memory. */
static size_t column_limit(const struct scheme *s) {
    for (size_t limit = MOMENTS_COLUMNS; limit > 1; limit /= 2) {
        size_t total = 0, bytes = 0;
        bool fits = true;
        for (size_t i = 0; i < s->linear_count && fits; i++) {
            if (s->linears[i].columns <= limit) {
                fits =
                    moments_bytes(&s->linears[i], &bytes) && size_add(total, bytes, &total) && total <= MOMENTS_BYTES;
            }
        }
        if (fits) {
            return limit;
        }
    }
    return 0;
}

/* `left` bytes for vectors. */
static enum moments_detail detail_of(const struct collector *c, size_t i, size_t limit, size_t *left) {
    const struct linear *l = &c->scheme->linears[i];
    size_t bytes = 0;
    if (l->columns <= limit) {
        return MOMENTS_GRAM;
    }
    if (!vectors_possible(l, c->count * c->unfolded[i].sampling.positions, &bytes) || bytes > *left) {
        return MOMENTS_DIAGONAL;
    }
    *left -= bytes;
    return MOMENTS_VECTORS;
}

static enum pare_status prepare_results(struct context *ctx, const struct collector *c) {
    const struct scheme *s = c->scheme;
    struct statistics *st = c->st;
    st->histograms = new_histograms(&st->arena, s->point_count);
    st->moments = ARENA_ARRAY(&st->arena, s->linear_count, struct moments);
    if (st->histograms == NULL || st->moments == NULL) {
        return fail_memory(ctx);
    }
    size_t limit = column_limit(s), left = VECTORS_BYTES;
    for (size_t i = 0; i < s->linear_count; i++) {
        TRY(moments_init(ctx, &st->arena, &s->linears[i], detail_of(c, i, limit, &left),
                         c->count * c->unfolded[i].sampling.positions, false, &st->moments[i]));
        st->moments[i].centred &= !(s->without & TECHNIQUE_BIAS_CORRECTION);
    }
    return PARE_OK;
}

/* ---- one sample ---- */

static float *tile_of(const struct collector *c, const struct unfolded *u, size_t i) {
    return c->tiles + u->offset * c->batch + i * u->sampling.floats;
}

static enum pare_status take_columns(struct context *ctx, const struct collector *c, size_t number,
                                     const struct unfolded *u, const struct tensor *t) {
    if (t->type != DTYPE_FLOAT || tensor_count(t) != u->sampling.columns.input_count) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "%s: its input has another shape than expected for one sample",
                    u->sampling.columns.linear->node->name);
    }
    sampling_gather(&u->sampling, number, t->data, tile_of(c, u, number - c->first));
    return PARE_OK;
}

static enum pare_status observe(void *user, struct context *ctx, const struct observation *o, const struct value *v,
                                const struct tensor *t) {
    const struct collector *c = user;
    size_t point = c->points[v->position];
    if (point > 0 && t->type == DTYPE_FLOAT) {
        histogram_add(&c->histograms[o->worker][point - 1], t->data, tensor_count(t));
    }
    for (size_t i = c->linears[v->position]; i > 0; i = c->unfolded[i - 1].next) {
        TRY(take_columns(ctx, c, o->number, &c->unfolded[i - 1], t));
    }
    return PARE_OK;
}

/* ---- all samples ---- */

static size_t batch_count(const struct collector *c) {
    return c->count - c->first < c->batch ? c->count - c->first : c->batch;
}

static enum pare_status add_tiles(void *user, struct context *ctx, size_t i, int worker) {
    (void)worker;
    struct collector *c = user;
    const struct unfolded *u = &c->unfolded[i];
    return moments_add(ctx, &c->st->moments[i], tile_of(c, u, 0), NULL, batch_count(c) * u->sampling.positions);
}

static enum pare_status finish_moments(void *user, struct context *ctx, size_t i, int worker) {
    (void)worker;
    struct collector *c = user;
    return moments_finish(ctx, &c->scheme->linears[i], &c->st->moments[i]);
}

static enum pare_status run_batches(struct context *ctx, struct collector *c) {
    for (c->first = 0; c->first < c->count; c->first += c->batch) {
        struct progress p = {.phase = "calibration", .done = c->first, .total = c->count, .seconds_left = -1};
        context_progress(ctx, &p);
        TRY(observe_samples(ctx, c->scheme->graph, &c->source, c->first, batch_count(c), observe, c));
        TRY(parallel_for(ctx, c->scheme->linear_count, add_tiles, c));
    }
    return parallel_for(ctx, c->scheme->linear_count, finish_moments, c);
}

static void merge_histograms(const struct context *ctx, struct collector *c) {
    for (size_t w = 0; w < worker_count(ctx); w++) {
        for (size_t i = 0; i < c->scheme->point_count; i++) {
            histogram_merge(&c->st->histograms[i], &c->histograms[w][i]);
        }
    }
}

static enum pare_status collect(struct context *ctx, struct collector *c) {
    if (c->count == 0) {
        return fail(ctx, PARE_ERROR_INPUT, "there are no calibration samples");
    }
    openblas_set_num_threads(1); /* sums must not be split by their number */
    TRY(prepare_tables(ctx, c));
    TRY(prepare_workers(ctx, c));
    TRY(prepare_results(ctx, c));
    TRY(run_batches(ctx, c));
    merge_histograms(ctx, c);
    return PARE_OK;
}

enum pare_status statistics_collect(struct context *ctx, const struct scheme *s, const struct sample_source *source,
                                    size_t count, struct statistics **out) {
    *out = NULL;
    struct statistics *st = calloc(1, sizeof(*st));
    if (st == NULL) {
        return fail_memory(ctx);
    }
    st->clips = !(s->without & TECHNIQUE_CLIPPING);
    struct collector c = {.st = st, .scheme = s, .source = *source, .count = count};
    arena_init(&st->arena);
    arena_init(&c.arena);
    enum pare_status status = collect(ctx, &c);
    arena_free(&c.arena);
    if (status != PARE_OK) {
        statistics_free(st);
        return status;
    }
    *out = st;
    return PARE_OK;
}

void statistics_free(struct statistics *st) {
    if (st != NULL) {
        arena_free(&st->arena);
        free(st);
    }
}

/* ---- questions ---- */

double statistics_min(const struct statistics *st, size_t point) {
    return st->histograms[point].low;
}

double statistics_max(const struct statistics *st, size_t point) {
    return st->histograms[point].high;
}

int statistics_frac(const struct statistics *st, size_t point, int bits, bool is_signed, double *error) {
    const struct histogram *h = &st->histograms[point];
    return st->clips ? histogram_frac(h, bits, is_signed, error) : histogram_covering_frac(h, bits, is_signed, error);
}

double statistics_error(const struct statistics *st, size_t point, int bits, bool is_signed, int frac) {
    return histogram_error(&st->histograms[point], bits, is_signed, frac);
}

const struct moments *statistics_moments(const struct statistics *st, size_t linear) {
    return &st->moments[linear];
}

const double *statistics_gram(const struct statistics *st, size_t linear, uint32_t group) {
    const struct moments *m = &st->moments[linear];
    return m->gram == NULL ? NULL : m->gram + (size_t)group * m->columns * m->columns;
}

const double *statistics_mean(const struct statistics *st, size_t linear, uint32_t group) {
    const struct moments *m = &st->moments[linear];
    return m->mean + (size_t)group * m->columns;
}
