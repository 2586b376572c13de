#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static enum pare_status map_descriptor(struct context *ctx, const char *path, int fd, struct file_map *map) {
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return fail(ctx, PARE_ERROR_IO, "%s: cannot read: %s", path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode)) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: is %s, expected a regular file", path,
                    S_ISDIR(st.st_mode) ? "a directory" : "a device or pipe");
    }
    if ((uintmax_t)st.st_size > SIZE_MAX) {
        return fail(ctx, PARE_ERROR_INPUT, "%s: larger than the address space", path);
    }
    if (st.st_size == 0) {
        return PARE_OK;
    }
    void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
        return fail(ctx, PARE_ERROR_IO, "%s: cannot map: %s", path, strerror(errno));
    }
    *map = (struct file_map){.data = data, .size = (size_t)st.st_size};
    return PARE_OK;
}

enum pare_status file_map(struct context *ctx, const char *path, struct file_map *map) {
    *map = (struct file_map){0};
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a pipe must not block */
    if (fd < 0) {
        bool missing = errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG;
        return fail(ctx, missing ? PARE_ERROR_INPUT : PARE_ERROR_IO, "%s: cannot open: %s", path, strerror(errno));
    }
    enum pare_status status = map_descriptor(ctx, path, fd, map);
    close(fd);
    return status;
}

void file_unmap(struct file_map *map) {
    if (map->data != NULL) {
        munmap((void *)(uintptr_t)map->data, map->size);
    }
    *map = (struct file_map){0};
}

bool file_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

bool file_is_directory(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum pare_status make_one_directory(struct context *ctx, const char *path) {
    if (mkdir(path, 0777) == 0 || file_is_directory(path)) {
        return PARE_OK;
    }
    return fail(ctx, PARE_ERROR_IO, "%s: cannot make the directory: %s", path, strerror(errno));
}

enum pare_status file_make_directory(struct context *ctx, const char *path) {
    char prefix[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof prefix) {
        return fail(ctx, PARE_ERROR_IO, "%.64s...: cannot make the directory: the path is too long", path);
    }
    memcpy(prefix, path, length + 1);
    for (size_t i = 1; i < length; i++) {
        if (prefix[i] == '/') {
            prefix[i] = '\0';
            TRY(make_one_directory(ctx, prefix));
            prefix[i] = '/';
        }
    }
    return make_one_directory(ctx, path);
}

static bool write_all(int fd, const uint8_t *data, size_t size) {
    while (size > 0) {
        ssize_t written = write(fd, data, size < (size_t)1 << 30 ? size : (size_t)1 << 30);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        data += written;
        size -= (size_t)written;
    }
    return true;
}

/* errno tells the reason on failure. */
static bool write_new(const char *path, const void *data, size_t size) {
    unlink(path); /* left behind by a process that died and had the same id */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        return false;
    }
    bool ok = write_all(fd, data, size) && fsync(fd) == 0;
    int reason = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        reason = errno;
    }
    errno = reason;
    return ok;
}

enum pare_status file_write(struct context *ctx, const char *path, const void *data, size_t size) {
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) { /* a rename would replace a device */
        return fail(ctx, PARE_ERROR_IO, "%s: cannot write: exists and is no regular file", path);
    }
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.tmp-%ld", path, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof temporary) {
        return fail(ctx, PARE_ERROR_IO, "%.64s...: cannot write: the path is too long", path);
    }
    if (!write_new(temporary, data, size) || rename(temporary, path) != 0) {
        int reason = errno;
        unlink(temporary);
        return fail(ctx, PARE_ERROR_IO, "%s: cannot write: %s", path, strerror(reason));
    }
    return PARE_OK;
}
