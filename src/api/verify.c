/* pare_verify: the same samples through every executor, code by code. */
#include "api/verify.h"

#include "api/data.h"
#include "base/file.h"
#include "fixed/lifetimes.h"
#include "quant/certificate.h"
#include "quant/exchange.h"
#include "quant/feed.h"
#include "runtime/codes.h"

#include <string.h>

/* ---- what the executors of the ONNX share ---- */

enum pare_status verify_inputs(struct context *ctx, struct arena *arena, const struct verify_job *job, size_t sample,
                               struct tensor *inputs) {
    const struct program *p = job->compact->program;
    for (uint32_t k = 0; k < p->input_count; k++) {
        const struct pare_value *v = &p->values[p->inputs[k]];
        struct shape shape = {.rank = v->rank};
        for (int i = 0; i < v->rank; i++) {
            shape.dim[i] = v->dims[i];
        }
        TRY(tensor_new(ctx, arena, DTYPE_FLOAT, &shape, &inputs[k]));
        fetch_output(v, job->vector.inputs[sample * job->vector.input_count + k], inputs[k].data);
    }
    return PARE_OK;
}

uint32_t verify_value(struct verify_job *job, const char *name) {
    const struct program *p = job->compact->program;
    for (uint32_t v = 0; name != NULL && p->value_names != NULL && v < p->value_count; v++) {
        const char *own = p->value_names[v] == NULL ? NULL : quantized_name(&job->arena, p->value_names[v]);
        if (own != NULL && job->codes[EXECUTOR_REFERENCE][v] != NULL && strcmp(own, name) == 0) {
            return v;
        }
    }
    return UINT32_MAX;
}

void verify_take(struct verify_job *job, enum executor_kind kind, uint32_t value, size_t sample, const struct tensor *t,
                 size_t first) {
    const struct pare_value *v = &job->compact->program->values[value];
    uint8_t *to = (uint8_t *)job->codes[kind][value] + sample * value_size(v);
    if (tensor_count(t) < first + v->count || dtype_is_float(t->type)) {
        return;
    }
    for (uint32_t i = 0; i < v->count; i++) {
        write_code(to, v->storage, i, (int32_t)tensor_get_int(t, first + i));
    }
    job->found[kind][value] = true;
}

/* ---- comparing ---- */

static void compare_codes(const struct verify_job *job, enum executor_kind kind, uint32_t value,
                          struct verdict *verdict) {
    const struct pare_value *v = &job->compact->program->values[value];
    verdict->compared = job->codes[kind] != NULL && (job->found[kind] == NULL || job->found[kind][value]);
    for (size_t s = 0; verdict->compared && s < job->vector.count; s++) {
        size_t at = s * value_size(v);
        struct codes expected = codes_of((uint8_t *)job->codes[EXECUTOR_REFERENCE][value] + at, v->storage, false);
        struct codes got = codes_of((uint8_t *)job->codes[kind][value] + at, v->storage, false);
        for (uint32_t i = 0; i < v->count; i++) {
            int32_t code = code_at(&got, i), wanted = code_at(&expected, i);
            if (code != wanted && verdict->different++ == 0) {
                verdict->sample = s;
                verdict->index = i;
                verdict->code = code;
                verdict->expected = wanted;
            }
        }
    }
}

static void compare_hash(const struct verify_job *job, uint32_t value, struct verdict *verdict) {
    const struct pare_value *v = &job->compact->program->values[value];
    verdict->compared = job->hashes != NULL;
    verdict->different = verdict->compared && test_vector_hash(v, job->codes[EXECUTOR_REFERENCE][value],
                                                               job->vector.count) != job->hashes[value];
}

static void compare_layer(struct verify_job *job, uint32_t op, struct verified_layer *layer) {
    const struct program *p = job->compact->program;
    uint32_t value = p->ops[op].output;
    *layer = (struct verified_layer){.name = p->op_names != NULL ? p->op_names[op] : "",
                                     .op = p->op_types != NULL ? p->op_types[op] : "",
                                     .codes = (uint64_t)p->values[value].count * job->vector.count};
    compare_hash(job, value, &layer->verdicts[EXECUTOR_STORED]);
    for (enum executor_kind kind = EXECUTOR_HOST; kind < EXECUTOR_COUNT; kind++) {
        struct verdict *verdict = &layer->verdicts[kind];
        if (kind != EXECUTOR_STORED) {
            compare_codes(job, kind, value, verdict);
        }
        if (kind != EXECUTOR_STORED && verdict->different > 0 && layer->operands == NULL) {
            layer->operands =
                verify_operands(&job->arena, p, op, job->codes[EXECUTOR_REFERENCE], verdict->sample, verdict->index);
        }
    }
}

/* Certain is a layer whose sums float32 holds, behind layers of which the same is true. */
static enum pare_status compare_all(struct context *ctx, struct verify_job *job) {
    const struct program *p = job->compact->program;
    bool *uncertain = ARENA_ARRAY(&job->arena, p->value_count, bool);
    job->report.layers = ARENA_ARRAY(&job->arena, p->op_count, struct verified_layer);
    if (uncertain == NULL || job->report.layers == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t i = 0; i < p->op_count; i++) {
        const struct pare_op *op = &p->ops[i];
        bool doubt = !op_exact_in_float32(p, op);
        for (uint32_t k = 0; k < op->input_count; k++) {
            doubt = doubt || uncertain[op->inputs[k]];
        }
        uncertain[op->output] = doubt;
        compare_layer(job, i, &job->report.layers[i]);
        job->report.layers[i].certain = !doubt;
    }
    job->report.count = p->op_count;
    job->report.samples = job->vector.count;
    return PARE_OK;
}

/* ---- the whole ---- */

static enum pare_status open_networks(struct context *ctx, struct verify_job *job) {
    const char *compact = arena_format(&job->arena, "%s/model.pare", job->folder);
    const char *rewritten = arena_format(&job->arena, "%s/model.onnx", job->folder);
    if (compact == NULL || rewritten == NULL) {
        return fail_memory(ctx);
    }
    TRY(check_quantized_folder(ctx, job->folder));
    if (!file_exists(compact) && file_exists(rewritten)) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "%s: has no model.pare: " NO_COMPACT, job->folder);
    }
    TRY(network_open(ctx, compact, &(struct open_options){0}, &job->compact));
    if (job->compact->kind != PARE_NETWORK_COMPACT) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: is no .pare file", compact);
    }
    if (!file_exists(rewritten)) {
        job->report.absent[EXECUTOR_ONNX] = job->report.absent[EXECUTOR_RUNTIME] = "there is no model.onnx";
        return PARE_OK;
    }
    return network_open(ctx, rewritten, &(struct open_options){0}, &job->rewritten);
}

static enum pare_status take_samples(struct context *ctx, struct verify_job *job) {
    if (job->settings->data != NULL) {
        job->report.absent[EXECUTOR_STORED] = "other samples (--data)";
        return test_vector_of_settings(ctx, &job->arena, job->compact, job->settings, job->compact->program,
                                       &job->vector);
    }
    const char *path = arena_format(&job->arena, "%s/test_vector.npz", job->folder);
    if (path == NULL) {
        return fail_memory(ctx);
    }
    if (!file_exists(path)) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: there is no such file; quantize again, or give samples with --data",
                    path);
    }
    return test_vector_read(ctx, &job->arena, job->compact, path, &job->vector, &job->hashes);
}

static enum pare_status run_all(struct context *ctx, struct verify_job *job) {
    const struct program *p = job->compact->program;
    TRY(test_vector_run(ctx, &job->arena, p, &job->vector, "reference", &job->codes[EXECUTOR_REFERENCE]));
    TRY(test_vector_run(ctx, &job->arena, p, &job->vector, NULL, &job->codes[EXECUTOR_HOST]));
    if (job->rewritten == NULL) {
        return PARE_OK;
    }
    for (enum executor_kind kind = EXECUTOR_ONNX; kind <= EXECUTOR_RUNTIME; kind++) {
        TRY(test_vector_room(ctx, &job->arena, p, job->vector.count, &job->codes[kind]));
        job->found[kind] = ARENA_ARRAY(&job->arena, p->value_count, bool);
        TRY(job->found[kind] != NULL ? PARE_OK : fail_memory(ctx));
    }
    TRY(verify_onnx(ctx, job));
    return verify_runtime(ctx, job);
}

static enum pare_status fill_report(struct context *ctx, struct verify_job *job, struct pare_report *report) {
    TRY(open_networks(ctx, job));
    TRY(take_samples(ctx, job));
    TRY(run_all(ctx, job));
    TRY(compare_all(ctx, job));
    TRY(verification_text(ctx, &job->report, &report->text));
    TRY(verification_json(ctx, &job->report, &report->json));
    return report_finish(ctx, report);
}

static enum pare_status conclude(struct context *ctx, const struct verification *v) {
    struct uncertain_differences u = verification_uncertain(v);
    size_t failures = verification_failures(v);
    if (failures > 0) {
        return fail(ctx, PARE_ERROR_INTERNAL, "%s: %zu layers differ between executors", v->folder, failures);
    }
    return u.layers == 0
               ? PARE_OK
               : fail(ctx, PARE_ERROR_BOUND,
                      "%s: %llu codes of %zu layers differ in a float runtime, from %s on, where float32 does "
                      "not make certain that they are equal; model.pare has the codes that were measured",
                      v->folder, (unsigned long long)u.codes, u.layers, u.first);
}

enum pare_status pare_verify(struct pare_context *context, const struct pare_settings *settings, const char *folder,
                             struct pare_report **out) {
    struct context *ctx = &context->base;
    struct pare_settings defaults;
    struct verify_job job = {.settings = settings, .folder = folder, .report = {.folder = folder}};
    context_clear(ctx);
    if (settings == NULL) {
        settings_init(&defaults);
        job.settings = &defaults;
    }
    TRY(report_new(ctx, out));
    arena_init(&job.arena);
    enum pare_status status = fill_report(ctx, &job, *out);
    if (status != PARE_OK) {
        pare_report_free(*out);
        *out = NULL;
    } else {
        status = conclude(ctx, &job.report);
    }
    pare_network_free(job.compact);
    pare_network_free(job.rewritten);
    arena_free(&job.arena);
    return status;
}
