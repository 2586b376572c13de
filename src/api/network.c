/* Opening a file of any kind, told apart by content. */
#include "api/network.h"

#include "api/tail.h"
#include "base/file.h"
#include "onnx/onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool graph_is_quantized(const struct graph *g) {
    static const char *const operators[] = {"ConvInteger",   "DequantizeLinear", "DynamicQuantizeLinear",
                                            "MatMulInteger", "QLinearConv",      "QLinearMatMul",
                                            "Quant",         "QuantizeLinear"};
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
            if (node_is(n, operators[i])) {
                return true;
            }
        }
    }
    return false;
}

void port_of_value(const struct value *v, struct port *p) {
    *p = (struct port){.name = v->name, .type = v->type, .rank = v->rank};
    memcpy(p->dims, v->dims, sizeof p->dims);
}

static enum pare_status take_ports(struct context *ctx, struct pare_network *n) {
    const struct graph *g = n->graph;
    n->inputs = ARENA_ARRAY(&n->arena, (size_t)g->input_count, struct port);
    n->outputs = ARENA_ARRAY(&n->arena, (size_t)g->output_count, struct port);
    if (n->inputs == NULL || n->outputs == NULL) {
        return fail_memory(ctx);
    }
    n->input_count = g->input_count;
    n->output_count = g->output_count;
    for (int i = 0; i < g->input_count; i++) {
        port_of_value(g->inputs[i], &n->inputs[i]);
    }
    for (int i = 0; i < g->output_count; i++) {
        port_of_value(g->outputs[i], &n->outputs[i]);
    }
    return PARE_OK;
}

static const char *graph_metadata(const struct graph *g, const char *key) {
    for (int i = 0; i < g->metadata_count; i++) {
        if (strcmp(g->metadata[i].key, key) == 0) {
            return g->metadata[i].text;
        }
    }
    return NULL;
}

static enum pare_status open_onnx(struct context *ctx, struct pare_network *n, const struct open_options *how) {
    struct onnx_source source = {.hashed = !how->graph_only};
    TRY(onnx_read_from(ctx, n->path, &source, &n->graph));
    n->hash = source.hash;
    n->file_bytes = source.bytes;
    n->opset = source.opset;
    TRY(input_shapes_apply(ctx, how->shapes, n->graph));
    TRY(take_ports(ctx, n));
    if (how->graph_only) {
        return PARE_OK;
    }
    if (graph_is_quantized(n->graph)) {
        n->kind = PARE_NETWORK_REWRITTEN;
        n->metadata = graph_metadata(n->graph, NETWORK_METADATA_KEY);
        return network_lower(ctx, n);
    }
    return PARE_OK;
}

void port_open_batch(struct port *p) {
    if (p->rank > 0) {
        p->dims[0] = (struct dim){.value = -1, .symbol = "N"};
    }
}

static void port_of_program(const struct program *p, uint32_t index, const char *fallback, struct port *out) {
    const struct pare_value *v = &p->values[index];
    const char *name = p->value_names != NULL ? p->value_names[index] : NULL;
    *out = (struct port){.name = name != NULL ? name : fallback, .type = DTYPE_FLOAT, .rank = v->rank};
    for (int i = 0; i < v->rank; i++) {
        out->dims[i].value = v->dims[i];
    }
    port_open_batch(out);
}

static enum pare_status ports_of_program(struct context *ctx, struct pare_network *n) {
    const struct program *p = n->program;
    n->inputs = ARENA_ARRAY(&n->arena, p->input_count, struct port);
    n->outputs = ARENA_ARRAY(&n->arena, p->output_count, struct port);
    if (n->inputs == NULL || n->outputs == NULL) {
        return fail_memory(ctx);
    }
    n->input_count = (int)p->input_count;
    n->output_count = (int)p->output_count;
    for (uint32_t i = 0; i < p->input_count; i++) {
        port_of_program(p, p->inputs[i], arena_format(&n->arena, "input_%u", (unsigned)i), &n->inputs[i]);
    }
    for (uint32_t i = 0; i < p->output_count; i++) {
        port_of_program(p, p->outputs[i], arena_format(&n->arena, "output_%u", (unsigned)i), &n->outputs[i]);
    }
    return PARE_OK;
}

static enum pare_status open_compact(struct context *ctx, struct pare_network *n, const struct file_map *map) {
    n->kind = PARE_NETWORK_COMPACT;
    n->hash = hash_of(map->data, map->size, 0);
    TRY(program_read(ctx, n->path, map->data, map->size, &n->program));
    n->metadata = n->program->metadata;
    TRY(ports_of_program(ctx, n));
    return tails_read(ctx, n);
}

static enum pare_status open_mapped(struct context *ctx, struct pare_network *n, const struct file_map *map,
                                    const struct open_options *how) {
    if (map->size >= 4 && memcmp(map->data, "PARE", 4) == 0) {
        return open_compact(ctx, n, map);
    }
    if (map->size > 0 && onnx_recognise(map->data, map->size)) {
        return open_onnx(ctx, n, how);
    }
    return fail(ctx, PARE_ERROR_INPUT, "%s: neither an ONNX model nor a .pare file (%zu bytes)", n->path, map->size);
}

static bool folder_has(struct arena *arena, const char *folder, const char *name) {
    const char *inside = arena_format(arena, "%s/%s", folder, name);
    return inside != NULL && file_exists(inside);
}

/* The folder of quantize, or of export, instead of a file. */
static enum pare_status refuse_folder(struct context *ctx, struct pare_network *n) {
    const char *path = n->path;
    TRY(check_exported_folder(ctx, path));
    if (folder_has(&n->arena, path, "model.pare")) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: is a folder; give %s/model.pare", path, path);
    }
    if (folder_has(&n->arena, path, "model.onnx")) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: is a folder; give %s/model.onnx%s", path, path,
                    folder_has(&n->arena, path, "report.json") ? " (there is no model.pare: " NO_COMPACT ")" : "");
    }
    return fail(ctx, PARE_ERROR_INPUT, "%s: is a folder; give a model's file", path);
}

/* The model.pare that quantize did not write. */
static enum pare_status refuse_missing(struct context *ctx, struct pare_network *n) {
    const char *name = network_file_name(n);
    const char *folder = name == n->path ? "." : arena_format(&n->arena, "%.*s", (int)(name - n->path - 1), n->path);
    if (strcmp(name, "model.pare") != 0 || folder == NULL || !folder_has(&n->arena, folder, "report.json")) {
        return PARE_OK;
    }
    return fail(ctx, PARE_ERROR_INPUT, "%s: there is no such file: " NO_COMPACT, n->path);
}

static enum pare_status open_path(struct context *ctx, struct pare_network *n, const char *path,
                                  const struct open_options *how) {
    n->path = arena_string(&n->arena, path);
    if (n->path == NULL) {
        return fail_memory(ctx);
    }
    if (file_is_directory(path)) {
        return refuse_folder(ctx, n);
    }
    if (!file_exists(path)) {
        TRY(refuse_missing(ctx, n));
    }
    struct file_map map;
    TRY(file_map(ctx, path, &map));
    enum pare_status status = open_mapped(ctx, n, &map, how);
    file_unmap(&map);
    return status;
}

enum pare_status network_open(struct context *ctx, const char *path, const struct open_options *how,
                              struct pare_network **out) {
    *out = NULL;
    struct pare_network *n = calloc(1, sizeof *n);
    if (n == NULL) {
        return fail_memory(ctx);
    }
    arena_init(&n->arena);
    enum pare_status status = open_path(ctx, n, path, how);
    if (status != PARE_OK) {
        pare_network_free(n);
        return status;
    }
    *out = n;
    return PARE_OK;
}

enum pare_status pare_network_open(struct pare_context *context, const char *path, struct pare_network **out) {
    context_clear(&context->base);
    return network_open(&context->base, path, &(struct open_options){0}, out);
}

enum pare_status pare_network_open_with(struct pare_context *context, const char *path,
                                        const struct pare_settings *settings, struct pare_network **out) {
    context_clear(&context->base);
    struct open_options how = {.shapes = settings == NULL ? NULL : settings->input_shapes};
    return network_open(&context->base, path, &how, out);
}

const char *network_file_name(const struct pare_network *n) {
    const char *slash = strrchr(n->path, '/');
    return slash != NULL ? slash + 1 : n->path;
}

enum pare_status check_exported_folder(struct context *ctx, const char *folder) {
    struct arena arena;
    arena_init(&arena);
    bool exported = folder_has(&arena, folder, "check_model.c");
    arena_free(&arena);
    return !exported ? PARE_OK
                     : fail(ctx, PARE_ERROR_INPUT,
                            "%s: is a folder that export wrote; make -C %s check checks it, with a C compiler", folder,
                            folder);
}

enum pare_status check_quantized_folder(struct context *ctx, const char *folder) {
    const char *slash = strrchr(folder, '/');
    if (!file_exists(folder) || file_is_directory(folder)) {
        return check_exported_folder(ctx, folder);
    }
    return fail(ctx, PARE_ERROR_INPUT, "%s: is a file; give the folder that quantize wrote: %.*s", folder,
                slash != NULL ? (int)(slash - folder) : 1, slash != NULL ? folder : ".");
}

const char *network_kind_text(enum pare_network_kind kind) {
    static const char *const texts[] = {[PARE_NETWORK_FLOAT] = "float ONNX",
                                        [PARE_NETWORK_REWRITTEN] = "rewritten ONNX",
                                        [PARE_NETWORK_COMPACT] = ".pare"};
    return texts[kind];
}

void pare_network_free(struct pare_network *n) {
    if (n == NULL) {
        return;
    }
    network_drop_program(n);
    graph_free(n->graph);
    graph_free(n->runnable);
    arena_free(&n->arena);
    free(n);
}

enum pare_network_kind pare_network_kind(const struct pare_network *network) {
    return network->kind;
}

const struct port *network_input(const struct pare_network *n, const char *name) {
    for (int i = 0; i < n->input_count; i++) {
        if (strcmp(n->inputs[i].name, name) == 0) {
            return &n->inputs[i];
        }
    }
    return NULL;
}

/* Appends to a text of limited size; what does not fit is cut. */
static size_t append(char *text, size_t size, size_t at, const char *piece) {
    if (at + 1 < size) {
        snprintf(text + at, size - at, "%s", piece);
        at += strlen(text + at);
    }
    return at;
}

char *port_shape(const struct port *p, char *text, size_t size) {
    size_t at = append(text, size, 0, p->rank < 0 ? "of any shape" : "[");
    for (int i = 0; i < p->rank; i++) {
        char number[32];
        snprintf(number, sizeof number, "%lld", (long long)p->dims[i].value);
        const char *symbol = p->dims[i].symbol != NULL ? p->dims[i].symbol : "?";
        at = append(text, size, at, i > 0 ? "," : "");
        at = append(text, size, at, p->dims[i].value >= 0 ? number : symbol);
    }
    append(text, size, at, p->rank < 0 ? "" : "]");
    return text;
}

char *port_text(const struct port *p, char *text, size_t size) {
    char shape[256];
    snprintf(text, size, "%s %s", dtype_name(p->type), port_shape(p, shape, sizeof shape));
    return text;
}

char *network_inputs_text(const struct pare_network *n, char *text, size_t size) {
    size_t at = append(text, size, 0, "");
    for (int i = 0; i < n->input_count; i++) {
        char shape[256];
        at = append(text, size, at, i > 0 ? ", '" : "'");
        at = append(text, size, at, n->inputs[i].name);
        at = append(text, size, at, "' ");
        at = append(text, size, at, port_text(&n->inputs[i], shape, sizeof shape));
    }
    return text;
}
