/* Channels that the network can do without are taken out before the search. */
#include "quant/redundant.h"
#include "quant/silent.h"
#include "search/state.h"

#include <math.h>

/* Of the variance that a reader has per channel. */
#define LOSS_LEAST 0.00125
#define LOSS_MOST 0.04
#define SAMPLES_MAX 1024
#define BOUND_SHARE 0.1 /* of the bound, for all of them together */
#define BOUND_USUAL 0.01

/* Some samples of the search set, as the network with all its channels sees them. */
struct trial {
    struct search *search;
    struct dataset samples;
    struct sample_set whole;     /* `outputs` is NULL until it is needed */
    struct dropped_list dropped; /* from the graph that is the best so far */
};

/* How far outputs are from those of the whole network: the expected drop, or noise over signal. */
static double harm_of(const struct trial *t, const struct sample_set *without) {
    const struct sample_set *whole = &t->whole;
    enum metric metric = t->search->options->metric;
    double harm = 0;
    for (size_t i = 0; i < whole->data->count; i++) {
        const float *x = without->outputs + i * whole->width;
        harm += metric == METRIC_SQNR ? sample_set_noise(whole, i, x) : sample_set_expected_drop(whole, i, x);
    }
    return harm / (double)whole->data->count;
}

static double allowed_harm(const struct trial *t) {
    const struct search_options *o = t->search->options;
    double bound = isinf(o->max_drop) ? BOUND_USUAL : o->max_drop;
    bool relative = o->max_drop_relative && o->metric != METRIC_SQNR;
    double accuracy = (double)t->whole.right_count / (double)t->whole.data->count;
    return BOUND_SHARE * bound * (relative ? accuracy : 1);
}

static enum pare_status run_whole(struct trial *t) {
    struct search *s = t->search;
    const struct dataset *all = s->search_set.data;
    size_t count = all->count < SAMPLES_MAX ? all->count : SAMPLES_MAX;
    if (t->whole.outputs != NULL) {
        return PARE_OK;
    }
    TRY(dataset_take(s->ctx, s->arena, all, s->options->seed, count, &t->samples));
    return sample_set_new(s->ctx, s->scheme, s->options->metric, "whole", &t->samples, &t->whole);
}

static enum pare_status measure(struct trial *t, struct graph *g, double *harm) {
    struct search *s = t->search;
    struct scheme *scheme = NULL;
    struct sample_set without = {0};
    TRY(run_whole(t));
    enum pare_status status = scheme_new(s->ctx, g, &scheme);
    if (status == PARE_OK) {
        status = sample_set_new(s->ctx, scheme, s->options->metric, "without", &t->samples, &without);
    }
    if (status == PARE_OK) {
        *harm = harm_of(t, &without);
    }
    sample_set_free(&without);
    scheme_withdraw(scheme);
    return status;
}

static enum pare_status apply(struct trial *t, const struct channel_plan *plan, struct dropped_list *list,
                              struct graph **out, double *harm) {
    struct search *s = t->search;
    TRY(graph_clone(s->ctx, s->scheme->graph, false, out));
    TRY(channel_plan_apply(s->ctx, s->arena, plan, *out, list));
    return measure(t, *out, harm);
}

/* Takes further channels out, and *out with them where that does little harm; *done: it did too much, or none is left
 * to go. */
static enum pare_status extend(struct trial *t, struct channel_plan *plan, double loss, struct dropped_list *dropped,
                               struct graph **out, bool *done) {
    struct graph *g = NULL;
    struct dropped_list list;
    double harm = INFINITY;
    size_t before = channel_plan_count(plan);
    TRY(channel_plan_extend(t->search->ctx, plan, loss));
    if (channel_plan_count(plan) == before) {
        return PARE_OK;
    }
    TRY(dropped_copy(t->search->ctx, t->search->arena, dropped, &list));
    enum pare_status status = apply(t, plan, &list, &g, &harm);
    *done = status != PARE_OK || !(harm <= allowed_harm(t));
    graph_free(*done ? g : *out);
    if (!*done) {
        *out = g;
        t->dropped = list;
    }
    return status;
}

static enum pare_status extend_all(struct trial *t, struct channel_plan *plan, struct dropped_list *dropped,
                                   struct graph **out) {
    bool done = false;
    for (double loss = LOSS_LEAST; loss <= LOSS_MOST && !done; loss *= 2) {
        TRY(extend(t, plan, loss, dropped, out, &done));
    }
    if (*out != NULL) {
        *dropped = t->dropped;
    }
    return PARE_OK;
}

enum pare_status search_drop_redundant(struct search *s, struct dropped_list *dropped, struct graph **out) {
    struct trial t = {.search = s};
    struct channel_plan *plan = NULL;
    *out = NULL;
    if (s->options->keep_channels || s->options->without & TECHNIQUE_REDUNDANT_CHANNELS ||
        s->calibration.count < SILENT_SAMPLES_MIN) {
        return PARE_OK;
    }
    search_report(s, "redundant channels", 0, 0);
    TRY(channel_plan_new(s->ctx, s->scheme, s->statistics, &plan));
    enum pare_status status = extend_all(&t, plan, dropped, out);
    if (status != PARE_OK) {
        graph_free(*out);
        *out = NULL;
    }
    channel_plan_free(plan);
    sample_set_free(&t.whole);
    return status;
}
