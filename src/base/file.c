#define _DEFAULT_SOURCE /* madvise */ // NOLINT(bugprone-reserved-identifier)

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

void file_release(const void *data, size_t size) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = ((uintptr_t)data + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)data + size) / page * page;
    if (end > begin) {
        (void)madvise((void *)begin, end - begin, MADV_DONTNEED);
    }
}

bool file_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

bool file_is_directory(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool file_is_same(const char *path, const char *other) {
    struct stat a, b;
    return stat(path, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
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

static char *copy_with(const char *text, const char *ending) {
    size_t length = strlen(text) + strlen(ending) + 1;
    char *copy = malloc(length);
    if (copy != NULL) {
        (void)snprintf(copy, length, "%s%s", text, ending);
    }
    return copy;
}

static void close_output(struct file_output *f) {
    free(f->path);
    free(f->temporary);
    f->path = f->temporary = NULL;
    f->descriptor = -1;
}

enum pare_status file_begin(struct context *ctx, const char *path, struct file_output *f) {
    struct stat st;
    char ending[32];
    (void)snprintf(ending, sizeof ending, ".tmp-%ld", (long)getpid());
    f->path = f->temporary = NULL;
    f->descriptor = -1;
    f->reason = 0;
    f->size = f->held = 0;
    if (strlen(path) + sizeof ending > PATH_MAX) {
        return fail(ctx, PARE_ERROR_IO, "%.64s...: cannot write: the path is too long", path);
    }
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) { /* a rename would replace a device */
        return fail(ctx, PARE_ERROR_IO, "%s: cannot write: exists and is no regular file", path);
    }
    f->path = copy_with(path, "");
    f->temporary = copy_with(path, ending);
    if (f->path == NULL || f->temporary == NULL) {
        close_output(f);
        return fail_memory(ctx);
    }
    unlink(f->temporary); /* left behind by a process that died and had the same id */
    f->descriptor = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (f->descriptor < 0) {
        int reason = errno;
        close_output(f);
        return fail(ctx, PARE_ERROR_IO, "%s: cannot write: %s", path, strerror(reason));
    }
    return PARE_OK;
}

static void put(struct file_output *f, const void *data, size_t size) {
    if (f->reason == 0 && !write_all(f->descriptor, data, size)) {
        f->reason = errno;
    }
}

static void flush(struct file_output *f) {
    put(f, f->block, f->held);
    f->held = 0;
}

void file_append(struct file_output *f, const void *data, size_t size) {
    f->size += size;
    if (size > sizeof f->block - f->held) {
        flush(f);
    }
    if (size >= sizeof f->block) {
        put(f, data, size);
    } else if (size > 0) {
        memcpy(f->block + f->held, data, size);
        f->held += size;
    }
}

void file_abandon(struct file_output *f) {
    if (f->descriptor >= 0) {
        close(f->descriptor);
        unlink(f->temporary);
        close_output(f);
    }
}

enum pare_status file_commit(struct context *ctx, struct file_output *f) {
    flush(f);
    if (f->reason == 0 && fsync(f->descriptor) != 0) {
        f->reason = errno;
    }
    if (close(f->descriptor) != 0 && f->reason == 0) {
        f->reason = errno;
    }
    if (f->reason == 0 && rename(f->temporary, f->path) != 0) {
        f->reason = errno;
    }
    enum pare_status status = PARE_OK;
    if (f->reason != 0) {
        status = fail(ctx, PARE_ERROR_IO, "%s: cannot write: %s", f->path, strerror(f->reason));
        unlink(f->temporary);
    }
    close_output(f);
    return status;
}

enum pare_status file_write(struct context *ctx, const char *path, const void *data, size_t size) {
    struct file_output f;
    TRY(file_begin(ctx, path, &f));
    file_append(&f, data, size);
    return file_commit(ctx, &f);
}
