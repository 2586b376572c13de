/* What the files of the export share. */
#ifndef PARE_QUANT_EXPORT_H
#define PARE_QUANT_EXPORT_H

#include "base/map.h"
#include "quant/exchange.h"

struct export {
    struct context *ctx;
    const struct scheme *scheme;
    struct graph *graph; /* the copy that is rewritten */
    struct arena scratch;
    struct map copies;   /* values and nodes of the scheme's graph -> those of the copy */
    struct map operands; /* constants of the scheme's graph -> their dequantised integers */
};

/* Integers of a constant, to be read at `stored` and announced as `annotated`. */
struct integers {
    const char *name; /* of the float constant they stand for */
    struct tensor codes;
    struct format stored, annotated;
};

/* An initializer with its DequantizeLinear in front of `before`, whose result is *out. */
enum pare_status export_integers(struct export *e, const struct integers *i, struct node *before, struct value **out);
/* Weights and bias of one linear operator. */
enum pare_status export_linear(struct export *e, struct linear *l);
/* A copy of `f` in the graph's arena, as the annotation of `v`. */
enum pare_status export_annotate(struct export *e, struct value *v, const struct format *f);

#endif
