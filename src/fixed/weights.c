#include "fixed/weights.h"

#include "runtime/codes.h"

void weights_unpack_row(const struct pare_weights *weights, uint32_t row, int16_t *codes) {
    struct weight_row from = weight_row(weights, row);
    for (uint32_t c = 0; c < weights->columns; c++) {
        codes[c] = (int16_t)weight_at(&from, c);
    }
}

static int64_t zero_sum(const struct pare_op *op, uint32_t row) {
    struct weight_row weights = weight_row(&op->weights, row);
    int64_t sum = 0;
    for (uint32_t c = 0; op->zero != NULL && c < op->weights.columns; c++) {
        sum += (int64_t)weight_at(&weights, c) * zero_of_weight(op, row, c);
    }
    return sum;
}

enum pare_status channels_new(struct context *ctx, struct plan *plan, struct channels *channels) {
    uint32_t rows = plan->op->weights.rows;
    channels->bias = ARENA_ARRAY(&plan->arena, rows, int64_t);
    channels->shift = ARENA_ARRAY(&plan->arena, rows, int32_t);
    if (channels->bias == NULL || channels->shift == NULL) {
        return fail_memory(ctx);
    }
    channels->one_shift = true;
    for (uint32_t row = 0; row < rows; row++) {
        int frac = weight_frac(&plan->op->weights, row) + plan_input(plan, 0)->frac;
        int64_t bias = bias_at(&plan->op->bias, row);
        channels->bias[row] = bias == 0 ? 0 : align_left(bias, frac - bias_frac(&plan->op->bias, row));
        channels->bias[row] -= zero_sum(plan->op, row);
        channels->shift[row] = frac - plan_output(plan)->frac;
        channels->one_shift = channels->one_shift && channels->shift[row] == channels->shift[0];
    }
    return PARE_OK;
}
