/* Two inputs, broadcast: sums and products. */
#include "fixed/block.h"
#include "fixed/requantize.h"

struct binary {
    uint32_t rank; /* at least 1; axes that both inputs walk through evenly are one */
    uint32_t dims[PARE_MAX_RANK + 1];
    uint32_t stride[2][PARE_MAX_RANK + 1];
    bool wide;
    int64_t scale[2]; /* of a sum's inputs, to the finer fraction; negative where subtracted */
    int shift;
};

/* One block of accumulators. */
struct accumulators {
    int32_t narrow[BLOCK];
    int64_t wide[BLOCK];
};

typedef void combine_function(const struct binary *binary, const int32_t *a, const int32_t *b, size_t count,
                              struct accumulators *acc);

static bool continues(const struct pare_op *op, unsigned axis) {
    bool both = true;
    for (unsigned side = 0; side < 2; side++) {
        const uint32_t *stride = op->u.binary.stride[side];
        both = both && stride[axis] == (uint64_t)stride[axis + 1] * op->u.binary.dims[axis + 1];
    }
    return both;
}

static void collapse(const struct pare_op *op, struct binary *binary) {
    for (unsigned axis = 0; axis < op->u.binary.rank; axis++) {
        bool merge = axis > 0 && continues(op, axis - 1);
        unsigned to = merge ? binary->rank - 1 : binary->rank++;
        binary->dims[to] = op->u.binary.dims[axis] * (merge ? binary->dims[to] : 1);
        binary->stride[0][to] = op->u.binary.stride[0][axis];
        binary->stride[1][to] = op->u.binary.stride[1][axis];
    }
    if (binary->rank == 0) {
        binary->rank = 1;
        binary->dims[0] = 1;
    }
}

static enum pare_status binary_plan(struct context *ctx, struct plan *plan) {
    struct binary *binary = ARENA_NEW(&plan->arena, struct binary);
    if (binary == NULL) {
        return fail_memory(ctx);
    }
    plan->state = binary;
    binary->wide = plan->op->wide;
    collapse(plan->op, binary);
    return PARE_OK;
}

static enum pare_status add_plan(struct context *ctx, struct plan *plan) {
    TRY(binary_plan(ctx, plan));
    struct binary *binary = plan->state;
    int a = plan_input(plan, 0)->frac, b = plan_input(plan, 1)->frac, finer = a > b ? a : b;
    binary->scale[0] = align_left(1, finer - a);
    binary->scale[1] = align_left(plan->op->u.binary.subtract ? -1 : 1, finer - b);
    binary->shift = finer - plan_output(plan)->frac;
    binary->wide = binary->wide || finer - a > 30 || finer - b > 30;
    return PARE_OK;
}

static enum pare_status mul_plan(struct context *ctx, struct plan *plan) {
    TRY(binary_plan(ctx, plan));
    struct binary *binary = plan->state;
    binary->shift = plan_input(plan, 0)->frac + plan_input(plan, 1)->frac - plan_output(plan)->frac;
    return PARE_OK;
}

static void add(const struct binary *binary, const int32_t *a, const int32_t *b, size_t count,
                struct accumulators *acc) {
    for (size_t i = 0; binary->wide && i < count; i++) {
        acc->wide[i] = a[i] * binary->scale[0] + b[i] * binary->scale[1];
    }
    int32_t scale_a = (int32_t)binary->scale[0], scale_b = (int32_t)binary->scale[1];
    for (size_t i = 0; !binary->wide && i < count; i++) {
        acc->narrow[i] = a[i] * scale_a + b[i] * scale_b;
    }
}

static void mul(const struct binary *binary, const int32_t *a, const int32_t *b, size_t count,
                struct accumulators *acc) {
    for (size_t i = 0; binary->wide && i < count; i++) {
        acc->wide[i] = (int64_t)a[i] * b[i];
    }
    for (size_t i = 0; !binary->wide && i < count; i++) {
        acc->narrow[i] = a[i] * b[i];
    }
}

static void requantize_block(const struct plan *plan, const struct accumulators *acc, size_t count, void *to) {
    const struct binary *binary = plan->state;
    struct code_range range = plan_range(plan);
    if (!binary->wide) {
        plan->isa->requantize(acc->narrow, count, 0, binary->shift, &range, to);
        return;
    }
    requantize_wide(acc->wide, count, 0, binary->shift, &range, to);
}

/* The run along the last axis. */
static void run_row(const struct plan *plan, combine_function *combine, const char *a, const char *b, char *to) {
    const struct binary *binary = plan->state;
    const struct pare_value *x[2] = {plan_input(plan, 0), plan_input(plan, 1)};
    uint32_t last = binary->rank - 1, length = binary->dims[last];
    size_t step_a = binary->stride[0][last], step_b = binary->stride[1][last];
    int32_t codes_a[BLOCK], codes_b[BLOCK];
    struct accumulators acc;
    for (size_t done = 0; done < length; done += BLOCK) {
        size_t n = block_size(length - done);
        codes_to_int32(a + done * step_a * storage_size(x[0]->storage), x[0]->storage, (ptrdiff_t)step_a, n, codes_a);
        codes_to_int32(b + done * step_b * storage_size(x[1]->storage), x[1]->storage, (ptrdiff_t)step_b, n, codes_b);
        combine(binary, codes_a, codes_b, n, &acc);
        requantize_block(plan, &acc, n, to + done * storage_size(plan_output(plan)->storage));
    }
}

static size_t offset_of(const struct binary *binary, unsigned side, const uint32_t *index) {
    size_t offset = 0;
    for (uint32_t axis = 0; axis + 1 < binary->rank; axis++) {
        offset += (size_t)index[axis] * binary->stride[side][axis];
    }
    return offset;
}

static void binary_run(const struct plan *plan, void *const *data, combine_function *combine) {
    const struct binary *binary = plan->state;
    const struct pare_op *op = plan->op;
    size_t size[2] = {storage_size(plan_input(plan, 0)->storage), storage_size(plan_input(plan, 1)->storage)};
    size_t row_bytes = (size_t)binary->dims[binary->rank - 1] * storage_size(plan_output(plan)->storage);
    const char *a = data[op->inputs[0]], *b = data[op->inputs[1]];
    char *to = data[op->output];
    uint32_t index[PARE_MAX_RANK + 1] = {0};
    bool more = true;
    while (more) {
        run_row(plan, combine, a + offset_of(binary, 0, index) * size[0], b + offset_of(binary, 1, index) * size[1],
                to);
        to += row_bytes;
        more = false;
        for (uint32_t axis = binary->rank - 1; axis-- > 0 && !more;) {
            more = ++index[axis] < binary->dims[axis];
            index[axis] = more ? index[axis] : 0;
        }
    }
}

static void add_run(const struct plan *plan, void *const *data, void *scratch) {
    (void)scratch;
    binary_run(plan, data, add);
}

static void mul_run(const struct plan *plan, void *const *data, void *scratch) {
    (void)scratch;
    binary_run(plan, data, mul);
}

const struct kernel kernel_add = {add_plan, add_run};
const struct kernel kernel_mul = {mul_plan, mul_run};
