#include "base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>

#define MAX_WORKERS 1024

/* Indices are handed out in ascending order and each one handed out is run, so the lowest failing
 * index, hence the reported failure, is the same for any number of threads. */
struct loop {
    const struct context *origin;
    parallel_body *body;
    void *user;
    size_t count;
    atomic_size_t next;
    atomic_bool stopped;
    pthread_mutex_t lock; /* of what follows */
    size_t failed_index;
    struct diag failure; /* code PARE_OK until something fails */
};

static void record_failure(struct loop *l, size_t i, enum pare_status status, const struct diag *d) {
    pthread_mutex_lock(&l->lock);
    if (l->failure.code == PARE_OK || i < l->failed_index) {
        l->failure = *d;
        l->failure.code = status;
        l->failed_index = i;
    }
    pthread_mutex_unlock(&l->lock);
    atomic_store(&l->stopped, true);
}

static void run_worker(struct loop *l, int worker) {
    struct context ctx = *l->origin;
    ctx.threads = 1; /* loops inside a body run in it */
    context_clear(&ctx);
    while (!atomic_load(&l->stopped)) {
        size_t i = atomic_fetch_add(&l->next, 1);
        if (i >= l->count) {
            return;
        }
        enum pare_status status = context_cancelled(&ctx) ? fail(&ctx, PARE_ERROR_INTERRUPTED, "interrupted")
                                                          : l->body(l->user, &ctx, i, worker);
        if (status != PARE_OK) {
            record_failure(l, i, status, &ctx.diag);
        }
    }
}

struct worker {
    struct loop *loop;
    int number;
    pthread_t thread;
};

static void *start_worker(void *argument) {
    struct worker *w = argument;
    run_worker(w->loop, w->number);
    return NULL;
}

/* Threads live as long as the loop: idle ones that wait actively would take the processors from whoever else works.
 * Where the system gives fewer of them, these do all of the work. */
static void run_workers(struct loop *l, int count) {
    struct worker workers[MAX_WORKERS];
    int started = 1;
    for (; started < count && started < MAX_WORKERS; started++) {
        struct worker *w = &workers[started];
        *w = (struct worker){.loop = l, .number = started};
        if (pthread_create(&w->thread, NULL, start_worker, w) != 0) {
            break;
        }
    }
    run_worker(l, 0);
    for (int i = 1; i < started; i++) {
        pthread_join(workers[i].thread, NULL);
    }
}

enum pare_status parallel_for(struct context *ctx, size_t count, parallel_body *body, void *user) {
    struct loop l = {.origin = ctx, .body = body, .user = user, .count = count, .lock = PTHREAD_MUTEX_INITIALIZER};
    size_t wanted = ctx->threads > 1 ? (size_t)ctx->threads : 1;
    run_workers(&l, (int)(wanted < count ? wanted : count));
    if (l.failure.code != PARE_OK) {
        ctx->diag = l.failure;
    }
    return l.failure.code;
}
