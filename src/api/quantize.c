/* pare_quantize: passes, data, search, files, report. */
#include "api/quantize.h"

#include "api/input_shape.h"
#include "api/layers.h"
#include "api/narrow.h"
#include "api/scale_check.h"
#include "api/work.h"
#include "base/file.h"
#include "passes/passes.h"
#include "quant/lower.h"

#include <math.h>

/* ---- what the search is given ---- */

static bool fix_shape(struct value *input, const struct shape *given) {
    bool fixed = false;
    for (int i = 1; i < input->rank; i++) {
        if (input->dims[i].value < 0) {
            input->dims[i] = (struct dim){.value = given->dim[i]};
            fixed = true;
        }
    }
    return fixed;
}

/* An integer program is about one shape: where the model leaves it open, that of the data. */
static enum pare_status fix_shapes(struct context *ctx, struct quantize_job *job) {
    bool fixed = false;
    for (int k = 0; k < job->graph->input_count; k++) {
        const struct shape *given = &job->data.inputs[k].shape;
        char text[256];
        if (fix_shape(job->graph->inputs[k], given)) {
            context_warn(ctx, "%s: input '%s' is fixed to the shape of the data, %s", job->network->path,
                         job->graph->inputs[k]->name, shape_text(given, text, sizeof text));
            fixed = true;
        }
    }
    return fixed ? graph_infer(ctx, job->graph) : PARE_OK;
}

static enum pare_status refuse_any_shape(struct context *ctx, const struct quantize_job *job, const struct value *input,
                                         const struct shape *given) {
    struct value shaped = {.name = input->name, .rank = given->rank};
    char argument[256];
    for (int i = 0; i < given->rank; i++) {
        shaped.dims[i].value = given->dim[i];
    }
    return fail(ctx, PARE_ERROR_INPUT, "%s: input '%s' may have any shape; give that of the data: --input-shape %s",
                job->network->path, input->name, input_shape_argument(&shaped, argument, sizeof argument));
}

/* Every buffer behind this is as large as one sample of the graph's own input. */
static enum pare_status check_shapes(struct context *ctx, const struct quantize_job *job, const struct dataset *d) {
    for (int k = 0; k < d->input_count; k++) {
        const struct value *input = job->graph->inputs[k];
        struct shape wanted = {.rank = -1};
        const struct shape *given = &d->inputs[k].shape;
        if (input->rank < 0) {
            return refuse_any_shape(ctx, job, input, given);
        }
        if (!value_shape(input, 1, &wanted) || !shape_equal(&wanted, given)) {
            char own[256], other[256];
            return fail(ctx, PARE_ERROR_INPUT,
                        "%s: a sample for input '%s' has shape %s, but the network is quantised for %s; give samples "
                        "of that shape",
                        d->place, input->name, shape_text(given, own, sizeof own),
                        shape_text(&wanted, other, sizeof other));
        }
    }
    return PARE_OK;
}

static enum pare_status settle_shapes(struct context *ctx, struct quantize_job *job) {
    TRY(fix_shapes(ctx, job));
    TRY(check_shapes(ctx, job, &job->data));
    TRY(check_shapes(ctx, job, &job->calibration));
    return check_shapes(ctx, job, &job->test);
}

static enum pare_status rewrite(struct context *ctx, struct quantize_job *job) {
    struct pass_options options = {.check_numerics = true, .seed = job->options.seed};
    bool fixed = false;
    TRY(passes_run_for_sample(ctx, &job->graph, &options, &fixed));
    if (fixed) {
        context_warn(ctx, "%s: " BATCH_FIXED, job->network->path);
    }
    return PARE_OK;
}

static enum pare_status clean_graph(struct context *ctx, struct quantize_job *job) {
    context_progress(ctx, &(struct progress){.phase = "passes", .seconds_left = -1});
    TRY(graph_clone(ctx, job->network->graph, true, &job->graph));
    if (job->network->kind == PARE_NETWORK_REWRITTEN) {
        context_warn(ctx, "%s: is quantised already; its codes are read as numbers and quantised again",
                     job->network->path);
        job->report.requantized = true;
        TRY(passes_dequantize(ctx, &job->graph));
    }
    TRY(passes_widen(ctx, &job->graph));
    TRY(settle_shapes(ctx, job));
    return rewrite(ctx, job) == PARE_OK ? PARE_OK : fail_at(ctx, "%s", job->network->path);
}

static enum pare_status read_set(struct context *ctx, struct quantize_job *job, const char *path,
                                 enum label_use label_use, struct dataset *out, struct used_file *used) {
    if (path == NULL) {
        return PARE_OK;
    }
    TRY(network_read_data(ctx, &job->arena, job->network, path, &job->preprocess, label_use, out));
    *used = (struct used_file){.path = path, .hash = out->hash, .samples = out->count};
    return PARE_OK;
}

static bool needs_labels(enum metric m) {
    return m == METRIC_TOP1 || m == METRIC_TOP5;
}

static enum pare_status check_labels(struct context *ctx, const struct quantize_job *job, const struct dataset *d) {
    if (!needs_labels(job->options.metric) || d->count == 0 || d->labels != NULL) {
        return PARE_OK;
    }
    return fail(ctx, PARE_ERROR_INPUT, "%s: has no labels (an array y), which %s needs; agreement and sqnr need none",
                d->place, metric_name(job->options.metric));
}

/* Samples that the search saw prove nothing. */
static enum pare_status check_disjoint(struct context *ctx, const struct quantize_job *job) {
    if (job->settings->test == NULL || job->data.hash != job->test.hash) {
        return PARE_OK;
    }
    return fail(
        ctx, PARE_ERROR_INPUT,
        "%s: holds the same samples as the data, %s: held-out samples must be others; without a test set (--test) "
        "three fifths of the data are held out",
        job->settings->test, job->settings->data);
}

/* They need no labels, but weights that were fitted to the held-out samples flatter the claim. */
static void warn_of_shared_calibration(struct context *ctx, const struct quantize_job *job) {
    const struct pare_settings *s = job->settings;
    const struct dataset *held_out = s->test != NULL ? &job->test : &job->data;
    if (s->calib != NULL && dataset_same_inputs(&job->calibration, held_out)) {
        context_warn(
            ctx,
            "%s: calibrates on samples that are held out to measure the accuracy, which may flatter it; without "
            "--calib, others are used",
            s->calib);
    }
}

static enum pare_status check_same(struct context *ctx, const char *path, uint64_t now, uint64_t then) {
    return now == then ? PARE_OK
                       : fail(ctx, PARE_ERROR_INPUT, "%s: holds other samples than those that the search used",
                              path != NULL ? path : "report.json");
}

/* A repeated search must see what the first one saw. */
static enum pare_status check_same_data(struct context *ctx, const struct quantize_job *job) {
    const struct replay *r = job->replay;
    if (r == NULL) {
        return PARE_OK;
    }
    TRY(check_same(ctx, job->settings->data, job->report.data.hash, r->data));
    TRY(check_same(ctx, job->settings->calib, job->report.calibration.hash, r->calibration));
    return check_same(ctx, job->settings->test, job->report.test.hash, r->test);
}

static enum pare_status read_data(struct context *ctx, struct quantize_job *job) {
    const struct pare_settings *s = job->settings;
    context_progress(ctx, &(struct progress){.phase = "reading data", .seconds_left = -1});
    bool needed = !s->metric_given || needs_labels(job->options.metric);
    enum label_use use = needed ? LABELS_TAKEN : LABELS_OPTIONAL;
    TRY(network_preprocess(ctx, job->network, s, &job->preprocess));
    TRY(read_set(ctx, job, s->data, use, &job->data, &job->report.data));
    TRY(read_set(ctx, job, s->calib, LABELS_IGNORED, &job->calibration, &job->report.calibration));
    TRY(read_set(ctx, job, s->test, use, &job->test, &job->report.test));
    if (!s->metric_given) {
        job->options.metric = job->data.labels != NULL ? METRIC_TOP1 : METRIC_AGREEMENT;
    }
    TRY(check_labels(ctx, job, &job->data));
    TRY(check_labels(ctx, job, &job->test));
    TRY(check_disjoint(ctx, job));
    warn_of_shared_calibration(ctx, job);
    TRY(check_same_data(ctx, job));
    return warn_of_missing_scale(ctx, job->network, &job->data);
}

static enum pare_status prepare(struct context *ctx, struct quantize_job *job) {
    TRY(network_narrow(ctx, &job->arena, &job->network, &job->narrowed));
    TRY(read_data(ctx, job));
    TRY(clean_graph(ctx, job));
    return output_folder_open(ctx, job);
}

/* ---- what it leaves ---- */

static enum pare_status write_report(struct context *ctx, struct quantize_job *job, struct pare_report *report) {
    const char *path = arena_format(&job->arena, "%s/report.json", job->folder);
    if (path == NULL) {
        return fail_memory(ctx);
    }
    TRY(quantization_text(ctx, &job->report, &report->text));
    TRY(quantization_json(ctx, &job->report, &report->json));
    TRY(file_write(ctx, path, report->json.data, report->json.size));
    return report_finish(ctx, report);
}

static enum pare_status count_float_parameters(struct context *ctx, struct quantize_job *job) {
    const struct scheme *s = job->result.scheme;
    for (const struct node *n = s->graph->first; n != NULL; n = n->next) {
        const char *why = NULL;
        bool in_float = lower_fate(&job->arena, s, n, &why) == FATE_FLOAT;
        if (in_float && why == NULL) {
            return fail_memory(ctx);
        }
        job->report.float_parameters += in_float ? work_of(n).parameters : 0;
    }
    return PARE_OK;
}

static enum pare_status write_all(struct context *ctx, struct quantize_job *job, struct pare_report *report) {
    struct inspection layers = {0};
    TRY(layers_of_program(ctx, &job->arena, job->result.program, &layers));
    TRY(ports_of_scheme(ctx, &job->arena, job->result.scheme, job->result.program, &layers));
    job->report.layers = &layers;
    TRY(write_networks(ctx, job));
    return write_report(ctx, job, report);
}

/* Also after an interruption: what was found is written to the end. */
static enum pare_status conclude(struct context *ctx, struct quantize_job *job, struct pare_report **out) {
    struct diag found = ctx->diag;
    bool (*cancelled)(void *user) = ctx->cancelled;
    context_clear(ctx);
    ctx->cancelled = NULL;
    enum pare_status status = report_new(ctx, out);
    if (status == PARE_OK) {
        status = write_all(ctx, job, *out);
    }
    ctx->cancelled = cancelled;
    if (status != PARE_OK) {
        pare_report_free(*out);
        *out = NULL;
        return status;
    }
    ctx->diag = found;
    return PARE_OK;
}

/* Widths that are given are all that the options allow. */
static enum pare_status read_given(struct context *ctx, struct quantize_job *job) {
    if (job->settings->widths == NULL) {
        return PARE_OK;
    }
    TRY(widths_read(ctx, &job->arena, job->settings->widths, &job->given));
    job->options.widths = job->given.widths;
    job->options.input_widths = job->given.input_widths;
    job->options.given = &job->given;
    return PARE_OK;
}

static enum pare_status search_and_write(struct context *ctx, struct quantize_job *job, struct pare_report **out) {
    TRY(read_given(ctx, job));
    TRY(prepare(ctx, job));
    struct search_data data = {.calibration = job->settings->calib != NULL ? &job->calibration : NULL,
                               .validation = &job->data,
                               .test = job->settings->test != NULL ? &job->test : NULL};
    enum pare_status found = search_run(ctx, job->graph, &data, &job->options, &job->result);
    if (job->result.program == NULL) {
        output_folder_abandon(ctx, job);
        return found;
    }
    TRY(count_float_parameters(ctx, job));
    TRY(conclude(ctx, job, out));
    return found;
}

static enum pare_status check_request(struct context *ctx, const struct pare_network *network,
                                      const struct pare_settings *settings) {
    if (settings->data == NULL) {
        return fail(ctx, PARE_ERROR_USAGE, "the setting 'data' is missing: the samples to search on");
    }
    const struct search_options *o = &settings->search;
    if (settings->widths != NULL &&
        (settings->has_bits || settings->has_input_bits || o->weight_widths != 0 || o->activation_widths != 0 ||
         o->time_limit > 0 || settings_have_limits(settings))) {
        return fail(
            ctx, PARE_ERROR_USAGE,
            "the setting 'widths' gives every width: bits, weight-bits, activation-bits, input-bits, time-limit "
            "and limits (*-max) are for a search");
    }
    if (network->kind == PARE_NETWORK_COMPACT || network->metadata != NULL) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: this network is quantised already (%s); give the float one",
                    network->path, network_kind_text(network->kind));
    }
    return PARE_OK;
}

enum pare_status quantize_run(struct context *ctx, struct quantize_job *job, struct pare_report **out) {
    job->options = job->settings->search;
    if (settings_have_limits(job->settings) && !job->settings->max_drop_given) {
        job->options.max_drop = INFINITY;
        job->options.max_drop_relative = false;
    }
    job->options.describe = quantize_describe;
    job->options.user = job;
    job->options.pick = job->replay != NULL ? &job->replay->pick : NULL;
    job->report = (struct quantization){.version = pare_version(),
                                        .model = {.path = job->network->path, .hash = job->network->hash},
                                        .options = &job->options,
                                        .preprocess = &job->preprocess,
                                        .result = &job->result,
                                        .folder = job->folder};
    arena_init(&job->arena);
    enum pare_status status = search_and_write(ctx, job, out);
    search_result_free(&job->result);
    graph_free(job->graph);
    graph_free(job->narrowed);
    arena_free(&job->arena);
    return status;
}

enum pare_status pare_quantize(struct pare_context *context, const struct pare_network *network,
                               const struct pare_settings *settings, const char *folder, struct pare_report **out) {
    struct context *ctx = &context->base;
    context_clear(ctx);
    *out = NULL;
    TRY(check_request(ctx, network, settings));
    struct quantize_job job = {.network = network, .settings = settings, .folder = folder};
    return quantize_run(ctx, &job, out);
}
