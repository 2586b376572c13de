#include "base/folder.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_empty_folder(const char *path) {
    DIR *folder = opendir(path);
    bool empty = folder != NULL;
    for (struct dirent *entry; empty && (entry = readdir(folder)) != NULL;) {
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return empty;
}

enum pare_status folder_check_free(struct context *ctx, const char *path) {
    return !file_exists(path) || is_empty_folder(path)
               ? PARE_OK
               : fail(ctx, PARE_ERROR_USAGE, "%s: exists already; remove it, or name another folder", path);
}

static enum pare_status join(struct context *ctx, const char *folder, const char *name, char path[PATH_MAX]) {
    int length = snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return length > 0 && length < PATH_MAX
               ? PARE_OK
               : fail(ctx, PARE_ERROR_IO, "%.64s...: cannot write: the path is too long", folder);
}

static enum pare_status write_one(struct context *ctx, const char *folder, const struct folder_file *file) {
    char path[PATH_MAX];
    TRY(join(ctx, folder, file->path, path));
    char *slash = strrchr(path, '/');
    *slash = '\0';
    TRY(file_make_directory(ctx, path));
    *slash = '/';
    return file_write(ctx, path, file->data, file->size);
}

/* Removes what write_one has made; folders that still hold others refuse, and go with the last file. */
static void remove_one(struct context *ctx, const char *folder, const struct folder_file *file) {
    char path[PATH_MAX];
    if (join(ctx, folder, file->path, path) != PARE_OK) {
        return;
    }
    unlink(path);
    for (char *slash = strrchr(path, '/'); slash != NULL && slash > path + strlen(folder); slash = strrchr(path, '/')) {
        *slash = '\0';
        rmdir(path);
    }
    rmdir(folder);
}

static enum pare_status write_beside(struct context *ctx, const char *beside, const char *path,
                                     const struct folder_file *files, size_t count) {
    TRY(file_make_directory(ctx, beside));
    for (size_t i = 0; i < count; i++) {
        TRY(write_one(ctx, beside, &files[i]));
    }
    return rename(beside, path) == 0
               ? PARE_OK
               : fail(ctx, PARE_ERROR_IO, "%s: cannot make the folder: %s", path, strerror(errno));
}

enum pare_status folder_write(struct context *ctx, const char *path, const struct folder_file *files, size_t count) {
    char plain[PATH_MAX], beside[PATH_MAX];
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    if (length + 32 > sizeof plain) {
        return fail(ctx, PARE_ERROR_IO, "%.64s...: cannot write: the path is too long", path);
    }
    snprintf(plain, sizeof plain, "%.*s", (int)length, path);
    snprintf(beside, sizeof beside, "%.*s.tmp-%ld", (int)length, path, (long)getpid());
    TRY(folder_check_free(ctx, plain));
    enum pare_status status = write_beside(ctx, beside, plain, files, count);
    if (status != PARE_OK) {
        struct diag reason = ctx->diag;
        for (size_t i = 0; i < count; i++) {
            remove_one(ctx, beside, &files[i]);
        }
        ctx->diag = reason;
    }
    return status;
}
