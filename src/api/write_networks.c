/* The rewritten ONNX and the compact file of a search's result. */
#include "api/quantize.h"
#include "api/tail.h"
#include "api/test_vector.h"
#include "base/file.h"
#include "onnx/onnx.h"
#include "quant/exchange.h"
#include "quant/lower.h"

#include <stdlib.h>
#include <unistd.h>

static json_t *json_tails(struct json_builder *b, const struct search_result *r) {
    json_t *array = json_array();
    for (int k = 0; k < r->graph->output_count; k++) {
        const struct node *tail = lower_tail(r->scheme, r->graph->outputs[k]);
        if (tail != NULL) {
            json_add(b, array, tail_json(tail, k));
        }
    }
    return array;
}

static const char *metadata_text(struct quantize_job *job, const json_t *root) {
    char *text = json_dumps(root, JSON_SORT_KEYS | JSON_COMPACT | JSON_REAL_PRECISION(17));
    const char *copy = text != NULL ? arena_string(&job->arena, text) : NULL;
    free(text);
    return copy;
}

/* A compact file is as small as it can be: how the search was set stands in the ONNX and in report.json. */
enum pare_status quantize_describe(void *user, struct context *ctx, const struct search_result *r, const char **out) {
    struct quantize_job *job = user;
    struct json_builder b = {0};
    struct used_file source = {.path = network_file_name(job->network), .hash = job->network->hash};
    json_t *root = json_object();
    json_put(&b, root, "preprocess", json_preprocess(&b, &job->preprocess));
    json_put(&b, root, "source", json_used_file(&b, &source));
    json_put(&b, root, "tail", json_tails(&b, r));
    json_put(&b, root, "version", json_text(pare_version()));
    *out = metadata_text(job, root);
    json_put(&b, root, "settings", json_settings(&b, &job->options, &job->preprocess));
    job->metadata = b.failed ? NULL : metadata_text(job, root);
    json_decref(root);
    return *out != NULL && job->metadata != NULL ? PARE_OK : fail_memory(ctx);
}

static enum pare_status write_file(struct context *ctx, struct quantize_job *job, const char *name,
                                   const struct buffer *bytes, struct written_file *written) {
    const char *path = arena_format(&job->arena, "%s/%s", job->folder, name);
    if (path == NULL || bytes->failed) {
        return fail_memory(ctx);
    }
    *written = (struct written_file){.name = name, .hash = hash_of(bytes->data, bytes->size, 0), .size = bytes->size};
    return file_write(ctx, path, bytes->data, bytes->size);
}

static enum pare_status write_rewritten(struct context *ctx, struct quantize_job *job) {
    struct graph *g;
    struct buffer bytes;
    TRY(export_graph(ctx, job->result.scheme, &g));
    buffer_init(&bytes);
    enum pare_status status = graph_set_metadata(ctx, g, NETWORK_METADATA_KEY, job->metadata);
    if (status == PARE_OK) {
        status = onnx_write(ctx, g, &(struct onnx_write_options){0}, &bytes);
    }
    if (status == PARE_OK) {
        status = write_file(ctx, job, "model.onnx", &bytes, &job->report.onnx);
    }
    buffer_free(&bytes);
    graph_free(g);
    return status;
}

/* An older model.pare must not stand beside another network's model.onnx. */
static void remove_compact(struct quantize_job *job) {
    const char *path = arena_format(&job->arena, "%s/model.pare", job->folder);
    if (path != NULL) {
        unlink(path);
    }
}

static enum pare_status serialise_compact(struct context *ctx, struct quantize_job *job, struct buffer *bytes) {
    size_t peak;
    TRY(program_plan_arena(ctx, job->result.program, &peak));
    return program_write_packed(ctx, job->result.program, job->options.packing, bytes);
}

static enum pare_status write_compact(struct context *ctx, struct quantize_job *job) {
    struct buffer bytes;
    buffer_init(&bytes);
    enum pare_status status = serialise_compact(ctx, job, &bytes);
    if (status == PARE_OK) {
        status = write_file(ctx, job, "model.pare", &bytes, &job->report.compact);
    } else if (status == PARE_ERROR_UNSUPPORTED) {
        context_warn(ctx, "no model.pare: %s", ctx->diag.message);
        job->report.no_compact = arena_string(&job->arena, ctx->diag.message);
        context_clear(ctx);
        remove_compact(job);
        status = PARE_OK;
    }
    buffer_free(&bytes);
    return status;
}

/* What the written file makes of a few samples, for verify. */
static enum pare_status write_test_vector(struct context *ctx, const struct quantize_job *job, const char *compact,
                                          const char *path) {
    struct pare_network *n;
    TRY(network_open(ctx, compact, &(struct open_options){0}, &n));
    enum pare_status status = test_vector_write(ctx, n, &job->data, path);
    pare_network_free(n);
    return status;
}

enum pare_status write_networks(struct context *ctx, struct quantize_job *job) {
    const char *compact = arena_format(&job->arena, "%s/model.pare", job->folder);
    const char *vector = arena_format(&job->arena, "%s/test_vector.npz", job->folder);
    if (compact == NULL || vector == NULL) {
        return fail_memory(ctx);
    }
    TRY(write_rewritten(ctx, job));
    TRY(write_compact(ctx, job));
    if (job->report.compact.size == 0) {
        unlink(vector); /* of another network */
        return PARE_OK;
    }
    return write_test_vector(ctx, job, compact, vector);
}
