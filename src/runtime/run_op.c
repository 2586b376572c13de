#include "runtime/kernels.h"

pare_kernel *const pare_reference_kernels[PARE_KIND_COUNT] = {
    [PARE_CONV] = PARE_IF_BUILT(CONV, pare_run_conv),
    [PARE_DENSE] = PARE_IF_BUILT(DENSE, pare_run_dense),
    PARE_COMMON_KERNELS,
};

void pare_run_op(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    if (op->kind < PARE_KIND_COUNT && pare_reference_kernels[op->kind] != NULL) {
        pare_reference_kernels[op->kind](op, values, data);
    }
}
