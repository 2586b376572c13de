#include "runtime/kernels.h"
#include "fixed/plan.h"
#include "runtime/model.h"

static const struct kernel *const kernels[PARE_KIND_COUNT] = {
    [PARE_CONV] = &kernel_conv,
    [PARE_CONV_TRANSPOSE] = &kernel_conv,
    [PARE_DENSE] = &kernel_dense,
    [PARE_MATMUL] = &kernel_matmul,
    [PARE_ADD] = &kernel_add,
    [PARE_MUL] = &kernel_mul,
    [PARE_PRELU] = &kernel_prelu,
    [PARE_CONCAT] = &kernel_concat,
    [PARE_MAX_POOL] = &kernel_max_pool,
    [PARE_AVERAGE_POOL] = &kernel_average_pool,
    [PARE_REDUCE_MEAN] = &kernel_reduce_mean,
    [PARE_TABLE] = &kernel_table,
    [PARE_REQUANTIZE] = &kernel_requantize,
    [PARE_COPY] = &kernel_copy,
    [PARE_GATHER] = &kernel_gather,
};

const struct kernel *kernel_for(uint8_t kind) {
    return kind < PARE_KIND_COUNT ? kernels[kind] : NULL;
}

static enum pare_status reference_plan(struct context *ctx, struct plan *plan) {
    (void)ctx;
    (void)plan;
    return PARE_OK;
}

static void reference_run(const struct plan *plan, void *const *data, void *scratch) {
    (void)scratch;
    pare_run_op(plan->op, plan->values, data);
}

const struct kernel kernel_reference = {reference_plan, reference_run};

enum pare_status plan_update(struct context *ctx, struct plan *plan, const struct pare_op *op,
                             const struct pare_value *values, const struct isa *isa) {
    arena_free(&plan->arena);
    *plan = (struct plan){.op = op, .values = values, .isa = isa, .arena = plan->arena};
    const char *problem = pare_check_op(op, values);
    if (problem != NULL) {
        return fail(ctx, PARE_ERROR_INPUT, "%s", problem);
    }
    plan->kernel = isa == NULL ? &kernel_reference : kernel_for(op->kind);
    return plan->kernel->plan(ctx, plan);
}
