/* What a node of a float graph costs. */
#ifndef PARE_API_WORK_H
#define PARE_API_WORK_H

#include "graph/graph.h"

struct work {
    uint64_t macs;       /* multiply-accumulates of one sample; 0 where a shape is not known, INT64_MAX: that or more */
    uint64_t parameters; /* float constants among its inputs */
    bool open;           /* macs is 0 only because a shape is not known */
};

/* With its bodies: of an If the larger branch, of a Loop or Scan as many passes as the model says, or one. */
struct work work_of(const struct node *n);

uint64_t elements_of(const struct value *v);   /* in one sample; 0 where that is not known, and for NULL */
uint64_t parameters_of(const struct value *v); /* elements of a float constant, else 0 */

#endif
