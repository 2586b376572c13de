/* Tools that the rewrites share. */
#ifndef PARE_PASSES_REWRITE_H
#define PARE_PASSES_REWRITE_H

#include "graph/graph.h"
#include "graph/op.h"

/* One attempt at one node. It may remove the node itself and nodes before it, and insert nodes beside it; what lies
 * in `scratch` is freed after the call. */
typedef enum pare_status node_rewrite(struct context *ctx, struct arena *scratch, struct node *n, int *changes);

/* Attempts `rewrite` on every node that has its first output, in topological order. */
enum pare_status rewrite_nodes(struct context *ctx, struct graph *g, node_rewrite *rewrite, int *changes);

struct value *node_input(const struct node *n, int index);        /* NULL when omitted */
struct node *input_producer(const struct node *n, int index);     /* NULL when there is none */
bool node_is_any(const struct node *n, const char *const *names); /* `names` ends with NULL */
bool value_dim(const struct value *v, int axis, int64_t *size);   /* false when unknown */
/* Whether a reshape of `from` to `to` keeps axis 0: each row is reshaped by itself. */
bool keeps_rows(const struct value *from, const struct value *to);
bool value_is_float_constant(const struct value *v);
bool value_is_float(const struct value *v);

/* As many as the pads of the highest rank. */
#define INT_LIST_MAX ((size_t)2 * TENSOR_MAX_RANK)

struct int_list {
    int count;
    int64_t at[INT_LIST_MAX];
};
/* Integers of a constant input, or of an attribute. False when absent, longer than the list, or no constant. */
bool input_ints(const struct node *n, int index, struct int_list *out);
bool attr_ints(const struct node *n, const char *name, struct int_list *out);
/* The axes in input `index`, made non-negative for `rank`; false when they are no constant or out of range. */
bool input_axes(const struct node *n, int index, int rank, struct int_list *out);

/* A node whose inputs are all constants becomes constants. In constant_fold.c. */
enum pare_status fold_node(struct context *ctx, struct arena *scratch, struct node *n);
/* Gives `v` the type and dimensions of `like`. */
void value_copy_type(struct value *v, const struct value *like);
/* A node in front of `before`; its output, with the type and dimensions of `like` and named after it. `out` may be one
 * of the places that `inputs` points to. */
enum pare_status put_before(struct context *ctx, struct node *before, const char *op, struct value *const *inputs,
                            int count, const struct value *like, struct value **out);
/* The node becomes another operator in place: name, outputs and origin stay, all attributes go. */
enum pare_status node_become(struct context *ctx, struct node *n, const char *op, struct value *const *inputs,
                             int count);
/* Those attributes of `from` that the operator of `to` has. */
enum pare_status node_copy_attributes(struct context *ctx, const struct node *from, struct node *to);
/* Users of the node's only output read `source` instead, and the node is removed. */
enum pare_status node_bypass(struct context *ctx, struct node *n, struct value *source);
/* False when a bypass would only put an Identity in the node's place. */
bool node_can_bypass(const struct node *n, const struct value *source);

/* Input `index` becomes the tensor (data in the graph's arena). A constant that nobody else reads keeps its name. */
enum pare_status set_constant(struct context *ctx, struct node *n, int index, const char *hint, const struct tensor *t);
/* New constants for the node, named after it. */
enum pare_status add_constant(struct context *ctx, const struct node *n, const char *hint, const struct tensor *t,
                              struct value **out);
enum pare_status add_int_constant(struct context *ctx, const struct node *n, const char *hint, const int64_t *v,
                                  int count, struct value **out);
enum pare_status add_scalar(struct context *ctx, const struct node *n, const char *hint, double v, struct value **out);

/* A constant target that reshapes `from` to the dimensions of `to`: sizes, 0 where the unknown dimension is the one of
 * `from`, one -1. False when that does not say it all. In reshape_cleanup.c, as is the next. */
bool reshape_target(const struct value *from, const struct value *to, struct int_list *target);
enum pare_status become_reshape(struct context *ctx, struct node *n, struct value *from, const struct int_list *target);
/* Whether no element can be negative, by what produces it; false when that is not known. In relu_clip.c. */
bool value_is_not_negative(const struct value *v);

#endif
