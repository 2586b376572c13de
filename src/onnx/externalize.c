#include "onnx/externalize.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

#define SMALLEST 1024  /* bytes of a tensor that leaves the message */
#define ALIGNMENT 4096 /* of its place in the file: a page, so that it can be mapped */

struct externalizer {
    struct encoder *e;
    const char *location;
    struct file_output *file;
};

static enum pare_status add_pair(struct externalizer *x, const char *key, const char *text,
                                 Onnx__StringStringEntryProto **out) {
    return text == NULL ? fail_memory(x->e->ctx) : encode_pair(x->e, key, text, out);
}

static enum pare_status move(struct externalizer *x, Onnx__TensorProto *t) {
    static const uint8_t zeros[ALIGNMENT];
    file_append(x->file, zeros, (size_t)(-x->file->size % ALIGNMENT));
    const char *offset = arena_format(x->e->arena, "%llu", (unsigned long long)x->file->size);
    const char *length = arena_format(x->e->arena, "%zu", t->raw_data.len);
    t->external_data = ARENA_ARRAY(x->e->arena, 3, Onnx__StringStringEntryProto *);
    if (t->external_data == NULL) {
        return fail_memory(x->e->ctx);
    }
    TRY(add_pair(x, "location", x->location, &t->external_data[0]));
    TRY(add_pair(x, "offset", offset, &t->external_data[1]));
    TRY(add_pair(x, "length", length, &t->external_data[2]));
    file_append(x->file, t->raw_data.data, t->raw_data.len);
    t->n_external_data = 3;
    t->has_data_location = 1;
    t->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    t->has_raw_data = 0;
    t->raw_data = (ProtobufCBinaryData){0};
    return PARE_OK;
}

static enum pare_status move_all(struct externalizer *x, Onnx__GraphProto *graph) {
    for (size_t i = 0; i < graph->n_initializer; i++) {
        if (graph->initializer[i]->raw_data.len >= SMALLEST) {
            TRY(move(x, graph->initializer[i]));
        }
    }
    return PARE_OK;
}

static enum pare_status write_data(struct externalizer *x, Onnx__GraphProto *graph, const char *path, uint64_t *size) {
    TRY(file_begin(x->e->ctx, path, x->file));
    enum pare_status status = move_all(x, graph);
    if (status != PARE_OK) {
        file_abandon(x->file);
        return status;
    }
    *size += x->file->size;
    return file_commit(x->e->ctx, x->file);
}

enum pare_status externalize(struct encoder *e, Onnx__GraphProto *graph, const char *path, uint64_t *size) {
    const char *data = arena_format(e->arena, "%s.data", path);
    struct externalizer x = {.e = e, .file = malloc(sizeof *x.file)};
    if (data == NULL || x.file == NULL) {
        free(x.file);
        return fail_memory(e->ctx);
    }
    const char *slash = strrchr(data, '/');
    x.location = slash == NULL ? data : slash + 1;
    enum pare_status status = write_data(&x, graph, data, size);
    free(x.file);
    return status;
}
