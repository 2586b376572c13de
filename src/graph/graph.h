/* The IR: a graph of single-assignment values, each operator with one meaning, whatever opset the
 * file came in (the semantics of ONNX opset 21, default domain).
 *
 *   graph ──▶ nodes in topological order ──▶ inputs/outputs ──▶ values ──▶ producer, uses
 *
 * Everything belongs to the graph's arena and lives as long as the graph. */
#ifndef PARE_GRAPH_GRAPH_H
#define PARE_GRAPH_GRAPH_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/context.h"
#include "base/findings.h"
#include "graph/format.h"
#include "tensor/tensor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct graph;
struct node;
struct op;

/* One dimension: known (value >= 0), or unknown (value -1) and then named by its symbol: two unknown
 * dimensions with the same symbol are equal. Symbol NULL: nothing is known. Symbols are interned per
 * outermost graph, so they compare by pointer. */
struct dim {
    int64_t value;
    const char *symbol;
};

struct use {
    struct node *node; /* NULL: the value is an output of the graph */
    int index;         /* of node->inputs, or of graph->outputs */
};

struct value {
    char *name;      /* unique within the graph, never empty */
    enum dtype type; /* DTYPE_NONE until inferred */
    int rank;        /* -1: unknown */
    struct dim dims[TENSOR_MAX_RANK];
    struct tensor *constant; /* initializer or folded constant, else NULL; type and dims agree with it */
    struct node *producer;   /* NULL for graph inputs and constants */
    int producer_index;
    int position; /* in graph->values: indexes tables beside the graph, until the next edit */
    struct use *uses;
    int use_count, use_capacity;
    bool is_input; /* a graph input; never a constant (an input with an initializer is imported as a constant) */
    struct format *format; /* fixed-point annotation, or NULL: not materialised (constants of a float
                            * graph; values inside a fused step) */
    struct graph *graph;
};

enum attr_type { ATTR_INT, ATTR_FLOAT, ATTR_STRING, ATTR_INTS, ATTR_FLOATS, ATTR_TENSOR, ATTR_GRAPH, ATTR_STRINGS };

struct attr {
    const char *name;
    enum attr_type type;
    int64_t i;
    float f;
    const char *s; /* of strings: all of them, with a comma between two (names, which hold none) */
    size_t count;  /* of ints, floats */
    int64_t *ints;
    float *floats;
    struct tensor *tensor;
    struct graph *graph;
};

struct metadata {
    const char *key, *text;
};

struct node {
    char *name;              /* unique within the graph, never empty (made up when the file has none) */
    const struct op *op;     /* its row of the operator table */
    const struct op *origin; /* the operator that the user wrote where a pass replaced it, else == op */
    struct value **inputs;   /* an omitted optional input is NULL */
    int input_count;
    struct value **outputs; /* an omitted optional output is NULL */
    int output_count;
    struct attr *attrs; /* as given; absent ones have the table's default */
    int attr_count;
    struct node *previous, *next;
    struct graph *graph;
};

struct graph {
    struct arena *arena;
    char *name;
    struct node *first, *last; /* topological order */
    int node_count;
    struct value **inputs;
    int input_count;
    struct value **outputs;
    int output_count;
    struct value **values; /* every live value, in order of creation */
    int value_count, value_capacity;
    struct metadata *metadata; /* model metadata_props, kept on export */
    int metadata_count;
    struct graph *parent; /* of a subgraph, else NULL */
    /* name and symbol tables are private to graph.c */
    struct graph_tables *tables;
};

/* A graph that holds more is refused: edits may take time in proportion to its size. */
#define GRAPH_MAX_NODES (1 << 16)
#define GRAPH_MAX_VALUES (1 << 18)

/* ---- making and freeing ---- */

enum pare_status graph_new(struct context *ctx, const char *name, struct graph **out);
void graph_free(struct graph *g); /* accepts NULL; frees subgraphs too */
/* A deep copy; constants' data are shared with the source when `share_constants` (it must then outlive the copy). */
enum pare_status graph_clone(struct context *ctx, const struct graph *g, bool share_constants, struct graph **out);

/* Every dimension with this symbol becomes `size`, in subgraphs too. */
void graph_fix_symbol(struct graph *g, const char *symbol, int64_t size);
/* An empty subgraph, for an attribute of a node of `parent`, in whose arena it lives. PARE_ERROR_INPUT when nested too
 * deep. */
enum pare_status graph_new_subgraph(struct context *ctx, struct graph *parent, const char *name, struct graph **out);
const char *graph_symbol(struct graph *g, const char *name); /* interned; NULL when out of memory */

/* ---- edits: uses and producers are kept consistent by these, and only by these ---- */

/* A new value; `name` NULL or taken: a unique one is derived from `hint`. Appended to no list but graph->values. */
enum pare_status graph_add_value(struct context *ctx, struct graph *g, const char *name, const char *hint,
                                 struct value **out);
enum pare_status graph_add_input(struct context *ctx, struct graph *g, struct value *v);
enum pare_status graph_add_output(struct context *ctx, struct graph *g, struct value *v);
/* A constant; the tensor's data must live in the graph's arena or outlive the graph. */
enum pare_status graph_add_constant(struct context *ctx, struct graph *g, const char *name, const struct tensor *t,
                                    struct value **out);
/* Inserted before `before`, or at the end when NULL. Inputs may hold NULL. */
enum pare_status graph_add_node(struct context *ctx, struct graph *g, const struct op *op, const char *name,
                                struct value *const *inputs, int input_count, struct value *const *outputs,
                                int output_count, struct node *before, struct node **out);
enum pare_status node_set_input(struct context *ctx, struct node *n, int index, struct value *v);
enum pare_status node_append_input(struct context *ctx, struct node *n, struct value *v);
/* Every use of `from` becomes a use of `to`; where `from` is a graph output, `to` takes over its name
 * if `to` is no input, output or constant, otherwise an Identity keeps the output's name. */
enum pare_status graph_replace(struct context *ctx, struct graph *g, struct value *from, struct value *to);
/* `name` taken by another value: a unique one is derived from it. */
enum pare_status value_rename(struct context *ctx, struct value *v, const char *name);
void graph_remove_node(struct graph *g, struct node *n);   /* its outputs must have no uses; they are removed too */
void graph_remove_value(struct graph *g, struct value *v); /* must have no uses and no producer */
/* Removes every value with neither source nor use that is no graph input: constants that nobody reads, too. */
void graph_remove_unused_values(struct graph *g);
/* Optional outputs at the end of a node's list that nobody reads are no outputs any more; the first one stays, and so
 * do those of operators with any number of them. */
void graph_remove_unread_outputs(struct graph *g);
/* Stable topological sort; PARE_ERROR_INPUT naming a node of the cycle. */
enum pare_status graph_sort(struct context *ctx, struct graph *g);

struct value *graph_find(const struct graph *g, const char *name); /* or NULL; own values only */

enum pare_status node_set_int(struct context *ctx, struct node *n, const char *name, int64_t v);
enum pare_status node_set_ints(struct context *ctx, struct node *n, const char *name, const int64_t *v, size_t count);
enum pare_status node_set_float(struct context *ctx, struct node *n, const char *name, float v);
enum pare_status node_set_string(struct context *ctx, struct node *n, const char *name, const char *v);
enum pare_status node_set_attr(struct context *ctx, struct node *n, const struct attr *a); /* deep copy */
/* The same for a subgraph made by graph_new_subgraph, which is not copied. */
enum pare_status node_set_subgraph(struct context *ctx, struct node *n, const char *name, struct graph *g);
void node_remove_attr(struct node *n, const char *name);
/* Both texts are copied; an existing key gets the new text. */
enum pare_status graph_set_metadata(struct context *ctx, struct graph *g, const char *key, const char *text);

/* ---- questions ---- */

const struct attr *node_attr(const struct node *n, const char *name); /* as given, or NULL */
/* Given value, else the default of the operator's row. */
int64_t node_int(const struct node *n, const char *name);
float node_float(const struct node *n, const char *name);
const char *node_string(const struct node *n, const char *name); /* never NULL; strings with commas between them */
const int64_t *node_ints(const struct node *n, const char *name, size_t *count); /* NULL and 0 when absent */

bool node_is(const struct node *n, const char *op_name); /* false for n == NULL */
bool value_is_constant(const struct value *v);           /* false for NULL */
bool value_is_output(const struct value *v);
/* The only use, when it is by a node (not a graph output); else NULL. */
struct node *value_single_user(const struct value *v);
/* All dims known. Symbolic ones take `batch` when batch >= 0 and the dim is the first one; else false. */
bool value_shape(const struct value *v, int64_t batch, struct shape *out);
/* Both false when that is not certain. */
bool same_dim(const struct dim *a, const struct dim *b);
bool value_same_shape(const struct value *a, const struct value *b);
/* The float value of a one-element constant; false for anything else. */
bool value_scalar(const struct value *v, double *out);
bool node_has_subgraphs(const struct node *n);
bool graph_has_subgraphs(const struct graph *g);

/* ---- verifier, text, shapes ---- */

/* Names unique, uses and producers consistent, topological order, arity and attributes as in the table, constants match
 * their types. PARE_ERROR_INTERNAL naming the node. */
enum pare_status graph_verify(struct context *ctx, const struct graph *g);

/* Fills type, rank and dims of every value from inputs and constants, with symbolic dimensions and shape arithmetic
 * (Shape, Gather, Concat, ... over symbolic values) followed. Keeps what was already known and PARE_ERROR_INPUT on a
 * contradiction. */
enum pare_status graph_infer(struct context *ctx, struct graph *g);
/* The same, going on behind a node whose inputs do not fit: its message becomes a finding, its outputs stay unknown.
 * With `noted` NULL it is graph_infer. */
enum pare_status graph_infer_noting(struct context *ctx, struct graph *g, struct findings *noted);

/* Text form, see graph/text.c for its grammar. Printing then parsing gives an equal graph. */
enum pare_status graph_print(struct context *ctx, const struct graph *g, struct buffer *out);
/* The same for reading only: large constants are named by their hash. */
enum pare_status graph_print_brief(struct context *ctx, const struct graph *g, struct buffer *out);
enum pare_status graph_parse(struct context *ctx, const char *text, struct graph **out);
/* Of all that the text says: operators, attributes, shapes, names, metadata, and every byte of the constants. */
enum pare_status graph_hash(struct context *ctx, const struct graph *g, uint64_t seed, uint64_t *hash);

#endif
