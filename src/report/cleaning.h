/* What `clean` tells. */
#ifndef PARE_REPORT_CLEANING_H
#define PARE_REPORT_CLEANING_H

#include "report/json.h"

struct cleaned_file {
    const char *name;
    int opset, nodes;
    uint64_t bytes;           /* with external data */
    uint64_t parameter_bytes; /* of constants, as pare holds them */
};

struct cleaning {
    struct cleaned_file before, after;
    const char *const *passes; /* names */
    const int *changes;        /* per pass; 0: nothing to do, or undone */
    size_t pass_count;
    size_t samples;     /* given ones that the outputs were compared on, beside made-up inputs */
    const char *growth; /* why the file is larger than before; NULL: it is not */
};

/* Both append to `out`. */
enum pare_status cleaning_text(struct context *ctx, const struct cleaning *c, struct buffer *out);
enum pare_status cleaning_json(struct context *ctx, const struct cleaning *c, struct buffer *out);

#endif
