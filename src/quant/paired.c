#include "quant/paired.h"

#include "base/parallel.h"
#include "quant/codes.h"
#include "quant/feed.h"
#include "quant/parameters.h"
#include "quant/sampling.h"
#include "quant/technique.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#define POSITIONS ((size_t)1 << 14)   /* of all samples together */
#define FLOAT_BYTES ((size_t)1 << 30) /* of the tiles that are kept, where that leaves one operator */

struct paired {
    const struct scheme *scheme;
    struct sample_source source;
    size_t count;
    struct sampling *sampling; /* [linears] */
    size_t *next;              /* [linears]: one with the same input value + 1, or 0 */
    size_t *of_value;          /* by position in graph->values: the first of these + 1, or 0 */
    float **tiles;             /* [linears]: [count][positions][groups][columns]; NULL: not kept now */
};

/* ---- the float network ---- */

static enum pare_status observe(void *user, struct context *ctx, const struct observation *o, const struct value *v,
                                const struct tensor *t) {
    const struct paired *p = user;
    for (size_t i = p->of_value[v->position]; i > 0; i = p->next[i - 1]) {
        const struct sampling *s = &p->sampling[i - 1];
        if (p->tiles[i - 1] == NULL) {
            continue;
        }
        if (t->type != DTYPE_FLOAT || tensor_count(t) != s->columns.input_count) {
            return fail(ctx, PARE_ERROR_UNSUPPORTED, "%s: its input has another shape than expected for one sample",
                        s->columns.linear->node->name);
        }
        sampling_gather(s, o->number, t->data, p->tiles[i - 1] + o->number * s->floats);
    }
    return PARE_OK;
}

static void drop_tiles(struct paired *p) {
    for (size_t i = 0; i < p->scheme->linear_count; i++) {
        free(p->tiles[i]);
        p->tiles[i] = NULL;
    }
}

/* The tiles of `first`, and of those behind it for which there is memory. */
static enum pare_status keep_from(struct context *ctx, struct paired *p, size_t first) {
    size_t used = 0, bytes;
    drop_tiles(p);
    for (size_t i = first; i < p->scheme->linear_count; i++) {
        if (!size_multiply(p->sampling[i].floats, p->count * sizeof(float), &bytes)) {
            return fail_memory(ctx);
        }
        if (i > first && bytes > FLOAT_BYTES - used) {
            break;
        }
        used = bytes > FLOAT_BYTES - used ? FLOAT_BYTES : used + bytes;
        p->tiles[i] = calloc(bytes + 1, 1);
        if (p->tiles[i] == NULL) {
            return fail_memory(ctx);
        }
    }
    return observe_samples(ctx, p->scheme->graph, &p->source, 0, p->count, observe, p);
}

static enum pare_status prepare(struct context *ctx, struct paired *p) {
    const struct scheme *s = p->scheme;
    p->sampling = calloc(s->linear_count + 1, sizeof(*p->sampling));
    p->next = calloc(s->linear_count + 1, sizeof(*p->next));
    p->tiles = calloc(s->linear_count + 1, sizeof(*p->tiles));
    p->of_value = calloc((size_t)s->graph->value_count + 1, sizeof(*p->of_value));
    if (p->sampling == NULL || p->next == NULL || p->tiles == NULL || p->of_value == NULL) {
        return fail_memory(ctx);
    }
    for (size_t i = 0; i < s->linear_count; i++) {
        size_t *of_value = &p->of_value[s->linears[i].input->position];
        TRY(sampling_init(ctx, &s->linears[i], p->count, POSITIONS, &p->sampling[i]));
        p->next[i] = *of_value;
        *of_value = i + 1;
    }
    return PARE_OK;
}

enum pare_status paired_new(struct context *ctx, const struct scheme *s, const struct sample_source *source,
                            size_t count, struct paired **out) {
    *out = calloc(1, sizeof(**out));
    if (*out == NULL) {
        return fail_memory(ctx);
    }
    **out = (struct paired){.scheme = s, .source = *source, .count = count};
    enum pare_status status = prepare(ctx, *out);
    if (status != PARE_OK) {
        paired_free(*out);
        *out = NULL;
    }
    return status;
}

void paired_free(struct paired *p) {
    if (p == NULL) {
        return;
    }
    if (p->tiles != NULL) {
        drop_tiles(p);
    }
    free(p->sampling);
    free(p->next);
    free(p->tiles);
    free(p->of_value);
    free(p);
}

/* ---- the integer program ---- */

struct taking {
    const struct paired *paired;
    const struct program *program;
    const struct sampling *sampling;
    uint32_t input; /* the program's value that the operator reads */
    float *tiles;
};

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

static enum pare_status take(void *user, struct context *ctx, size_t i, int worker, const void *const *values) {
    (void)worker;
    const struct taking *t = user;
    const struct linear *l = t->sampling->columns.linear;
    size_t count = t->sampling->columns.input_count;
    float *x = malloc((count + 1) * sizeof(*x));
    if (x == NULL) {
        return fail_memory(ctx);
    }
    dequantize_codes(values[t->input], count, &l->in->format, x);
    subtract_zero_points(l, x, count);
    sampling_gather(t->sampling, i, x, t->tiles + i * t->sampling->floats);
    free(x);
    return PARE_OK;
}

static enum pare_status load_codes(void *user, struct context *ctx, size_t i, void *const *codes) {
    const struct taking *t = user;
    return feed_sample(ctx, t->program, t->paired->scheme->graph, &t->paired->source, i, codes);
}

static uint32_t op_of(const struct program *p, const struct linear *l) {
    for (uint32_t i = 0; i < p->op_count; i++) {
        if (p->op_names[i] == l->node->name && p->ops[i].weights.rows == l->rows) {
            return i;
        }
    }
    return UINT32_MAX;
}

static enum pare_status run_program(struct context *ctx, struct taking *t, struct executor *e,
                                    struct executor_cache *cache) {
    uint32_t op = op_of(t->program, t->sampling->columns.linear);
    if (op == UINT32_MAX) {
        return fail(ctx, PARE_ERROR_INTERNAL, "%s: it is not in the program", t->sampling->columns.linear->node->name);
    }
    t->input = t->program->ops[op].inputs[0];
    executor_cache_want(cache, op);
    return executor_run_before(ctx, e, op, NULL, t->paired->count, load_codes, take, t, cache);
}

/* ---- both ---- */

static enum pare_status collect(struct context *ctx, struct arena *a, struct taking *t, const float *floats,
                                struct moments *out) {
    const struct linear *l = t->sampling->columns.linear;
    size_t bytes = 0;
    bool full = l->columns <= MOMENTS_COLUMNS && moments_bytes(l, &bytes) && bytes <= MOMENTS_BYTES;
    TRY(moments_init(ctx, a, l, full, true, out));
    out->centred &= !(t->paired->scheme->without & TECHNIQUE_BIAS_CORRECTION);
    TRY(moments_add(ctx, out, t->tiles, floats, t->paired->count * t->sampling->positions));
    return moments_finish(ctx, l, out);
}

enum pare_status paired_collect(struct context *ctx, struct arena *a, struct paired *p, const struct program *program,
                                struct executor *e, struct executor_cache *cache, size_t linear, struct moments *out) {
    struct taking t = {p, program, &p->sampling[linear], 0, NULL};
    openblas_set_num_threads(1); /* sums must not be split by their number */
    TRY(p->tiles[linear] == NULL ? keep_from(ctx, p, linear) : PARE_OK);
    t.tiles = calloc(p->count * t.sampling->floats + 1, sizeof(*t.tiles));
    enum pare_status status = t.tiles == NULL ? fail_memory(ctx) : run_program(ctx, &t, e, cache);
    if (status == PARE_OK) {
        status = collect(ctx, a, &t, p->tiles[linear], out);
    }
    free(t.tiles);
    return status;
}
