/* Bytes to graphs and tensors. */
#define _XOPEN_SOURCE 700 /* realpath */ // NOLINT(bugprone-reserved-identifier)

#include "onnx/decode.h"
#include "onnx/import.h"
#include "onnx/onnx.h"
#include "onnx/scan.h"
#include "onnx/strip.h"

#include "base/bytes.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

/* Scans, strips, then unpacks; free with protobuf_c_message_free_unpacked. `external` finds what was stripped. */
static enum pare_status unpack(struct context *ctx, const ProtobufCMessageDescriptor *type, const void *data,
                               size_t size, struct external *external, ProtobufCMessage **out) {
    struct buffer small;
    if (size == 0) {
        return fail(ctx, PARE_ERROR_INPUT, "is empty");
    }
    TRY(onnx_scan(ctx, type, data, size));
    buffer_init(&small);
    enum pare_status status = onnx_strip(ctx, type, data, size, &small);
    *out = status == PARE_OK ? protobuf_c_message_unpack(type, NULL, small.size, small.data) : NULL;
    buffer_free(&small);
    external->model = data;
    external->model_size = size;
    TRY(status);
    return *out == NULL ? fail(ctx, PARE_ERROR_INPUT, "is no %s of ONNX, or memory is short", type->short_name)
                        : PARE_OK;
}

/* The part of a path before its last slash, "." when it has none. */
static const char *folder_of(struct arena *a, const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? arena_string(a, ".") : arena_string_n(a, path, slash == path ? 1 : (size_t)(slash - path));
}

/* Where the path leads after symbolic links; NULL when that is nowhere. */
static const char *linked_folder_of(struct arena *a, const char *path) {
    char *resolved = realpath(path, NULL);
    const char *folder = resolved == NULL ? NULL : folder_of(a, resolved);
    free(resolved);
    return folder;
}

static enum pare_status import(struct import *im, const void *data, size_t size, struct graph **out) {
    ProtobufCMessage *model = NULL;
    TRY(unpack(im->ctx, &onnx__model_proto__descriptor, data, size, &im->external, &model));
    enum pare_status status = import_model(im, (const Onnx__ModelProto *)model);
    external_close(&im->external);
    protobuf_c_message_free_unpacked(model, NULL);
    if (status != PARE_OK) {
        graph_free(im->graph);
        return status;
    }
    *out = im->graph;
    return PARE_OK;
}

/* ---- what stands in the way ---- */

static enum pare_status describe(struct context *ctx, struct arena *a, const Onnx__ModelProto *model,
                                 struct onnx_survey *out) {
    const char *name = model->producer_name == NULL ? "" : model->producer_name;
    const char *version = model->producer_version == NULL ? "" : model->producer_version;
    out->producer = arena_format(a, "%.64s%s%.64s", name, name[0] == '\0' || version[0] == '\0' ? "" : " ", version);
    out->ir_version = model->ir_version;
    for (size_t i = 0; i < model->n_opset_import; i++) {
        if (import_is_default_domain(model->opset_import[i]->domain)) {
            out->opset = model->opset_import[i]->version;
        }
    }
    return out->producer == NULL ? fail_memory(ctx) : PARE_OK;
}

/* A fault that ends even a survey becomes its last finding. */
static enum pare_status survey_model(struct import *im, const Onnx__ModelProto *model, struct onnx_survey *out) {
    TRY(describe(im->ctx, im->missing.arena, model, out));
    enum pare_status status = import_model(im, model);
    if (status == PARE_OK) {
        out->graph = im->graph;
        return PARE_OK;
    }
    graph_free(im->graph);
    return import_tolerate(im, status, FINDING_STRUCTURE);
}

static enum pare_status survey(struct import *im, const struct file_map *map, struct onnx_survey *out) {
    ProtobufCMessage *model = NULL;
    TRY(unpack(im->ctx, &onnx__model_proto__descriptor, map->data, map->size, &im->external, &model));
    enum pare_status status = survey_model(im, (const Onnx__ModelProto *)model, out);
    external_close(&im->external);
    protobuf_c_message_free_unpacked(model, NULL);
    out->findings = im->missing;
    return status;
}

enum pare_status onnx_survey(struct context *ctx, struct arena *a, const char *path, struct onnx_survey *out) {
    struct file_map map;
    struct arena scratch;
    *out = (struct onnx_survey){.findings = {.arena = a}};
    TRY(file_map(ctx, path, &map));
    arena_init(&scratch);
    struct import im = {.ctx = ctx, .scratch = &scratch, .missing = out->findings, .survey = true};
    im.external = (struct external){.arena = &scratch,
                                    .folder = folder_of(&scratch, path),
                                    .linked_folder = linked_folder_of(&scratch, path),
                                    .mapped = true};
    enum pare_status status = im.external.folder == NULL ? fail_memory(ctx) : survey(&im, &map, out);
    arena_free(&scratch);
    file_unmap(&map);
    return status == PARE_OK ? PARE_OK : fail_at(ctx, "%s", path);
}

static enum pare_status parse(struct context *ctx, const char *place, const void *data, size_t size,
                              const struct external *external, struct onnx_source *source, struct graph **out) {
    struct arena scratch;
    arena_init(&scratch);
    struct import im = {.ctx = ctx, .scratch = &scratch, .external = *external, .missing = {.arena = &scratch}};
    im.external.arena = &scratch;
    im.external.hash = source->hash;
    enum pare_status status = import(&im, data, size, out);
    *source = (struct onnx_source){
        .hashed = source->hashed, .hash = im.external.hash, .bytes = size + im.external.bytes, .opset = im.opset};
    arena_free(&scratch);
    return status == PARE_OK ? PARE_OK : fail_at(ctx, "%s", place);
}

enum pare_status onnx_parse(struct context *ctx, const char *place, const void *data, size_t size, const char *folder,
                            struct graph **out) {
    struct onnx_source source = {0};
    return parse(ctx, place, data, size, &(struct external){.folder = folder}, &source, out);
}

enum pare_status onnx_read_from(struct context *ctx, const char *path, struct onnx_source *source, struct graph **out) {
    struct file_map map;
    struct arena paths;
    TRY(file_map(ctx, path, &map));
    arena_init(&paths);
    source->hash = source->hashed ? hash_of(map.data, map.size, 0) : 0;
    struct external external = {.folder = folder_of(&paths, path),
                                .linked_folder = linked_folder_of(&paths, path),
                                .mapped = true,
                                .hashed = source->hashed};
    enum pare_status status =
        external.folder == NULL ? fail_memory(ctx) : parse(ctx, path, map.data, map.size, &external, source, out);
    arena_free(&paths);
    file_unmap(&map);
    return status;
}

enum pare_status onnx_read(struct context *ctx, const char *path, struct graph **out) {
    struct onnx_source source = {.hashed = false};
    return onnx_read_from(ctx, path, &source, out);
}

/* ---- tensors ---- */

static enum pare_status decode_named(struct context *ctx, struct arena *a, struct external *external,
                                     const Onnx__TensorProto *proto, struct named_tensor *out) {
    out->name = arena_string(a, proto->name == NULL ? "" : proto->name);
    if (external->folder == NULL || out->name == NULL) {
        return fail_memory(ctx);
    }
    enum pare_status status = onnx_decode_tensor(ctx, a, external, proto, &out->tensor);
    external_close(external);
    return status;
}

static enum pare_status parse_tensor(struct context *ctx, struct arena *a, const char *path, const struct file_map *map,
                                     struct named_tensor *out) {
    ProtobufCMessage *proto = NULL;
    struct arena scratch;
    struct external external = {.arena = &scratch, .mapped = true};
    enum pare_status status = unpack(ctx, &onnx__tensor_proto__descriptor, map->data, map->size, &external, &proto);
    if (proto == NULL) {
        return status;
    }
    arena_init(&scratch);
    external.folder = folder_of(&scratch, path);
    status = decode_named(ctx, a, &external, (const Onnx__TensorProto *)proto, out);
    arena_free(&scratch);
    protobuf_c_message_free_unpacked(proto, NULL);
    return status;
}

enum pare_status onnx_read_tensor(struct context *ctx, struct arena *a, const char *path, struct named_tensor *out) {
    struct file_map map;
    TRY(file_map(ctx, path, &map));
    enum pare_status status = parse_tensor(ctx, a, path, &map, out);
    file_unmap(&map);
    return status == PARE_OK ? PARE_OK : fail_at(ctx, "%s", path);
}
