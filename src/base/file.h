/* Files: mapped for reading, written beside and renamed. */
#ifndef PARE_BASE_FILE_H
#define PARE_BASE_FILE_H

#include "base/context.h"

#include <stdbool.h>
#include <stddef.h>

struct file_map {
    const void *data; /* NULL when size is 0 */
    size_t size;
};

/* Maps a regular file read-only. PARE_ERROR_INPUT when it does not exist or is no regular file. */
enum pare_status file_map(struct context *ctx, const char *path, struct file_map *map);
void file_unmap(struct file_map *map);

bool file_exists(const char *path);
bool file_is_directory(const char *path);
enum pare_status file_make_directory(struct context *ctx, const char *path); /* with parents */

/* Writes PATH.tmp-<pid>, syncs, renames: a reader sees the old file or the whole new one. */
enum pare_status file_write(struct context *ctx, const char *path, const void *data, size_t size);

#endif
