/* pare_export: a compact file as C sources with the runtime, or packed otherwise. */
#include "api/export.h"

#include "api/embedded.h"
#include "base/file.h"
#include "fixed/repack.h"
#include "report/exported.h"

#include <string.h>

#define GENERATED 5
#define KINDS_PATH "runtime/kinds.h"

struct export_job {
    const struct pare_network *network;
    const struct pare_settings *settings;
    struct arena arena;
    struct program program; /* without names and metadata, packed as asked */
    struct test_vector vector;
    struct buffer file; /* the .pare file */
    struct buffer generated[GENERATED];
    struct folder_file *files;
    size_t file_count;
    struct exported done;
};

/* A copy whose operators and values may be changed. */
static enum pare_status copy_program(struct context *ctx, struct export_job *job) {
    const struct program *own = job->network->program;
    job->program = *own;
    job->program.arena = &job->arena;
    job->program.metadata = NULL;
    job->program.ops = ARENA_ARRAY(&job->arena, own->op_count, struct pare_op);
    job->program.values = ARENA_ARRAY(&job->arena, own->value_count, struct pare_value);
    if (job->program.ops == NULL || job->program.values == NULL) {
        return fail_memory(ctx);
    }
    memcpy(job->program.ops, own->ops, own->op_count * sizeof *own->ops);
    memcpy(job->program.values, own->values, own->value_count * sizeof *own->values);
    return program_repack(ctx, &job->program, job->settings->search.packing);
}

/* What was read from an ONNX has no arena plan yet. */
static enum pare_status plan(struct context *ctx, struct export_job *job) {
    size_t peak;
    return job->network->kind == PARE_NETWORK_COMPACT ? PARE_OK : program_plan_arena(ctx, &job->program, &peak);
}

/* The file has no names; only a failure is told with them. */
static enum pare_status write_compact(struct context *ctx, struct export_job *job) {
    struct program *p = &job->program;
    p->value_names = p->op_names = p->op_types = NULL;
    if (program_write(ctx, p, &job->file) == PARE_OK) {
        return PARE_OK;
    }
    const struct program *own = job->network->program;
    context_clear(ctx);
    p->value_names = own->value_names;
    p->op_names = own->op_names;
    p->op_types = own->op_types;
    return program_write(ctx, p, &job->file);
}

static void add_file(struct export_job *job, const char *path, const void *data, size_t size) {
    job->files[job->file_count++] = (struct folder_file){path, data, size};
}

static bool has_kind(const struct program *p, enum pare_kind first, enum pare_kind last) {
    for (uint32_t i = 0; i < p->op_count; i++) {
        if (p->ops[i].kind >= first && p->ops[i].kind <= last) {
            return true;
        }
    }
    return false;
}

/* Whether the model needs the file: kernels only where it has operators of their kinds, and the faster ones where there
 * are such. */
static bool is_needed(const struct program *p, const char *path) {
    static const struct {
        const char *path;
        enum pare_kind first, last;
    } kernels[] = {
        {"runtime/kernels_conv.c", PARE_CONV_TRANSPOSE, PARE_CONV_TRANSPOSE},
        {"runtime/kernels_dense.c", PARE_MATMUL, PARE_MATMUL},
        {"runtime/kernels_elementwise.c", PARE_ADD, PARE_PRELU},
        {"runtime/kernels_elementwise.c", PARE_TABLE, PARE_REQUANTIZE},
        {"runtime/kernels_move.c", PARE_CONCAT, PARE_CONCAT},
        {"runtime/kernels_move.c", PARE_COPY, PARE_GATHER},
        {"runtime/kernels_pool.c", PARE_MAX_POOL, PARE_REDUCE_MEAN},
    };
    bool listed = strcmp(path, "runtime/run_op.c") == 0;
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
        bool same = strcmp(path, kernels[i].path) == 0;
        listed = listed || same;
        if (same && has_kind(p, kernels[i].first, kernels[i].last)) {
            return true;
        }
    }
    return !listed;
}

static void add_embedded(struct export_job *job, struct buffer *kinds) {
    for (size_t i = 0; i < embedded_file_count; i++) {
        const struct embedded_file *file = &embedded_files[i];
        if (strcmp(file->path, KINDS_PATH) == 0) {
            source_kinds(kinds, &job->program, (const char *)file->text, file->size);
            add_file(job, KINDS_PATH, kinds->data, kinds->size);
        } else if (is_needed(&job->program, file->path)) {
            add_file(job, file->path, file->text, file->size);
        }
    }
}

static enum pare_status add_generated(struct context *ctx, struct export_job *job) {
    static const char *const paths[GENERATED - 1] = {"model.h", "model_data.c", "test_vector.h", "test_vector.c"};
    struct buffer *texts = job->generated;
    source_model_header(&texts[0], job->network, &job->program, &job->file);
    source_model(&texts[1], &job->file);
    source_vector_header(&texts[2], &job->vector);
    source_vector(&texts[3], &job->program, &job->vector);
    for (int i = 0; i < GENERATED - 1; i++) {
        add_file(job, paths[i], texts[i].data, texts[i].size);
    }
    add_embedded(job, &texts[GENERATED - 1]);
    bool failed = false;
    for (int i = 0; i < GENERATED; i++) {
        failed = failed || texts[i].failed;
    }
    return failed ? fail_memory(ctx) : PARE_OK;
}

static enum pare_status write_sources(struct context *ctx, struct export_job *job, const char *folder) {
    TRY(folder_check_free(ctx, folder));
    if (job->program.input_count == 0) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "%s: it has no input, so there is nothing to run", job->network->path);
    }
    TRY(test_vector_make(ctx, &job->arena, job->network, job->settings, &job->program, &job->vector));
    job->files = ARENA_ARRAY(&job->arena, embedded_file_count + GENERATED, struct folder_file);
    if (job->files == NULL) {
        return fail_memory(ctx);
    }
    TRY(add_generated(ctx, job));
    if (strcmp(job->settings->name, "model") != 0) {
        TRY(sources_rename(ctx, &job->arena, job->files, job->file_count, job->settings->name));
    }
    return folder_write(ctx, folder, job->files, job->file_count);
}

static enum pare_status export_as(struct context *ctx, struct export_job *job, const char *output) {
    TRY(copy_program(ctx, job));
    TRY(plan(ctx, job));
    TRY(write_compact(ctx, job));
    job->done.is_folder = job->settings->target == EXPORT_C;
    job->done.is_compact = true;
    job->done.model_bytes = job->file.size;
    job->done.arena_bytes = source_arena_size(&job->file);
    return job->settings->target == EXPORT_C ? write_sources(ctx, job, output)
                                             : file_write(ctx, output, job->file.data, job->file.size);
}

/* An export has less in it than what it is made of: names, or how to go on. */
static enum pare_status check_output(struct context *ctx, const struct pare_network *network, const char *output) {
    return !file_is_same(network->path, output)
               ? PARE_OK
               : fail(ctx, PARE_ERROR_USAGE, "%s: is the model that is exported; name another file for the result",
                      output);
}

static enum pare_status export_compact(struct context *ctx, struct export_job *job, const char *output) {
    const struct pare_network *network = job->network;
    if (network->program == NULL) {
        return fail(ctx, PARE_ERROR_INPUT,
                    "%s: a %s; give a network in fixed point, such as the .pare file that quantize wrote",
                    network->path, network_kind_text(network->kind));
    }
    arena_init(&job->arena);
    buffer_init(&job->file);
    for (int i = 0; i < GENERATED; i++) {
        buffer_init(&job->generated[i]);
    }
    enum pare_status status = export_as(ctx, job, output);
    for (int i = 0; i < GENERATED; i++) {
        buffer_free(&job->generated[i]);
    }
    buffer_free(&job->file);
    arena_free(&job->arena);
    return status;
}

static enum pare_status export_and_tell(struct context *ctx, struct export_job *job, const char *output,
                                        struct pare_report *report) {
    TRY(check_output(ctx, job->network, output));
    job->done.output = output;
    TRY(job->settings->target >= EXPORT_QDQ
            ? export_onnx(ctx, job->network, job->settings, output, &job->done.model_bytes)
            : export_compact(ctx, job, output));
    TRY(exported_text(ctx, &job->done, &report->text));
    TRY(exported_json(ctx, &job->done, &report->json));
    return report_finish(ctx, report);
}

enum pare_status pare_export(struct pare_context *context, const struct pare_network *network,
                             const struct pare_settings *settings, const char *output, struct pare_report **out) {
    struct context *ctx = &context->base;
    struct pare_settings defaults;
    struct export_job job = {.network = network, .settings = settings};
    context_clear(ctx);
    if (settings == NULL) {
        settings_init(&defaults);
        job.settings = &defaults;
    }
    TRY(report_new(ctx, out));
    enum pare_status status = export_and_tell(ctx, &job, output, *out);
    if (status != PARE_OK) {
        pare_report_free(*out);
        *out = NULL;
    }
    return status;
}
