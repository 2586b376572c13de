/* A Resize to computed sizes gets constant ones for the spatial axes, where inference knows them.
 *
 * requires: inferred shapes.
 * guarantees: no Resize from [N, C, ...] with computed sizes that keeps N and C and whose other sizes are known. */
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

#include <string.h>

static bool keeps_batch_and_channels(const struct value *from, const struct value *to) {
    return from->rank == to->rank && from->rank > 2 && same_dim(&from->dims[0], &to->dims[0]) &&
           same_dim(&from->dims[1], &to->dims[1]);
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    (void)scratch;
    const struct value *to = n->outputs[0];
    int64_t sizes[TENSOR_MAX_RANK], axes[TENSOR_MAX_RANK];
    struct value *constant;
    if (!node_is(n, "Resize") || node_input(n, 3) == NULL || value_is_constant(n->inputs[3]) ||
        node_attr(n, "axes") != NULL || node_input(n, 1) != NULL || !keeps_batch_and_channels(n->inputs[0], to) ||
        strcmp(node_string(n, "keep_aspect_ratio_policy"), "stretch") != 0) {
        return PARE_OK;
    }
    for (int i = 2; i < to->rank; i++) {
        axes[i - 2] = i;
        if (!value_dim(to, i, &sizes[i - 2])) {
            return PARE_OK;
        }
    }
    ++*changes;
    TRY(add_int_constant(ctx, n, "sizes", sizes, to->rank - 2, &constant));
    TRY(node_set_input(ctx, n, 3, constant));
    return node_set_ints(ctx, n, "axes", axes, (size_t)to->rank - 2);
}

enum pare_status pass_resize_sizes(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
