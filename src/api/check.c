/* pare_check: a look over a model before anything is done with it. */
#include "api/input_shape.h"
#include "api/layers.h"
#include "api/narrow.h"
#include "base/file.h"
#include "onnx/onnx.h"
#include "passes/passes.h"
#include "quant/exchange.h"
#include "quant/lower.h"
#include "report/preflight.h"

#include <string.h>

struct check {
    struct arena arena;
    struct onnx_survey survey;
    struct scheme *scheme; /* NULL: none could be made */
    struct inspection model;
    struct layer_outlook *outlooks;
    bool open; /* dimensions beside the batch */
    struct pare_context *context;
};

/* ---- findings ---- */

static void note_warning(void *user, const char *message) {
    static const struct finding kind = {.kind = FINDING_WARNING};
    struct check *c = user;
    (void)findings_add(&c->context->base, &c->survey.findings, &kind, NULL, "%s", message);
}

/* A failure that keeps the model from being quantised, not from being read. */
static enum pare_status remark(struct context *ctx, struct check *c, bool blocks, enum pare_status status) {
    const struct finding kind = {.kind = FINDING_FLOAT,
                                 .blocks = blocks,
                                 .way_out = "until then the network runs in float, and cannot be quantised"};
    struct diag found = ctx->diag;
    if (status != PARE_ERROR_INPUT && status != PARE_ERROR_UNSUPPORTED) {
        return status;
    }
    context_clear(ctx);
    return findings_add(ctx, &c->survey.findings, &kind, NULL, "%s", found.message);
}

/* A free batch is no trouble: samples come one by one. */
static enum pare_status find_open_dims(struct context *ctx, struct check *c, const struct value *input) {
    char argument[256];
    const struct finding kind = {
        .kind = FINDING_SHAPE,
        .way_out = arena_format(&c->arena, "give its size (--input-shape %s, with numbers), or data of one shape",
                                input_shape_argument(input, argument, sizeof argument))};
    if (kind.way_out == NULL) {
        return fail_memory(ctx);
    }
    if (input->rank < 0) {
        c->open = true;
        return findings_add(ctx, &c->survey.findings, &kind, input->name, "an input of any rank");
    }
    for (int i = 1; i < input->rank; i++) {
        if (input->dims[i].value < 0) {
            const char *symbol = input->dims[i].symbol;
            c->open = true;
            TRY(findings_add(ctx, &c->survey.findings, &kind, input->name, "dimension %d%s%s%s is open", i,
                             symbol != NULL ? " (" : "", symbol != NULL ? symbol : "", symbol != NULL ? ")" : ""));
        }
    }
    return PARE_OK;
}

static enum pare_status find_inputs(struct context *ctx, struct check *c) {
    static const struct finding kind = {.kind = FINDING_FLOAT, .blocks = true, .way_out = OTHER_INPUT};
    const struct graph *g = c->survey.graph;
    for (int i = 0; i < g->input_count; i++) {
        const struct value *input = g->inputs[i];
        TRY(find_open_dims(ctx, c, input));
        if (input->type != DTYPE_FLOAT && input->type != DTYPE_NONE) {
            TRY(findings_add(ctx, &c->survey.findings, &kind, input->name, "an input of type %s",
                             dtype_name(input->type)));
        }
    }
    return PARE_OK;
}

/* ---- what becomes of it ---- */

/* Quantised by somebody else: `quantize` takes its codes as numbers. */
static enum pare_status read_as_numbers(struct context *ctx, struct check *c) {
    static const struct finding kind = {
        .kind = FINDING_WARNING,
        .way_out = "it runs operator by operator, with the codes of other runtimes; quantize quantises it again"};
    TRY(findings_add(ctx, &c->survey.findings, &kind, NULL,
                     "quantised already, with scales that are no powers of two or with zero points"));
    return passes_dequantize(ctx, &c->survey.graph);
}

static enum pare_status run_passes(struct context *ctx, struct check *c, const struct pass_options *options) {
    static const struct finding kind = {.kind = FINDING_SHAPE};
    bool fixed = false;
    TRY(passes_run_for_sample(ctx, &c->survey.graph, options, &fixed));
    return fixed ? findings_add(ctx, &c->survey.findings, &kind, NULL, BATCH_FIXED) : PARE_OK;
}

/* The graph as the search would get it. */
static enum pare_status rewrite(struct context *ctx, struct check *c) {
    struct pass_options options = {.check_numerics = false};
    bool quantized = graph_is_quantized(c->survey.graph);
    bool foreign = quantized && !import_recognises(c->survey.graph); /* as network_lower does */
    TRY(foreign ? passes_expand_quantized(ctx, &c->survey.graph) : PARE_OK);
    if (quantized && import_recognises(c->survey.graph)) {
        return remark(ctx, c, false, import_graph(ctx, &c->survey.graph, &c->scheme));
    }
    TRY(quantized ? read_as_numbers(ctx, c) : PARE_OK);
    TRY(passes_widen(ctx, &c->survey.graph));
    if (c->open) { /* which is a finding of its own */
        return passes_run(ctx, &c->survey.graph, &options);
    }
    TRY(run_passes(ctx, c, &options));
    return remark(ctx, c, true, scheme_new(ctx, c->survey.graph, &c->scheme));
}

static bool has_open_shape(const struct node *n) {
    struct shape shape;
    bool open = n->outputs[0] != NULL && !value_shape(n->outputs[0], 1, &shape);
    for (int i = 0; i < n->input_count; i++) {
        open = open || (n->inputs[i] != NULL && !value_shape(n->inputs[i], 1, &shape));
    }
    return open;
}

/* What keeps a step in float from standing between those in integers. */
static enum pare_status find_obstacle(struct context *ctx, struct check *c, const struct node *n) {
    static const struct finding kind = {
        .kind = FINDING_FLOAT, .blocks = true, .way_out = "it cannot be quantised with that; cut the model before it"};
    const char *what = NULL;
    TRY(lower_obstacle(ctx, &c->arena, n, &what));
    return what == NULL ? PARE_OK : findings_add(ctx, &c->survey.findings, &kind, n->name, "%s", what);
}

static enum pare_status look_at(struct context *ctx, struct check *c, const struct node *n, struct layer_outlook *out) {
    static const char *const texts[] = {
        [FATE_INTEGER] = "integers", [FATE_BOUNDS] = "bounds", [FATE_ADDEND] = "addend",
        [FATE_CUT] = "cut",          [FATE_FLOAT] = "float",   [FATE_UNKNOWN] = "unknown"};
    static const struct finding kind = {.kind = FINDING_FLOAT, .way_out = "it stays float, and out of the .pare file"};
    enum fate fate = lower_fate(&c->arena, c->scheme, n, &out->why);
    if (fate == FATE_FLOAT && c->open && has_open_shape(n)) {
        fate = FATE_UNKNOWN;
        out->why = "its shape is open";
    }
    out->becomes = texts[fate];
    TRY(fate == FATE_FLOAT && c->scheme != NULL ? find_obstacle(ctx, c, n) : PARE_OK);
    return fate != FATE_FLOAT ? PARE_OK
           : out->why == NULL ? fail_memory(ctx)
                              : findings_add(ctx, &c->survey.findings, &kind, n->name, "%s", out->why);
}

static enum pare_status look_at_all(struct context *ctx, struct check *c) {
    const struct graph *g = c->survey.graph;
    struct layer_outlook *next = ARENA_ARRAY(&c->arena, (size_t)g->node_count, struct layer_outlook);
    c->outlooks = next;
    if (next == NULL) {
        return fail_memory(ctx);
    }
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        TRY(look_at(ctx, c, n, next++));
    }
    TRY(ports_of_graph(ctx, &c->arena, g, &c->model));
    return layers_of_graph(ctx, &c->arena, g, &c->model);
}

static enum pare_status refuse_compact(struct context *ctx, const char *path) {
    struct file_map map;
    TRY(file_map(ctx, path, &map));
    bool compact = map.size >= 4 && memcmp(map.data, "PARE", 4) == 0;
    file_unmap(&map);
    return compact ? fail(ctx, PARE_ERROR_INPUT,
                          "%s: is a .pare file; check is for ONNX models, inspect tells about it", path)
                   : PARE_OK;
}

static enum pare_status look_over(struct context *ctx, struct check *c, const char *path,
                                  const struct pare_settings *settings) {
    TRY(refuse_compact(ctx, path));
    TRY(onnx_survey(ctx, &c->arena, path, &c->survey));
    if (c->survey.graph == NULL) {
        return PARE_OK;
    }
    TRY(settings == NULL ? PARE_OK : input_shapes_apply(ctx, settings->input_shapes, c->survey.graph));
    bool whole = !findings_block(&c->survey.findings);
    TRY(whole && !graph_is_quantized(c->survey.graph) ? graph_narrow(ctx, NULL, &c->survey.graph, NULL) : PARE_OK);
    TRY(find_inputs(ctx, c));
    TRY(whole ? rewrite(ctx, c) : PARE_OK);
    return look_at_all(ctx, c);
}

/* ---- the report ---- */

static enum pare_verdict verdict_of(const struct findings *f) {
    return findings_block(f) ? PARE_VERDICT_UNUSABLE : f->count > 0 ? PARE_VERDICT_REMARKS : PARE_VERDICT_FINE;
}

static enum pare_status write_report(struct context *ctx, struct check *c, enum pare_verdict *verdict,
                                     struct pare_report *report) {
    static const char *const texts[] = {"fine", "remarks", "unusable"};
    *verdict = verdict_of(&c->survey.findings);
    struct preflight preflight = {.verdict = texts[*verdict],
                                  .producer = c->survey.producer,
                                  .opset = c->survey.opset,
                                  .findings = &c->survey.findings,
                                  .model = &c->model,
                                  .outlooks = c->outlooks};
    TRY(preflight_text(ctx, &preflight, &report->text));
    TRY(preflight_json(ctx, &preflight, &report->json));
    return report_finish(ctx, report);
}

static enum pare_status check(struct context *ctx, struct check *c, const char *path,
                              const struct pare_settings *settings, enum pare_verdict *verdict,
                              struct pare_report *report) {
    const char *slash = strrchr(path, '/');
    c->model.file = slash == NULL ? path : slash + 1;
    c->model.kind = "ONNX";
    TRY(look_over(ctx, c, path, settings));
    return write_report(ctx, c, verdict, report);
}

enum pare_status pare_check(struct pare_context *context, const char *path, const struct pare_settings *settings,
                            enum pare_verdict *verdict, struct pare_report **out) {
    struct context *ctx = &context->base;
    void (*warn)(void *user, const char *message) = context->warn;
    void *warn_user = context->warn_user;
    struct check c = {.context = context};
    context_clear(ctx);
    TRY(report_new(ctx, out));
    arena_init(&c.arena);
    context->warn = note_warning;
    context->warn_user = &c;
    enum pare_status status = check(ctx, &c, path, settings, verdict, *out);
    context->warn = warn;
    context->warn_user = warn_user;
    scheme_free(c.scheme);
    graph_free(c.survey.graph);
    arena_free(&c.arena);
    if (status != PARE_OK) {
        pare_report_free(*out);
        *out = NULL;
    }
    return status;
}
