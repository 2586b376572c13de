/* The reference kernels: one per operator kind, portable, the definition that every other kernel is compared with.
 *
 * A kernel reads data[op->inputs[i]] and writes data[op->output], both in the storage of values[...]; it trusts a
 * program that pare_check_op has accepted, needs no scratch memory and keeps nothing. */
#ifndef PARE_RUNTIME_KERNELS_H
#define PARE_RUNTIME_KERNELS_H

#include "pare/runtime.h"
#include "runtime/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/* y[o] = sum over i, ky, kx of w[o][i][ky][kx] * (x[i][...] - zero[i]) + bias[o], all in codes, over the taps inside of
 * x; plus a[o], the second input, where there is one. */
pare_kernel pare_run_conv; /* both kinds */
/* y[r][o] = sum over c of w[o][c] * x[r][c] + bias[o] */
pare_kernel pare_run_dense;
/* y[b][i][j] = sum over l of a[b][i][l] * b[b][l][j] */
pare_kernel pare_run_matmul;

pare_kernel pare_run_pool; /* both kinds */
pare_kernel pare_run_reduce_mean;
pare_kernel pare_run_add, pare_run_mul, pare_run_prelu, pare_run_table, pare_run_requantize;
pare_kernel pare_run_concat, pare_run_copy, pare_run_gather;

/* The same codes as pare_run_conv for PARE_CONV, and pare_run_dense, about three times as fast, with 1 KB of stack. */
pare_kernel pare_run_conv_block, pare_run_dense_block;

/* By enum pare_kind; NULL for PARE_HOST, and for what is not built. */
extern pare_kernel *const pare_reference_kernels[PARE_KIND_COUNT];
/* The faster ones where there are such, else those above. */
extern pare_kernel *const pare_block_kernels[PARE_KIND_COUNT];

/* The rows of both tables but those of CONV and DENSE. */
#define PARE_COMMON_KERNELS                                                                                            \
    [PARE_CONV_TRANSPOSE] = PARE_IF_BUILT(CONV_TRANSPOSE, pare_run_conv),                                              \
    [PARE_MATMUL] = PARE_IF_BUILT(MATMUL, pare_run_matmul), [PARE_ADD] = PARE_IF_BUILT(ADD, pare_run_add),             \
    [PARE_MUL] = PARE_IF_BUILT(MUL, pare_run_mul), [PARE_PRELU] = PARE_IF_BUILT(PRELU, pare_run_prelu),                \
    [PARE_CONCAT] = PARE_IF_BUILT(CONCAT, pare_run_concat), [PARE_MAX_POOL] = PARE_IF_BUILT(MAX_POOL, pare_run_pool),  \
    [PARE_AVERAGE_POOL] = PARE_IF_BUILT(AVERAGE_POOL, pare_run_pool),                                                  \
    [PARE_REDUCE_MEAN] = PARE_IF_BUILT(REDUCE_MEAN, pare_run_reduce_mean),                                             \
    [PARE_TABLE] = PARE_IF_BUILT(TABLE, pare_run_table),                                                               \
    [PARE_REQUANTIZE] = PARE_IF_BUILT(REQUANTIZE, pare_run_requantize),                                                \
    [PARE_COPY] = PARE_IF_BUILT(COPY, pare_run_copy), [PARE_GATHER] = PARE_IF_BUILT(GATHER, pare_run_gather)

/* Runs one operator with its reference kernel; PARE_HOST does nothing. */
void pare_run_op(const struct pare_op *op, const struct pare_value *values, void *const *data);

#ifdef __cplusplus
}
#endif

#endif
