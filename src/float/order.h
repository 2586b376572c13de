/* Sorting of positions by what stands there. */
#ifndef PARE_FLOAT_ORDER_H
#define PARE_FLOAT_ORDER_H

#include "tensor/tensor.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether what stands at `a` belongs before what stands at `b`. */
typedef bool order_before(const void *user, size_t a, size_t b);

/* Sorts positions, stable; `spare` has room for as many. */
void order_sort(size_t *positions, size_t count, size_t *spare, order_before *before, const void *user);

/* -1, 0, 1 as element a is less than, equal to or more than element b; 0 where one is not a number. */
int elements_compare(const struct tensor *t, size_t a, size_t b);

#endif
