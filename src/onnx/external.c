#include "onnx/external.h"

#include "base/bytes.h"
#include "base/file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct external_file {
    const char *location;
    struct file_map map;
    struct external_file *next;
};

struct range {
    const char *location;
    uint64_t offset, length;
    bool has_length;
};

static bool parse_size(const char *text, uint64_t *out) {
    char *end = NULL;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

static enum pare_status read_range(struct context *ctx, const Onnx__TensorProto *tensor, struct range *out) {
    *out = (struct range){.location = ""};
    for (size_t i = 0; i < tensor->n_external_data; i++) {
        const char *key = tensor->external_data[i]->key, *text = tensor->external_data[i]->value;
        if (key == NULL || text == NULL) {
            continue;
        }
        bool readable = true;
        if (strcmp(key, "location") == 0) {
            out->location = text;
        } else if (strcmp(key, "offset") == 0) {
            readable = parse_size(text, &out->offset);
        } else if (strcmp(key, "length") == 0) {
            readable = out->has_length = parse_size(text, &out->length);
        }
        if (!readable) {
            return fail(ctx, PARE_ERROR_INPUT, "%s `%.32s` of the external data is no size", key, text);
        }
    }
    return PARE_OK;
}

static bool leaves_folder(const char *path) {
    if (path[0] == '/') {
        return true;
    }
    for (const char *part = path; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0')) {
            return true;
        }
    }
    return false;
}

static enum pare_status check_location(struct context *ctx, const struct external *e, const char *location) {
    if (location[0] == '\0') {
        return fail(ctx, PARE_ERROR_INPUT, "the external data names no file");
    }
    if (leaves_folder(location)) {
        return fail(ctx, PARE_ERROR_INPUT,
                    "external data `%.256s` lies outside of the model's folder; save the model with its data beside it",
                    location);
    }
    if (e->folder == NULL) {
        return fail(ctx, PARE_ERROR_INPUT, "external data `%.256s` cannot be read: the model did not come from a file",
                    location);
    }
    return PARE_OK;
}

/* Whether a folder (NULL: none) has the file, and then its path. */
static enum pare_status find_below(struct context *ctx, const struct external *e, const char *folder,
                                   const char *location, const char **path) {
    if (folder == NULL) {
        return PARE_OK;
    }
    const char *candidate = arena_format(e->arena, "%s/%s", folder, location);
    if (candidate == NULL) {
        return fail_memory(ctx);
    }
    *path = file_exists(candidate) ? candidate : NULL;
    return PARE_OK;
}

static enum pare_status find_file(struct context *ctx, const struct external *e, const char *location,
                                  const char **path) {
    *path = NULL;
    TRY(find_below(ctx, e, e->folder, location, path));
    if (*path == NULL) {
        TRY(find_below(ctx, e, e->linked_folder, location, path));
    }
    return *path != NULL
               ? PARE_OK
               : fail(ctx, PARE_ERROR_INPUT, "the external data file `%.256s` is missing; it belongs into `%.256s`",
                      location, e->folder);
}

static const struct external_file *find_open(const struct external *e, const char *location) {
    const struct external_file *file = e->files;
    while (file != NULL && strcmp(file->location, location) != 0) {
        file = file->next;
    }
    return file;
}

/* The mapped file; NULL with the error recorded. */
static const struct external_file *open_file(struct context *ctx, struct external *e, const char *location) {
    const char *path = NULL;
    const struct external_file *known = find_open(e, location);
    if (known != NULL || find_file(ctx, e, location, &path) != PARE_OK) {
        return known;
    }
    struct external_file *file = ARENA_NEW(e->arena, struct external_file);
    if (file == NULL || (file->location = arena_string(e->arena, location)) == NULL) {
        (void)fail_memory(ctx);
        return NULL;
    }
    if (file_map(ctx, path, &file->map) != PARE_OK) {
        return NULL;
    }
    file->next = e->files;
    e->files = file;
    return file;
}

enum pare_status external_bytes(struct context *ctx, struct external *e, const Onnx__TensorProto *tensor,
                                size_t expected, const uint8_t **data) {
    struct range range;
    TRY(read_range(ctx, tensor, &range));
    TRY(check_location(ctx, e, range.location));
    if (range.has_length && range.length != expected) {
        return fail(ctx, PARE_ERROR_INPUT, "%llu bytes of external data, expected %zu",
                    (unsigned long long)range.length, expected);
    }
    const struct external_file *file = open_file(ctx, e, range.location);
    if (file == NULL) {
        return ctx->diag.code;
    }
    if (range.offset > file->map.size || expected > file->map.size - range.offset) {
        return fail(ctx, PARE_ERROR_INPUT,
                    "%zu bytes at offset %llu reach beyond the end of `%.256s` (%zu bytes); fetch the file again",
                    expected, (unsigned long long)range.offset, range.location, file->map.size);
    }
    *data = (const uint8_t *)file->map.data + range.offset;
    e->hash = e->hashed ? hash_of(*data, expected, e->hash) : 0;
    e->bytes += expected;
    return PARE_OK;
}

void external_close(struct external *e) {
    for (struct external_file *f = e->files; f != NULL; f = f->next) {
        file_unmap(&f->map);
    }
    e->files = NULL;
}
