/* The numeric proof of a rewrite: float outputs of a graph on made-up inputs, before and after. */
#ifndef PARE_PASSES_NUMERICS_H
#define PARE_PASSES_NUMERICS_H

#include "passes/rewrite.h"

struct outputs {
    int count;
    struct tensor *tensors; /* heap */
};

/* Runs the graph on inputs made from `seed`: uniform numbers, unknown sizes replaced by small ones (the same for the
 * same symbol). Fails where the graph does not take them. */
enum pare_status outputs_compute(struct context *ctx, const struct graph *g, uint64_t seed, struct outputs *out);
/* The same on given inputs. */
enum pare_status outputs_of(struct context *ctx, const struct graph *g, const struct tensor *inputs,
                            struct outputs *out);
void outputs_free(struct outputs *o); /* accepts an empty one */
/* The largest difference over the largest magnitude of the same output; infinite where shapes, types or the
 * places of what is not finite differ. Integer outputs are not compared: an ArgMax may fall on the other side of
 * a tie. */
double outputs_difference(const struct outputs *a, const struct outputs *b);

#endif
