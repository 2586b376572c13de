/* pare_context: the library's context behind callbacks that C programs can give. */
#include "api/api.h"

#include <stdlib.h>

static bool is_cancelled(void *user) {
    struct pare_context *c = user;
    return atomic_load_explicit(&c->cancelled, memory_order_relaxed);
}

static void forward_progress(void *user, const struct progress *p) {
    struct pare_context *c = user;
    if (c->report != NULL) {
        c->report(c->report_user, &(struct pare_progress){p->phase, p->done, p->total, p->note, p->seconds_left});
    }
}

static void forward_warning(void *user, const char *message) {
    struct pare_context *c = user;
    if (c->warn != NULL) {
        c->warn(c->warn_user, message);
    }
}

const char *pare_version(void) {
    return PARE_VERSION;
}

struct pare_context *pare_context_new(void) {
    struct pare_context *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    context_init(&c->base);
    atomic_init(&c->cancelled, false);
    c->base.cancelled = is_cancelled;
    c->base.progress = forward_progress;
    c->base.warn = forward_warning;
    c->base.user = c;
    return c;
}

void pare_context_free(struct pare_context *context) {
    free(context);
}

enum pare_status pare_set_threads(struct pare_context *context, int threads) {
    context_clear(&context->base);
    if (threads < 1 || threads > 1024) {
        return fail(&context->base, PARE_ERROR_USAGE, "threads: %d is not between 1 and 1024", threads);
    }
    context->base.threads = threads;
    return PARE_OK;
}

const char *pare_message(const struct pare_context *context) {
    return context->base.diag.message;
}

void pare_cancel(struct pare_context *context) {
    atomic_store_explicit(&context->cancelled, true, memory_order_relaxed);
}

void pare_cancel_clear(struct pare_context *context) {
    atomic_store_explicit(&context->cancelled, false, memory_order_relaxed);
}

void pare_on_progress(struct pare_context *context, void (*report)(void *user, const struct pare_progress *progress),
                      void *user) {
    context->report = report;
    context->report_user = user;
}

void pare_on_warning(struct pare_context *context, void (*warn)(void *user, const char *message), void *user) {
    context->warn = warn;
    context->warn_user = user;
}
