#include "quant/paired.h"

#include "base/parallel.h"
#include "graph/op.h"
#include "quant/feed.h"
#include "quant/parameters.h"
#include "quant/sampling.h"
#include "quant/technique.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POSITIONS ((size_t)1 << 16)   /* of all samples together */
#define TILE_BYTES ((size_t)1 << 29)  /* of their unfolded inputs, where that leaves sampling its least */
#define FLOAT_BYTES ((size_t)1 << 30) /* of the outputs that are kept, where that leaves one operator */

struct paired {
    const struct scheme *scheme;
    const struct graph *wanted;
    const struct dropped_channels **dropped; /* [linears]: of its outputs; NULL: none */
    struct sample_source source;
    size_t count;
    struct sampling *sampling; /* [linears] */
    size_t *of_value;          /* by position in wanted->values: the linear whose output it is + 1, or 0 */
    float **outputs;           /* [linears]: [count][positions][rows]; NULL: not kept now */
};

static bool has_outputs(const struct linear *l) {
    return l->node->op->id != OP_PRelu;
}

/* Before Relu and Clip. */
static const struct value *output_of(const struct linear *l) {
    return (l->sum != NULL ? l->sum : l->node)->outputs[0];
}

static bool outputs_bytes(const struct paired *p, size_t i, size_t *bytes) {
    size_t all = p->count * sizeof(float);
    return size_multiply(p->sampling[i].positions, p->scheme->linears[i].rows, bytes) &&
           size_multiply(*bytes, has_outputs(&p->scheme->linears[i]) ? all : 0, bytes);
}

/* ---- the float network ---- */

static enum pare_status keep(struct context *ctx, const struct paired *p, size_t i, size_t sample, const float *x,
                             size_t count) {
    const struct sampling *s = &p->sampling[i];
    size_t rows = s->columns.linear->rows;
    if (count != rows * s->columns.positions) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "%s: its output has another shape than expected for one sample",
                    s->columns.linear->node->name);
    }
    sampling_gather_outputs(s, sample, x, p->outputs[i] + sample * s->positions * rows);
    return PARE_OK;
}

/* Without the channels that the scheme's graph does not have. */
static enum pare_status keep_left(struct context *ctx, const struct paired *p, size_t i, size_t sample,
                                  const struct tensor *t, const struct dropped_channels *d) {
    size_t count = tensor_count(t), size = channel_size(t), left = 0;
    float *x = malloc(count * sizeof(*x) + 1);
    if (x == NULL) {
        return fail_memory(ctx);
    }
    for (size_t k = 0; k + size <= count; k += size) {
        if (!d->gone[k / size % (size_t)d->channels]) {
            memcpy(x + left, (const float *)t->data + k, size * sizeof(*x));
            left += size;
        }
    }
    enum pare_status status = keep(ctx, p, i, sample, x, left);
    free(x);
    return status;
}

static enum pare_status observe(void *user, struct context *ctx, const struct observation *o, const struct value *v,
                                const struct tensor *t) {
    const struct paired *p = user;
    size_t i = p->of_value[v->position];
    if (i == 0 || p->outputs[i - 1] == NULL || t->type != DTYPE_FLOAT) {
        return PARE_OK;
    }
    const struct dropped_channels *d = p->dropped[i - 1];
    return d != NULL ? keep_left(ctx, p, i - 1, o->number, t, d)
                     : keep(ctx, p, i - 1, o->number, t->data, tensor_count(t));
}

static void drop_outputs(struct paired *p) {
    for (size_t i = 0; i < p->scheme->linear_count; i++) {
        free(p->outputs[i]);
        p->outputs[i] = NULL;
    }
}

/* The outputs of `first`, and of those behind it for which there is memory. */
static enum pare_status keep_from(struct context *ctx, struct paired *p, size_t first) {
    size_t used = 0, bytes;
    drop_outputs(p);
    for (size_t i = first; i < p->scheme->linear_count; i++) {
        if (!outputs_bytes(p, i, &bytes)) {
            return fail_memory(ctx);
        }
        if (i > first && bytes > FLOAT_BYTES - used) {
            break;
        }
        used = bytes > FLOAT_BYTES - used ? FLOAT_BYTES : used + bytes;
        p->outputs[i] = calloc(bytes + 1, 1);
        if (p->outputs[i] == NULL) {
            return fail_memory(ctx);
        }
    }
    return observe_samples(ctx, p->wanted, &p->source, 0, p->count, observe, p);
}

static size_t positions_of(const struct linear *l) {
    size_t most = TILE_BYTES / sizeof(float) / ((size_t)l->groups * l->columns);
    return most < POSITIONS ? most : POSITIONS;
}

static enum pare_status find_wanted(struct context *ctx, struct paired *p, const struct dropped_list *dropped,
                                    size_t i) {
    const struct linear *l = &p->scheme->linears[i];
    const struct value *wanted = graph_find(p->wanted, output_of(l)->name);
    if (wanted == NULL) {
        return fail(ctx, PARE_ERROR_INTERNAL, "%s: the network whose outputs are wanted has no such value",
                    output_of(l)->name);
    }
    p->of_value[wanted->position] = i + 1;
    p->dropped[i] = dropped_of(dropped, l->node->name);
    return PARE_OK;
}

static enum pare_status prepare(struct context *ctx, struct paired *p, const struct dropped_list *dropped) {
    const struct scheme *s = p->scheme;
    p->sampling = calloc(s->linear_count + 1, sizeof(*p->sampling));
    p->outputs = calloc(s->linear_count + 1, sizeof(*p->outputs));
    p->of_value = calloc((size_t)p->wanted->value_count + 1, sizeof(*p->of_value));
    p->dropped = calloc(s->linear_count + 1, sizeof(const struct dropped_channels *));
    if (p->dropped == NULL || p->sampling == NULL || p->outputs == NULL || p->of_value == NULL) {
        return fail_memory(ctx);
    }
    for (size_t i = 0; i < s->linear_count; i++) {
        TRY(sampling_init(ctx, &s->linears[i], p->count, positions_of(&s->linears[i]), &p->sampling[i]));
        TRY(has_outputs(&s->linears[i]) ? find_wanted(ctx, p, dropped, i) : PARE_OK);
    }
    return PARE_OK;
}

enum pare_status paired_new(struct context *ctx, const struct scheme *s, const struct wanted_network *wanted,
                            const struct sample_source *source, size_t count, struct paired **out) {
    *out = calloc(1, sizeof(**out));
    if (*out == NULL) {
        return fail_memory(ctx);
    }
    **out = (struct paired){.scheme = s, .wanted = wanted->graph, .source = *source, .count = count};
    enum pare_status status = prepare(ctx, *out, wanted->dropped);
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
    if (p->outputs != NULL) {
        drop_outputs(p);
    }
    free(p->sampling);
    free(p->outputs);
    free(p->of_value);
    free(p->dropped);
    free(p);
}

/* ---- the integer program ---- */

struct taking {
    const struct paired *paired;
    const struct program *program;
    const struct sampling *sampling;
    const struct pare_op *op;
    float *tiles;  /* [count][positions][groups][columns] */
    float *wanted; /* [count][positions][rows]: y; NULL for PRelu */
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

static void take_input(const struct taking *t, size_t i, const void *codes, float *x) {
    const struct linear *l = t->sampling->columns.linear;
    const struct pare_value *v = &t->program->values[t->op->inputs[0]];
    fetch_output(v, codes, x);
    subtract_zero_points(l, x, v->count);
    sampling_gather(t->sampling, i, x, t->tiles + i * t->sampling->floats);
}

/* The float network's outputs less the bias and what the program adds; `x` and `y` are scratch. */
static void take_wanted(const struct taking *t, size_t i, const void *const *values, float *x, float *y) {
    const struct linear *l = t->sampling->columns.linear;
    size_t count = t->sampling->positions * l->rows;
    float *wanted = t->wanted + i * count;
    for (size_t k = 0; k < count; k++) {
        wanted[k] -= l->bias_float[k % l->rows];
    }
    if (t->op->input_count == 2) {
        fetch_output(&t->program->values[t->op->inputs[1]], values[t->op->inputs[1]], x);
        sampling_gather_outputs(t->sampling, i, x, y);
        cblas_saxpy((int)count, -1, y, 1, wanted, 1);
    }
}

static enum pare_status take(void *user, struct context *ctx, size_t i, int worker, const void *const *values) {
    (void)worker;
    const struct taking *t = user;
    const struct pare_value *v = t->program->values;
    size_t input = v[t->op->inputs[0]].count, output = v[t->op->output].count;
    float *x = malloc((input + 2 * output + 1) * sizeof(*x));
    if (x == NULL) {
        return fail_memory(ctx);
    }
    take_input(t, i, values[t->op->inputs[0]], x);
    if (t->wanted != NULL) {
        take_wanted(t, i, values, x + input, x + input + output);
    }
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
    t->op = &t->program->ops[op];
    executor_cache_want(cache, op);
    return executor_run_before(ctx, e, op, NULL, t->paired->count, load_codes, take, t, cache);
}

/* ---- both ---- */

static enum pare_status collect(struct context *ctx, struct arena *a, const struct taking *t, struct moments *m) {
    const struct linear *l = t->sampling->columns.linear;
    size_t count = t->paired->count * t->sampling->positions, bytes = 0;
    bool full = l->columns <= MOMENTS_COLUMNS && moments_bytes(l, &bytes) && bytes <= MOMENTS_BYTES;
    enum moments_detail otherwise = vectors_possible(l, count, &bytes) ? MOMENTS_VECTORS : MOMENTS_DIAGONAL;
    TRY(moments_init(ctx, a, l, full ? MOMENTS_GRAM : otherwise, count, t->wanted != NULL, m));
    m->centred &= !(t->paired->scheme->without & TECHNIQUE_BIAS_CORRECTION);
    TRY(moments_add(ctx, m, t->tiles, t->wanted, count));
    return moments_finish(ctx, l, m);
}

static enum pare_status allocate(struct context *ctx, const struct paired *p, size_t linear, struct taking *t) {
    const struct linear *l = &p->scheme->linears[linear];
    size_t bytes = 0;
    t->tiles = calloc(p->count * t->sampling->floats + 1, sizeof(*t->tiles));
    if (!outputs_bytes(p, linear, &bytes) || t->tiles == NULL) {
        return fail_memory(ctx);
    }
    if (!has_outputs(l)) {
        return PARE_OK;
    }
    t->wanted = malloc(bytes + 1);
    if (t->wanted == NULL) {
        return fail_memory(ctx);
    }
    memcpy(t->wanted, p->outputs[linear], bytes);
    return PARE_OK;
}

enum pare_status paired_collect(struct context *ctx, struct arena *a, struct paired *p, const struct program *program,
                                struct executor *e, struct executor_cache *cache, size_t linear, struct moments *out) {
    struct taking t = {.paired = p, .program = program, .sampling = &p->sampling[linear]};
    openblas_set_num_threads(1); /* sums must not be split by their number */
    TRY(p->outputs[linear] == NULL ? keep_from(ctx, p, linear) : PARE_OK);
    enum pare_status status = allocate(ctx, p, linear, &t);
    if (status == PARE_OK) {
        status = run_program(ctx, &t, e, cache);
    }
    if (status == PARE_OK) {
        status = collect(ctx, a, &t, out);
    }
    free(t.tiles);
    free(t.wanted);
    return status;
}
