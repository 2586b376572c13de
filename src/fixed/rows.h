/* Activations whose rows are summed over, as the left operand of a product. */
#ifndef PARE_FIXED_ROWS_H
#define PARE_FIXED_ROWS_H

#include "base/context.h"
#include "fixed/product.h"

/* Bytes that rows_fill needs. */
enum pare_status rows_scratch(struct context *ctx, uint32_t rows, uint32_t columns, uint32_t parts, size_t *bytes);
/* Lays out the operand's parts in `scratch` as [panel][word][row in the panel]. */
void rows_fill(const void *codes, uint8_t storage, uint32_t rows, uint32_t columns, uint32_t panel, void *scratch,
               struct operand *operand);

#endif
