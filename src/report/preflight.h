/* What `check` tells about a model before anything is done with it. */
#ifndef PARE_REPORT_PREFLIGHT_H
#define PARE_REPORT_PREFLIGHT_H

#include "base/findings.h"
#include "report/inspection.h"

/* What becomes of a layer beside what it is. */
struct layer_outlook {
    const char *becomes; /* "integers", "bounds", "addend", "cut", "float", "unknown" */
    const char *why;     /* or NULL */
};

struct preflight {
    const char *verdict; /* "fine", "remarks", "unusable" */
    const char *producer;
    int64_t opset;
    const struct findings *findings;
    const struct inspection *model;       /* its layers as they would be quantised */
    const struct layer_outlook *outlooks; /* one per layer */
};

/* Both append to `out`; docs/check.schema.json describes the JSON. */
enum pare_status preflight_text(struct context *ctx, const struct preflight *p, struct buffer *out);
enum pare_status preflight_json(struct context *ctx, const struct preflight *p, struct buffer *out);

#endif
