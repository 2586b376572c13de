/* Slices of a tensor along an axis, and tensors stacked to one. */
#ifndef PARE_FLOAT_SLICES_H
#define PARE_FLOAT_SLICES_H

#include "graph/graph.h"

/* A copy on the heap. */
enum pare_status tensor_duplicate(struct context *ctx, const struct tensor *t, struct tensor *out);
/* Slice `index` along `axis`, on the heap; the axis is gone. */
enum pare_status slice_take(struct context *ctx, const struct tensor *t, int axis, int64_t index, struct tensor *out);

/* Tensors of one type and shape. */
struct stack {
    struct tensor *items; /* on the heap, owned */
    size_t count, capacity;
};

struct stacking {
    int64_t axis; /* of the result, where the items stand one behind the other */
    bool backwards;
};

/* Takes the tensor over, whatever happens. */
enum pare_status stack_push(struct context *ctx, struct stack *s, struct tensor *t);
/* All of them in a new tensor on the heap; of an empty stack, `like` tells type and shape. */
enum pare_status stack_join(struct context *ctx, const struct stack *s, const struct stacking *how,
                            const struct value *like, struct tensor *out);
void stack_free(struct stack *s);

#endif
