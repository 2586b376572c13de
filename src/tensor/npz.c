#include "tensor/npy.h"

#include "base/file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#define MAX_UNPACKED_BYTES ((uint64_t)8 << 30)
#define MAX_DEFLATE_RATIO 1040 /* deflate cannot reach more than 1032 */
#define SUFFIX ".npy"

struct archive {
    struct context *ctx;
    struct arena *arena;
    const char *path;
    zip_t *zip;
    uint64_t unpacked; /* bytes of all entries so far */
};

static enum pare_status bad_archive(struct context *ctx, const char *path, zip_error_t *error) {
    enum pare_status status =
        fail(ctx, PARE_ERROR_INPUT, "%s: is no readable .npz archive: %s", path, zip_error_strerror(error));
    zip_error_fini(error);
    return status;
}

/* The size is believed only where the packed bytes can hold it, and only up to a limit. */
static enum pare_status check_entry(struct archive *z, zip_uint64_t index, const zip_stat_t *st) {
    const zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
    if ((st->valid & needed) != needed) {
        return fail(z->ctx, PARE_ERROR_INPUT, "%s: entry %" PRIu64 " has no name or size", z->path, (uint64_t)index);
    }
    if (st->comp_method != ZIP_CM_STORE && st->comp_method != ZIP_CM_DEFLATE) {
        return fail(z->ctx, PARE_ERROR_INPUT, "%s: '%s' is packed by method %d; write it with numpy.savez", z->path,
                    st->name, (int)st->comp_method);
    }
    if (zip_name_locate(z->zip, st->name, 0) != (zip_int64_t)index) {
        return fail(z->ctx, PARE_ERROR_INPUT, "%s: '%s' occurs twice", z->path, st->name);
    }
    size_t length = strlen(st->name);
    if (length <= strlen(SUFFIX) || strcmp(st->name + length - strlen(SUFFIX), SUFFIX) != 0) {
        return fail(z->ctx, PARE_ERROR_INPUT, "%s: '%s' is no .npy array; remove it from the archive", z->path,
                    st->name);
    }
    uint64_t ratio = st->comp_method == ZIP_CM_STORE ? 1 : MAX_DEFLATE_RATIO;
    if (st->size > MAX_UNPACKED_BYTES - z->unpacked || st->size / ratio > st->comp_size) {
        return fail(z->ctx, PARE_ERROR_INPUT,
                    "%s: '%s' claims %" PRIu64 " bytes, more than its packed %" PRIu64
                    " can hold or than the limit of 8 GiB per archive",
                    z->path, st->name, (uint64_t)st->size, (uint64_t)st->comp_size);
    }
    z->unpacked += st->size;
    return PARE_OK;
}

/* Reads exactly `size` bytes; the read at the end lets libzip compare the checksum. */
static bool read_whole(zip_file_t *file, uint8_t *data, uint64_t size) {
    uint64_t at = 0;
    while (at < size) {
        zip_int64_t n = zip_fread(file, data + at, size - at);
        if (n <= 0) {
            return false;
        }
        at += (uint64_t)n;
    }
    uint8_t extra = 0;
    return zip_fread(file, &extra, 1) == 0;
}

static enum pare_status unpack(struct archive *z, zip_uint64_t index, const zip_stat_t *st, uint8_t *data) {
    zip_file_t *file = zip_fopen_index(z->zip, index, 0);
    if (file == NULL) {
        return fail(z->ctx, PARE_ERROR_INPUT, "%s: '%s' cannot be unpacked: %s", z->path, st->name,
                    zip_strerror(z->zip));
    }
    bool whole = read_whole(file, data, st->size);
    zip_fclose(file);
    if (!whole) {
        return fail(z->ctx, PARE_ERROR_INPUT, "%s: '%s' is damaged (cut off, or its checksum differs)", z->path,
                    st->name);
    }
    return PARE_OK;
}

static enum pare_status read_entry(struct archive *z, zip_uint64_t index, struct named_tensor *out) {
    zip_stat_t st;
    if (zip_stat_index(z->zip, index, 0, &st) != 0) {
        return fail(z->ctx, PARE_ERROR_INPUT, "%s: entry %" PRIu64 " is damaged", z->path, (uint64_t)index);
    }
    TRY(check_entry(z, index, &st));
    out->name = arena_string_n(z->arena, st.name, strlen(st.name) - strlen(SUFFIX));
    char *place = arena_format(z->arena, "%s: %s", z->path, st.name);
    uint8_t *data = malloc(st.size > 0 ? (size_t)st.size : 1);
    enum pare_status status = out->name == NULL || place == NULL || data == NULL ? fail_memory(z->ctx) : PARE_OK;
    if (status == PARE_OK) {
        status = unpack(z, index, &st, data);
    }
    if (status == PARE_OK) {
        status = npy_parse(z->ctx, z->arena, place, data, (size_t)st.size, &out->tensor);
    }
    free(data);
    return status;
}

static enum pare_status read_entries(struct archive *z, struct tensor_set *out) {
    zip_int64_t count = zip_get_num_entries(z->zip, 0);
    *out = (struct tensor_set){0};
    out->items = ARENA_ARRAY(z->arena, count > 0 ? (size_t)count : 0, struct named_tensor);
    if (out->items == NULL) {
        return fail_memory(z->ctx);
    }
    for (zip_int64_t i = 0; i < count; i++) {
        TRY(read_entry(z, (zip_uint64_t)i, &out->items[i]));
        out->count++;
    }
    return PARE_OK;
}

enum pare_status npz_read(struct context *ctx, struct arena *a, const char *path, struct tensor_set *out) {
    struct file_map map;
    TRY(file_map(ctx, path, &map));
    if (map.size == 0) { /* libzip takes it for an archive without entries */
        return fail(ctx, PARE_ERROR_INPUT, "%s: is no .npz archive: the file is empty", path);
    }
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(map.data, map.size, 0, &error);
    struct archive z = {.ctx = ctx, .arena = a, .path = path};
    z.zip = source != NULL ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
    enum pare_status status = PARE_OK;
    if (z.zip == NULL) {
        zip_source_free(source);
        status = bad_archive(ctx, path, &error);
    } else {
        status = read_entries(&z, out);
        zip_discard(z.zip);
    }
    file_unmap(&map);
    return status;
}

/* ---- writing ---- */

static enum pare_status cannot_pack(struct context *ctx, const char *path, const char *reason) {
    return fail(ctx, PARE_ERROR_IO, "%s: cannot be packed: %s", path, reason);
}

static enum pare_status add_entry(struct context *ctx, const char *path, zip_t *zip, const struct named_tensor *item) {
    struct buffer data;
    buffer_init(&data);
    struct buffer name;
    buffer_init(&name);
    write_format(&name, "%s" SUFFIX, item->name);
    write_u8(&name, 0);
    enum pare_status status = npy_append(ctx, &data, &item->tensor);
    if (status != PARE_OK || name.failed) {
        status = status != PARE_OK ? fail_at(ctx, "%s: %s", path, item->name) : fail_memory(ctx);
        buffer_free(&data);
    } else {
        zip_source_t *source = zip_source_buffer(zip, data.data, data.size, 1); /* takes the bytes */
        zip_int64_t index = source != NULL ? zip_file_add(zip, (const char *)name.data, source, ZIP_FL_ENC_UTF_8) : -1;
        if (index < 0 || zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0) != 0 ||
            zip_file_set_dostime(zip, (zip_uint64_t)index, 0, 1 << 5 | 1, 0) != 0) { /* 1 January 1980 */
            status = cannot_pack(ctx, path, zip_strerror(zip));
            if (source == NULL) {
                buffer_free(&data);
            } else if (index < 0) {
                zip_source_free(source);
            }
        }
    }
    buffer_free(&name);
    return status;
}

static enum pare_status write_source(struct context *ctx, const char *path, zip_source_t *source) {
    zip_stat_t st;
    if (zip_source_stat(source, &st) != 0 || (st.valid & ZIP_STAT_SIZE) == 0 || zip_source_open(source) != 0) {
        return cannot_pack(ctx, path, "the archive cannot be read back");
    }
    enum pare_status status = PARE_OK;
    void *bytes = malloc(st.size > 0 ? (size_t)st.size : 1);
    if (bytes == NULL) {
        status = fail_memory(ctx);
    } else if (zip_source_read(source, bytes, st.size) != (zip_int64_t)st.size) {
        status = cannot_pack(ctx, path, "the archive cannot be read back");
    } else {
        status = file_write(ctx, path, bytes, (size_t)st.size);
    }
    free(bytes);
    zip_source_close(source);
    return status;
}

static enum pare_status pack(struct context *ctx, const char *path, zip_source_t *source,
                             const struct tensor_set *set) {
    zip_error_t error;
    zip_error_init(&error);
    zip_t *zip = zip_open_from_source(source, ZIP_TRUNCATE, &error);
    if (zip == NULL) {
        enum pare_status status = cannot_pack(ctx, path, zip_error_strerror(&error));
        zip_error_fini(&error);
        return status;
    }
    zip_source_keep(source); /* the archive drops its own hold when it is closed */
    for (size_t i = 0; i < set->count; i++) {
        enum pare_status status = add_entry(ctx, path, zip, &set->items[i]);
        if (status != PARE_OK) {
            zip_discard(zip);
            return status;
        }
    }
    if (zip_close(zip) != 0) {
        enum pare_status status = cannot_pack(ctx, path, zip_strerror(zip));
        zip_discard(zip);
        return status;
    }
    return write_source(ctx, path, source);
}

enum pare_status npz_write(struct context *ctx, const char *path, const struct tensor_set *set) {
    if (set->count == 0) { /* libzip writes no archive without entries: the record of its end alone */
        static const uint8_t end[22] = {'P', 'K', 5, 6};
        return file_write(ctx, path, end, sizeof end);
    }
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, NULL);
    if (source == NULL) {
        return fail_memory(ctx);
    }
    enum pare_status status = pack(ctx, path, source, set);
    zip_source_free(source);
    return status;
}

const struct tensor *tensor_set_find(const struct tensor_set *set, const char *name) {
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->items[i].name, name) == 0) {
            return &set->items[i].tensor;
        }
    }
    return NULL;
}
