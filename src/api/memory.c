/* pare_inspect_memory: the arena plan of a network's program. */
#include "api/network.h"
#include "fixed/lifetimes.h"
#include "report/memory_map.h"

#include <string.h>

struct memory_job {
    struct arena arena;
    struct program program;
    const struct lifetime *lives;
    struct memory_map map;
};

static const char *name_of(struct arena *arena, const char *const *names, const char *kind, uint32_t index) {
    return names != NULL && names[index] != NULL ? names[index] : arena_format(arena, "%s_%u", kind, (unsigned)index);
}

/* A rewritten ONNX has no plan: it gets the one that its compact file would have. */
static enum pare_status plan(struct context *ctx, struct memory_job *job, const struct pare_network *n) {
    size_t peak;
    job->program = *n->program;
    job->program.values = ARENA_ARRAY(&job->arena, n->program->value_count, struct pare_value);
    if (job->program.values == NULL) {
        return fail_memory(ctx);
    }
    memcpy(job->program.values, n->program->values, n->program->value_count * sizeof *n->program->values);
    return n->kind == PARE_NETWORK_COMPACT ? PARE_OK : program_plan_arena(ctx, &job->program, &peak);
}

/* Whose place the value takes that operator `op` writes. */
static const char *overwritten_by(struct memory_job *job, uint32_t op) {
    const struct program *p = &job->program;
    const struct pare_op *o = &p->ops[op];
    for (uint32_t k = 0; k < o->input_count; k++) {
        const struct pare_value *x = &p->values[o->inputs[k]];
        if (program_overwritten_input(p, job->lives, op, false) >= 0 && x->constant == NULL &&
            x->offset == p->values[o->output].offset) {
            return name_of(&job->arena, p->value_names, "value", o->inputs[k]);
        }
    }
    return NULL;
}

static void add_row(struct memory_job *job, uint32_t value, struct memory_row row) {
    const struct program *p = &job->program;
    uint32_t last = job->lives[value].last;
    row.size = value_size(&p->values[value]);
    row.offset = p->values[value].offset;
    row.alive = program_live_bytes(p, job->lives, job->lives[value].first);
    row.last_reader = last > 0 && last <= p->op_count ? name_of(&job->arena, p->op_names, "op", last - 1) : NULL;
    size_t end = row.offset + row.size;
    job->map.arena = end > job->map.arena ? end : job->map.arena;
    job->map.rows[job->map.count++] = row;
}

static void note_pair(struct memory_job *job, const struct pare_op *op) {
    const struct program *p = &job->program;
    size_t bytes = value_size(&p->values[op->output]), largest = 0;
    for (uint32_t k = 0; k < op->input_count; k++) {
        const struct pare_value *x = &p->values[op->inputs[k]];
        largest = x->constant == NULL && value_size(x) > largest ? value_size(x) : largest;
    }
    bytes += largest;
    job->map.largest_pair = bytes > job->map.largest_pair ? bytes : job->map.largest_pair;
}

static enum pare_status make_map(struct context *ctx, struct memory_job *job, const struct pare_network *n) {
    TRY(plan(ctx, job, n));
    const struct program *p = &job->program;
    job->lives = program_lifetimes(p, &job->arena);
    job->map.rows = ARENA_ARRAY(&job->arena, (size_t)p->input_count + p->op_count, struct memory_row);
    if (job->lives == NULL || job->map.rows == NULL) {
        return fail_memory(ctx);
    }
    job->map.file = network_file_name(n);
    job->map.lower_bound = program_lower_bound(p, job->lives);
    for (uint32_t k = 0; k < p->input_count; k++) {
        struct memory_row row = {.name = n->inputs[k].name, .op = "input"};
        add_row(job, p->inputs[k], row);
    }
    for (uint32_t i = 0; i < p->op_count; i++) {
        struct memory_row row = {.name = name_of(&job->arena, p->op_names, "op", i),
                                 .op = p->op_types != NULL ? p->op_types[i] : "",
                                 .overwritten = overwritten_by(job, i)};
        add_row(job, p->ops[i].output, row);
        note_pair(job, &p->ops[i]);
    }
    return PARE_OK;
}

static enum pare_status fill_report(struct context *ctx, struct memory_job *job, const struct pare_network *n,
                                    struct pare_report *report) {
    TRY(make_map(ctx, job, n));
    TRY(memory_map_text(ctx, &job->map, &report->text));
    TRY(memory_map_json(ctx, &job->map, &report->json));
    return report_finish(ctx, report);
}

enum pare_status pare_inspect_memory(struct pare_context *context, const struct pare_network *network,
                                     struct pare_report **out) {
    struct context *ctx = &context->base;
    struct memory_job job = {0};
    context_clear(ctx);
    *out = NULL;
    if (network->program == NULL) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: it runs in float, and has no memory plan; give the .pare file",
                    network->path);
    }
    TRY(report_new(ctx, out));
    arena_init(&job.arena);
    enum pare_status status = fill_report(ctx, &job, network, *out);
    arena_free(&job.arena);
    if (status != PARE_OK) {
        pare_report_free(*out);
        *out = NULL;
    }
    return status;
}
