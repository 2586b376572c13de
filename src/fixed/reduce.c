/* Means over one run of axes: [outer][reduced][inner]. */
#include "fixed/block.h"
#include "runtime/arith.h"

static enum pare_status no_plan(struct context *ctx, struct plan *plan) {
    (void)ctx;
    (void)plan;
    return PARE_OK;
}

static int64_t sum_run(const char *from, uint8_t storage, size_t count) {
    int64_t sum = 0;
    int32_t codes[BLOCK];
    for (size_t done = 0; done < count; done += BLOCK) {
        size_t n = block_size(count - done);
        codes_to_int32(from + done * storage_size(storage), storage, 1, n, codes);
        for (size_t i = 0; i < n; i++) {
            sum += codes[i];
        }
    }
    return sum;
}

/* sums[i] = sum over r of from[r * inner + i] */
static void sum_rows(const char *from, uint8_t storage, size_t rows, size_t inner, size_t count, int64_t *sums) {
    int32_t codes[BLOCK];
    memset(sums, 0, count * sizeof *sums);
    for (size_t r = 0; r < rows; r++) {
        codes_to_int32(from + r * inner * storage_size(storage), storage, 1, count, codes);
        for (size_t i = 0; i < count; i++) {
            sums[i] += codes[i];
        }
    }
}

static void reduce_run(const struct plan *plan, void *const *data, void *scratch) {
    (void)scratch;
    const struct pare_op *op = plan->op;
    const struct pare_value *x = plan_input(plan, 0), *y = plan_output(plan);
    size_t rows = op->u.reduce.reduced, inner = op->u.reduce.inner, in_size = storage_size(x->storage);
    const char *from = data[op->inputs[0]];
    uint32_t at = 0;
    int64_t sums[BLOCK];
    for (uint32_t outer = 0; outer < op->u.reduce.outer; outer++, from += rows * inner * in_size) {
        for (size_t done = 0; done < inner; done += BLOCK) {
            size_t n = block_size(inner - done);
            if (inner == 1) {
                sums[0] = sum_run(from, x->storage, rows);
            } else {
                sum_rows(from + done * in_size, x->storage, rows, inner, n, sums);
            }
            for (size_t i = 0; i < n; i++) {
                int64_t mean = round_divide(sums[i], y->frac - x->frac, op->u.reduce.reduced);
                write_code(data[op->output], y->storage, at++, clamp64(mean, op->low, op->high));
            }
        }
    }
}

const struct kernel kernel_reduce_mean = {no_plan, reduce_run};
