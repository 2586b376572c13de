/* Calibration: samples run in batches. Within a batch, the samples run in parallel: values go to histograms of the
 * worker, which count and hence merge exactly, and unfolded inputs of the linear operators to the sample's own tile.
 * Then the linear operators in parallel add the tiles to their moments, samples in order. */
#include "quant/statistics.h"

#include "base/parallel.h"
#include "quant/codes.h"
#include "quant/columns.h"
#include "quant/feed.h"
#include "quant/histogram.h"
#include "quant/moments.h"
#include "quant/parameters.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BINS_MAX ((uint32_t)2048)
#define BINS_MIN ((uint32_t)128)
#define HISTOGRAM_BYTES ((size_t)64 << 20) /* of one worker, where that leaves BINS_MIN */
#define MOMENT_BYTES ((size_t)1 << 30)     /* of all Gram matrices and their factors */
#define MOMENT_COLUMNS ((uint32_t)4096)
#define TILE_BYTES ((size_t)256 << 20) /* of all samples of a batch, where that leaves one sample */
#define BATCH_MAX ((size_t)64)
/* Unfolded inputs of a linear operator: in all, and of one sample. */
#define POSITIONS ((size_t)1 << 15)
#define POSITIONS_QUANTISED ((size_t)1 << 14)
#define POSITIONS_MIN ((size_t)16)
#define POSITIONS_MAX ((size_t)1024)

struct statistics {
    struct arena arena;
    struct histogram *histograms; /* [points] */
    struct moments *moments;      /* [linears] */
    bool clips;
};

/* How the input of one linear operator is sampled. */
struct sampling {
    struct columns columns;
    size_t positions; /* taken of each sample */
    size_t stride;    /* between them, coprime to their number */
    size_t floats;    /* of a sample's unfolded inputs */
    size_t offset;    /* sum of `floats` of the linear operators before */
    size_t next;      /* linear with the same input value + 1, or 0 */
};

struct collector {
    struct statistics *st;
    const struct scheme *scheme;
    struct sample_source source;
    size_t count;
    struct arena arena;
    size_t *points, *linears; /* by position in graph->values: index + 1, or 0 */
    struct sampling *sampling;
    struct histogram **histograms; /* [workers][points] */
    size_t floats;                 /* of a sample's unfolded inputs, all linear operators */
    size_t batch, first;
    const struct quantised_run *quantised; /* or NULL */
    size_t from, to;                       /* the linears whose moments are collected */
    uint32_t input;                        /* the program's value that the quantised linear reads */
    float *quantised_tiles;                /* as `tiles` */
    float *tiles; /* one after the other, for each linear operator [batch][positions][groups][columns] */
};

/* ---- preparation ---- */

static size_t greatest_common_divisor(size_t a, size_t b) {
    while (b != 0) {
        size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Steps near the golden section of the image spread any number of positions evenly. */
static size_t coprime_stride(size_t positions) {
    size_t stride = positions - (size_t)((double)positions * 0.381966);
    while (greatest_common_divisor(stride, positions) != 1) {
        stride--;
    }
    return stride;
}

static size_t positions_taken(size_t positions, size_t samples, size_t all) {
    size_t most = all / samples;
    most = most < POSITIONS_MIN ? POSITIONS_MIN : most > POSITIONS_MAX ? POSITIONS_MAX : most;
    return positions < most ? positions : most;
}

static enum pare_status prepare_sampling(struct context *ctx, struct collector *c, size_t i) {
    struct sampling *s = &c->sampling[i];
    const struct linear *l = &c->scheme->linears[i];
    TRY(columns_of(ctx, l, &s->columns));
    s->positions =
        positions_taken(s->columns.positions, c->count, c->quantised == NULL ? POSITIONS : POSITIONS_QUANTISED);
    s->stride = s->columns.positions > 0 ? coprime_stride(s->columns.positions) : 0;
    s->offset = c->floats;
    if (!size_multiply((size_t)l->groups * l->columns, s->positions, &s->floats) ||
        !size_add(c->floats, s->floats, &c->floats)) {
        return fail_memory(ctx);
    }
    size_t *linear = &c->linears[l->input->position];
    s->next = *linear;
    *linear = i + 1;
    return PARE_OK;
}

static enum pare_status prepare_tables(struct context *ctx, struct collector *c) {
    const struct scheme *s = c->scheme;
    c->points = ARENA_ARRAY(&c->arena, (size_t)s->graph->value_count, size_t);
    c->linears = ARENA_ARRAY(&c->arena, (size_t)s->graph->value_count, size_t);
    c->sampling = ARENA_ARRAY(&c->arena, s->linear_count, struct sampling);
    if (c->points == NULL || c->linears == NULL || c->sampling == NULL) {
        return fail_memory(ctx);
    }
    for (size_t i = 0; i < s->point_count && c->quantised == NULL; i++) {
        c->points[s->points[i].value->position] = i + 1;
    }
    for (size_t i = c->from; i < c->to; i++) {
        TRY(prepare_sampling(ctx, c, i));
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
    for (size_t limit = MOMENT_COLUMNS; limit > 1; limit /= 2) {
        size_t total = 0, bytes = 0;
        bool fits = true;
        for (size_t i = 0; i < s->linear_count && fits; i++) {
            if (s->linears[i].columns <= limit) {
                fits = moments_bytes(&s->linears[i], &bytes) && size_add(total, bytes, &total) && total <= MOMENT_BYTES;
            }
        }
        if (fits) {
            return limit;
        }
    }
    return 0;
}

static enum pare_status prepare_results(struct context *ctx, const struct collector *c) {
    const struct scheme *s = c->scheme;
    struct statistics *st = c->st;
    st->histograms = new_histograms(&st->arena, s->point_count);
    st->moments = ARENA_ARRAY(&st->arena, s->linear_count, struct moments);
    if (st->histograms == NULL || st->moments == NULL) {
        return fail_memory(ctx);
    }
    size_t limit = column_limit(s);
    for (size_t i = c->from; i < c->to; i++) {
        TRY(moments_init(ctx, &st->arena, &s->linears[i], s->linears[i].columns <= limit, c->quantised != NULL,
                         &st->moments[i]));
        st->moments[i].centred &= !(s->without & TECHNIQUE_BIAS_CORRECTION);
    }
    return PARE_OK;
}

/* ---- one sample ---- */

static size_t tile_offset(const struct collector *c, const struct sampling *s, size_t i) {
    return s->offset * c->batch + i * s->floats;
}

/* Each sample begins somewhere else. */
static void gather(const struct collector *c, size_t number, const struct sampling *s, const float *input,
                   float *tiles) {
    const struct columns *columns = &s->columns;
    size_t position = s->positions == 0 ? 0 : number * 7919 % columns->positions;
    float *tile = tiles + tile_offset(c, s, number - c->first);
    for (size_t i = 0; i < s->positions; i++) {
        columns_gather(columns, input, position, tile + i * columns->groups * columns->columns);
        position = (position + s->stride) % columns->positions;
    }
}

static enum pare_status take_columns(struct context *ctx, const struct collector *c, size_t number,
                                     const struct sampling *s, const struct tensor *t) {
    if (t->type != DTYPE_FLOAT || tensor_count(t) != s->columns.input_count) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "%s: its input has another shape than expected for one sample",
                    s->columns.linear->node->name);
    }
    gather(c, number, s, t->data, c->tiles);
    return PARE_OK;
}

static enum pare_status observe(void *user, struct context *ctx, const struct observation *o, const struct value *v,
                                const struct tensor *t) {
    const struct collector *c = user;
    size_t point = c->points[v->position];
    if (point > 0 && t->type == DTYPE_FLOAT) {
        histogram_add(&c->histograms[o->worker][point - 1], t->data, tensor_count(t));
    }
    for (size_t i = c->linears[v->position]; i > 0; i = c->sampling[i - 1].next) {
        TRY(take_columns(ctx, c, o->number, &c->sampling[i - 1], t));
    }
    return PARE_OK;
}

/* ---- the same sample in integers ---- */

static uint32_t input_of(const struct program *p, const struct linear *l) {
    for (uint32_t i = 0; i < p->op_count; i++) {
        if (p->op_names[i] == l->node->name && p->ops[i].weights.rows == l->rows) {
            return p->ops[i].inputs[0];
        }
    }
    return UINT32_MAX;
}

static enum pare_status prepare_quantised(struct context *ctx, struct collector *c) {
    const struct linear *l = &c->scheme->linears[c->from];
    c->quantised_tiles = arena_array(&c->arena, c->floats, c->batch * sizeof(float));
    if (c->quantised_tiles == NULL) {
        return fail_memory(ctx);
    }
    c->input = input_of(c->quantised->program, l);
    return c->input != UINT32_MAX ? PARE_OK
                                  : fail(ctx, PARE_ERROR_INTERNAL, "%s: it is not in the program", l->node->name);
}

static void subtract_zero_points(const struct linear *l, float *x, size_t count) {
    if (l->zero_point == NULL) {
        return;
    }
    size_t channels = (size_t)l->weight->constant->shape.dim[1] * l->groups, size = count / channels;
    int frac = l->in->format.frac;
    for (size_t c = 0; c < channels; c++) {
        float zero = (float)ldexp(zero_point_code(l->zero_point, (int64_t)c, frac), -frac);
        for (size_t i = 0; i < size; i++) {
            x[c * size + i] -= zero;
        }
    }
}

static enum pare_status take_quantised(void *user, struct context *ctx, size_t i, int worker,
                                       const void *const *values) {
    (void)worker;
    const struct collector *c = user;
    const struct sampling *sampling = &c->sampling[c->from];
    const struct linear *l = sampling->columns.linear;
    size_t count = sampling->columns.input_count;
    float *x = malloc((count + 1) * sizeof(*x));
    if (x == NULL) {
        return fail_memory(ctx);
    }
    dequantize_codes(values[c->input], count, &l->in->format, x);
    subtract_zero_points(l, x, count);
    gather(c, c->first + i, sampling, x, c->quantised_tiles);
    free(x);
    return PARE_OK;
}

static enum pare_status load_codes(void *user, struct context *ctx, size_t i, void *const *codes) {
    const struct collector *c = user;
    size_t number = c->first + i;
    return feed_sample(ctx, c->quantised->program, c->scheme->graph, &c->source, number, codes);
}

/* ---- all samples ---- */

static size_t batch_count(const struct collector *c) {
    return c->count - c->first < c->batch ? c->count - c->first : c->batch;
}

static enum pare_status add_tiles(void *user, struct context *ctx, size_t i, int worker) {
    (void)worker;
    struct collector *c = user;
    i += c->from;
    const struct sampling *s = &c->sampling[i];
    const float *floats = c->tiles + tile_offset(c, s, 0);
    const float *x = c->quantised == NULL ? floats : c->quantised_tiles + tile_offset(c, s, 0);
    return moments_add(ctx, &c->st->moments[i], x, floats, batch_count(c) * s->positions);
}

static enum pare_status finish_moments(void *user, struct context *ctx, size_t i, int worker) {
    (void)worker;
    struct collector *c = user;
    i += c->from;
    return moments_finish(ctx, &c->scheme->linears[i], &c->st->moments[i]);
}

static enum pare_status run_batches(struct context *ctx, struct collector *c) {
    for (c->first = 0; c->first < c->count; c->first += c->batch) {
        struct progress p = {.phase = "calibration", .done = c->first, .total = c->count, .seconds_left = -1};
        context_progress(ctx, &p);
        TRY(observe_samples(ctx, c->scheme->graph, &c->source, c->first, batch_count(c), observe, c));
        if (c->quantised != NULL) {
            TRY(executor_run(ctx, c->quantised->executor, NULL, batch_count(c), load_codes, take_quantised, c, NULL));
        }
        TRY(parallel_for(ctx, c->to - c->from, add_tiles, c));
    }
    return parallel_for(ctx, c->to - c->from, finish_moments, c);
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
    TRY(c->quantised == NULL ? PARE_OK : prepare_quantised(ctx, c));
    TRY(prepare_results(ctx, c));
    TRY(run_batches(ctx, c));
    merge_histograms(ctx, c);
    return PARE_OK;
}

enum pare_status statistics_collect(struct context *ctx, const struct scheme *s, const struct sample_source *source,
                                    size_t count, const struct quantised_run *quantised, struct statistics **out) {
    *out = NULL;
    struct statistics *st = calloc(1, sizeof(*st));
    if (st == NULL) {
        return fail_memory(ctx);
    }
    st->clips = !(s->without & TECHNIQUE_CLIPPING);
    struct collector c = {.st = st, .scheme = s, .source = *source, .count = count, .quantised = quantised};
    c.from = quantised == NULL ? 0 : quantised->linear;
    c.to = quantised == NULL ? s->linear_count : c.from + 1;
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
