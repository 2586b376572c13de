/* Parallel loops whose results do not depend on the number of threads. */
#ifndef PARE_BASE_PARALLEL_H
#define PARE_BASE_PARALLEL_H

#include "base/context.h"

#include <stddef.h>

/* Calls body(user, i, worker) for i in [0, count), each once, on up to ctx->threads workers
 * (worker < ctx->threads). Indices are handed out one at a time. The body must write only to
 * places owned by i or by worker. The first failing status (lowest i that was reached) is
 * returned, remaining indices are skipped; PARE_ERROR_INTERRUPTED when cancelled. Bodies that
 * fail record their message in the context given to them, which is private to the worker: the one of the
 * returned failure is copied to ctx. */
typedef enum pare_status parallel_body(void *user, struct context *ctx, size_t i, int worker);
enum pare_status parallel_for(struct context *ctx, size_t count, parallel_body *body, void *user);

#endif
