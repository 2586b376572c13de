/* Inputs of a linear operator with so many columns that their Gram matrix would be too large: the unfolded inputs
 * themselves, mostly fewer than columns, say the same.
 *
 * With X [count][columns], centred where a bias takes up the mean and divided by sqrt(count), the objective of rounding
 * (quant/moments.h) is X^T X, and the error d X^T X d^T of a row is |X d|^2: what the row's output loses on each
 * vector. By (X^T X + c I)^-1 X^T = X^T (X X^T + c I)^-1 systems of equations are as large as the vectors are many. */
#ifndef PARE_QUANT_VECTORS_H
#define PARE_QUANT_VECTORS_H

#include "quant/gptq.h"
#include "quant/scheme.h"

#define VECTORS_BLOCK 64 /* columns whose codes are moved together */

struct vectors {
    uint32_t columns, rows;
    size_t stride; /* every how many of those that are added is kept */
    size_t added, count, capacity;
    float *x;      /* [capacity][columns] */
    float *y;      /* [capacity][rows]: what the rows should make of x; NULL: what they make of x themselves */
    double *grams; /* [blocks][VECTORS_BLOCK][VECTORS_BLOCK]: the objective on its diagonal; unused places are 0 */
};

/* Whether the vectors of an operator are few enough to be worked with, of `expected` that will be added, and in how
 * many bytes they are kept. */
bool vectors_possible(const struct linear *l, size_t expected, size_t *bytes);
bool vectors_init(struct vectors *v, struct arena *a, const struct linear *l, size_t expected,
                  bool paired); /* false when out of memory */
/* Adds x[count][columns], and y[count][rows] where they are paired (else NULL). */
void vectors_add(struct vectors *v, const float *x, const float *y, size_t count);
/* After the last one. `mean` [columns] and `mean_wanted` [rows] are taken away; NULL: nothing is. */
void vectors_finish(struct vectors *v, const double *mean, const double *mean_wanted);

/* out[rows][columns]: the rows that come nearest to y on x, `damping` as in moments_finish. */
enum pare_status vectors_fit(struct context *ctx, const struct vectors *v, const float *weights, double damping,
                             float *out);
/* Scratch for so many rows: `seen` [rows][vectors], `changes` and `products` [rows][VECTORS_BLOCK]. */
struct vectors_scratch {
    float *seen, *changes;
    double *products;
};

bool vectors_scratch_init(struct vectors_scratch *s, struct arena *a, const struct vectors *v, size_t rows);

/* errors[rows]: |X d|^2 of the rows of d[rows][columns]. */
void vectors_errors(const struct vectors *v, const double *d, size_t rows, const struct vectors_scratch *scratch,
                    double *errors);
/* Coordinate descent (quant/gptq.h) on rows of codes; `d` [rows][columns], the weights less what the codes stand for,
 * is kept up to date. */
void vectors_descend(const struct vectors *v, double damping, const int *fracs, size_t rows, struct grid_range range,
                     int sweeps, double *d, int32_t *codes, const struct vectors_scratch *scratch);

#endif
