/* Integer runs: real inputs to codes, the executor, codes to real outputs. */
#include "api/runner.h"

#include "api/tail.h"
#include "quant/exchange.h"
#include "quant/feed.h"

#include <string.h>

struct program_job {
    const struct pare_network *network;
    const struct program *program;
    const struct samples *samples;
    struct pare_tensors *out;
    size_t first_output;
    size_t *value_stacks; /* program value -> index in `out` + 1, or 0; NULL without all_values */
    struct run_counter counter;
};

static enum dtype dtype_of_storage(uint8_t storage) {
    static const enum dtype types[] = {[PARE_U8] = DTYPE_UINT8,
                                       [PARE_I8] = DTYPE_INT8,
                                       [PARE_U16] = DTYPE_UINT16,
                                       [PARE_I16] = DTYPE_INT16,
                                       [PARE_F32] = DTYPE_FLOAT};
    return types[storage];
}

static struct shape shape_of(const struct pare_value *v) {
    struct shape shape = {.rank = v->rank};
    for (int i = 0; i < v->rank; i++) {
        shape.dim[i] = v->dims[i];
    }
    return shape;
}

static enum pare_status load_inputs(struct program_job *job, struct context *ctx, struct arena *arena, size_t sample,
                                    void *const *codes) {
    const struct program *p = job->program;
    struct tensor *inputs = ARENA_ARRAY(arena, p->input_count, struct tensor);
    if (inputs == NULL) {
        return fail_memory(ctx);
    }
    TRY(job->samples->load(job->samples->user, ctx, arena, sample, inputs));
    for (uint32_t k = 0; k < p->input_count; k++) {
        const struct pare_value *v = &p->values[p->inputs[k]];
        if (inputs[k].type != DTYPE_FLOAT || tensor_count(&inputs[k]) != v->count) {
            char text[128];
            return fail(ctx, PARE_ERROR_INPUT, "input '%s': %s %s where the program takes %u float32 elements",
                        job->network->inputs[k].name, dtype_name(inputs[k].type),
                        shape_text(&inputs[k].shape, text, sizeof text), (unsigned)v->count);
        }
        feed_input(v, inputs[k].data, codes[k]);
    }
    return PARE_OK;
}

static enum pare_status load_sample(void *user, struct context *ctx, size_t sample, void *const *codes) {
    struct arena arena;
    arena_init(&arena);
    enum pare_status status = load_inputs(user, ctx, &arena, sample, codes);
    arena_free(&arena);
    return status;
}

static void store_output(const struct program_job *job, size_t sample, uint32_t k, const void *data) {
    const struct pare_value *v = &job->program->values[job->program->outputs[k]];
    float *at = (float *)job->out->set.items[job->first_output + k].tensor.data + sample * v->count;
    fetch_output(v, data, at);
}

static void store_codes(const struct program_job *job, size_t sample, const void *const *values) {
    for (uint32_t v = 0; job->value_stacks != NULL && v < job->program->value_count; v++) {
        if (job->value_stacks[v] > 0) {
            struct tensor *stack = &job->out->set.items[job->value_stacks[v] - 1].tensor;
            size_t bytes = job->program->values[v].count * dtype_size(stack->type);
            memcpy((char *)stack->data + sample * bytes, values[v], bytes);
        }
    }
}

static enum pare_status store_sample(void *user, struct context *ctx, size_t sample, int worker,
                                     const void *const *values) {
    (void)ctx;
    (void)worker;
    struct program_job *job = user;
    for (uint32_t k = 0; k < job->program->output_count; k++) {
        store_output(job, sample, k, values[job->program->outputs[k]]);
    }
    store_codes(job, sample, values);
    run_counter_step(&job->counter);
    return PARE_OK;
}

static enum pare_status make_output_stacks(struct context *ctx, const struct program_job *job) {
    for (uint32_t k = 0; k < job->program->output_count; k++) {
        struct shape shape = shape_of(&job->program->values[job->program->outputs[k]]);
        TRY(stack_new(ctx, job->out, job->network->outputs[k].name, DTYPE_FLOAT, &shape, job->samples->count));
    }
    return PARE_OK;
}

static enum pare_status make_value_stacks(struct context *ctx, struct program_job *job) {
    const struct program *p = job->program;
    job->value_stacks = ARENA_ARRAY(&job->out->arena, p->value_count, size_t);
    if (job->value_stacks == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t v = 0; v < p->value_count; v++) {
        const struct pare_value *value = &p->values[v];
        const char *name = p->value_names != NULL ? p->value_names[v] : NULL;
        if (value->constant != NULL || value->storage == PARE_F32 || name == NULL) {
            continue;
        }
        name = quantized_name(&job->out->arena, name);
        if (name == NULL) {
            return fail_memory(ctx);
        }
        struct shape shape = shape_of(value);
        TRY(stack_new(ctx, job->out, name, dtype_of_storage(value->storage), &shape, job->samples->count));
        job->value_stacks[v] = job->out->set.count;
    }
    return PARE_OK;
}

static enum pare_status execute(struct context *ctx, struct program_job *job) {
    struct executor *executor;
    TRY(executor_new(ctx, job->program, &executor));
    enum pare_status status =
        executor_run(ctx, executor, NULL, job->samples->count, load_sample, store_sample, job, NULL);
    executor_free(executor);
    return status;
}

enum pare_status run_program(struct context *ctx, const struct pare_network *n, const struct samples *samples,
                             bool all_values, struct pare_tensors *out) {
    struct program_job job = {.network = n,
                              .program = n->program,
                              .samples = samples,
                              .out = out,
                              .first_output = out->set.count,
                              .counter = {.origin = ctx, .phase = "run", .total = samples->count}};
    if (samples->count == 0) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: there is no sample to run on", n->path);
    }
    TRY(make_output_stacks(ctx, &job));
    if (all_values) {
        TRY(make_value_stacks(ctx, &job));
    }
    TRY(execute(ctx, &job));
    return tails_apply(ctx, n, samples->count, out, job.first_output);
}
