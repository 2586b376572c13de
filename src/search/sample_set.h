/* Samples of the search, the held-out or the sensitivity set, with what the float network makes of them. */
#ifndef PARE_SEARCH_SAMPLE_SET_H
#define PARE_SEARCH_SAMPLE_SET_H

#include "search/search.h"
#include "tensor/scores.h"

/* A set of samples with what the float network makes of them. */
struct sample_set {
    enum metric metric;
    const char *name; /* keeps the measurements of the sets apart in the journal */
    const struct dataset *data;
    size_t width;    /* floats of all outputs of one sample, before a final Softmax, LogSoftmax or ArgMax is applied */
    size_t classes;  /* floats of the first output */
    float *outputs;  /* [samples][width], on the heap */
    double *weights; /* [width], on the heap: of squared errors, see sample_set_noise */
    uint8_t *right;  /* [samples]: the float network is right, by the metric */
    size_t right_count;
    double temperature;           /* that makes the float network's softmax fit the labels best; 1 without labels */
    struct executor_cache *cache; /* or NULL */
};

/* Runs the float network on every sample, in parallel. */
enum pare_status sample_set_new(struct context *ctx, const struct scheme *s, enum metric metric, const char *name,
                                const struct dataset *d, struct sample_set *out);
void sample_set_free(struct sample_set *s);

/* Whether the outputs `x` of sample i count as right, by the set's metric (always, for SQNR). */
bool sample_set_right(const struct sample_set *s, size_t i, const float *x);

/* The probability that only the float network is right on sample i, less that of the opposite, if its label is drawn
 * from the float network's own softmax at the set's temperature (Guo et al. 2017, section 4.2). The mean over samples
 * estimates the drop with a fraction of the variance that right and wrong labels have. Without labels: whether the
 * networks disagree. */
double sample_set_expected_drop(const struct sample_set *s, size_t i, const float *x);

/* Noise of the outputs `x` of sample i over the mean signal of the set; its mean over the samples is noise power over
 * signal power. For SQNR every output is compared with its own signal, every column where an output is a row of them,
 * and the mean is taken: outputs are quantities of their own, and a large one must not hide what a small one loses. */
double sample_set_noise(const struct sample_set *s, size_t i, const float *x);

/* log sum exp(x[i] / temperature), without overflow; the count is at least 1. */
double log_partition(const float *x, size_t count, double temperature);

#endif
