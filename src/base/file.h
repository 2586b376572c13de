/* Files: mapped for reading, written beside and renamed. */
#ifndef PARE_BASE_FILE_H
#define PARE_BASE_FILE_H

#include "base/context.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file_map {
    const void *data; /* NULL when size is 0 */
    size_t size;
};

/* Maps a regular file read-only. PARE_ERROR_INPUT when it does not exist or is no regular file. */
enum pare_status file_map(struct context *ctx, const char *path, struct file_map *map);
void file_unmap(struct file_map *map);
/* The bytes of a map have been read, and need not stay in memory; they may be read again. */
void file_release(const void *data, size_t size);

bool file_exists(const char *path);
bool file_is_directory(const char *path);
bool file_is_same(const char *path, const char *other); /* one file, however the two are spelled or linked */
enum pare_status file_make_directory(struct context *ctx, const char *path); /* with parents */

/* A file on its way: PATH.tmp-<pid>, renamed when it is whole, so that a reader sees the old file or the new one. */
struct file_output {
    char *path, *temporary; /* heap */
    int descriptor;
    int reason; /* errno of the first failure; 0: none */
    uint64_t size;
    size_t held; /* bytes of `block` */
    uint8_t block[1 << 16];
};

/* `path` may exist as a regular file. On failure there is nothing to close. */
enum pare_status file_begin(struct context *ctx, const char *path, struct file_output *f);
void file_append(struct file_output *f, const void *data, size_t size); /* a failure shows in file_commit */
/* Syncs and renames, or removes what was written; closes in either case. */
enum pare_status file_commit(struct context *ctx, struct file_output *f);
void file_abandon(struct file_output *f);

/* All of it in one call. */
enum pare_status file_write(struct context *ctx, const char *path, const void *data, size_t size);

#endif
