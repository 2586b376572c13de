/* An ONNX that pare rewrote, back to the integer program that it stands for. */
#include "api/network.h"
#include "api/tail.h"
#include "passes/passes.h"
#include "quant/exchange.h"
#include "quant/lower.h"

static enum pare_status lower_network(struct context *ctx, struct pare_network *n, struct graph **graph) {
    TRY(import_graph(ctx, graph, &n->scheme));
    TRY(lower(ctx, n->scheme, &n->program));
    return tails_of_scheme(ctx, n);
}

/* Operator by operator, with the codes that other runtimes compute. */
static enum pare_status run_as_it_is(struct context *ctx, struct pare_network *n) {
    TRY(graph_clone(ctx, n->graph, true, &n->runnable));
    return passes_fuse_quantized(ctx, &n->runnable);
}

/* Files of others may use what pare does not. */
enum pare_status network_lower(struct context *ctx, struct pare_network *n) {
    struct graph *graph;
    TRY(graph_clone(ctx, n->graph, true, &graph));
    /* A file of pare is taken as it is: a rounding that nobody reads belongs to its scheme, too. */
    enum pare_status status = import_recognises(graph) ? PARE_OK : passes_expand_quantized(ctx, &graph);
    if (status != PARE_OK || !import_recognises(graph)) {
        graph_free(graph);
        TRY(status);
        context_warn(ctx, "%s: its scales are not powers of two or it has zero points: it runs operator by operator",
                     n->path);
        return run_as_it_is(ctx, n);
    }
    status = lower_network(ctx, n, &graph);
    n->lowered_graph = graph;
    if (status == PARE_ERROR_UNSUPPORTED) {
        context_warn(ctx, "%s: it runs operator by operator: %s", n->path, ctx->diag.message);
        context_clear(ctx);
        network_drop_program(n);
        return run_as_it_is(ctx, n);
    }
    return status;
}

void network_drop_program(struct pare_network *n) {
    tails_free(n);
    program_free(n->program);
    scheme_free(n->scheme);
    graph_free(n->lowered_graph);
    n->program = NULL;
    n->scheme = NULL;
    n->lowered_graph = NULL;
}
