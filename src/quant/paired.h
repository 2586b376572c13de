/* What the integer program computes as the inputs of its linear operators, paired with the outputs of the float
 * network.
 */
#ifndef PARE_QUANT_PAIRED_H
#define PARE_QUANT_PAIRED_H

#include "quant/dropped.h"
#include "quant/moments.h"
#include "quant/observe.h"

/* The float network's outputs of linear operators, before Relu and Clip, at some positions: kept between calls within a
 * bound on memory. */
struct paired;

/* The float network whose outputs are wanted: it has the values of the scheme's graph, and the channels that were taken
 * out of it. */
struct wanted_network {
    const struct graph *graph;
    const struct dropped_list *dropped;
};

/* The first `count` samples of the source; all must outlive the result. */
enum pare_status paired_new(struct context *ctx, const struct scheme *s, const struct wanted_network *wanted,
                            const struct sample_source *source, size_t count, struct paired **out);
void paired_free(struct paired *p);

/* Moments of linear operator `linear`, allocated in `a`: x is what the program, lowered from the scheme as it stands,
 * computes as its input, y what the rows should make of it: the float network's output, less the bias and what the
 * program adds to the sums; for PRelu nothing is paired. The program runs up to the operator only, from the cache's
 * snapshots where they are valid (the cache is of the samples of this `paired`). Does not depend on the number of
 * threads. */
enum pare_status paired_collect(struct context *ctx, struct arena *a, struct paired *p, const struct program *program,
                                struct executor *e, struct executor_cache *cache, size_t linear, struct moments *out);

#endif
