/* auto_pad becomes explicit pads.
 *
 * requires: inferred shapes.
 * guarantees: auto_pad is left only where padding depends on an unknown size. */
#include "graph/window.h"
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

#include <string.h>

static void partial_shape(const struct value *v, struct shape *out) {
    out->rank = v->rank;
    for (int i = 0; i < v->rank; i++) {
        out->dim[i] = v->dims[i].value;
    }
}

static bool collect_pads(const struct window *w, int64_t *pads) {
    bool known = true;
    for (int i = 0; i < w->rank; i++) {
        pads[i] = w->pad_begin[i];
        pads[w->rank + i] = w->pad_end[i];
        known = known && pads[i] >= 0 && pads[w->rank + i] >= 0;
    }
    return known;
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    static const char *const windowed[] = {"Conv", "ConvTranspose", "AveragePool", "MaxPool", NULL};
    (void)scratch;
    if (!node_is_any(n, windowed) || strcmp(node_string(n, "auto_pad"), "NOTSET") == 0 || n->inputs[0]->rank < 3) {
        return PARE_OK;
    }
    bool has_weight = n->input_count > 1;
    struct shape input, weight;
    struct window window;
    int64_t pads[2 * WINDOW_MAX_RANK];
    if (has_weight && n->inputs[1]->rank != n->inputs[0]->rank) {
        return PARE_OK;
    }
    partial_shape(n->inputs[0], &input);
    if (has_weight) {
        partial_shape(n->inputs[1], &weight);
    }
    TRY(window_resolve(ctx, n, &input, has_weight ? &weight : NULL, &window));
    if (!collect_pads(&window, pads) || node_attr(n, "output_shape") != NULL) {
        return PARE_OK;
    }
    ++*changes;
    node_remove_attr(n, "auto_pad");
    node_remove_attr(n, "ceil_mode"); /* it has no say where auto_pad fixes the output size */
    return node_set_ints(ctx, n, "pads", pads, 2 * (size_t)window.rank);
}

enum pare_status pass_resolve_auto_pad(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
