/* The standard pipeline.
 *
 *   ┌─▶ every pass of `early`, round after round until none changes anything ─┐
 *   └──────────────────── changed ◀─── every pass of `late` ◀─────────────────┘
 *
 * A pass that changed something must leave a graph that verifies, whose shapes infer, and (where asked) whose outputs
 * are the same numbers; otherwise its work is undone, a warning says so, and it is not tried again. */
#include "passes/numerics.h"
#include "passes/passes.h"
#include "passes/pipeline.h"

#include <string.h>

static const struct pass passes[] = {
    {"constant_fold", pass_constant_fold},
    {"identity", pass_identity},
    {"reshape_cleanup", pass_reshape_cleanup},
    {"hard_activation", pass_hard_activation},
    {"relu_clip", pass_relu_clip},
    {"resolve_auto_pad", pass_resolve_auto_pad},
    {"transpose", pass_transpose},
    {"pad_into_conv", pass_pad_into_conv},
    {"matmul_to_gemm", pass_matmul_to_gemm},
    {"transpose_into_weights", pass_transpose_into_weights},
    {"div_to_mul", pass_div_to_mul},
    {"fold_batch_normalization", pass_fold_batch_normalization},
    {"batch_normalization_forward", pass_batch_normalization_forward},
    {"dead_code", pass_dead_code},
    /* late: what the early ones could not fold */
    {"batch_normalization_to_conv", pass_batch_normalization_to_conv},
};

#define PASS_COUNT (sizeof passes / sizeof passes[0])
#define EARLY_COUNT (PASS_COUNT - 1)
/* Rounds until the fixed point; a network of known kind needs two or three. */
#define MAX_ROUNDS 64
#define MAX_DIFFERENCE 1e-4

struct pipeline {
    struct graph *graph;
    const struct pass_options *options;
    bool disabled[PASS_COUNT];
    bool dumped;
    bool compares;            /* numbers are compared; off where no input can be made up */
    struct outputs reference; /* of the graph as it stands */
};

const struct pass *passes_list(size_t *count) {
    *count = PASS_COUNT;
    return passes;
}

static const struct pass *find_pass(const char *name) {
    for (size_t i = 0; i < PASS_COUNT; i++) {
        if (strcmp(passes[i].name, name) == 0) {
            return &passes[i];
        }
    }
    return NULL;
}

static enum pare_status check_structure(struct context *ctx, struct graph *g) {
    TRY(graph_verify(ctx, g));
    return graph_infer(ctx, g);
}

static enum pare_status check_numbers(struct context *ctx, struct pipeline *p) {
    struct outputs now;
    if (!p->compares) {
        return PARE_OK;
    }
    TRY(outputs_compute(ctx, p->graph, p->options->seed, &now));
    double difference = outputs_difference(&p->reference, &now);
    if (!(difference <= MAX_DIFFERENCE)) {
        outputs_free(&now);
        return fail(ctx, PARE_ERROR_INTERNAL, "outputs differ by %g of the largest", difference);
    }
    outputs_free(&p->reference);
    p->reference = now;
    return PARE_OK;
}

/* What no other graph would do better at, and what the caller asked for, ends the run. */
static bool is_final(enum pare_status status) {
    return status == PARE_ERROR_MEMORY || status == PARE_ERROR_INTERRUPTED;
}

/* Back to `snapshot`, whose constants live in the graph that is given up. */
static enum pare_status roll_back(struct context *ctx, struct pipeline *p, size_t pass, const struct graph *snapshot) {
    struct graph *restored;
    context_warn(ctx, "pass %s is undone and left out: %s", passes[pass].name, ctx->diag.message);
    context_clear(ctx);
    TRY(graph_clone(ctx, snapshot, false, &restored));
    graph_free(p->graph);
    p->graph = restored;
    p->disabled[pass] = true;
    return PARE_OK;
}

static enum pare_status run_checked(struct context *ctx, struct pipeline *p, size_t pass, int *changes) {
    TRY(passes[pass].run(ctx, p->graph, changes));
    if (*changes == 0) {
        return PARE_OK;
    }
    TRY(check_structure(ctx, p->graph));
    return check_numbers(ctx, p);
}

static enum pare_status dump(struct context *ctx, struct pipeline *p, const char *name) {
    const char *wanted = p->options->dump_after;
    if (wanted == NULL || p->dumped || strcmp(wanted, name) != 0) {
        return PARE_OK;
    }
    p->dumped = true;
    return graph_print(ctx, p->graph, p->options->dump_to);
}

static enum pare_status run_pass(struct context *ctx, struct pipeline *p, size_t pass, int *total) {
    struct graph *snapshot;
    int changes = 0;
    if (p->disabled[pass]) {
        return PARE_OK;
    }
    TRY(graph_clone(ctx, p->graph, true, &snapshot));
    enum pare_status status = run_checked(ctx, p, pass, &changes);
    if (status != PARE_OK && !is_final(status)) {
        changes = 0;
        status = roll_back(ctx, p, pass, snapshot);
    }
    graph_free(snapshot);
    *total += changes;
    return status != PARE_OK ? status : dump(ctx, p, passes[pass].name);
}

static enum pare_status run_to_fixed_point(struct context *ctx, struct pipeline *p) {
    int changes = 1;
    for (int round = 0; round < MAX_ROUNDS && changes > 0; round++) {
        changes = 0;
        for (size_t i = 0; i < EARLY_COUNT; i++) {
            TRY(run_pass(ctx, p, i, &changes));
        }
        for (size_t i = EARLY_COUNT; i < PASS_COUNT && changes == 0; i++) {
            TRY(run_pass(ctx, p, i, &changes));
        }
        if (context_cancelled(ctx)) {
            return fail(ctx, PARE_ERROR_INTERRUPTED, "interrupted while rewriting the graph");
        }
    }
    return PARE_OK;
}

/* Without made-up inputs the passes are still verified, but not compared. */
static enum pare_status make_reference(struct context *ctx, struct pipeline *p) {
    if (!p->options->check_numerics) {
        return PARE_OK;
    }
    enum pare_status status = outputs_compute(ctx, p->graph, p->options->seed, &p->reference);
    if (status != PARE_OK && !is_final(status)) {
        context_warn(ctx, "rewrites are not compared numerically: %s", ctx->diag.message);
        context_clear(ctx);
        return PARE_OK;
    }
    p->compares = status == PARE_OK;
    return status;
}

enum pare_status passes_run(struct context *ctx, struct graph **g, const struct pass_options *options) {
    struct pipeline p = {.graph = *g, .options = options};
    if (options->dump_after != NULL && find_pass(options->dump_after) == NULL) {
        return fail(ctx, PARE_ERROR_USAGE, "%s: no pass of this name", options->dump_after);
    }
    enum pare_status status = check_structure(ctx, p.graph);
    if (status == PARE_OK) {
        status = make_reference(ctx, &p);
    }
    if (status == PARE_OK) {
        status = run_to_fixed_point(ctx, &p);
    }
    outputs_free(&p.reference);
    *g = p.graph;
    return status;
}

enum pare_status passes_run_one(struct context *ctx, struct graph *g, const char *name, int *changes) {
    const struct pass *pass = find_pass(name);
    if (pass == NULL) {
        return fail(ctx, PARE_ERROR_USAGE, "%s: no pass of this name", name);
    }
    TRY(check_structure(ctx, g));
    TRY(pass->run(ctx, g, changes));
    return check_structure(ctx, g);
}
