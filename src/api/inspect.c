/* pare_inspect: a network of any kind described. */
#include "api/layers.h"

static enum pare_status describe(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                 struct inspection *out) {
    *out = (struct inspection){
        .file = network_file_name(n), .kind = network_kind_text(n->kind), .hash = n->hash, .metadata = n->metadata};
    TRY(ports_of_network(ctx, arena, n, out));
    return n->program != NULL ? layers_of_program(ctx, arena, n->program, out)
                              : layers_of_graph(ctx, arena, n->graph, out);
}

static enum pare_status fill_report(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                    struct pare_report *report) {
    struct inspection inspection;
    TRY(describe(ctx, arena, n, &inspection));
    TRY(inspection_text(ctx, &inspection, &report->text));
    TRY(inspection_json(ctx, &inspection, &report->json));
    return report_finish(ctx, report);
}

enum pare_status pare_inspect(struct pare_context *context, const struct pare_network *network,
                              struct pare_report **out) {
    struct context *ctx = &context->base;
    context_clear(ctx);
    TRY(report_new(ctx, out));
    struct arena arena;
    arena_init(&arena);
    enum pare_status status = fill_report(ctx, &arena, network, *out);
    arena_free(&arena);
    if (status != PARE_OK) {
        pare_report_free(*out);
        *out = NULL;
    }
    return status;
}
