/* A small network with its scheme and statistics: what the tests of calibration and rounding share. */
#ifndef PARE_TESTS_QUANT_TRIAL_H
#define PARE_TESTS_QUANT_TRIAL_H

#include "quant/moments.h"
#include "quant/statistics.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct quant_trial {
    struct context ctx;
    struct graph *graph;
    struct scheme *scheme;
    struct statistics *statistics;
};

static inline void trial_ok(struct quant_trial *t, enum pare_status status) {
    ck_assert_msg(status == PARE_OK, "%s", t->ctx.diag.message);
}

/* Sample i of every input, from its number alone: reals in [-1, 3), so that means are not 0. */
static inline enum pare_status trial_load(void *user, struct context *ctx, size_t sample, struct tensor *inputs) {
    (void)ctx;
    const struct graph *g = user;
    uint64_t state = sample * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (int i = 0; i < g->input_count; i++) {
        for (size_t k = 0; k < tensor_count(&inputs[i]); k++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            tensor_set_double(&inputs[i], k, (double)(state >> 40) / (1 << 22) - 1);
        }
    }
    return PARE_OK;
}

static inline void trial_begin(struct quant_trial *t, const char *text) {
    memset(t, 0, sizeof *t);
    context_init(&t->ctx);
    trial_ok(t, graph_parse(&t->ctx, text, &t->graph));
    trial_ok(t, graph_infer(&t->ctx, t->graph));
    trial_ok(t, scheme_new(&t->ctx, t->graph, &t->scheme));
}

static inline void trial_collect(struct quant_trial *t, size_t samples, int threads) {
    t->ctx.threads = threads;
    statistics_free(t->statistics);
    struct sample_source source = {trial_load, t->graph, NULL};
    trial_ok(t, statistics_collect(&t->ctx, t->scheme, &source, samples, &t->statistics));
}

static inline void trial_finish(struct quant_trial *t) {
    statistics_free(t->statistics);
    scheme_free(t->scheme);
    graph_free(t->graph);
}

#endif
