/* Bytes to graphs and tensors. */
#define _XOPEN_SOURCE 700 /* realpath */ // NOLINT(bugprone-reserved-identifier)

#include "onnx/decode.h"
#include "onnx/import.h"
#include "onnx/onnx.h"
#include "onnx/scan.h"

#include "base/bytes.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

/* Scans, then unpacks; free with protobuf_c_message_free_unpacked. */
static enum pare_status unpack(struct context *ctx, const ProtobufCMessageDescriptor *type, const void *data,
                               size_t size, ProtobufCMessage **out) {
    if (size == 0) {
        return fail(ctx, PARE_ERROR_INPUT, "is empty");
    }
    TRY(onnx_scan(ctx, type, data, size));
    *out = protobuf_c_message_unpack(type, NULL, size, data);
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
    TRY(unpack(im->ctx, &onnx__model_proto__descriptor, data, size, &model));
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

static enum pare_status parse(struct context *ctx, const char *place, const void *data, size_t size,
                              const struct external *external, uint64_t *hash, struct graph **out) {
    struct arena scratch;
    arena_init(&scratch);
    struct import im = {.ctx = ctx, .scratch = &scratch, .external = *external, .missing = {.arena = &scratch}};
    im.external.arena = &scratch;
    im.external.hash = *hash;
    enum pare_status status = import(&im, data, size, out);
    *hash = im.external.hash;
    arena_free(&scratch);
    return status == PARE_OK ? PARE_OK : fail_at(ctx, "%s", place);
}

enum pare_status onnx_parse(struct context *ctx, const char *place, const void *data, size_t size, const char *folder,
                            struct graph **out) {
    uint64_t hash = 0;
    return parse(ctx, place, data, size, &(struct external){.folder = folder}, &hash, out);
}

enum pare_status onnx_read_hashed(struct context *ctx, const char *path, uint64_t *hash, struct graph **out) {
    struct file_map map;
    struct arena paths;
    TRY(file_map(ctx, path, &map));
    arena_init(&paths);
    *hash = hash_of(map.data, map.size, 0);
    struct external external = {.folder = folder_of(&paths, path), .linked_folder = linked_folder_of(&paths, path)};
    enum pare_status status =
        external.folder == NULL ? fail_memory(ctx) : parse(ctx, path, map.data, map.size, &external, hash, out);
    arena_free(&paths);
    file_unmap(&map);
    return status;
}

enum pare_status onnx_read(struct context *ctx, const char *path, struct graph **out) {
    uint64_t hash = 0;
    return onnx_read_hashed(ctx, path, &hash, out);
}

/* ---- tensors ---- */

static enum pare_status decode_named(struct context *ctx, struct arena *a, const char *path, struct arena *scratch,
                                     const Onnx__TensorProto *proto, struct named_tensor *out) {
    struct external external = {.folder = folder_of(scratch, path), .arena = scratch};
    out->name = arena_string(a, proto->name == NULL ? "" : proto->name);
    if (external.folder == NULL || out->name == NULL) {
        return fail_memory(ctx);
    }
    enum pare_status status = onnx_decode_tensor(ctx, a, &external, proto, &out->tensor);
    external_close(&external);
    return status;
}

static enum pare_status parse_tensor(struct context *ctx, struct arena *a, const char *path, const struct file_map *map,
                                     struct named_tensor *out) {
    ProtobufCMessage *proto = NULL;
    struct arena scratch;
    enum pare_status status = unpack(ctx, &onnx__tensor_proto__descriptor, map->data, map->size, &proto);
    if (proto == NULL) {
        return status;
    }
    arena_init(&scratch);
    status = decode_named(ctx, a, path, &scratch, (const Onnx__TensorProto *)proto, out);
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
