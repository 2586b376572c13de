/* Rows of the input times the weights: the input is the left operand, the weights are the right one, laid out tile
 * by tile so that a tile reads them in order. */
#include "base/bytes.h"
#include "fixed/plan.h"
#include "fixed/product.h"
#include "fixed/rows.h"
#include "fixed/weights.h"

#include <string.h>

struct dense {
    struct channels channels;
    struct operand input;
    bool wide;
    uint32_t samples, words, panel, tiles;
    uint32_t *offset;
    int32_t *weights; /* [tile][word][lane] */
};

static enum pare_status dense_weights(struct context *ctx, struct plan *plan, struct dense *dense) {
    const struct pare_weights *w = &plan->op->weights;
    size_t lanes = plan->isa->lanes, words;
    int16_t *row = ARENA_ARRAY(&plan->arena, (size_t)dense->words * 2, int16_t);
    dense->offset = ARENA_ARRAY(&plan->arena, dense->words, uint32_t);
    if (!size_multiply((size_t)dense->words * lanes, dense->tiles, &words) || words > UINT32_MAX) {
        return fail_memory(ctx);
    }
    dense->weights = ARENA_ARRAY(&plan->arena, words, int32_t);
    if (row == NULL || dense->offset == NULL || dense->weights == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t k = 0; k < dense->words; k++) {
        dense->offset[k] = (uint32_t)(k * lanes);
    }
    for (uint32_t r = 0; r < w->rows && dense->words > 0; r++) {
        weights_unpack_row(w, r, row);
        int32_t *column = dense->weights + r / lanes * dense->words * lanes + r % lanes;
        for (uint32_t k = 0; k < dense->words; k++) {
            column[k * lanes] = code_pair(row[2 * k], row[2 * k + 1]);
        }
    }
    return PARE_OK;
}

static enum pare_status dense_plan(struct context *ctx, struct plan *plan) {
    struct dense *dense = ARENA_NEW(&plan->arena, struct dense);
    if (dense == NULL) {
        return fail_memory(ctx);
    }
    plan->state = dense;
    const struct pare_weights *w = &plan->op->weights;
    dense->wide = plan->op->wide || !codes_fit_int16(plan_input(plan, 0));
    dense->input = operand_of(storage_is_byte(plan_input(plan, 0)->storage), dense->wide);
    dense->samples = plan_input(plan, 0)->count / w->columns;
    dense->words = w->bits == 0 ? 0 : w->columns / 2 + w->columns % 2;
    dense->panel = product_panel(plan->isa, dense->samples);
    dense->tiles = (w->rows + plan->isa->lanes - 1) / plan->isa->lanes;
    TRY(channels_new(ctx, plan, &dense->channels));
    TRY(dense_weights(ctx, plan, dense));
    return rows_scratch(ctx, dense->samples, w->columns, dense->input.parts, &plan->scratch);
}

/* The lanes of one row have biases of their own, and often shifts. */
static void dense_codes(const struct plan *plan, const struct product *product, struct tile *tile, uint32_t row,
                        size_t first, size_t count, void *codes) {
    const struct dense *dense = plan->state;
    struct code_range range = plan_range(plan);
    const int64_t *bias = dense->channels.bias + first;
    const int32_t *shift = dense->channels.shift + first;
    size_t at = (size_t)row * plan->isa->lanes;
    for (size_t i = 0; i < count; i++) {
        if (product->wide) {
            tile->wide[at + i] += bias[i];
        } else {
            tile->narrow[at + i] = (int32_t)((uint32_t)tile->narrow[at + i] + (uint32_t)bias[i]);
        }
    }
    if (dense->channels.one_shift) {
        product_codes(plan->isa, product, tile, row, count, 0, shift[0], &range, codes);
        return;
    }
    size_t bytes = storage_size(range.storage);
    for (size_t i = 0; i < count; i++) {
        int32_t code = product->wide ? requantize64(tile->wide[at + i], shift[i], range.low, range.high)
                                     : requantize32(tile->narrow[at + i], shift[i], range.low, range.high);
        write_code((char *)codes + i * bytes, range.storage, 0, code);
    }
}

static void dense_run(const struct plan *plan, void *const *data, void *scratch) {
    const struct dense *dense = plan->state;
    uint32_t outputs = plan->op->weights.rows;
    size_t lanes = plan->isa->lanes, bytes = storage_size(plan_output(plan)->storage);
    struct product product = {.rows = dense->samples,
                              .words = dense->words,
                              .panel = dense->panel,
                              .wide = dense->wide,
                              .a = dense->input,
                              .b = {.parts = 1},
                              .offset = dense->offset};
    product.a.words[0] = product.a.words[1] = scratch;
    if (dense->words > 0) {
        rows_fill(data[plan->op->inputs[0]], plan_input(plan, 0)->storage, dense->samples, plan->op->weights.columns,
                  dense->panel, scratch, &product.a);
    }
    for (uint32_t i = 0; i < dense->tiles; i++) {
        size_t first = i * lanes, count = outputs - first < lanes ? outputs - first : lanes;
        product.b.words[0] = dense->weights + first * dense->words;
        for (uint32_t top = 0; top < product.rows; top += product.panel) {
            struct tile tile;
            product_tile(plan->isa, &product, top, 0, &tile);
            for (uint32_t r = 0; r < product_panel_rows(&product, top); r++) {
                char *to = (char *)data[plan->op->output] + ((size_t)(top + r) * outputs + first) * bytes;
                dense_codes(plan, &product, &tile, r, first, count, to);
            }
        }
    }
}

const struct kernel kernel_dense = {dense_plan, dense_run};
