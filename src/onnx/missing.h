/* What a model asks for and pare does not have, collected over the whole graph so that one message lists it all. */
#ifndef PARE_ONNX_MISSING_H
#define PARE_ONNX_MISSING_H

#include "base/arena.h"
#include "base/context.h"

#define MISSING_NODES_NAMED 3

struct missing_item {
    const char *what;
    int count;
    const char *nodes[MISSING_NODES_NAMED]; /* the first ones */
    struct missing_item *next;
};

struct missing {
    struct arena *arena;
    struct missing_item *first, *last;
    int count; /* of items */
};

/* Notes that `node` needs `what`; both are copied. */
enum pare_status missing_add(struct context *ctx, struct missing *m, const char *node, const char *what, ...)
    __attribute__((format(printf, 4, 5)));

/* PARE_ERROR_UNSUPPORTED with the list, in the order of the file, ended by a count where it is longer than a message.
 */
enum pare_status missing_report(struct context *ctx, const struct missing *m);

#endif
