/* First and second moments of the input columns of one linear operator. */
#ifndef PARE_QUANT_MOMENTS_H
#define PARE_QUANT_MOMENTS_H

#include "quant/gptq.h"
#include "quant/scheme.h"
#include "quant/vectors.h"

struct moments {
    uint32_t groups, columns, rows; /* rows: of all groups */
    bool centred; /* rows have a bias, which takes up the mean error: what counts is the error's variance */
    uint64_t count;
    double *mean, *diagonal;     /* E[x] and E[x^2], [groups][columns] */
    double *gram;                /* E[x x^T], [groups][columns][columns]; NULL: not known */
    struct gptq_factor *factors; /* of each group's objective, where there is a gram */
    struct vectors *vectors;     /* x themselves, instead of a gram; NULL: the diagonal is all there is */
    /* Where x is what the integer program computes, and y what the rows should make of it: */
    double *mean_wanted; /* E[y], [rows]; NULL: what they make of x themselves */
    double *cross;       /* E[y x^T], [rows][columns] */
    float *target;       /* [rows][columns]: the rows that come nearest to y on x; NULL: not known */
};

/* Gram matrices are kept for at most so many columns, and in so many bytes together with what follows from them. */
#define MOMENTS_COLUMNS ((uint32_t)4096)
#define MOMENTS_BYTES ((size_t)1 << 30)

/* Bytes that moments with a Gram matrix take; false when they cannot be counted. */
bool moments_bytes(const struct linear *l, size_t *bytes);

/* What is kept besides means and diagonal. */
enum moments_detail { MOMENTS_DIAGONAL, MOMENTS_VECTORS, MOMENTS_GRAM };

/* `expected`: inputs that will be added; `paired`: with what compares the rows' outputs with y. */
enum pare_status moments_init(struct context *ctx, struct arena *a, const struct linear *l, enum moments_detail detail,
                              size_t expected, bool paired, struct moments *out);
/* Adds `count` unfolded inputs x[count][groups][columns], and y[count][rows] where they are paired (else NULL). */
enum pare_status moments_add(struct context *ctx, struct moments *m, const float *x, const float *y, size_t count);
/* Sums become means; the factors are computed, and the target: W* = W + (E[y x^T] - W G) (G + damping I)^-1, which
 * minimises E|y - W* x|^2 + damping |W* - W|^2, with four times the damping of rounding. Without a Gram matrix or
 * vectors there is none. */
enum pare_status moments_finish(struct context *ctx, const struct linear *l, struct moments *m);

/* What rounding minimises, in h[columns][columns]: with d the rounding error of a row, d h d^T is the mean squared
 * error of its output, or its variance where a bias takes up the mean. Needs a Gram matrix. */
void moments_objective(const struct moments *m, uint32_t group, double *h);
/* Its diagonal, which is known always. */
double moments_importance(const struct moments *m, uint32_t group, uint32_t column);
/* The mean of that diagonal. */
double moments_scale(const struct moments *m, uint32_t group);
/* What is added to that diagonal when rows are fitted and rounded: 1 % of its mean (Frantar et al. 2022, section 3.3),
 * and as much more as the inputs are few for so many columns, or errors would hide where no input happened to look. */
double moments_damping(const struct moments *m, uint32_t group);

#endif
