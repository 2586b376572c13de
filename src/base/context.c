#include "base/context.h"

#include "base/decimal.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#undef fail
#undef fail_at
#undef fail_memory

#define MAX_THREADS 64

double monotonic_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void context_init(struct context *ctx) {
    *ctx = (struct context){0};
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    ctx->threads = online < 1 ? 1 : online > MAX_THREADS ? MAX_THREADS : (int)online;
}

void context_clear(struct context *ctx) {
    ctx->diag.code = PARE_OK;
    ctx->diag.message[0] = '\0';
}

bool context_cancelled(const struct context *ctx) {
    return (ctx->cancelled != NULL && ctx->cancelled(ctx->user)) || context_late(ctx);
}

bool context_late(const struct context *ctx) {
    return ctx->deadline > 0 && monotonic_seconds() >= ctx->deadline;
}

/* Workers of a parallel loop share the caller's callbacks, which need not be thread-safe. */
static pthread_mutex_t callbacks = PTHREAD_MUTEX_INITIALIZER;

void context_progress(const struct context *ctx, const struct progress *p) {
    if (ctx->progress == NULL) {
        return;
    }
    pthread_mutex_lock(&callbacks);
    ctx->progress(ctx->user, p);
    pthread_mutex_unlock(&callbacks);
}

void context_warn(struct context *ctx, const char *format, ...) {
    if (ctx->warn == NULL) {
        return;
    }
    char message[DIAG_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    format_decimal_list(message, sizeof message, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&callbacks);
    ctx->warn(ctx->user, message);
    pthread_mutex_unlock(&callbacks);
}

enum pare_status fail(struct context *ctx, enum pare_status code, const char *format, ...) {
    if (ctx->diag.code == PARE_OK) {
        va_list arguments;
        va_start(arguments, format);
        format_decimal_list(ctx->diag.message, sizeof ctx->diag.message, format, arguments);
        va_end(arguments);
        ctx->diag.code = code;
    }
    return ctx->diag.code;
}

enum pare_status fail_at(struct context *ctx, const char *format, ...) {
    char place[DIAG_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    format_decimal_list(place, sizeof place, format, arguments);
    va_end(arguments);

    char rest[DIAG_MESSAGE_MAX];
    memcpy(rest, ctx->diag.message, sizeof rest);
    size_t length = strlen(place);
    size_t room = sizeof ctx->diag.message - 1;
    snprintf(ctx->diag.message, room + 1, "%s", place);
    if (length + 2 <= room) {
        snprintf(ctx->diag.message + length, room + 1 - length, ": %.*s", (int)(room - length - 2), rest);
    }
    return ctx->diag.code;
}

enum pare_status fail_memory(struct context *ctx) {
    return fail(ctx, PARE_ERROR_MEMORY, "out of memory; free some, or use fewer threads or samples");
}
