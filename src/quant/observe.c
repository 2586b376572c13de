#include "quant/observe.h"

#include "base/parallel.h"
#include "float/float.h"

#include <stdlib.h>

struct run {
    const struct graph *graph;
    const struct sample_source *source;
    size_t first;
    sample_observer *observer;
    void *user;
    struct tensor **inputs; /* [workers][graph inputs] */
};

struct sample_run {
    const struct run *run;
    struct observation observation;
};

static enum pare_status observe(void *user, struct context *ctx, const struct value *v, const struct tensor *t) {
    const struct sample_run *s = user;
    bool is_inner = v->graph != s->run->graph; /* of a subgraph */
    return is_inner ? PARE_OK : s->run->observer(s->run->user, ctx, &s->observation, v, t);
}

static enum pare_status run_sample(void *user, struct context *ctx, size_t i, int worker) {
    const struct run *r = user;
    struct sample_run s = {r, {r->first + i, worker}};
    size_t number = s.observation.number;
    size_t sample = r->source->samples == NULL ? number : r->source->samples[number];
    TRY(r->source->load(r->source->user, ctx, sample, r->inputs[worker]));
    struct tensor *outputs = calloc((size_t)r->graph->output_count + 1, sizeof(*outputs));
    if (outputs == NULL) {
        return fail_memory(ctx);
    }
    enum pare_status status = float_run(ctx, r->graph, r->inputs[worker], outputs, observe, &s);
    for (int k = 0; k < r->graph->output_count; k++) {
        tensor_free(&outputs[k]);
    }
    free(outputs);
    return status;
}

size_t channel_size(const struct tensor *t) {
    size_t size = 1;
    for (int i = 2; i < t->shape.rank; i++) {
        size *= (size_t)t->shape.dim[i];
    }
    return size;
}

enum pare_status observe_inputs(struct context *ctx, struct arena *a, const struct graph *g, struct tensor **out) {
    *out = ARENA_ARRAY(a, (size_t)g->input_count + 1, struct tensor);
    if (*out == NULL) {
        return fail_memory(ctx);
    }
    for (int i = 0; i < g->input_count; i++) {
        struct shape shape;
        if (!value_shape(g->inputs[i], 1, &shape)) {
            return fail(ctx, PARE_ERROR_UNSUPPORTED,
                        "%s: its shape is not fixed for one sample; give the input's (--input-shape), or cut the model "
                        "before it",
                        g->inputs[i]->name);
        }
        TRY(tensor_new(ctx, a, g->inputs[i]->type, &shape, &(*out)[i]));
    }
    return PARE_OK;
}

static enum pare_status run_all(struct context *ctx, struct arena *a, struct run *r, size_t count) {
    size_t workers = ctx->threads > 1 ? (size_t)ctx->threads : 1;
    r->inputs = ARENA_ARRAY(a, workers, struct tensor *);
    if (r->inputs == NULL) {
        return fail_memory(ctx);
    }
    for (size_t w = 0; w < workers; w++) {
        TRY(observe_inputs(ctx, a, r->graph, &r->inputs[w]));
    }
    return parallel_for(ctx, count, run_sample, r);
}

enum pare_status observe_samples(struct context *ctx, const struct graph *g, const struct sample_source *source,
                                 size_t first, size_t count, sample_observer *observer, void *user) {
    struct run r = {.graph = g, .source = source, .first = first, .observer = observer, .user = user};
    struct arena arena;
    arena_init(&arena);
    enum pare_status status = run_all(ctx, &arena, &r, count);
    arena_free(&arena);
    return status;
}
