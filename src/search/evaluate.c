#include "search/evaluate.h"

#include "base/parallel.h"
#include "float/float.h"
#include "quant/codes.h"
#include "quant/lower.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUTS_MAX ((size_t)2 << 30) /* bytes of float outputs that are held */

enum pare_status load_sample(void *user, struct context *ctx, size_t sample, struct tensor *inputs) {
    (void)ctx;
    dataset_load(user, sample, inputs);
    return PARE_OK;
}

/* ---- right or wrong ---- */

static size_t argmax(const float *x, size_t count) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        best = x[i] > x[best] ? i : best;
    }
    return best;
}

/* Whether `label` is among the five largest; among equals the lower index comes first. */
static bool in_top5(const float *x, size_t count, size_t label) {
    size_t before = 0;
    for (size_t i = 0; i < count; i++) {
        before += x[i] > x[label] || (x[i] == x[label] && i < label);
    }
    return before < 5;
}

static bool is_right(enum metric metric, const struct sample_set *s, size_t i, const float *x) {
    switch (metric) {
    case METRIC_TOP1:
        return argmax(x, s->classes) == (size_t)dataset_label(s->data, i);
    case METRIC_TOP5:
        return in_top5(x, s->classes, (size_t)dataset_label(s->data, i));
    case METRIC_AGREEMENT:
        return argmax(x, s->classes) == argmax(s->outputs + i * s->width, s->classes);
    default:
        return true;
    }
}

/* ---- the float network ---- */

struct reference_run {
    const struct scheme *scheme;
    struct sample_set *set;
};

struct reference_outputs {
    const struct scheme *scheme;
    float *row;
};

/* What output k is before a cut operator is applied. */
static const struct value *raw_output(const struct scheme *s, int k) {
    const struct value *v = s->graph->outputs[k];
    const struct node *tail = lower_tail(s, v);
    return tail == NULL ? v : tail->inputs[0];
}

static enum pare_status keep_output(void *user, struct context *ctx, const struct value *v, const struct tensor *t) {
    (void)ctx;
    struct reference_outputs *o = user;
    float *at = o->row;
    for (int k = 0; k < o->scheme->graph->output_count; k++) {
        const struct value *raw = raw_output(o->scheme, k);
        struct shape shape;
        size_t count = 0;
        value_shape(raw, 1, &shape);
        shape_count(&shape, &count);
        if (raw == v && t->type == DTYPE_FLOAT) {
            memcpy(at, t->data, count * sizeof(float));
        }
        at += count;
    }
    return PARE_OK;
}

static enum pare_status run_reference(void *user, struct context *ctx, size_t i, int worker) {
    (void)worker;
    struct reference_run *run = user;
    const struct graph *g = run->scheme->graph;
    struct arena scratch;
    arena_init(&scratch);
    struct tensor *inputs = NULL;
    struct tensor *outputs = ARENA_ARRAY(&scratch, (size_t)g->output_count, struct tensor);
    enum pare_status status = outputs == NULL ? fail_memory(ctx) : PARE_OK;
    if (status == PARE_OK) {
        status = dataset_new_sample(ctx, &scratch, run->set->data, &inputs);
    }
    if (status == PARE_OK) {
        dataset_load(run->set->data, i, inputs);
        struct reference_outputs o = {run->scheme, run->set->outputs + i * run->set->width};
        status = float_run(ctx, g, inputs, outputs, keep_output, &o);
    }
    for (int k = 0; status == PARE_OK && k < g->output_count; k++) {
        tensor_free(&outputs[k]);
    }
    arena_free(&scratch);
    return status;
}

static enum pare_status size_outputs(struct context *ctx, const struct scheme *s, struct sample_set *set) {
    for (int k = 0; k < s->graph->output_count; k++) {
        struct shape shape;
        size_t count = 0;
        if (!value_shape(raw_output(s, k), 1, &shape) || !shape_count(&shape, &count)) {
            return fail(ctx, PARE_ERROR_UNSUPPORTED, "%s: the shape of this output is not fixed for one sample",
                        s->graph->outputs[k]->name);
        }
        set->width += count;
        set->classes = k == 0 ? count : set->classes;
    }
    if (set->width == 0 || set->data->count > OUTPUTS_MAX / sizeof(float) / set->width) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: %zu samples with %zu output values each do not fit; give fewer samples",
                    set->data->place, set->data->count, set->width);
    }
    return PARE_OK;
}

static enum pare_status check_labels(struct context *ctx, enum metric metric, const struct sample_set *s) {
    if (metric != METRIC_TOP1 && metric != METRIC_TOP5) {
        return PARE_OK;
    }
    if (s->data->labels == NULL) {
        return fail(ctx, PARE_ERROR_INPUT,
                    "%s: no labels (array y) for metric %s; give labels or use --metric agreement", s->data->place,
                    metric_name(metric));
    }
    for (size_t i = 0; i < s->data->count; i++) {
        if ((uint64_t)dataset_label(s->data, i) >= s->classes) {
            return fail(ctx, PARE_ERROR_INPUT, "%s: label %lld of sample %zu, but the model has %zu classes",
                        s->data->place, (long long)dataset_label(s->data, i), i, s->classes);
        }
    }
    return PARE_OK;
}

enum pare_status sample_set_new(struct context *ctx, const struct scheme *s, enum metric metric, const char *name,
                                const struct dataset *d, struct sample_set *out) {
    *out = (struct sample_set){.name = name, .data = d};
    TRY(size_outputs(ctx, s, out));
    TRY(check_labels(ctx, metric, out));
    out->outputs = calloc(d->count * out->width, sizeof(float));
    out->right = calloc(d->count, 1);
    if (out->outputs == NULL || out->right == NULL) {
        sample_set_free(out);
        return fail_memory(ctx);
    }
    struct reference_run run = {s, out};
    enum pare_status status = parallel_for(ctx, d->count, run_reference, &run);
    if (status != PARE_OK) {
        sample_set_free(out);
        return status;
    }
    for (size_t i = 0; i < d->count; i++) {
        out->right[i] = is_right(metric, out, i, out->outputs + i * out->width);
        out->right_count += out->right[i];
    }
    return PARE_OK;
}

void sample_set_free(struct sample_set *s) {
    free(s->outputs);
    free(s->right);
    executor_cache_free(s->cache);
    *s = (struct sample_set){0};
}

/* ---- the integer program ---- */

enum pare_status evaluator_new(struct context *ctx, struct arena *a, struct knobs *k, enum metric metric,
                               struct journal *j, struct evaluator *out) {
    *out = (struct evaluator){.arena = a, .scheme = k->scheme, .knobs = k, .metric = metric, .journal = j};
    TRY(lower(ctx, k->scheme, &out->program));
    out->changed = ARENA_ARRAY(a, out->program->op_count, uint32_t);
    return out->changed == NULL ? fail_memory(ctx) : executor_new(ctx, out->program, &out->executor);
}

void evaluator_free(struct evaluator *e) {
    executor_free(e->executor);
    e->executor = NULL;
}

enum pare_status evaluator_apply(struct context *ctx, struct evaluator *e, const uint8_t *bits) {
    knobs_set_all(e->knobs, bits);
    size_t count = 0;
    TRY(lower_again(ctx, e->scheme, e->program, e->changed, &count));
    for (size_t i = 0; i < count; i++) {
        TRY(executor_update(ctx, e->executor, e->changed[i]));
    }
    return PARE_OK;
}

struct measuring {
    const struct evaluator *evaluator;
    const struct sample_set *set;
    uint8_t *right;
    double *divergence, *noise, *signal; /* per sample, summed in order afterwards */
};

static void fill_input(const struct pare_value *v, const struct tensor *t, void *codes) {
    if (v->storage == PARE_F32) {
        memcpy(codes, t->data, (size_t)v->count * sizeof(float));
        return;
    }
    struct format f = {.bits = v->bits, .is_signed = v->is_signed, .frac = v->frac};
    quantize_floats(t->data, v->count, &f, codes);
}

static enum pare_status load_codes(void *user, struct context *ctx, size_t i, void *const *inputs) {
    const struct measuring *m = user;
    const struct program *p = m->evaluator->program;
    struct arena scratch;
    arena_init(&scratch);
    struct tensor *tensors = NULL;
    enum pare_status status = dataset_new_sample(ctx, &scratch, m->set->data, &tensors);
    if (status == PARE_OK) {
        dataset_load(m->set->data, i, tensors);
        for (uint32_t k = 0; k < p->input_count; k++) {
            fill_input(&p->values[p->inputs[k]], &tensors[k], inputs[k]);
        }
    }
    arena_free(&scratch);
    return status;
}

static void read_outputs(const struct program *p, const void *const *values, float *x) {
    for (uint32_t k = 0; k < p->output_count; k++) {
        const struct pare_value *v = &p->values[p->outputs[k]];
        if (v->storage == PARE_F32) {
            memcpy(x, values[p->outputs[k]], (size_t)v->count * sizeof(float));
        } else {
            struct format f = {.bits = v->bits, .is_signed = v->is_signed, .frac = v->frac};
            dequantize_codes(values[p->outputs[k]], v->count, &f, x);
        }
        x += v->count;
    }
}

static double log_sum_exp(const float *x, size_t count) {
    double largest = x[argmax(x, count)], sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += exp(x[i] - largest);
    }
    return largest + log(sum);
}

static double kl_divergence(const float *f, const float *q, size_t count) {
    double zf = log_sum_exp(f, count), zq = log_sum_exp(q, count), sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += exp(f[i] - zf) * ((f[i] - zf) - (q[i] - zq));
    }
    return sum;
}

static enum pare_status judge(void *user, struct context *ctx, size_t i, int worker, const void *const *values) {
    (void)worker;
    const struct measuring *m = user;
    const struct sample_set *s = m->set;
    float *x = malloc(s->width * sizeof(float));
    if (x == NULL) {
        return fail_memory(ctx);
    }
    read_outputs(m->evaluator->program, values, x);
    const float *f = s->outputs + i * s->width;
    double noise = 0, signal = 0;
    for (size_t k = 0; k < s->width; k++) {
        double e = (double)x[k] - f[k];
        noise += e * e;
        signal += (double)f[k] * f[k];
    }
    m->right[i] = is_right(m->evaluator->metric, s, i, x);
    m->noise[i] = noise;
    m->signal[i] = signal;
    bool is_classifier = m->evaluator->metric != METRIC_SQNR && s->classes > 1;
    m->divergence[i] = is_classifier ? kl_divergence(f, x, s->classes) : noise / (signal + 1e-30);
    free(x);
    return PARE_OK;
}

static void sum_up(const struct measuring *m, struct measure *out) {
    const struct sample_set *s = m->set;
    double noise = 0, signal = 0;
    *out = (struct measure){.paired.samples = s->data->count};
    for (size_t i = 0; i < s->data->count; i++) {
        out->paired.lost += s->right[i] && !m->right[i];
        out->paired.won += !s->right[i] && m->right[i];
        out->divergence += m->divergence[i];
        noise += m->noise[i];
        signal += m->signal[i];
    }
    out->divergence /= (double)s->data->count;
    out->noise_ratio = signal > 0 ? noise / signal : noise > 0 ? INFINITY : 0;
}

static enum pare_status run_program(struct context *ctx, const struct evaluator *e, const struct sample_set *s,
                                    struct measure *out) {
    size_t n = s->data->count;
    double *numbers = malloc(3 * n * sizeof(double));
    uint8_t *right = malloc(n);
    enum pare_status status = numbers == NULL || right == NULL ? fail_memory(ctx) : PARE_OK;
    if (status == PARE_OK) {
        struct measuring m = {e, s, right, numbers, numbers + n, numbers + 2 * n};
        status = executor_run(ctx, e->executor, NULL, n, load_codes, judge, &m, s->cache);
        if (status == PARE_OK) {
            sum_up(&m, out);
        }
    }
    free(numbers);
    free(right);
    return status;
}

enum pare_status evaluator_measure(struct context *ctx, struct evaluator *e, struct sample_set *set,
                                   const uint8_t *bits, struct measure *out) {
    uint64_t key = hash_of(bits, e->knobs->count, hash_of(set->name, strlen(set->name), 0));
    double known[JOURNAL_VALUES];
    if (journal_find(e->journal, key, known)) {
        *out = (struct measure){{set->data->count, (size_t)known[0], (size_t)known[1]}, known[2], known[3]};
        return PARE_OK;
    }
    TRY(evaluator_apply(ctx, e, bits));
    TRY(run_program(ctx, e, set, out));
    double values[JOURNAL_VALUES] = {(double)out->paired.lost, (double)out->paired.won, out->divergence,
                                     out->noise_ratio};
    return journal_add(ctx, e->journal, key, values);
}
