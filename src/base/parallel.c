#include "base/parallel.h"

#include <omp.h>
#include <stdatomic.h>

/* Indices are handed out in ascending order and each one handed out is run, so the lowest failing
 * index, hence the reported failure, is the same for any number of threads. */
struct loop {
    const struct context *origin;
    parallel_body *body;
    void *user;
    size_t count;
    atomic_size_t next;
    atomic_bool stopped;
    size_t failed_index;
    struct diag failure; /* code PARE_OK until something fails */
};

static void record_failure(struct loop *l, size_t i, enum pare_status status, const struct diag *d) {
#pragma omp critical(pare_loop_failure)
    {
        if (l->failure.code == PARE_OK || i < l->failed_index) {
            l->failure = *d;
            l->failure.code = status;
            l->failed_index = i;
        }
    }
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

enum pare_status parallel_for(struct context *ctx, size_t count, parallel_body *body, void *user) {
    struct loop l = {.origin = ctx, .body = body, .user = user, .count = count};
    size_t wanted = ctx->threads > 1 ? (size_t)ctx->threads : 1;
    int workers = (int)(wanted < count ? wanted : count);
    if (workers <= 1) {
        run_worker(&l, 0);
    } else {
#pragma omp parallel num_threads(workers)
        run_worker(&l, omp_get_thread_num());
    }
    if (l.failure.code != PARE_OK) {
        ctx->diag = l.failure;
    }
    return l.failure.code;
}
