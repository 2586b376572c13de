/* Runs passes to a fixed point and proves each step.
 *
 *   ┌─▶ every early pass, round after round until none changes anything ─┐
 *   └────────────────── changed ◀─── every late pass ◀───────────────────┘
 *
 * A pass that changed something must leave a graph that verifies, whose shapes infer, and (where asked) whose outputs
 * are the same numbers; otherwise its work is undone, a warning says so, and it is not tried again. */
#include "passes/numerics.h"
#include "passes/passes.h"
#include "passes/pipeline.h"

#include <stdlib.h>
#include <string.h>

/* Rounds until the fixed point; a network of known kind needs two or three. */
#define MAX_ROUNDS 64
#define MAX_DIFFERENCE 1e-4

struct run {
    const struct pipeline *pipeline;
    const struct pass_options *options;
    struct graph *graph;
    uint64_t disabled; /* a bit per pass */
    bool dumped;
    struct outputs *reference; /* of the graph as it stands, per sample; the last is of the made-up one */
    size_t compared;           /* entries of it: one less where no input can be made up */
};

static enum pare_status check_structure(struct context *ctx, struct graph *g) {
    TRY(graph_verify(ctx, g));
    return graph_infer(ctx, g);
}

static enum pare_status compute(struct context *ctx, const struct run *r, size_t sample, struct outputs *out) {
    return sample < r->options->sample_count ? outputs_of(ctx, r->graph, r->options->samples[sample], out)
                                             : outputs_compute(ctx, r->graph, r->options->seed, out);
}

static enum pare_status check_sample(struct context *ctx, const struct run *r, size_t sample) {
    struct outputs now;
    TRY(compute(ctx, r, sample, &now));
    double difference = outputs_difference(&r->reference[sample], &now);
    outputs_free(&now);
    return difference <= MAX_DIFFERENCE
               ? PARE_OK
               : fail(ctx, PARE_ERROR_INTERNAL, "outputs differ by %g of the largest", difference);
}

/* Against the outputs of the graph as it was given, so that small differences do not add up unseen. */
static enum pare_status check_numbers(struct context *ctx, struct run *r) {
    for (size_t i = 0; i < r->compared; i++) {
        TRY(check_sample(ctx, r, i));
    }
    return PARE_OK;
}

/* What no other graph would do better at, and what the caller asked for, ends the run. */
static bool is_final(enum pare_status status) {
    return status == PARE_ERROR_MEMORY || status == PARE_ERROR_INTERRUPTED;
}

/* Back to `snapshot`, whose constants live in the graph that is given up. */
static enum pare_status roll_back(struct context *ctx, struct run *r, size_t pass, const struct graph *snapshot) {
    struct graph *restored;
    context_warn(ctx, "pass %s is undone and left out: %s", r->pipeline->passes[pass].name, ctx->diag.message);
    context_clear(ctx);
    TRY(graph_clone(ctx, snapshot, false, &restored));
    graph_free(r->graph);
    r->graph = restored;
    r->disabled |= UINT64_C(1) << pass;
    return PARE_OK;
}

static enum pare_status run_checked(struct context *ctx, struct run *r, size_t pass, int *changes) {
    TRY(r->pipeline->passes[pass].run(ctx, r->graph, changes));
    if (*changes == 0) {
        return PARE_OK;
    }
    TRY(check_structure(ctx, r->graph));
    return check_numbers(ctx, r);
}

static enum pare_status dump(struct context *ctx, struct run *r, const char *name) {
    const char *wanted = r->options->dump_after;
    if (wanted == NULL || r->dumped || strcmp(wanted, name) != 0) {
        return PARE_OK;
    }
    r->dumped = true;
    return graph_print(ctx, r->graph, r->options->dump_to);
}

static enum pare_status run_pass(struct context *ctx, struct run *r, size_t pass, int *total) {
    struct graph *snapshot;
    int changes = 0;
    const struct pass *p = &r->pipeline->passes[pass];
    bool left_out = r->options->without != NULL && strcmp(r->options->without, p->name) == 0;
    left_out = left_out || (r->options->exact && p->rounds) || (r->options->opset > 0 && r->options->opset < p->since);
    if (left_out || (r->disabled >> pass & 1) != 0) {
        return PARE_OK;
    }
    TRY(graph_clone(ctx, r->graph, true, &snapshot));
    enum pare_status status = run_checked(ctx, r, pass, &changes);
    if (status != PARE_OK && !is_final(status)) {
        changes = 0;
        status = roll_back(ctx, r, pass, snapshot);
    }
    graph_free(snapshot);
    *total += changes;
    if (r->options->changes != NULL) {
        r->options->changes[pass] += changes;
    }
    return status != PARE_OK ? status : dump(ctx, r, r->pipeline->passes[pass].name);
}

static enum pare_status run_to_fixed_point(struct context *ctx, struct run *r) {
    int changes = 1;
    for (int round = 0; round < MAX_ROUNDS && changes > 0; round++) {
        changes = 0;
        for (size_t i = 0; i < r->pipeline->early; i++) {
            TRY(run_pass(ctx, r, i, &changes));
        }
        for (size_t i = r->pipeline->early; i < r->pipeline->count && changes == 0; i++) {
            TRY(run_pass(ctx, r, i, &changes));
        }
        if (context_cancelled(ctx)) {
            return fail(ctx, PARE_ERROR_INTERRUPTED, "interrupted while rewriting the graph");
        }
    }
    return PARE_OK;
}

/* Without made-up inputs the passes are still verified, but not compared. */
static enum pare_status make_reference(struct context *ctx, struct run *r) {
    if (!r->options->check_numerics) {
        return PARE_OK;
    }
    size_t samples = r->options->sample_count;
    r->reference = calloc(samples + 1, sizeof *r->reference);
    if (r->reference == NULL) {
        return fail_memory(ctx);
    }
    for (; r->compared < samples; r->compared++) {
        TRY(compute(ctx, r, r->compared, &r->reference[r->compared]));
    }
    enum pare_status status = compute(ctx, r, samples, &r->reference[samples]);
    if (status != PARE_OK && !is_final(status)) {
        context_warn(ctx, "rewrites are %s: %s",
                     samples > 0 ? "compared on the given samples alone" : "not compared numerically",
                     ctx->diag.message);
        context_clear(ctx);
        return PARE_OK;
    }
    r->compared += status == PARE_OK;
    return status;
}

static void free_reference(struct run *r) {
    for (size_t i = 0; i < r->compared; i++) {
        outputs_free(&r->reference[i]);
    }
    free(r->reference);
}

enum pare_status pipeline_run(struct context *ctx, struct graph **g, const struct pipeline *pipeline,
                              const struct pass_options *options) {
    struct run r = {.pipeline = pipeline, .options = options, .graph = *g};
    if (pipeline->count > 64) {
        return fail(ctx, PARE_ERROR_INTERNAL, "%zu passes, expected at most 64", pipeline->count);
    }
    enum pare_status status = check_structure(ctx, r.graph);
    if (status == PARE_OK) {
        status = make_reference(ctx, &r);
    }
    if (status == PARE_OK) {
        status = run_to_fixed_point(ctx, &r);
    }
    free_reference(&r);
    *g = r.graph;
    return status;
}
