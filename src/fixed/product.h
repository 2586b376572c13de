/* Products of int16 matrices, tile by tile.
 *
 * Operands come as one part (their codes fit int16), or as the low and the high bytes of their codes; with
 * two parts, or where 32 bits do not hold the sum, tiles are exact in 64 bits. */
#ifndef PARE_FIXED_PRODUCT_H
#define PARE_FIXED_PRODUCT_H

#include "fixed/codes.h"
#include "fixed/isa.h"

struct operand {
    uint32_t parts; /* 1 or 2 */
    enum code_part part[2];
    const int32_t *words[2];
};

struct product {
    uint32_t rows, words; /* of the whole left operand */
    uint32_t panel;       /* its rows per tile; the last tile may have fewer */
    bool wide;
    bool bytes;             /* words of bytes; never wide */
    struct operand a;       /* words [panel][word][row in the panel] */
    struct operand b;       /* words of a tile's columns: b + offset[word] */
    const uint32_t *offset; /* `words` entries */
};

/* The largest tile. */
struct tile {
    int32_t narrow[ISA_MAX_ROWS * ISA_MAX_LANES];
    int64_t wide[ISA_MAX_ROWS * ISA_MAX_LANES];
};

/* Rows per panel: as few panels as the instruction set allows, of nearly equal height. */
uint32_t product_panel(const struct isa *isa, uint32_t rows);
static inline uint32_t product_panel_rows(const struct product *p, uint32_t first) {
    return p->rows - first < p->panel ? p->rows - first : p->panel;
}
/* An operand of bytes or of 16 bits: one part where that is enough. */
struct operand operand_of(bool bytes, bool wide);
/* Where word k of row r lies in words of shape [panel][word][row in the panel]. */
size_t panel_index(uint32_t rows, uint32_t panel, uint32_t words, uint32_t r, uint32_t k);

/* Rows first .. first + product_panel_rows, the isa's lanes of columns from `column` on, into tile->wide when the
 * product is wide, else into tile->narrow: [row][lane]. */
void product_tile(const struct isa *isa, const struct product *p, uint32_t first, size_t column, struct tile *tile);
/* `count` lanes of a row of the tile become codes with one bias and shift. */
void product_codes(const struct isa *isa, const struct product *p, const struct tile *tile, uint32_t row, size_t count,
                   int64_t bias, int shift, const struct code_range *range, void *codes);

#endif
