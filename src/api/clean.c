/* pare_clean: the rewrites alone, written as float ONNX again. */
#include "api/data.h"
#include "onnx/onnx.h"
#include "passes/passes.h"
#include "report/cleaning.h"

#include <string.h>

/* Given samples that the outputs are compared on; each costs two runs per rewrite. */
#define SAMPLES_MAX 8
#define PASSES_MAX 64

struct clean {
    struct arena arena;
    struct pare_network *network;
    const struct pare_settings *settings;
    const char *output;
    struct graph *graph;
    struct pass_options options;
    int changes[PASSES_MAX];
    struct cleaning report;
};

static uint64_t constant_bytes(const struct graph *g) {
    uint64_t bytes = 0;
    for (int i = 0; i < g->value_count; i++) {
        bytes += g->values[i]->constant != NULL ? tensor_bytes(g->values[i]->constant) : 0;
    }
    return bytes;
}

static enum pare_status load_samples(struct context *ctx, struct clean *c, const struct dataset *d) {
    struct samples samples = dataset_samples(d);
    size_t count = d->count < SAMPLES_MAX ? d->count : SAMPLES_MAX;
    const struct tensor **loaded = ARENA_ARRAY(&c->arena, count, const struct tensor *);
    if (loaded == NULL) {
        return fail_memory(ctx);
    }
    for (size_t i = 0; i < count; i++) {
        struct tensor *inputs = ARENA_ARRAY(&c->arena, (size_t)d->input_count, struct tensor);
        if (inputs == NULL) {
            return fail_memory(ctx);
        }
        TRY(samples.load(samples.user, ctx, &c->arena, i, inputs));
        loaded[i] = inputs;
    }
    c->options.samples = loaded;
    c->options.sample_count = count;
    return PARE_OK;
}

static enum pare_status read_samples(struct context *ctx, struct clean *c) {
    struct preprocess preprocess;
    struct dataset *data = ARENA_NEW(&c->arena, struct dataset);
    if (data == NULL) {
        return fail_memory(ctx);
    }
    if (c->settings == NULL || c->settings->data == NULL) {
        return PARE_OK;
    }
    TRY(network_preprocess(ctx, c->network, c->settings, &preprocess));
    TRY(network_read_data(ctx, &c->arena, c->network, c->settings->data, &preprocess, LABELS_IGNORED, data));
    return load_samples(ctx, c, data);
}

static int opset_of(const struct clean *c) {
    return c->settings == NULL || c->settings->opset == 0 ? ONNX_OPSET_WRITTEN : c->settings->opset;
}

/* What the larger part of the growth comes from. */
static const char *growth(struct arena *a, const struct cleaning *c) {
    const struct cleaned_file *before = &c->before, *after = &c->after;
    unsigned long long more = after->bytes - before->bytes;
    if (after->bytes <= before->bytes) {
        return NULL;
    }
    if (before->parameter_bytes > before->bytes) {
        return arena_format(a, "numbers that the file held in fewer bits are written as float32 (%llu bytes more)",
                            more);
    }
    if (after->parameter_bytes > before->parameter_bytes) {
        return arena_format(a, "results that were computed at every run are stored (%llu bytes of constants more)",
                            (unsigned long long)(after->parameter_bytes - before->parameter_bytes));
    }
    return arena_format(a, "names and shapes take %llu bytes more in this form", more);
}

static enum pare_status write_cleaned(struct context *ctx, struct clean *c) {
    struct onnx_write_options options = {.opset = opset_of(c)};
    const char *slash = strrchr(c->output, '/');
    struct cleaned_file *after = &c->report.after;
    *after = (struct cleaned_file){.name = slash == NULL ? c->output : slash + 1,
                                   .opset = options.opset,
                                   .nodes = c->graph->node_count,
                                   .parameter_bytes = constant_bytes(c->graph)};
    return onnx_write_file(ctx, c->graph, &options, c->output, &after->bytes);
}

static enum pare_status rewrite(struct context *ctx, struct clean *c) {
    const struct pass *passes = passes_list(&c->report.pass_count);
    const char **names = ARENA_ARRAY(&c->arena, c->report.pass_count, const char *);
    if (names == NULL) {
        return fail_memory(ctx);
    }
    for (size_t i = 0; i < c->report.pass_count; i++) {
        names[i] = passes[i].name;
    }
    c->report.passes = names;
    c->report.changes = c->changes;
    c->options.check_numerics = true;
    c->options.exact = graph_is_quantized(c->network->graph);
    c->options.changes = c->changes;
    c->options.opset = opset_of(c);
    TRY(read_samples(ctx, c));
    c->report.samples = c->options.sample_count;
    TRY(graph_clone(ctx, c->network->graph, true, &c->graph));
    return passes_run(ctx, &c->graph, &c->options);
}

static enum pare_status open_model(struct context *ctx, struct clean *c, const char *path) {
    struct open_options how = {.shapes = c->settings == NULL ? NULL : c->settings->input_shapes, .graph_only = true};
    TRY(network_open(ctx, path, &how, &c->network));
    if (c->network->graph == NULL) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: is a .pare file; clean takes an ONNX model", path);
    }
    c->report.before = (struct cleaned_file){.name = network_file_name(c->network),
                                             .opset = c->network->opset,
                                             .nodes = c->network->graph->node_count,
                                             .bytes = c->network->file_bytes,
                                             .parameter_bytes = constant_bytes(c->network->graph)};
    return PARE_OK;
}

static enum pare_status clean(struct context *ctx, struct clean *c, const char *path, struct pare_report *report) {
    TRY(open_model(ctx, c, path));
    if (rewrite(ctx, c) != PARE_OK || write_cleaned(ctx, c) != PARE_OK) {
        return fail_at(ctx, "%s", path);
    }
    c->report.growth = growth(&c->arena, &c->report);
    TRY(cleaning_text(ctx, &c->report, &report->text));
    TRY(cleaning_json(ctx, &c->report, &report->json));
    return report_finish(ctx, report);
}

enum pare_status pare_clean(struct pare_context *context, const char *path, const struct pare_settings *settings,
                            const char *output, struct pare_report **out) {
    struct context *ctx = &context->base;
    struct clean c = {.settings = settings, .output = output};
    context_clear(ctx);
    TRY(report_new(ctx, out));
    arena_init(&c.arena);
    enum pare_status status = clean(ctx, &c, path, *out);
    graph_free(c.graph);
    pare_network_free(c.network);
    arena_free(&c.arena);
    if (status != PARE_OK) {
        pare_report_free(*out);
        *out = NULL;
    }
    return status;
}
