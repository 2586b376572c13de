/* What `inspect --memory` tells: where the activations of a program lie, and when. */
#ifndef PARE_REPORT_MEMORY_MAP_H
#define PARE_REPORT_MEMORY_MAP_H

#include "report/json.h"

struct memory_row {
    const char *name, *op;   /* of the operator, or of an input */
    size_t offset, size;     /* of what it writes, bytes in the arena */
    const char *last_reader; /* the operator that reads it last, or NULL: the end */
    size_t alive;            /* bytes of all that is needed while it runs */
    const char *overwritten; /* whose place the output takes, or NULL */
};

struct memory_map {
    const char *file;
    struct memory_row *rows;
    size_t count;
    size_t arena, lower_bound, largest_pair; /* bytes; the pair: input and output of one operator, at most */
};

/* Both append to `out`. */
enum pare_status memory_map_text(struct context *ctx, const struct memory_map *m, struct buffer *out);
enum pare_status memory_map_json(struct context *ctx, const struct memory_map *m, struct buffer *out);

#endif
