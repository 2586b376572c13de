#include "api/runner.h"

enum pare_status stack_tensor(struct context *ctx, struct arena *arena, const char *name, enum dtype type,
                              const struct shape *one, size_t count, struct tensor *out) {
    struct shape shape = *one;
    if (count > 1) {
        size_t joined;
        size_t first = one->rank > 0 ? (size_t)one->dim[0] : 1;
        if (!size_multiply(first, count, &joined) || joined > INT64_MAX) {
            return fail(ctx, PARE_ERROR_INPUT, "output '%s': too large to hold %zu of it", name, count);
        }
        shape.rank = one->rank > 0 ? one->rank : 1;
        shape.dim[0] = (int64_t)joined;
    }
    return tensor_new(ctx, arena, type, &shape, out);
}

enum pare_status stack_new(struct context *ctx, struct pare_tensors *out, const char *name, enum dtype type,
                           const struct shape *one, size_t count) {
    struct tensor t;
    TRY(stack_tensor(ctx, &out->arena, name, type, one, count, &t));
    return tensors_append(ctx, out, name, &t);
}

void run_counter_step(struct run_counter *c) {
    size_t done = atomic_fetch_add(&c->done, 1) + 1;
    if (done % 64 == 0 || done == c->total) {
        context_progress(c->origin, &(struct progress){c->phase, done, c->total, NULL, -1});
    }
}

enum pare_status network_run(struct context *ctx, const struct pare_network *n, const struct samples *samples,
                             bool all_values, struct pare_tensors *out) {
    if (n->program != NULL) {
        return run_program(ctx, n, samples, all_values, out);
    }
    return run_float(ctx, n, samples, out);
}
