/* What `eval` tells about a network on a data file. */
#ifndef PARE_REPORT_EVALUATION_H
#define PARE_REPORT_EVALUATION_H

#include "base/bytes.h"
#include "base/context.h"

#include <stdbool.h>
#include <stdint.h>

struct evaluation {
    const char *file, *kind, *data;
    uint64_t model_hash, data_hash;
    size_t samples, classes;
    bool labelled;
    size_t right_top1, right_top5; /* labelled */
    const char *reference;         /* the float network compared with, or NULL */
    size_t agreeing;               /* samples with the reference's class */
    double sqnr_db;                /* infinite: equal outputs */
    double largest_difference;     /* |output - reference|, over the largest |reference| */
};

/* Both append to `out`. */
enum pare_status evaluation_text(struct context *ctx, const struct evaluation *e, struct buffer *out);
enum pare_status evaluation_json(struct context *ctx, const struct evaluation *e, struct buffer *out);

#endif
