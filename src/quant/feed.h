/* Between the reals of a network and the codes of its integer program. */
#ifndef PARE_QUANT_FEED_H
#define PARE_QUANT_FEED_H

#include "fixed/executor.h"
#include "quant/observe.h"

/* One value from float32 elements, rounded to its format, and back; it may hold float32 itself. */
void feed_input(const struct pare_value *v, const float *x, void *data);
void fetch_output(const struct pare_value *v, const void *data, float *x);
/* The program's inputs from reals, in the order of its inputs: rounded to their formats. */
void feed_inputs(const struct program *p, const struct tensor *inputs, void *const *codes);
/* The program's outputs as reals, one after the other. */
void fetch_outputs(const struct program *p, const void *const *values, float *x);
/* feed_inputs from sample `number` of the source. */
enum pare_status feed_sample(struct context *ctx, const struct program *p, const struct graph *g,
                             const struct sample_source *source, size_t number, void *const *codes);

#endif
