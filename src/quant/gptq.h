/* Second-order rounding of the rows of a matrix: GPTQ, and coordinate descent behind it.
 *
 * Both lower the error (w - q) H (w - q)^T of a row w with codes q, for a symmetric H [columns][columns]. */
#ifndef PARE_QUANT_GPTQ_H
#define PARE_QUANT_GPTQ_H

#include "base/arena.h"
#include "base/context.h"

#include <stdbool.h>
#include <stdint.h>

/* U, upper triangular with (P H P^T + damping I)^-1 = U^T U, where P brings the columns into the order in which
 * they are rounded: those with the largest diagonal of H first (Frantar et al. 2022, section 3.3 and "act-order" of its
 * code). */
struct gptq_factor {
    uint32_t columns;
    uint32_t *order; /* [columns]: order[i] is rounded i-th */
    double *upper;   /* [columns][columns]; NULL where H is not positive definite */
};

bool gptq_factor_init(struct gptq_factor *f, struct arena *a, uint32_t columns); /* false when out of memory */
/* `upper` becomes NULL when H + damping I is not positive definite. */
enum pare_status gptq_factor_compute(struct context *ctx, struct gptq_factor *f, const double *h, double damping);

/* What the codes of a row may be. */
struct grid_range {
    int32_t low, high;
};

/* Frantar et al. 2022, Algorithm 1, for `rows` rows at once: `w` [rows][columns] is in the factor's order and is
 * overwritten, row r gets codes[r] at fraction fracs[r], in the same order. `errors` is scratch of rows * GPTQ_BLOCK.
 */
#define GPTQ_BLOCK 32
void gptq_round(const struct gptq_factor *f, double *w, const int *fracs, size_t rows, struct grid_range range,
                double *errors, int32_t *codes);

/* Moves single codes of a row to where the error, damping included, is least, until none moves or `sweeps` are done.
 * `difference` is w - q and `product` its product with H + damping I; both are kept up to date. */
void coordinate_descent(const double *h, double damping, uint32_t columns, int frac, struct grid_range range,
                        int sweeps, double *difference, double *product, int32_t *codes);

#endif
