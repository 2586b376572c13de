/* Functions of one code: tables, other formats, slopes for negative codes. */
#include "base/bytes.h"
#include "fixed/block.h"
#include "fixed/weights.h"

/* ---- PARE_REQUANTIZE ---- */

static enum pare_status no_plan(struct context *ctx, struct plan *plan) {
    (void)ctx;
    (void)plan;
    return PARE_OK;
}

static void requantize_run(const struct plan *plan, void *const *data, void *scratch) {
    (void)scratch;
    struct mover mover = mover_of(plan, 0);
    mover_run(&mover, data[plan->op->inputs[0]], 1, plan_output(plan)->count, data[plan->op->output]);
}

const struct kernel kernel_requantize = {no_plan, requantize_run};

/* ---- PARE_TABLE: state is a uint16_t entry per input code, its low byte the entry of a byte storage ---- */

static enum pare_status table_plan(struct context *ctx, struct plan *plan) {
    size_t count = (size_t)1 << plan_input(plan, 0)->bits;
    uint16_t *entries = ARENA_ARRAY(&plan->arena, count, uint16_t);
    if (entries == NULL) {
        return fail_memory(ctx);
    }
    struct codes from = codes_of(plan->op->u.table.entries, plan_output(plan)->storage, true);
    for (uint32_t i = 0; i < count; i++) {
        entries[i] = (uint16_t)((uint32_t)code_at(&from, i) & 0xffff);
    }
    plan->state = entries;
    return PARE_OK;
}

static void table_run(const struct plan *plan, void *const *data, void *scratch) {
    (void)scratch;
    const uint16_t *entries = plan->state;
    const struct pare_value *x = plan_input(plan, 0), *y = plan_output(plan);
    int32_t low = code_min(x->bits, x->is_signed), high = code_max(x->bits, x->is_signed), codes[BLOCK];
    const char *from = data[plan->op->inputs[0]];
    uint8_t *bytes = data[plan->op->output];
    uint16_t *halves = data[plan->op->output];
    for (size_t done = 0; done < y->count; done += BLOCK) {
        size_t n = block_size(y->count - done);
        codes_to_int32(from + done * storage_size(x->storage), x->storage, 1, n, codes);
        for (size_t i = 0; i < n; i++) {
            uint16_t entry = entries[clamp32(codes[i], low, high) - low];
            if (storage_is_byte(y->storage)) {
                bytes[done + i] = (uint8_t)(entry & 0xff);
            } else {
                halves[done + i] = entry;
            }
        }
    }
}

const struct kernel kernel_table = {table_plan, table_run};

/* ---- PARE_PRELU: state is one slope per channel ---- */

static enum pare_status prelu_plan(struct context *ctx, struct plan *plan) {
    int16_t *slopes = ARENA_ARRAY(&plan->arena, plan->op->weights.rows, int16_t);
    if (slopes == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t row = 0; row < plan->op->weights.rows; row++) {
        weights_unpack_row(&plan->op->weights, row, &slopes[row]);
    }
    plan->state = slopes;
    return PARE_OK;
}

/* Codes of one channel. Negative ones times the slope, and the others, are two blocks of accumulators, each zero where
 * the other is not; so are their codes, but for the bounds, which are therefore applied to the chosen one. */
static void prelu_block(const struct plan *plan, uint32_t channel, const int32_t *codes, size_t n, void *to) {
    const int16_t *slopes = plan->state;
    const struct pare_value *x = plan_input(plan, 0), *y = plan_output(plan);
    int shift = x->frac - y->frac, negative_shift = shift + weight_frac(&plan->op->weights, channel);
    for (size_t i = 0; i < n; i++) {
        int64_t slope = slopes[channel];
        int32_t code = codes[i] < 0 ? requantize64(codes[i] * slope, negative_shift, plan->op->low, plan->op->high)
                                    : requantize32(codes[i], shift, plan->op->low, plan->op->high);
        write_code(to, y->storage, (uint32_t)i, code);
    }
}

static void prelu_run(const struct plan *plan, void *const *data, void *scratch) {
    (void)scratch;
    const struct pare_value *x = plan_input(plan, 0), *y = plan_output(plan);
    uint32_t rows = plan->op->weights.rows, inner = rows == 1 ? x->count : x->count / (x->dims[0] * x->dims[1]);
    const char *from = data[plan->op->inputs[0]];
    char *to = data[plan->op->output];
    int32_t codes[BLOCK];
    for (uint32_t channel = 0; channel < x->count / inner; channel++) {
        for (size_t done = 0; done < inner; done += BLOCK) {
            size_t n = block_size(inner - done), at = (size_t)channel * inner + done;
            codes_to_int32(from + at * storage_size(x->storage), x->storage, 1, n, codes);
            prelu_block(plan, channel % rows, codes, n, to + at * storage_size(y->storage));
        }
    }
}

const struct kernel kernel_prelu = {prelu_plan, prelu_run};
