/* A Pad with zeros of the spatial axes becomes the padding of the Conv or pool that reads it.
 *
 * requires: inferred shapes, auto_pad resolved.
 * guarantees: no such Pad before a Conv; none before an AveragePool that can count it, nor before a MaxPool of values
 *   that cannot be negative, where zeros win as little as the absence of values. */
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

#include <string.h>

/* The pads of a Pad node as begins and ends of the spatial axes; false where it is something else than zeros there. */
static bool spatial_pads(const struct node *pad, struct int_list *out) {
    int rank = pad->inputs[0]->rank;
    const struct value *fill = node_input(pad, 2);
    struct int_list given, axes = {.count = rank};
    double zero = 0;
    if (rank < 3 || strcmp(node_string(pad, "mode"), "constant") != 0 || !input_ints(pad, 1, &given) ||
        (fill != NULL && (!value_scalar(fill, &zero) || zero != 0))) {
        return false;
    }
    for (int i = 0; i < rank; i++) {
        axes.at[i] = i;
    }
    if ((node_input(pad, 3) != NULL && !input_axes(pad, 3, rank, &axes)) || given.count != 2 * axes.count) {
        return false;
    }
    *out = (struct int_list){.count = 2 * (rank - 2)};
    for (int i = 0; i < given.count; i++) {
        int64_t axis = axes.at[i % axes.count];
        if (given.at[i] < 0 || (axis < 2 && given.at[i] != 0)) {
            return false;
        }
        if (axis >= 2) {
            out->at[(i < axes.count ? 0 : rank - 2) + axis - 2] = given.at[i];
        }
    }
    return true;
}

/* Begins and ends of the padding that a Conv or pool has itself; false when they are not explicit. */
static bool own_pads(const struct node *n, int spatial, struct int_list *out) {
    const char *auto_pad = node_string(n, "auto_pad");
    *out = (struct int_list){.count = 2 * spatial};
    if (strcmp(auto_pad, "VALID") == 0 || (strcmp(auto_pad, "NOTSET") == 0 && node_attr(n, "pads") == NULL)) {
        return true;
    }
    return strcmp(auto_pad, "NOTSET") == 0 && attr_ints(n, "pads", out) && out->count == 2 * spatial;
}

static bool is_all_zero(const struct int_list *list) {
    int i = 0;
    while (i < list->count && list->at[i] == 0) {
        i++;
    }
    return i == list->count;
}

/* Whether every window of a pool keeps an element of the input, so that its padding never stands alone. */
static bool fits_kernel(const struct node *pool, const struct int_list *pads) {
    struct int_list kernel;
    if (!attr_ints(pool, "kernel_shape", &kernel) || 2 * kernel.count != pads->count ||
        node_attr(pool, "dilations") != NULL || node_int(pool, "ceil_mode") != 0) {
        return false;
    }
    int i = 0;
    while (i < pads->count && pads->at[i] < kernel.at[i % kernel.count]) {
        i++;
    }
    return i == pads->count;
}

static bool takes_pads(const struct node *n, const struct node *pad, const struct int_list *own,
                       const struct int_list *sum) {
    if (node_is(n, "Conv")) {
        return true;
    }
    if (node_is(n, "AveragePool")) {
        return fits_kernel(n, sum) && (is_all_zero(own) || node_int(n, "count_include_pad") == 1);
    }
    return node_is(n, "MaxPool") && fits_kernel(n, sum) && value_is_not_negative(pad->inputs[0]);
}

static enum pare_status rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes) {
    (void)scratch;
    const struct node *pad = input_producer(n, 0);
    struct int_list added, own;
    if (pad == NULL || !node_is(pad, "Pad") ||
        (!node_is(n, "Conv") && !node_is(n, "AveragePool") && !node_is(n, "MaxPool")) || !spatial_pads(pad, &added) ||
        !own_pads(n, added.count / 2, &own)) {
        return PARE_OK;
    }
    for (int i = 0; i < added.count; i++) {
        if (added.at[i] > INT32_MAX || own.at[i] > INT32_MAX) {
            return PARE_OK;
        }
        added.at[i] += own.at[i];
    }
    if (!takes_pads(n, pad, &own, &added)) {
        return PARE_OK;
    }
    ++*changes;
    TRY(node_set_input(ctx, n, 0, pad->inputs[0]));
    node_remove_attr(n, "auto_pad");
    if (node_is(n, "AveragePool")) {
        TRY(node_set_int(ctx, n, "count_include_pad", 1));
    }
    return node_set_ints(ctx, n, "pads", added.at, (size_t)added.count);
}

enum pare_status pass_pad_into_conv(struct context *ctx, struct graph *g, int *changes) {
    return rewrite_nodes(ctx, g, rewrite, changes);
}
