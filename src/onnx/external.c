#include "onnx/external.h"

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
    *out = (struct range){0};
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
    if (location == NULL || location[0] == '\0') {
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

/* The path of `location` below the first folder that has it, or NULL; `out of memory` also gives NULL. */
static const char *find_file(const struct external *e, const char *location) {
    const char *folders[] = {e->folder, e->linked_folder};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        const char *path = folders[i] == NULL ? NULL : arena_format(e->arena, "%s/%s", folders[i], location);
        if (path != NULL && file_exists(path)) {
            return path;
        }
    }
    return NULL;
}

static enum pare_status open_file(struct context *ctx, struct external *e, const char *location,
                                  const struct file_map **out) {
    for (const struct external_file *f = e->files; f != NULL; f = f->next) {
        if (strcmp(f->location, location) == 0) {
            *out = &f->map;
            return PARE_OK;
        }
    }
    const char *path = find_file(e, location);
    if (path == NULL) {
        return fail(ctx, PARE_ERROR_INPUT, "the external data file `%.256s` is missing; it belongs into `%.256s`",
                    location, e->folder);
    }
    struct external_file *file = ARENA_NEW(e->arena, struct external_file);
    if (file == NULL || (file->location = arena_string(e->arena, location)) == NULL) {
        return fail_memory(ctx);
    }
    TRY(file_map(ctx, path, &file->map));
    file->next = e->files;
    e->files = file;
    *out = &file->map;
    return PARE_OK;
}

enum pare_status external_bytes(struct context *ctx, struct external *e, const Onnx__TensorProto *tensor,
                                size_t expected, const uint8_t **data) {
    struct range range;
    const struct file_map *map = NULL;
    TRY(read_range(ctx, tensor, &range));
    TRY(check_location(ctx, e, range.location));
    if (range.has_length && range.length != expected) {
        return fail(ctx, PARE_ERROR_INPUT, "%llu bytes of external data, expected %zu",
                    (unsigned long long)range.length, expected);
    }
    TRY(open_file(ctx, e, range.location, &map));
    if (range.offset > map->size || expected > map->size - range.offset) {
        return fail(ctx, PARE_ERROR_INPUT,
                    "%zu bytes at offset %llu reach beyond the end of `%.256s` (%zu bytes); fetch the file again",
                    expected, (unsigned long long)range.offset, range.location, map->size);
    }
    *data = (const uint8_t *)map->data + range.offset;
    return PARE_OK;
}

void external_close(struct external *e) {
    for (struct external_file *f = e->files; f != NULL; f = f->next) {
        file_unmap(&f->map);
    }
    e->files = NULL;
}
