/* Measuring the integer program against the float network, sample by sample. */
#ifndef PARE_SEARCH_EVALUATE_H
#define PARE_SEARCH_EVALUATE_H

#include "search/interval.h"
#include "search/journal.h"
#include "search/knobs.h"
#include "search/sample_set.h"

struct measure {
    struct paired paired;
    double divergence;    /* mean over the samples: KL divergence (nats) of the softmaxes, or noise_ratio */
    double noise_ratio;   /* noise power over signal power, see sample_set_noise */
    double expected_drop; /* the drop, were labels drawn from the float network's calibrated softmax */
};

struct evaluator {
    struct arena *arena;
    struct scheme *scheme;
    struct knobs *knobs;
    struct program *program;
    struct executor *executor;
    uint32_t *changed; /* room for every operator */
    struct journal *journal;
    uint64_t network;  /* tells measurements of networks with other channels apart in the journal */
    bool journal_only; /* measure nothing */
    /* Rounds the weights of an edition when they are first needed: where the journal knows the measures they never are.
     */
    enum pare_status (*fit)(void *user, struct context *ctx, struct edition *edition);
    void *user;
};

/* Lowers the scheme as the knobs stand and plans it. */
enum pare_status evaluator_new(struct context *ctx, struct arena *a, struct knobs *k, struct journal *j,
                               struct evaluator *out);
void evaluator_free(struct evaluator *e); /* not the program */
/* Brings scheme, program and executor to these widths, one per knob. */
enum pare_status evaluator_apply(struct context *ctx, struct evaluator *e, const uint8_t *bits);
/* The measure of these widths, from the journal where it is known. PARE_ERROR_INTERRUPTED where it is not, with
 * `journal_only`. */
enum pare_status evaluator_measure(struct context *ctx, struct evaluator *e, struct sample_set *set,
                                   const uint8_t *bits, struct measure *out);

#endif
