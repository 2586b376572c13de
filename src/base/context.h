/* What every fallible function carries: where errors are recorded, how many threads may run, and
 * whether the caller wants to stop. */
#ifndef PARE_BASE_CONTEXT_H
#define PARE_BASE_CONTEXT_H

#include "pare/status.h"

#include <stdbool.h>
#include <stddef.h>

#define DIAG_MESSAGE_MAX 4096

/* The first error since the last clear. A function that fails records what and where, once, as
 * deep as it is known; callers may put their own place in front with `fail_at`. */
struct diag {
    enum pare_status code;
    char message[DIAG_MESSAGE_MAX]; /* "place: what is wrong; the way out", NUL-terminated */
};

/* `done` of `total` steps of a phase (total 0: unknown). */
struct progress {
    const char *phase;
    size_t done, total;
    const char *note;    /* best point so far, or NULL */
    double seconds_left; /* negative: unknown */
};

struct context {
    struct diag diag;
    int threads;                                            /* at least 1 */
    bool (*cancelled)(void *user);                          /* may be NULL; polled between samples and steps */
    void (*progress)(void *user, const struct progress *p); /* may be NULL */
    void (*warn)(void *user, const char *message);          /* may be NULL */
    void *user;
    double deadline; /* by monotonic_seconds(): as if cancelled from then on; 0: none */
};

double monotonic_seconds(void); /* from an arbitrary beginning */

void context_init(struct context *ctx); /* one thread per online processor, no callbacks */
void context_clear(struct context *ctx);
bool context_cancelled(const struct context *ctx);
bool context_late(const struct context *ctx); /* the deadline has passed */
void context_progress(const struct context *ctx, const struct progress *p);
void context_warn(struct context *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Record an error and return its code, so that `return fail(ctx, ...)` is one line. */
enum pare_status fail(struct context *ctx, enum pare_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Put "place: " in front of the recorded message; returns the recorded code. */
enum pare_status fail_at(struct context *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));
enum pare_status fail_memory(struct context *ctx);
#ifdef __clang_analyzer__ /* which cannot see into another file that these never return PARE_OK */
#define fail(ctx, code, ...) (fail(ctx, code, __VA_ARGS__), (code))
#define fail_at(...) (fail_at(__VA_ARGS__), PARE_ERROR_INPUT)
#define fail_memory(ctx) (fail_memory(ctx), PARE_ERROR_MEMORY)
#endif

/* Returns from the enclosing function when `call` fails. */
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        enum pare_status try_status_ = (call);                                                                         \
        if (try_status_ != PARE_OK) {                                                                                  \
            return try_status_;                                                                                        \
        }                                                                                                              \
    } while (0)

#endif
