/* One operator, planned: everything its kernel needs to know is decided here, once. */
#ifndef PARE_FIXED_PLAN_H
#define PARE_FIXED_PLAN_H

#include "base/arena.h"
#include "base/context.h"
#include "fixed/isa.h"
#include "runtime/program.h"

struct plan;

struct kernel {
    /* Fills `state` (from `arena`) and `scratch` for an operator that pare_check_op has accepted. */
    enum pare_status (*plan)(struct context *ctx, struct plan *plan);
    /* Reads data[value] of the inputs, writes that of the output, for one sample. `scratch` is aligned to 64 bytes. */
    void (*run)(const struct plan *plan, void *const *data, void *scratch);
};

struct plan {
    const struct kernel *kernel;
    const struct pare_op *op;
    const struct pare_value *values;
    const struct isa *isa;
    struct arena arena; /* unpacked weights and tables; freed with the plan */
    void *state;
    size_t scratch; /* bytes that one worker needs while the operator runs */
};

/* Checks the operator, chooses its kernel, lets it plan: frees what the plan held before. isa NULL: src/runtime's own
 * kernels. PARE_ERROR_INPUT where the operator and its values disagree, PARE_ERROR_UNSUPPORTED, PARE_ERROR_MEMORY. */
enum pare_status plan_update(struct context *ctx, struct plan *plan, const struct pare_op *op,
                             const struct pare_value *values, const struct isa *isa);

/* The kernel of every kind but PARE_HOST. */
const struct kernel *kernel_for(uint8_t kind);
/* src/runtime's own kernels. */
extern const struct kernel kernel_reference;

extern const struct kernel kernel_conv; /* PARE_CONV and PARE_CONV_TRANSPOSE */
extern const struct kernel kernel_dense, kernel_matmul, kernel_max_pool, kernel_average_pool, kernel_add, kernel_mul,
    kernel_prelu, kernel_concat, kernel_reduce_mean, kernel_table, kernel_requantize, kernel_copy, kernel_gather;

static inline const struct pare_value *plan_input(const struct plan *plan, size_t i) {
    return &plan->values[plan->op->inputs[i]];
}

static inline const struct pare_value *plan_output(const struct plan *plan) {
    return &plan->values[plan->op->output];
}

static inline struct code_range plan_range(const struct plan *plan) {
    return (struct code_range){plan->op->low, plan->op->high, plan_output(plan)->storage};
}

#endif
