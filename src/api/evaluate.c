/* pare_evaluate: what a network makes of labelled samples, and how far it is from a float network. */
#include "api/compare.h"
#include "api/data.h"
#include "api/scale_check.h"
#include "report/evaluation.h"

#include <math.h>
#include <string.h>

#define PREDICTED "predicted"

struct evaluation_job {
    const struct pare_network *network;
    const struct pare_settings *settings;
    struct arena arena;
    struct dataset data;
    struct pare_tensors *outputs;
    struct evaluation result;
};

static enum pare_status check_stacked(struct context *ctx, const struct pare_network *n, const struct tensor *t,
                                      size_t samples) {
    size_t count = tensor_count(t);
    if (count == 0 || count % samples != 0) {
        char text[256];
        return fail(ctx, PARE_ERROR_INPUT, "%s: its first output is %s for %zu samples: there is no prediction in it",
                    n->path, shape_text(&t->shape, text, sizeof text), samples);
    }
    return PARE_OK;
}

static void count_right(const struct dataset *d, const struct tensor *scores, struct evaluation *e) {
    for (size_t i = 0; i < d->count; i++) {
        size_t place = place_of_class(scores, d->count, i, dataset_label(d, i));
        e->right_top1 += place < 1;
        e->right_top5 += place < 5;
    }
}

static enum pare_status measure_labels(struct context *ctx, struct evaluation_job *job) {
    const struct tensor *scores = &job->outputs->set.items[0].tensor;
    TRY(check_stacked(ctx, job->network, scores, job->data.count));
    job->result.classes = tensor_count(scores) / job->data.count;
    job->result.labelled = job->data.labels != NULL;
    if (job->result.labelled) {
        count_right(&job->data, scores, &job->result);
    }
    return PARE_OK;
}

static enum pare_status compare_outputs(struct context *ctx, struct evaluation_job *job,
                                        const struct pare_network *reference, const struct pare_tensors *expected) {
    struct difference difference = {0};
    size_t count = job->outputs->set.count;
    if (count != expected->set.count) {
        return fail(ctx, PARE_ERROR_INPUT, "%s has %zu outputs, %s has %zu: they cannot be compared",
                    job->network->path, count, reference->path, expected->set.count);
    }
    for (size_t k = 0; k < count; k++) {
        TRY(difference_add(ctx, &difference, &job->outputs->set.items[k], &expected->set.items[k].tensor));
    }
    const struct tensor *scores = &job->outputs->set.items[0].tensor, *others = &expected->set.items[0].tensor;
    for (size_t i = 0; i < job->data.count; i++) {
        job->result.agreeing +=
            predicted_class(scores, job->data.count, i) == predicted_class(others, job->data.count, i);
    }
    job->result.sqnr_db = difference.noise > 0 ? 10 * log10(difference.signal / difference.noise) : INFINITY;
    job->result.largest_difference = difference.largest;
    return PARE_OK;
}

static enum pare_status run_reference(struct context *ctx, struct evaluation_job *job, struct pare_network *reference) {
    struct pare_tensors *expected;
    if (reference->input_count != job->network->input_count) {
        return fail(ctx, PARE_ERROR_INPUT, "%s has %d inputs, %s has %d: they cannot be compared", job->network->path,
                    job->network->input_count, reference->path, reference->input_count);
    }
    TRY(tensors_new(ctx, &expected));
    struct samples samples = dataset_samples(&job->data);
    enum pare_status status = network_run(ctx, reference, &samples, false, expected);
    if (status == PARE_OK) {
        status = compare_outputs(ctx, job, reference, expected);
    }
    pare_tensors_free(expected);
    return status;
}

static enum pare_status compare_with_reference(struct context *ctx, struct evaluation_job *job) {
    if (job->settings->reference == NULL) {
        return PARE_OK;
    }
    struct pare_network *reference;
    TRY(network_open(ctx, job->settings->reference, &(struct open_options){.shapes = job->settings->input_shapes},
                     &reference));
    job->result.reference = job->settings->reference;
    enum pare_status status = run_reference(ctx, job, reference);
    pare_network_free(reference);
    return status;
}

static enum pare_status add_predictions(struct context *ctx, struct evaluation_job *job) {
    struct tensor classes;
    struct shape shape = {.rank = 1, .dim = {(int64_t)job->data.count}};
    TRY(tensor_new(ctx, &job->outputs->arena, DTYPE_INT64, &shape, &classes));
    const struct tensor *scores = &job->outputs->set.items[0].tensor;
    for (size_t i = 0; i < job->data.count; i++) {
        ((int64_t *)classes.data)[i] = predicted_class(scores, job->data.count, i);
    }
    return tensors_append(ctx, job->outputs, PREDICTED, &classes);
}

/* Known before the long run. */
static enum pare_status check_predictions(struct context *ctx, const struct pare_network *n) {
    for (int k = 0; k < n->output_count; k++) {
        if (strcmp(n->outputs[k].name, PREDICTED) == 0) {
            return fail(ctx, PARE_ERROR_INPUT,
                        "%s: has an output named '%s', which is what the predictions are called; rename it, or "
                        "evaluate without predictions",
                        n->path, PREDICTED);
        }
    }
    return PARE_OK;
}

static enum pare_status evaluate(struct context *ctx, struct evaluation_job *job) {
    const struct pare_network *n = job->network;
    struct preprocess preprocess;
    TRY(network_preprocess(ctx, n, job->settings, &preprocess));
    TRY(network_read_data(ctx, &job->arena, n, job->settings->data, &preprocess, LABELS_TAKEN, &job->data));
    if (job->data.labels == NULL && job->settings->reference == NULL) {
        context_warn(ctx, "%s: no labels (an array y); a reference network would tell agreement and noise",
                     job->settings->data);
    }
    struct samples samples = dataset_samples(&job->data);
    TRY(network_run(ctx, n, &samples, false, job->outputs));
    job->result = (struct evaluation){.file = network_file_name(n),
                                      .kind = network_kind_text(n->kind),
                                      .data = job->settings->data,
                                      .model_hash = n->hash,
                                      .data_hash = job->data.hash,
                                      .samples = job->data.count};
    TRY(measure_labels(ctx, job));
    TRY(warn_of_missing_scale(ctx, n, &job->data));
    return compare_with_reference(ctx, job);
}

static enum pare_status fill_report(struct context *ctx, const struct evaluation *e, struct pare_report **out) {
    TRY(report_new(ctx, out));
    enum pare_status status = evaluation_text(ctx, e, &(*out)->text);
    if (status == PARE_OK) {
        status = evaluation_json(ctx, e, &(*out)->json);
    }
    if (status == PARE_OK) {
        status = report_finish(ctx, *out);
    }
    if (status != PARE_OK) {
        pare_report_free(*out);
        *out = NULL;
    }
    return status;
}

static enum pare_status evaluate_and_report(struct context *ctx, struct evaluation_job *job,
                                            struct pare_tensors **predictions, struct pare_report **out) {
    if (predictions != NULL) {
        TRY(check_predictions(ctx, job->network));
    }
    TRY(evaluate(ctx, job));
    if (predictions != NULL) {
        TRY(add_predictions(ctx, job));
    }
    TRY(fill_report(ctx, &job->result, out));
    if (predictions != NULL) {
        *predictions = job->outputs;
        job->outputs = NULL;
    }
    return PARE_OK;
}

enum pare_status pare_evaluate(struct pare_context *context, const struct pare_network *network,
                               const struct pare_settings *settings, struct pare_tensors **predictions,
                               struct pare_report **out) {
    struct context *ctx = &context->base;
    context_clear(ctx);
    *out = NULL;
    if (predictions != NULL) {
        *predictions = NULL;
    }
    if (settings->data == NULL) {
        return fail(ctx, PARE_ERROR_USAGE, "the setting 'data' is missing: the samples to evaluate on");
    }
    struct evaluation_job job = {.network = network, .settings = settings};
    arena_init(&job.arena);
    enum pare_status status = tensors_new(ctx, &job.outputs);
    if (status == PARE_OK) {
        status = evaluate_and_report(ctx, &job, predictions, out);
    }
    pare_tensors_free(job.outputs);
    arena_free(&job.arena);
    return status;
}
