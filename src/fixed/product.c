#include "fixed/product.h"

#include "fixed/requantize.h"

#include <string.h>

/* Elements of two parts are below 2^8 and 2^15 in magnitude: 256 products of them stay below 2^31. */
#define WIDE_WORDS 128

uint32_t product_panel(const struct isa *isa, uint32_t rows) {
    uint32_t panels = (rows + isa->rows - 1) / isa->rows;
    return panels == 0 ? 1 : (rows + panels - 1) / panels;
}

struct operand operand_of(bool bytes, bool wide) {
    if (!wide || bytes) {
        return (struct operand){.parts = 1, .part = {CODE_WHOLE}};
    }
    return (struct operand){.parts = 2, .part = {CODE_LOW, CODE_HIGH}};
}

size_t panel_index(uint32_t rows, uint32_t panel, uint32_t words, uint32_t r, uint32_t k) {
    uint32_t first = r - r % panel;
    uint32_t height = rows - first < panel ? rows - first : panel;
    return (size_t)first * words + (size_t)k * height + r % panel;
}

static void add_part(const struct isa *isa, const struct product *p, uint32_t first, size_t column, uint32_t part_a,
                     uint32_t part_b, struct tile *tile) {
    uint32_t rows = product_panel_rows(p, first);
    const int32_t *a = p->a.words[part_a] + (size_t)first * p->words;
    const int32_t *b = p->b.words[part_b] + column;
    int64_t weight = (int64_t)1 << (8 * (part_a + part_b));
    for (uint32_t k = 0; k < p->words; k += WIDE_WORDS) {
        uint32_t words = p->words - k < WIDE_WORDS ? p->words - k : WIDE_WORDS;
        isa->multiply(rows, words, a + (size_t)k * rows, b, p->offset + k, tile->narrow);
        for (size_t i = 0; i < (size_t)rows * isa->lanes; i++) {
            tile->wide[i] += tile->narrow[i] * weight;
        }
    }
}

void product_tile(const struct isa *isa, const struct product *p, uint32_t first, size_t column, struct tile *tile) {
    uint32_t rows = product_panel_rows(p, first);
    if (!p->wide) {
        isa_multiply *multiply = p->bytes ? isa->multiply_bytes : isa->multiply;
        multiply(rows, p->words, p->a.words[0] + (size_t)first * p->words, p->b.words[0] + column, p->offset,
                 tile->narrow);
        return;
    }
    memset(tile->wide, 0, (size_t)rows * isa->lanes * sizeof tile->wide[0]);
    for (uint32_t i = 0; i < p->a.parts; i++) {
        for (uint32_t j = 0; j < p->b.parts; j++) {
            add_part(isa, p, first, column, i, j, tile);
        }
    }
}

void product_codes(const struct isa *isa, const struct product *p, const struct tile *tile, uint32_t row, size_t count,
                   int64_t bias, int shift, const struct code_range *range, void *codes) {
    if (!p->wide) {
        isa->requantize(tile->narrow + (size_t)row * isa->lanes, count, wrapping_int32(bias), shift, range, codes);
        return;
    }
    const int64_t *acc = tile->wide + (size_t)row * isa->lanes;
    requantize_wide(acc, count, bias, shift, range, codes);
}
