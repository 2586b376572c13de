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
    bool compares;            /* numbers are compared; off where no input can be made up */
    struct outputs reference; /* of the graph as it stands */
};

static enum pare_status check_structure(struct context *ctx, struct graph *g) {
    TRY(graph_verify(ctx, g));
    return graph_infer(ctx, g);
}

static enum pare_status check_numbers(struct context *ctx, struct run *r) {
    struct outputs now;
    if (!r->compares) {
        return PARE_OK;
    }
    TRY(outputs_compute(ctx, r->graph, r->options->seed, &now));
    double difference = outputs_difference(&r->reference, &now);
    if (!(difference <= MAX_DIFFERENCE)) {
        outputs_free(&now);
        return fail(ctx, PARE_ERROR_INTERNAL, "outputs differ by %g of the largest", difference);
    }
    outputs_free(&r->reference);
    r->reference = now;
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
    bool left_out = r->options->without != NULL && strcmp(r->options->without, r->pipeline->passes[pass].name) == 0;
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
    enum pare_status status = outputs_compute(ctx, r->graph, r->options->seed, &r->reference);
    if (status != PARE_OK && !is_final(status)) {
        context_warn(ctx, "rewrites are not compared numerically: %s", ctx->diag.message);
        context_clear(ctx);
        return PARE_OK;
    }
    r->compares = status == PARE_OK;
    return status;
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
    outputs_free(&r.reference);
    *g = r.graph;
    return status;
}
