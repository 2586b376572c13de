/* Measuring the integer program against the float network, sample by sample. */
#ifndef PARE_SEARCH_EVALUATE_H
#define PARE_SEARCH_EVALUATE_H

#include "search/interval.h"
#include "search/journal.h"
#include "search/knobs.h"
#include "search/search.h"

/* A set of samples with what the float network makes of them. */
struct sample_set {
    const char *name; /* keeps the measurements of the sets apart in the journal */
    const struct dataset *data;
    size_t width;   /* floats of all outputs of one sample, before a final Softmax or ArgMax is applied */
    size_t classes; /* floats of the first output */
    float *outputs; /* [samples][width], on the heap */
    uint8_t *right; /* [samples]: the float network is right, by the metric */
    size_t right_count;
    struct executor_cache *cache; /* or NULL */
};

struct measure {
    struct paired paired;
    double divergence;  /* mean over the samples: KL divergence (nats) of the softmaxes, or squared error over squared
                           signal */
    double noise_ratio; /* noise power over signal power, all samples together */
};

struct evaluator {
    struct arena *arena;
    struct scheme *scheme;
    struct knobs *knobs;
    enum metric metric;
    struct program *program;
    struct executor *executor;
    uint32_t *changed; /* room for every operator */
    struct journal *journal;
};

/* Runs the float network on every sample, in parallel. */
enum pare_status sample_set_new(struct context *ctx, const struct scheme *s, enum metric metric, const char *name,
                                const struct dataset *d, struct sample_set *out);
void sample_set_free(struct sample_set *s);

/* Lowers the scheme as the knobs stand and plans it. */
enum pare_status evaluator_new(struct context *ctx, struct arena *a, struct knobs *k, enum metric metric,
                               struct journal *j, struct evaluator *out);
void evaluator_free(struct evaluator *e); /* not the program */
/* Brings scheme, program and executor to these widths, one per knob. */
enum pare_status evaluator_apply(struct context *ctx, struct evaluator *e, const uint8_t *bits);
/* The measure of these widths, from the journal where it is known. */
enum pare_status evaluator_measure(struct context *ctx, struct evaluator *e, struct sample_set *set,
                                   const uint8_t *bits, struct measure *out);

/* dataset_load into tensors of the caller; used for calibration too. */
enum pare_status load_sample(void *user, struct context *ctx, size_t sample, struct tensor *inputs);

#endif
