/* Folders that are written as a whole: beside, and renamed. */
#ifndef PARE_BASE_FOLDER_H
#define PARE_BASE_FOLDER_H

#include "base/context.h"

#include <stddef.h>

struct folder_file {
    const char *path; /* within the folder; its own folders are made */
    const void *data;
    size_t size;
};

/* PARE_ERROR_USAGE when something but an empty folder stands there. */
enum pare_status folder_check_free(struct context *ctx, const char *path);
/* Writes PATH.tmp-<pid>/... and renames it: a reader sees no folder, or all of it. PATH must be free, its parents are
 * made. Nothing is left behind on failure. */
enum pare_status folder_write(struct context *ctx, const char *path, const struct folder_file *files, size_t count);

#endif
