#include "fixed/executor.h"

#include "base/parallel.h"
#include "fixed/executor_impl.h"
#include "fixed/lifetimes.h"
#include "runtime/codes.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64

/* ---- plans ---- */

void executor_free(struct executor *e) {
    if (e == NULL) {
        return;
    }
    for (uint32_t i = 0; e->plans != NULL && i < e->program->op_count; i++) {
        arena_free(&e->plans[i].arena);
    }
    arena_free(&e->constants);
    free(e->constant);
    free(e->plans);
    free(e->stale);
    free(e->updated);
    free(e);
}

static enum pare_status refresh_constants(struct context *ctx, struct executor *e) {
    arena_free(&e->constants);
    for (uint32_t v = 0; v < e->program->value_count; v++) {
        const struct pare_value *value = &e->program->values[v];
        e->constant[v] = NULL;
        if (value->constant != NULL) {
            e->constant[v] = arena_alloc(&e->constants, value_size(value));
            if (e->constant[v] == NULL) {
                return fail_memory(ctx);
            }
            memcpy(e->constant[v], value->constant, value_size(value));
        }
    }
    return PARE_OK;
}

static bool value_possible(const struct pare_value *value, bool host) {
    bool is_signed = value->storage == PARE_I8 || value->storage == PARE_I16;
    bool code = value->storage < PARE_F32 && value->bits >= 1 && value->bits <= storage_size(value->storage) * 8 &&
                value->is_signed == is_signed;
    return value->count > 0 && (code || (host && value->storage == PARE_F32));
}

static enum pare_status check_references(struct context *ctx, const struct program *p, const struct pare_op *op) {
    bool host = op->kind == PARE_HOST;
    bool ok = op->kind < PARE_KIND_COUNT && op->input_count >= 1 && op->input_count <= PARE_MAX_INPUTS &&
              op->output < p->value_count && p->values[op->output].constant == NULL &&
              value_possible(&p->values[op->output], host);
    for (uint32_t i = 0; ok && i < op->input_count; i++) {
        ok = op->inputs[i] < p->value_count && op->inputs[i] != op->output &&
             value_possible(&p->values[op->inputs[i]], host);
    }
    if (!ok || (host && op->u.host.step >= p->step_count)) {
        return fail(ctx, PARE_ERROR_INPUT,
                    "the operator's kind or its values do not exist, or a value has an impossible format");
    }
    return PARE_OK;
}

static enum pare_status plan_op(struct context *ctx, struct executor *e, uint32_t i) {
    const struct pare_op *op = &e->program->ops[i];
    TRY(check_references(ctx, e->program, op));
    if (op->kind == PARE_HOST) {
        return PARE_OK;
    }
    return plan_update(ctx, &e->plans[i], op, e->program->values, e->isa);
}

/* Plans what was updated since the last run. */
static enum pare_status refresh(struct context *ctx, struct executor *e) {
    bool any = false;
    for (uint32_t i = 0; i < e->program->op_count; i++) {
        if (e->stale[i]) {
            any = true;
            if (plan_op(ctx, e, i) != PARE_OK) {
                return fail_at(ctx, "%s", e->program->op_names == NULL ? "operator" : e->program->op_names[i]);
            }
            e->stale[i] = false;
        }
    }
    return any ? refresh_constants(ctx, e) : PARE_OK;
}

static bool values_exist(const struct program *p, const uint32_t *values, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (values[i] >= p->value_count) {
            return false;
        }
    }
    return true;
}

enum pare_status executor_new(struct context *ctx, const struct program *p, struct executor **out) {
    *out = NULL;
    if (p->input_count > PARE_MAX_INPUTS || !values_exist(p, p->inputs, p->input_count) ||
        !values_exist(p, p->outputs, p->output_count)) {
        return fail(ctx, PARE_ERROR_INPUT,
                    "the program has more than %d inputs, or inputs or outputs that do not exist", PARE_MAX_INPUTS);
    }
    struct executor *e = calloc(1, sizeof *e);
    if (e == NULL) {
        return fail_memory(ctx);
    }
    size_t ops = p->op_count > 0 ? p->op_count : 1, values = p->value_count > 0 ? p->value_count : 1;
    e->program = p;
    e->isa = isa_best();
    e->plans = calloc(ops, sizeof *e->plans);
    e->stale = calloc(ops, sizeof *e->stale);
    e->updated = calloc(ops, sizeof *e->updated);
    e->constant = calloc(values, sizeof *e->constant);
    if (e->plans == NULL || e->stale == NULL || e->updated == NULL || e->constant == NULL) {
        executor_free(e);
        return fail_memory(ctx);
    }
    memset(e->stale, true, ops * sizeof *e->stale);
    enum pare_status status = refresh(ctx, e);
    if (status != PARE_OK) {
        executor_free(e);
        return status;
    }
    *out = e;
    return PARE_OK;
}

enum pare_status executor_update(struct context *ctx, struct executor *e, uint32_t op) {
    if (op >= e->program->op_count) {
        return fail(ctx, PARE_ERROR_USAGE, "operator %u does not exist; the program has %u", op, e->program->op_count);
    }
    e->stale[op] = true;
    e->updated[op] = ++e->clock;
    uint32_t output = e->program->ops[op].output;
    for (uint32_t i = op + 1; i < e->program->op_count; i++) {
        const struct pare_op *reader = &e->program->ops[i];
        for (uint32_t k = 0; k < reader->input_count && k < PARE_MAX_INPUTS; k++) {
            e->stale[i] = e->stale[i] || reader->inputs[k] == output;
        }
    }
    return PARE_OK;
}

enum pare_status executor_force(struct context *ctx, struct executor *e, const char *isa) {
    const struct isa *found = isa_by_name(isa);
    if (found == NULL && strcmp(isa, "reference") != 0) {
        return fail(ctx, PARE_ERROR_USAGE, "instruction set \"%s\" is unknown or this processor does not have it", isa);
    }
    e->isa = found;
    memset(e->stale, true, e->program->op_count * sizeof *e->stale);
    return PARE_OK;
}

/* ---- runs ---- */

/*   workspace: | value 0 | value 1 | ... | scratch |    each at a multiple of ALIGNMENT; constants lie elsewhere */
struct worker { /* all NULL until its first sample */
    char *memory;
    void **data; /* per value */
    void *scratch;
};

struct run {
    struct executor *e;
    uint32_t end; /* the operator that is not run any more */
    const size_t *samples;
    executor_load *load;
    executor_sink *sink;
    void *user;
    struct executor_cache *cache;
    struct worker *workers;
    int worker_count;
};

static bool reserve(size_t *size, size_t bytes) {
    size_t padded;
    return size_add(bytes, ALIGNMENT - 1, &padded) && size_add(*size, padded / ALIGNMENT * ALIGNMENT, size);
}

static enum pare_status worker_new(struct context *ctx, const struct executor *e, struct worker *worker) {
    const struct program *p = e->program;
    size_t size = ALIGNMENT, scratch = 0;
    for (uint32_t v = 0; v < p->value_count; v++) {
        if (e->constant[v] == NULL && !reserve(&size, value_size(&p->values[v]))) {
            return fail_memory(ctx);
        }
    }
    for (uint32_t i = 0; i < p->op_count; i++) {
        scratch = e->plans[i].scratch > scratch ? e->plans[i].scratch : scratch;
    }
    size_t scratch_at = size;
    if (!reserve(&size, scratch)) {
        return fail_memory(ctx);
    }
    worker->memory = aligned_alloc(ALIGNMENT, size);
    worker->data = calloc(p->value_count + 1, sizeof *worker->data);
    if (worker->memory == NULL || worker->data == NULL) {
        return fail_memory(ctx);
    }
    memset(worker->memory, 0, scratch_at);
    worker->scratch = worker->memory + scratch_at;
    size_t at = ALIGNMENT;
    for (uint32_t v = 0; v < p->value_count; v++) {
        worker->data[v] = e->constant[v];
        if (worker->data[v] == NULL) {
            worker->data[v] = worker->memory + at;
            reserve(&at, value_size(&p->values[v]));
        }
    }
    return PARE_OK;
}

static void workers_free(struct run *run) {
    for (int i = 0; run->workers != NULL && i < run->worker_count; i++) {
        free(run->workers[i].memory);
        free(run->workers[i].data);
    }
    free(run->workers);
}

static enum pare_status run_host(const struct executor *e, struct context *ctx, const struct pare_op *op,
                                 void *const *data) {
    const struct host_step *step = &e->program->steps[op->u.host.step];
    const void *inputs[PARE_MAX_INPUTS];
    for (uint32_t i = 0; i < op->input_count; i++) {
        inputs[i] = data[op->inputs[i]];
    }
    return step->run(step->user, ctx, inputs, data[op->output]);
}

static enum pare_status run_ops(const struct run *run, struct context *ctx, size_t slot, uint32_t first,
                                struct worker *worker) {
    const struct executor *e = run->e;
    for (uint32_t i = first; i < run->end; i++) {
        cache_store(run->cache, slot, i, worker->data);
        if (context_cancelled(ctx)) {
            return fail(ctx, PARE_ERROR_INTERRUPTED, "interrupted");
        }
        const struct pare_op *op = &e->program->ops[i];
        if (op->kind == PARE_HOST) {
            TRY(run_host(e, ctx, op, worker->data));
        } else {
            e->plans[i].kernel->run(&e->plans[i], worker->data, worker->scratch);
        }
    }
    cache_store(run->cache, slot, run->end, worker->data);
    return PARE_OK;
}

static enum pare_status run_sample(void *user, struct context *ctx, size_t i, int index) {
    const struct run *run = user;
    const struct program *p = run->e->program;
    struct worker *worker = &run->workers[index];
    if (worker->memory == NULL) {
        TRY(worker_new(ctx, run->e, worker));
    }
    size_t sample = run->samples == NULL ? i : run->samples[i];
    uint32_t first = cache_restore(run->cache, i, run->end, worker->data);
    if (first == 0) {
        void *inputs[PARE_MAX_INPUTS];
        for (uint32_t k = 0; k < p->input_count; k++) {
            inputs[k] = worker->data[p->inputs[k]];
        }
        TRY(run->load(run->user, ctx, sample, inputs));
    }
    TRY(run_ops(run, ctx, i, first, worker));
    return run->sink == NULL ? PARE_OK : run->sink(run->user, ctx, sample, index, (const void *const *)worker->data);
}

enum pare_status executor_run_before(struct context *ctx, struct executor *e, uint32_t op, const size_t *samples,
                                     size_t count, executor_load *load, executor_sink *sink, void *user,
                                     struct executor_cache *cache) {
    TRY(refresh(ctx, e));
    if (count == 0) {
        return PARE_OK;
    }
    struct run run = {.e = e, .samples = samples, .load = load, .sink = sink, .user = user, .cache = cache};
    run.end = op < e->program->op_count ? op : e->program->op_count;
    run.worker_count = ctx->threads > 1 ? ctx->threads : 1;
    run.workers = calloc((size_t)run.worker_count, sizeof *run.workers);
    enum pare_status status = run.workers == NULL ? fail_memory(ctx) : cache_begin(ctx, cache, e);
    if (status == PARE_OK) {
        status = parallel_for(ctx, count, run_sample, &run);
    }
    cache_end(cache);
    workers_free(&run);
    return status;
}

enum pare_status executor_run(struct context *ctx, struct executor *e, const size_t *samples, size_t count,
                              executor_load *load, executor_sink *sink, void *user, struct executor_cache *cache) {
    return executor_run_before(ctx, e, e->program->op_count, samples, count, load, sink, user, cache);
}
