#include "runtime/kernels.h"

pare_kernel *const pare_reference_kernels[PARE_KIND_COUNT] = {
    [PARE_CONV] = pare_run_conv,
    [PARE_CONV_TRANSPOSE] = pare_run_conv_transpose,
    [PARE_DENSE] = pare_run_dense,
    [PARE_MATMUL] = pare_run_matmul,
    [PARE_ADD] = pare_run_add,
    [PARE_MUL] = pare_run_mul,
    [PARE_PRELU] = pare_run_prelu,
    [PARE_CONCAT] = pare_run_concat,
    [PARE_MAX_POOL] = pare_run_max_pool,
    [PARE_AVERAGE_POOL] = pare_run_average_pool,
    [PARE_REDUCE_MEAN] = pare_run_reduce_mean,
    [PARE_TABLE] = pare_run_table,
    [PARE_REQUANTIZE] = pare_run_requantize,
    [PARE_COPY] = pare_run_copy,
    [PARE_GATHER] = pare_run_gather,
};

void pare_run_op(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    if (op->kind < PARE_KIND_COUNT && pare_reference_kernels[op->kind] != NULL) {
        pare_reference_kernels[op->kind](op, values, data);
    }
}
