/* Samples and what the float network makes of them. */
#include "search/sample_set.h"
#include "base/parallel.h"
#include "float/float.h"
#include "quant/lower.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POWER_LEAST 1e-6              /* of an output's, for one column of it */
#define OUTPUTS_MAX ((size_t)2 << 30) /* bytes of float outputs that are held */

/* ---- right or wrong ---- */

static bool in_top5(const float *x, size_t count, size_t label) {
    return scores_place(float_scores(x, count), label) < 5;
}

bool sample_set_right(const struct sample_set *s, size_t i, const float *x) {
    switch (s->metric) {
    case METRIC_TOP1:
        return scores_argmax(float_scores(x, s->classes)) == (size_t)dataset_label(s->data, i);
    case METRIC_TOP5:
        return in_top5(x, s->classes, (size_t)dataset_label(s->data, i));
    case METRIC_AGREEMENT:
        return scores_argmax(float_scores(x, s->classes)) ==
               scores_argmax(float_scores(s->outputs + i * s->width, s->classes));
    default:
        return true;
    }
}

/* ---- probabilities ---- */

double log_partition(const float *x, size_t count, double temperature) {
    double largest = x[scores_argmax(float_scores(x, count))], sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += exp((x[i] - largest) / temperature);
    }
    return largest / temperature + log(sum);
}

static double negative_log_likelihood(const struct sample_set *s, double temperature) {
    double sum = 0;
    for (size_t i = 0; i < s->data->count; i++) {
        const float *x = s->outputs + i * s->width;
        sum += log_partition(x, s->classes, temperature) - x[dataset_label(s->data, i)] / temperature;
    }
    return sum;
}

/* Golden-section search over its logarithm: the likelihood is unimodal in 1 / temperature. */
static double fit_temperature(const struct sample_set *s) {
    const double section = 0.6180339887498949;
    double low = log(0.05), high = log(20);
    for (int i = 0; i < 24; i++) {
        double a = high - section * (high - low), b = low + section * (high - low);
        if (negative_log_likelihood(s, exp(a)) < negative_log_likelihood(s, exp(b))) {
            high = b;
        } else {
            low = a;
        }
    }
    return exp((low + high) / 2);
}

/* Probability that one of the classes that the scores `x` put first is the label. */
static double probability_right(const struct sample_set *s, const float *outputs, const float *x) {
    double sum = 0, partition = log_partition(outputs, s->classes, s->temperature);
    size_t best = scores_argmax(float_scores(x, s->classes));
    for (size_t c = 0; c < s->classes; c++) {
        if (s->metric == METRIC_TOP5 ? in_top5(x, s->classes, c) : c == best) {
            sum += exp(outputs[c] / s->temperature - partition);
        }
    }
    return sum;
}

double sample_set_expected_drop(const struct sample_set *s, size_t i, const float *x) {
    const float *outputs = s->outputs + i * s->width;
    if (s->metric == METRIC_TOP1 || s->metric == METRIC_TOP5) {
        return probability_right(s, outputs, outputs) - probability_right(s, outputs, x);
    }
    return s->right[i] && !sample_set_right(s, i, x);
}

/* ---- noise ---- */

/* What output k is before a cut operator is applied. */
static const struct value *raw_output(const struct scheme *s, int k) {
    const struct value *v = s->graph->outputs[k];
    const struct node *tail = lower_tail(s, v);
    return tail == NULL ? v : tail->inputs[0];
}

double sample_set_noise(const struct sample_set *s, size_t i, const float *x) {
    const float *f = s->outputs + i * s->width;
    double sum = 0;
    for (size_t k = 0; k < s->width; k++) {
        sum += s->weights[k] * ((double)x[k] - f[k]) * ((double)x[k] - f[k]);
    }
    return sum;
}

/* Mean power per sample of the outputs [first, first + count). */
static double power_of(const struct sample_set *s, size_t first, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < s->data->count; i++) {
        const float *f = s->outputs + i * s->width + first;
        for (size_t k = 0; k < count; k++) {
            sum += (double)f[k] * f[k];
        }
    }
    return sum / (double)s->data->count;
}

/* One signal of `all` power at most; nearly none counts as some. */
static void weigh(struct sample_set *s, size_t first, size_t count, double all) {
    double power = fmax(power_of(s, first, count), POWER_LEAST * all);
    for (size_t k = first; k < first + count; k++) {
        s->weights[k] = power > 0 ? 1 / power : 1;
    }
}

static void weigh_each(struct sample_set *s, const struct scheme *scheme) {
    size_t first = 0, signals = 0;
    for (int k = 0; k < scheme->graph->output_count; k++) {
        struct shape shape;
        size_t count = 0;
        value_shape(raw_output(scheme, k), 1, &shape);
        shape_count(&shape, &count);
        size_t columns = shape.rank <= 2 ? count : 1, size = shape.rank <= 2 ? 1 : count;
        double all = power_of(s, first, count);
        for (size_t c = 0; c < columns; c++) {
            weigh(s, first + c * size, size, all);
        }
        first += count;
        signals += columns;
    }
    for (size_t k = 0; k < s->width; k++) {
        s->weights[k] /= (double)signals;
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
    *out = (struct sample_set){.metric = metric, .name = name, .data = d};
    TRY(size_outputs(ctx, s, out));
    TRY(check_labels(ctx, metric, out));
    out->outputs = calloc(d->count * out->width, sizeof(float));
    out->weights = calloc(out->width, sizeof(double));
    out->right = calloc(d->count, 1);
    if (out->outputs == NULL || out->weights == NULL || out->right == NULL) {
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
        out->right[i] = sample_set_right(out, i, out->outputs + i * out->width);
        out->right_count += out->right[i];
    }
    if (metric == METRIC_SQNR) {
        weigh_each(out, s);
    } else {
        weigh(out, 0, out->width, 0);
    }
    out->temperature = metric == METRIC_TOP1 || metric == METRIC_TOP5 ? fit_temperature(out) : 1;
    return PARE_OK;
}

void sample_set_free(struct sample_set *s) {
    free(s->outputs);
    free(s->weights);
    free(s->right);
    executor_cache_free(s->cache);
    *s = (struct sample_set){0};
}
