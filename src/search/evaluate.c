#include "search/evaluate.h"

#include "quant/feed.h"
#include "quant/lower.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum pare_status evaluator_new(struct context *ctx, struct arena *a, struct knobs *k, struct journal *j,
                               struct evaluator *out) {
    *out = (struct evaluator){.arena = a, .scheme = k->scheme, .knobs = k, .journal = j};
    TRY(lower(ctx, k->scheme, &out->program));
    out->changed = ARENA_ARRAY(a, out->program->op_count, uint32_t);
    return out->changed == NULL ? fail_memory(ctx) : executor_new(ctx, out->program, &out->executor);
}

void evaluator_free(struct evaluator *e) {
    executor_free(e->executor);
    e->executor = NULL;
}

enum pare_status evaluator_apply(struct context *ctx, struct evaluator *e, const uint8_t *bits) {
    TRY(e->knobs->edition->ready ? PARE_OK : e->fit(e->user, ctx, e->knobs->edition));
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
    double *divergence, *noise, *expected_drop; /* per sample, summed in order afterwards */
};

static enum pare_status load_codes(void *user, struct context *ctx, size_t i, void *const *inputs) {
    const struct measuring *m = user;
    const struct program *p = m->evaluator->program;
    struct arena scratch;
    arena_init(&scratch);
    struct tensor *tensors = NULL;
    enum pare_status status = dataset_new_sample(ctx, &scratch, m->set->data, &tensors);
    if (status == PARE_OK) {
        dataset_load(m->set->data, i, tensors);
        feed_inputs(p, tensors, inputs);
    }
    arena_free(&scratch);
    return status;
}

static double kl_divergence(const float *f, const float *q, size_t count) {
    double zf = log_partition(f, count, 1), zq = log_partition(q, count, 1), sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += exp(f[i] - zf) * ((f[i] - zf) - (q[i] - zq));
    }
    return sum;
}

static enum pare_status judge(void *user, struct context *ctx, size_t i, int worker, const void *const *values) {
    (void)worker;
    const struct measuring *m = user;
    const struct sample_set *s = m->set;
    float *x = calloc(s->width, sizeof(float));
    if (x == NULL) {
        return fail_memory(ctx);
    }
    fetch_outputs(m->evaluator->program, values, x);
    const float *f = s->outputs + i * s->width;
    m->right[i] = sample_set_right(s, i, x);
    m->expected_drop[i] = sample_set_expected_drop(s, i, x);
    m->noise[i] = sample_set_noise(s, i, x);
    bool is_classifier = s->metric != METRIC_SQNR && s->classes > 1;
    m->divergence[i] = is_classifier ? kl_divergence(f, x, s->classes) : m->noise[i];
    free(x);
    return PARE_OK;
}

static void sum_up(const struct measuring *m, struct measure *out) {
    const struct sample_set *s = m->set;
    *out = (struct measure){.paired.samples = s->data->count};
    for (size_t i = 0; i < s->data->count; i++) {
        out->paired.lost += s->right[i] && !m->right[i];
        out->paired.won += !s->right[i] && m->right[i];
        out->divergence += m->divergence[i];
        out->expected_drop += m->expected_drop[i];
        out->noise_ratio += m->noise[i];
    }
    out->divergence /= (double)s->data->count;
    out->expected_drop /= (double)s->data->count;
    out->noise_ratio /= (double)s->data->count;
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
    uint64_t id = hash_of(&e->network, sizeof(e->network), knobs_id(e->knobs));
    uint64_t key = hash_of(bits, e->knobs->count, hash_of(set->name, strlen(set->name), id));
    double known[JOURNAL_VALUES];
    if (journal_find(e->journal, key, known)) {
        *out = (struct measure){{set->data->count, (size_t)known[0], (size_t)known[1]}, known[2], known[3], known[4]};
        return PARE_OK;
    }
    if (e->journal_only) {
        return fail(ctx, PARE_ERROR_INTERRUPTED, "the journal ends");
    }
    TRY(evaluator_apply(ctx, e, bits));
    TRY(run_program(ctx, e, set, out));
    double values[JOURNAL_VALUES] = {(double)out->paired.lost, (double)out->paired.won, out->divergence,
                                     out->noise_ratio, out->expected_drop};
    return journal_add(ctx, e->journal, key, values);
}
