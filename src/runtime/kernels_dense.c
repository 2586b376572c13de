#include "runtime/codes.h"
#include "runtime/kernels.h"

void pare_run_dense(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    const struct pare_value *x = &values[op->inputs[0]], *y = &values[op->output];
    const struct pare_weights *w = &op->weights;
    struct codes input = input_codes(op, values, data, 0);
    uint32_t samples = x->count / w->columns;
    for (uint32_t row = 0; row < w->rows; row++) {
        struct weight_row weights = weight_row(w, row);
        int frac = weight_frac(w, row) + x->frac;
        int32_t bias = bias_at(&op->bias, row);
        pare_accumulator start = bias == 0 ? 0 : align_left(bias, frac - bias_frac(&op->bias, row));
        for (uint32_t sample = 0; sample < samples; sample++) {
            pare_accumulator sum = start;
            for (uint32_t column = 0; column < w->columns; column++) {
                int32_t code = code_at(&input, sample * w->columns + column);
                sum = accumulate(sum, (pare_accumulator)weight_at(&weights, column) * code, op->wide);
            }
            int32_t code = requantize_code(sum, frac - y->frac, op->low, op->high);
            write_code(data[op->output], y->storage, sample * w->rows + row, code);
        }
    }
}

void pare_run_matmul(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    const struct pare_value *y = &values[op->output];
    struct codes a = input_codes(op, values, data, 0), b = input_codes(op, values, data, 1);
    uint32_t m = op->u.matmul.m, k = op->u.matmul.k, n = op->u.matmul.n;
    int shift = values[op->inputs[0]].frac + values[op->inputs[1]].frac - y->frac;
    uint32_t at = 0;
    for (uint32_t batch = 0; batch < op->u.matmul.batch; batch++) {
        uint32_t base_a = batch * op->u.matmul.stride_a, base_b = batch * op->u.matmul.stride_b;
        for (uint32_t i = 0; i < m; i++) {
            for (uint32_t j = 0; j < n; j++) {
                pare_accumulator sum = 0;
                for (uint32_t l = 0; l < k; l++) {
                    pare_accumulator product =
                        (pare_accumulator)code_at(&a, base_a + i * k + l) * code_at(&b, base_b + l * n + j);
                    sum = accumulate(sum, product, op->wide);
                }
                write_code(data[op->output], y->storage, at++, requantize_code(sum, shift, op->low, op->high));
            }
        }
    }
}
