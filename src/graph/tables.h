/* Private to src/graph: name tables, growing lists, and copies of attributes between graphs. */
#ifndef PARE_GRAPH_TABLES_H
#define PARE_GRAPH_TABLES_H

#include "graph/graph.h"

/* Subgraphs nested deeper than this are refused, so that every walk over them may recurse. */
#define GRAPH_MAX_NESTING 16

/* Open addressing with linear probing. An entry without a name is free, one without an item was removed. */
struct name_entry {
    const char *name;
    void *item;
};

struct name_table {
    struct name_entry *entries; /* `capacity` of them, a power of two or 0 */
    size_t capacity, used;      /* `used` counts removed entries too */
};

struct graph_tables {
    struct name_table values, nodes, symbols; /* symbols: of the outermost graph only */
    unsigned serial;                          /* ends the next made-up name */
};

void *name_table_find(const struct name_table *t, const char *name);
/* `name` must be new to the table and outlive it; false when out of memory. */
bool name_table_insert(struct arena *a, struct name_table *t, const char *name, void *item);
void name_table_remove(struct name_table *t, const char *name);
/* `name` itself when it is new to the table, else a new one that begins with `hint`; NULL when out of memory. */
char *name_table_unique(struct graph *g, const struct name_table *t, const char *name, const char *hint);

/* Room for one more element of a list whose capacity is the power of two at or above `count`; NULL when out of memory.
 */
void *list_grow(struct arena *a, void *list, int count, size_t size);
/* An array with that capacity, copied from `source`. */
void *list_copy(struct arena *a, const void *source, int count, size_t size);

bool value_add_use(struct value *v, struct node *n, int index); /* v may be NULL; false when out of memory */
void value_remove_use(struct value *v, const struct node *n, int index);

/* An empty subgraph in the arena of `parent`. */
enum pare_status graph_new_child(struct context *ctx, struct graph *parent, const char *name, struct graph **out);
int graph_nesting(const struct graph *g); /* 0 for an outermost graph */

/* Which values of the copied graphs became which: one scope per graph that is being copied, the innermost first. */
struct clone_scope {
    const struct graph *from;
    struct graph *to;
    struct value **map; /* by position in from->values */
    const struct clone_scope *outer;
};

/* A deep copy of `from` for a node of `owner`; `scope` may be NULL. */
enum pare_status attr_copy(struct context *ctx, struct graph *owner, const struct clone_scope *scope,
                           bool share_constants, const struct attr *from, struct attr *to);
/* Adds or replaces an attribute that already lives in the graph's arena. */
enum pare_status node_attach_attr(struct context *ctx, struct node *n, const struct attr *a);
/* Takes back every use that nodes of a subgraph make of values around it, before the subgraph is dropped. */
void graph_release_captures(struct graph *g);
enum pare_status graph_clone_child(struct context *ctx, struct graph *owner, const struct clone_scope *outer,
                                   bool share_constants, const struct graph *g, struct graph **out);
enum pare_status tensor_copy(struct context *ctx, struct arena *a, const struct tensor *from, struct tensor **to);

#endif
