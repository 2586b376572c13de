/* Running a network over many samples in parallel, its outputs stacked. */
#ifndef PARE_API_RUNNER_H
#define PARE_API_RUNNER_H

#include "api/network.h"

/* Where the inputs come from: `count` runs of the network, one tensor per input each. The tensors' data are views, or
 * live in the arena that is given (freed after the run). Called from several threads. */
struct samples {
    size_t count;
    enum pare_status (*load)(const void *user, struct context *ctx, struct arena *arena, size_t index,
                             struct tensor *inputs);
    const void *user;
};

/* Appends every output to `out`, joined along the first axis when there is more than one run; with `all_values` also
 * every quantised value of a network that has them. */
enum pare_status network_run(struct context *ctx, const struct pare_network *n, const struct samples *samples,
                             bool all_values, struct pare_tensors *out);

/* The two ways to run: in float (run_float.c) and as integers (run_program.c). */
enum pare_status run_float(struct context *ctx, const struct pare_network *n, const struct samples *samples,
                           struct pare_tensors *out);
enum pare_status run_program(struct context *ctx, const struct pare_network *n, const struct samples *samples,
                             bool all_values, struct pare_tensors *out);

/* Room for `count` tensors of shape `one`, joined along the first axis (for one: its own shape; of scalars: a new one).
 * `name` is for messages. */
enum pare_status stack_tensor(struct context *ctx, struct arena *arena, const char *name, enum dtype type,
                              const struct shape *one, size_t count, struct tensor *out);
/* Appends that room to `out`. */
enum pare_status stack_new(struct context *ctx, struct pare_tensors *out, const char *name, enum dtype type,
                           const struct shape *one, size_t count);

/* A loop over runs with progress every so often. */
struct run_counter {
    const struct context *origin;
    const char *phase;
    size_t total;
    _Atomic size_t done;
};
void run_counter_step(struct run_counter *c);

#endif
