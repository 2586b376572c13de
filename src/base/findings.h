/* What a check has found: kinds of trouble, each once, with the places where it is and the way out. */
#ifndef PARE_BASE_FINDINGS_H
#define PARE_BASE_FINDINGS_H

#include "base/arena.h"
#include "base/context.h"

enum finding_kind {
    FINDING_OPERATOR,  /* an operator that pare does not have */
    FINDING_ATTRIBUTE, /* an attribute of one that it has */
    FINDING_FORM,      /* a form of an operator, or a kind of value */
    FINDING_OPSET,
    FINDING_WEIGHTS, /* content of constants */
    FINDING_STRUCTURE,
    FINDING_SHAPE,   /* an open dimension */
    FINDING_FLOAT,   /* what stays in float */
    FINDING_WARNING, /* what reading or rewriting warned of */
    FINDING_KINDS
};

const char *finding_kind_name(enum finding_kind kind); /* "operator", "attribute", ... */

struct finding {
    enum finding_kind kind;
    bool blocks;         /* the model cannot be used; else a remark */
    const char *what;    /* "attribute `axes` of Softmax" */
    const char *way_out; /* or NULL */
    int count;
    int named; /* places that have a name here: min(count, FINDING_PLACES_MAX) */
    const char **places;
    int capacity;
    struct finding *next;
};

#define FINDINGS_MAX 256        /* kinds of trouble kept; more are only counted */
#define FINDING_PLACES_MAX 4096 /* of one */

struct findings {
    struct arena *arena;
    struct finding *first, *last;
    int count; /* with those that are not kept */
};

/* Another place with this trouble; all texts but `way_out` are copied, and cut where they are long. `place` may be
 * NULL: the whole model. */
enum pare_status findings_add(struct context *ctx, struct findings *f, const struct finding *kind, const char *place,
                              const char *what, ...) __attribute__((format(printf, 5, 6)));
bool findings_block(const struct findings *f);

#endif
