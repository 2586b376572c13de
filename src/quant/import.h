/* What the files of the import share. */
#ifndef PARE_QUANT_IMPORT_H
#define PARE_QUANT_IMPORT_H

#include "base/map.h"
#include "quant/exchange.h"

/* Integers that a float constant came from. */
struct folded {
    const struct value *integers;
    struct format stored; /* as DequantizeLinear reads them */
};

/* A QuantizeLinear that stood behind a value. */
struct rounding_place {
    const struct node *node;
    struct value *value; /* where the graph was closed again */
    struct format format;
    bool placed; /* a point of the scheme took it */
    struct rounding_place *next;
};

struct import {
    struct context *ctx;
    struct graph *graph;
    struct scheme *scheme;
    struct arena scratch;
    struct map folded;   /* float constant -> struct folded */
    struct map rounding; /* value -> struct rounding_place */
    struct rounding_place *places;
};

/* The fraction at which an element of the integers is read. */
int folded_frac(const struct folded *f, size_t element);

/* Weights and bias of one linear operator, exactly as they stand in the file. The input's format must be set. */
enum pare_status import_linear(struct import *im, struct linear *l);

#endif
