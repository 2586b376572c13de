/* What calibration samples tell about a float graph, streamed in constant memory: a histogram per point and the
 * second moments of every linear operator's input. */
#ifndef PARE_QUANT_STATISTICS_H
#define PARE_QUANT_STATISTICS_H

#include "quant/observe.h"
#include "quant/scheme.h"

struct statistics;
struct moments; /* quant/moments.h */

/* Runs the graph in float on the first `count` samples of the source, in parallel, with a result that does not depend
 * on the number of threads. */
enum pare_status statistics_collect(struct context *ctx, const struct scheme *s, const struct sample_source *source,
                                    size_t count, struct statistics **out);
void statistics_free(struct statistics *st);

double statistics_min(const struct statistics *st, size_t point);
double statistics_max(const struct statistics *st, size_t point);
/* The fraction of the point's values at `bits` bits with the least mean squared error; *error (may be NULL) receives
 * it. */
int statistics_frac(const struct statistics *st, size_t point, int bits, bool is_signed, double *error);
/* The mean squared error at another fraction. */
double statistics_error(const struct statistics *st, size_t point, int bits, bool is_signed, int frac);

/* Gram matrix of the input of linear `l` as the columns of its rows see it: E[x x^T], [columns][columns] for group
 * `group` (one matrix per group, float64, row-major, symmetric), and the means E[x] [columns]. x is unfolded: one per
 * output position, of which a fixed selection is taken where there are many. The matrix is NULL for more than 4,096
 * columns, and fewer where all matrices would take more than 1 GiB. For PRelu x is the negative part of the input. */
const double *statistics_gram(const struct statistics *st, size_t linear, uint32_t group);
const double *statistics_mean(const struct statistics *st, size_t linear, uint32_t group);
/* These and what follows from them. */
const struct moments *statistics_moments(const struct statistics *st, size_t linear);

#endif
