/* The rewritten ONNX as it lies on disk: in pare's float interpreter, and in ONNX Runtime. */
#include "api/verify.h"
#include "base/file.h"
#include "float/float.h"
#include "onnx/onnx.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- pare's own interpreter ---- */

struct observed_sample {
    struct verify_job *job;
    size_t sample;
};

static enum pare_status observe(void *user, struct context *ctx, const struct value *v, const struct tensor *t) {
    (void)ctx;
    const struct observed_sample *o = user;
    uint32_t value = verify_value(o->job, v->name);
    if (value != UINT32_MAX) {
        verify_take(o->job, EXECUTOR_ONNX, value, o->sample, t, 0);
    }
    return PARE_OK;
}

static enum pare_status run_sample(struct context *ctx, struct verify_job *job, struct arena *arena, size_t sample) {
    const struct graph *g = job->rewritten->graph;
    struct tensor *inputs = ARENA_ARRAY(arena, (size_t)g->input_count, struct tensor);
    struct tensor *outputs = ARENA_ARRAY(arena, (size_t)g->output_count, struct tensor);
    struct observed_sample o = {job, sample};
    if (inputs == NULL || outputs == NULL) {
        return fail_memory(ctx);
    }
    TRY(verify_inputs(ctx, arena, job, sample, inputs));
    TRY(float_run(ctx, g, inputs, outputs, observe, &o));
    for (int k = 0; k < g->output_count; k++) {
        tensor_free(&outputs[k]);
    }
    return PARE_OK;
}

enum pare_status verify_onnx(struct context *ctx, struct verify_job *job) {
    if ((uint32_t)job->rewritten->graph->input_count != job->compact->program->input_count) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: its inputs are not those of model.pare", job->rewritten->path);
    }
    for (size_t s = 0; s < job->vector.count; s++) {
        struct arena arena;
        arena_init(&arena);
        enum pare_status status = run_sample(ctx, job, &arena, s);
        arena_free(&arena);
        TRY(status);
    }
    return PARE_OK;
}

/* ---- ONNX Runtime ---- */

/* Exit code 42: there is no such package. */
static const char script[] = "import sys\n"
                             "try:\n"
                             "    import numpy, onnxruntime\n"
                             "except ImportError:\n"
                             "    sys.exit(42)\n"
                             "model, given, result = sys.argv[1:]\n"
                             "options = onnxruntime.SessionOptions()\n"
                             "options.log_severity_level = 3\n"
                             "options.intra_op_num_threads = 1\n"
                             "session = onnxruntime.InferenceSession(model, options, "
                             "providers=['CPUExecutionProvider'])\n"
                             "names = [o.name for o in session.get_outputs()]\n"
                             "arrays = dict(numpy.load(given))\n"
                             "out = {}\n"
                             "for s in range(int(arrays.pop('samples'))):\n"
                             "    feed = {i.name: arrays[f'{s}:{i.name}'] for i in session.get_inputs()}\n"
                             "    for name, value in zip(names, session.run(names, feed)):\n"
                             "        out[f'{s}:{name}'] = value\n"
                             "numpy.savez(result, **out)\n";

struct exchange {
    const char *folder, *model, *given, *result;
};

static enum pare_status write_inputs(struct context *ctx, struct verify_job *job, const char *path) {
    const struct graph *g = job->rewritten->graph;
    struct pare_tensors *set;
    TRY(tensors_new(ctx, &set));
    struct tensor *inputs = ARENA_ARRAY(&set->arena, (size_t)g->input_count, struct tensor);
    struct tensor count;
    enum pare_status status = inputs == NULL ? fail_memory(ctx) : PARE_OK;
    status = status != PARE_OK ? status : tensor_new(ctx, &set->arena, DTYPE_INT64, &(struct shape){0}, &count);
    if (status == PARE_OK) {
        *(int64_t *)count.data = (int64_t)job->vector.count;
        status = tensors_append(ctx, set, "samples", &count);
    }
    for (size_t s = 0; status == PARE_OK && s < job->vector.count; s++) {
        status = verify_inputs(ctx, &set->arena, job, s, inputs);
        for (int k = 0; status == PARE_OK && k < g->input_count; k++) {
            const char *name = arena_format(&set->arena, "%zu:%s", s, g->inputs[k]->name);
            status = name == NULL ? fail_memory(ctx) : tensors_append(ctx, set, name, &inputs[k]);
        }
    }
    status = status != PARE_OK ? status : npz_write(ctx, path, &set->set);
    pare_tensors_free(set);
    return status;
}

/* The model with every value of the program as an output. */
static enum pare_status write_model(struct context *ctx, struct verify_job *job, const char *path) {
    struct graph *g;
    uint64_t size;
    TRY(graph_clone(ctx, job->rewritten->graph, true, &g));
    enum pare_status status = PARE_OK;
    for (struct node *n = g->first; status == PARE_OK && n != NULL; n = n->next) {
        for (int k = 0; status == PARE_OK && k < n->output_count; k++) {
            bool wanted = n->outputs[k] != NULL && verify_value(job, n->outputs[k]->name) != UINT32_MAX;
            status = wanted ? graph_add_output(ctx, g, n->outputs[k]) : PARE_OK;
        }
    }
    status = status != PARE_OK ? status : onnx_write_file(ctx, g, &(struct onnx_write_options){0}, path, &size);
    graph_free(g);
    return status;
}

/* The exit code of the script; -1 where there is no such program. */
static int run_script(const char *python, const struct exchange *x) {
    char *arguments[] = {(char *)(uintptr_t)python,
                         "-c",
                         (char *)(uintptr_t)script,
                         (char *)(uintptr_t)x->model,
                         (char *)(uintptr_t)x->given,
                         (char *)(uintptr_t)x->result,
                         NULL};
    pid_t child;
    int code;
    if (posix_spawnp(&child, python, NULL, NULL, arguments, environ) != 0) {
        return -1;
    }
    while (waitpid(child, &code, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

static enum pare_status take_results(struct context *ctx, struct verify_job *job, const char *path) {
    struct tensor_set set;
    TRY(npz_read(ctx, &job->arena, path, &set));
    for (size_t i = 0; i < set.count; i++) {
        char *name;
        size_t sample = strtoul(set.items[i].name, &name, 10);
        uint32_t value = *name == ':' && sample < job->vector.count ? verify_value(job, name + 1) : UINT32_MAX;
        if (value != UINT32_MAX) {
            verify_take(job, EXECUTOR_RUNTIME, value, sample, &set.items[i].tensor, 0);
        }
    }
    return PARE_OK;
}

static enum pare_status run_runtime(struct context *ctx, struct verify_job *job, const struct exchange *x) {
    const char *python = job->settings->python != NULL ? job->settings->python : "python3";
    TRY(write_model(ctx, job, x->model));
    TRY(write_inputs(ctx, job, x->given));
    int code = run_script(python, x);
    if (code == 0) {
        return take_results(ctx, job, x->result);
    }
    job->report.absent[EXECUTOR_RUNTIME] = code == 42 || code == -1 || code == 127
                                               ? "there is no Python with numpy and onnxruntime (--python names one)"
                                               : "it cannot run model.onnx";
    return PARE_OK;
}

enum pare_status verify_runtime(struct context *ctx, struct verify_job *job) {
    const char *parent = getenv("TMPDIR");
    char *folder = (char *)(uintptr_t)arena_format(&job->arena, "%s/pare-XXXXXX", parent != NULL ? parent : "/tmp");
    if (folder == NULL) {
        return fail_memory(ctx);
    }
    if (mkdtemp(folder) == NULL) {
        return fail(ctx, PARE_ERROR_IO, "%s: cannot make a folder: %s", folder, strerror(errno));
    }
    struct exchange x = {folder, arena_format(&job->arena, "%s/model.onnx", folder),
                         arena_format(&job->arena, "%s/given.npz", folder),
                         arena_format(&job->arena, "%s/result.npz", folder)};
    enum pare_status status =
        x.model == NULL || x.given == NULL || x.result == NULL ? fail_memory(ctx) : run_runtime(ctx, job, &x);
    const char *files[] = {x.model, x.given, x.result};
    for (int i = 0; i < 3; i++) {
        if (files[i] != NULL) {
            unlink(files[i]);
        }
    }
    rmdir(folder);
    return status;
}
