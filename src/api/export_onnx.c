/* pare_export to dialects of ONNX. */
#include "api/export.h"
#include "onnx/onnx.h"
#include "quant/certificate.h"
#include "quant/dialect.h"

/* What else a float runtime may round, beside the layers that dialect_integer knows. */
static void warn_of_others(struct context *ctx, const struct pare_network *n) {
    const struct program *p = n->program;
    for (uint32_t i = 0; i < p->op_count; i++) {
        bool layer =
            p->ops[i].kind == PARE_CONV || p->ops[i].kind == PARE_CONV_TRANSPOSE || p->ops[i].kind == PARE_DENSE;
        if (!layer && !op_exact_in_float32(p, &p->ops[i])) {
            context_warn(ctx,
                         "%s (%s) stays in float, where it may be rounded otherwise: it is no sum of products "
                         "with weights",
                         p->op_names[i], p->op_types[i]);
        }
    }
}

static enum pare_status translate(struct context *ctx, const struct pare_network *n, enum export_target target,
                                  struct graph *g) {
    int changed = 0;
    if (target == EXPORT_QONNX) {
        return dialect_qonnx(ctx, g);
    }
    if (target == EXPORT_INTEGER) {
        TRY(dialect_integer(ctx, n->scheme, g, &changed));
        warn_of_others(ctx, n);
        if (changed == 0) {
            context_warn(ctx, "%s: no layer needs integer operators: all sums are exact in float32", n->path);
        }
    }
    return PARE_OK;
}

static enum pare_status copy_metadata(struct context *ctx, const struct graph *from, struct graph *to) {
    for (int i = 0; i < from->metadata_count; i++) {
        TRY(graph_set_metadata(ctx, to, from->metadata[i].key, from->metadata[i].text));
    }
    return PARE_OK;
}

enum pare_status export_onnx(struct context *ctx, const struct pare_network *n, const struct pare_settings *settings,
                             const char *output, uint64_t *size) {
    struct onnx_write_options options = {.opset = settings->opset};
    struct graph *g = NULL;
    if (n->scheme == NULL || n->program == NULL) {
        return fail(ctx, PARE_ERROR_INPUT,
                    "%s: a %s; give an ONNX in fixed point, such as the model.onnx that quantize wrote", n->path,
                    network_kind_text(n->kind));
    }
    TRY(export_graph(ctx, n->scheme, &g));
    enum pare_status status = copy_metadata(ctx, n->graph, g);
    if (status == PARE_OK) {
        status = translate(ctx, n, settings->target, g);
    }
    if (status == PARE_OK) {
        status = onnx_write_file(ctx, g, &options, output, size);
    }
    graph_free(g);
    return status == PARE_OK ? PARE_OK : fail_at(ctx, "%s", n->path);
}
