/* What the executor and its cache know of each other. */
#ifndef PARE_FIXED_EXECUTOR_IMPL_H
#define PARE_FIXED_EXECUTOR_IMPL_H

#include "fixed/executor.h"
#include "fixed/plan.h"

struct executor {
    const struct program *program;
    const struct isa *isa; /* NULL: the kernels of src/runtime */
    struct plan *plans;    /* one per operator */
    bool *stale;           /* the plan does not match the program */
    uint64_t *updated;     /* `clock` when the operator was last updated */
    uint64_t clock;
    struct arena constants; /* aligned copies */
    void **constant;        /* per value, NULL where it is none */
};

struct snapshot;

/* Drops what is no longer valid, and makes room for the snapshot that was asked for. */
enum pare_status cache_begin(struct context *ctx, struct executor_cache *cache, const struct executor *e);
/* Fills the worker's data from the deepest snapshot of the slot, at `end` or before, from which the run can still store
 * what was asked for. Returns its cut; 0 and nothing filled when there is none. */
uint32_t cache_restore(const struct executor_cache *cache, size_t slot, uint32_t end, void *const *data);
/* Stores the slot when `cut` is the one asked for. */
void cache_store(struct executor_cache *cache, size_t slot, uint32_t cut, void *const *data);
void cache_end(struct executor_cache *cache);

#endif
