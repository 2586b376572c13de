#include "runtime/kernels.h"

pare_kernel *const pare_reference_kernels[PARE_KIND_COUNT] = {
    [PARE_CONV] = PARE_IF_BUILT(CONV, pare_run_conv),
    [PARE_CONV_TRANSPOSE] = PARE_IF_BUILT(CONV_TRANSPOSE, pare_run_conv),
    [PARE_DENSE] = PARE_IF_BUILT(DENSE, pare_run_dense),
    [PARE_MATMUL] = PARE_IF_BUILT(MATMUL, pare_run_matmul),
    [PARE_ADD] = PARE_IF_BUILT(ADD, pare_run_add),
    [PARE_MUL] = PARE_IF_BUILT(MUL, pare_run_mul),
    [PARE_PRELU] = PARE_IF_BUILT(PRELU, pare_run_prelu),
    [PARE_CONCAT] = PARE_IF_BUILT(CONCAT, pare_run_concat),
    [PARE_MAX_POOL] = PARE_IF_BUILT(MAX_POOL, pare_run_pool),
    [PARE_AVERAGE_POOL] = PARE_IF_BUILT(AVERAGE_POOL, pare_run_pool),
    [PARE_REDUCE_MEAN] = PARE_IF_BUILT(REDUCE_MEAN, pare_run_reduce_mean),
    [PARE_TABLE] = PARE_IF_BUILT(TABLE, pare_run_table),
    [PARE_REQUANTIZE] = PARE_IF_BUILT(REQUANTIZE, pare_run_requantize),
    [PARE_COPY] = PARE_IF_BUILT(COPY, pare_run_copy),
    [PARE_GATHER] = PARE_IF_BUILT(GATHER, pare_run_gather),
};

void pare_run_op(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    if (op->kind < PARE_KIND_COUNT && pare_reference_kernels[op->kind] != NULL) {
        pare_reference_kernels[op->kind](op, values, data);
    }
}
