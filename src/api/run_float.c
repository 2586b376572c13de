/* Float runs: one sample (or fixed batch) per call of the interpreter. */
#include "api/runner.h"

#include "base/parallel.h"
#include "float/float.h"

#include <stdlib.h>
#include <string.h>

struct float_job {
    const struct pare_network *network;
    const struct samples *samples;
    struct pare_tensors *out;
    size_t first_output; /* index of the network's first output in `out` */
    struct run_counter counter;
};

static enum pare_status make_stacks(struct context *ctx, struct float_job *job, const struct tensor *outputs) {
    for (int k = 0; k < job->network->output_count; k++) {
        TRY(stack_new(ctx, job->out, job->network->outputs[k].name, outputs[k].type, &outputs[k].shape,
                      job->samples->count));
    }
    return PARE_OK;
}

static enum pare_status store(struct context *ctx, struct float_job *job, size_t index, int k, const struct tensor *t) {
    const struct named_tensor *stack = &job->out->set.items[job->first_output + (size_t)k];
    size_t bytes = tensor_bytes(t);
    if (t->type != stack->tensor.type || bytes * job->samples->count != tensor_bytes(&stack->tensor)) {
        char text[128];
        return fail(ctx, PARE_ERROR_INPUT, "output '%s': run %zu gives %s, which is not the shape of the run before",
                    stack->name, index, shape_text(&t->shape, text, sizeof text));
    }
    if (bytes > 0) {
        memcpy((char *)stack->tensor.data + index * bytes, t->data, bytes);
    }
    return PARE_OK;
}

/* The first run tells the outputs' shapes, so it makes the room for all. */
static enum pare_status store_all(struct context *ctx, struct float_job *job, size_t index,
                                  const struct tensor *outputs) {
    if (index == 0) {
        TRY(make_stacks(ctx, job, outputs));
    }
    for (int k = 0; k < job->network->output_count; k++) {
        TRY(store(ctx, job, index, k, &outputs[k]));
    }
    run_counter_step(&job->counter);
    return PARE_OK;
}

static enum pare_status load_and_run(struct context *ctx, struct float_job *job, size_t index, struct arena *arena) {
    const struct pare_network *n = job->network;
    struct tensor *inputs = ARENA_ARRAY(arena, (size_t)n->input_count, struct tensor);
    struct tensor *outputs = ARENA_ARRAY(arena, (size_t)n->output_count, struct tensor);
    if (inputs == NULL || outputs == NULL) {
        return fail_memory(ctx);
    }
    TRY(job->samples->load(job->samples->user, ctx, arena, index, inputs));
    TRY(float_run(ctx, n->runnable != NULL ? n->runnable : n->graph, inputs, outputs, NULL, NULL));
    enum pare_status status = store_all(ctx, job, index, outputs);
    for (int k = 0; k < n->output_count; k++) {
        tensor_free(&outputs[k]);
    }
    return status;
}

static enum pare_status run_one(void *user, struct context *ctx, size_t i, int worker) {
    (void)worker;
    struct float_job *job = user;
    struct arena arena;
    arena_init(&arena);
    enum pare_status status = load_and_run(ctx, job, i, &arena);
    arena_free(&arena);
    return status;
}

static enum pare_status run_later(void *user, struct context *ctx, size_t i, int worker) {
    return run_one(user, ctx, i + 1, worker);
}

enum pare_status run_float(struct context *ctx, const struct pare_network *n, const struct samples *samples,
                           struct pare_tensors *out) {
    struct float_job job = {.network = n,
                            .samples = samples,
                            .out = out,
                            .first_output = out->set.count,
                            .counter = {.origin = ctx, .phase = "run", .total = samples->count}};
    if (samples->count == 0) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: there is no sample to run on", n->path);
    }
    TRY(run_one(&job, ctx, 0, 0));
    return parallel_for(ctx, samples->count - 1, run_later, &job);
}
