/* Operators that move codes: concatenation, strided copies, gathering. */
#include "fixed/block.h"

static enum pare_status no_plan(struct context *ctx, struct plan *plan) {
    (void)ctx;
    (void)plan;
    return PARE_OK;
}

/* ---- PARE_CONCAT ---- */

static void concat_run(const struct plan *plan, void *const *data, void *scratch) {
    (void)scratch;
    const struct pare_op *op = plan->op;
    size_t row = plan_output(plan)->count / op->u.concat.outer, at = 0;
    size_t out_size = storage_size(plan_output(plan)->storage);
    for (uint32_t input = 0; input < op->input_count; input++) {
        struct mover mover = mover_of(plan, input);
        size_t run = (size_t)op->u.concat.size[input] * op->u.concat.inner;
        for (uint32_t outer = 0; outer < op->u.concat.outer; outer++) {
            const char *from = (const char *)data[op->inputs[input]] + outer * run * storage_size(mover.storage);
            mover_run(&mover, from, 1, run, (char *)data[op->output] + (outer * row + at) * out_size);
        }
        at += run;
    }
}

const struct kernel kernel_concat = {no_plan, concat_run};

/* ---- PARE_GATHER: state is the indices in the byte order of the machine ---- */

static enum pare_status gather_plan(struct context *ctx, struct plan *plan) {
    uint32_t count = plan->op->u.gather.out_axis;
    uint32_t *indices = ARENA_ARRAY(&plan->arena, count, uint32_t);
    if (indices == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t i = 0; i < count; i++) {
        indices[i] = little_endian32(plan->op->u.gather.indices, i);
    }
    plan->state = indices;
    return PARE_OK;
}

static void gather_run(const struct plan *plan, void *const *data, void *scratch) {
    (void)scratch;
    const struct pare_op *op = plan->op;
    const uint32_t *indices = plan->state;
    struct mover mover = mover_of(plan, 0);
    size_t inner = op->u.gather.inner, out_size = storage_size(mover.range.storage);
    char *to = data[op->output];
    for (uint32_t outer = 0; outer < op->u.gather.outer; outer++) {
        for (uint32_t i = 0; i < op->u.gather.out_axis; i++, to += inner * out_size) {
            size_t at = ((size_t)outer * op->u.gather.in_axis + indices[i]) * inner;
            mover_run(&mover, (const char *)data[op->inputs[0]] + at * storage_size(mover.storage), 1, inner, to);
        }
    }
}

const struct kernel kernel_gather = {gather_plan, gather_run};

/* ---- PARE_COPY ---- */

struct copy {
    uint32_t rank; /* at least 1 */
    uint32_t dims[PARE_MAX_RANK];
    int64_t in_stride[PARE_MAX_RANK], out_stride[PARE_MAX_RANK];
};

/* Whether each axis steps over all that the later ones write: then axes may be walked in any order. */
static bool nested(const struct copy *copy) {
    bool all = copy->out_stride[copy->rank - 1] > 0;
    for (uint32_t i = 0; i + 1 < copy->rank; i++) {
        all = all && copy->out_stride[i] >= copy->out_stride[i + 1] * (int64_t)copy->dims[i + 1];
    }
    return all;
}

static void swap_axes(struct copy *copy, uint32_t i, uint32_t j) {
    struct copy old = *copy;
    copy->dims[i] = old.dims[j];
    copy->dims[j] = old.dims[i];
    copy->in_stride[i] = old.in_stride[j];
    copy->in_stride[j] = old.in_stride[i];
    copy->out_stride[i] = old.out_stride[j];
    copy->out_stride[j] = old.out_stride[i];
}

/* The finest axis of the output last. */
static void sort_axes(struct copy *copy) {
    for (uint32_t i = 0; i < copy->rank; i++) {
        for (uint32_t j = i + 1; j < copy->rank; j++) {
            if (copy->out_stride[j] > copy->out_stride[i]) {
                swap_axes(copy, i, j);
            }
        }
    }
}

/* Joins axes that one step pattern covers. */
static void merge_axes(struct copy *copy) {
    uint32_t rank = 1;
    for (uint32_t i = 1; i < copy->rank; i++) {
        int64_t extent = copy->dims[i];
        bool merge = copy->in_stride[rank - 1] == copy->in_stride[i] * extent &&
                     copy->out_stride[rank - 1] == copy->out_stride[i] * extent;
        uint32_t to = merge ? rank - 1 : rank++;
        copy->dims[to] = merge ? copy->dims[to] * copy->dims[i] : copy->dims[i];
        copy->in_stride[to] = copy->in_stride[i];
        copy->out_stride[to] = copy->out_stride[i];
    }
    copy->rank = rank;
}

static enum pare_status copy_plan(struct context *ctx, struct plan *plan) {
    struct copy *copy = ARENA_NEW(&plan->arena, struct copy);
    if (copy == NULL) {
        return fail_memory(ctx);
    }
    plan->state = copy;
    const struct pare_op *op = plan->op;
    for (uint32_t i = 0; i < op->u.copy.rank; i++) {
        if (op->u.copy.dims[i] > 1) {
            copy->dims[copy->rank] = op->u.copy.dims[i];
            copy->in_stride[copy->rank] = op->u.copy.in_stride[i];
            copy->out_stride[copy->rank++] = op->u.copy.out_stride[i];
        }
    }
    if (copy->rank == 0) {
        *copy = (struct copy){.rank = 1, .dims = {1}, .in_stride = {1}, .out_stride = {1}};
    }
    struct copy sorted = *copy;
    sort_axes(&sorted);
    if (nested(&sorted)) {
        *copy = sorted;
        merge_axes(copy);
    }
    return PARE_OK;
}

static void fill(const struct plan *plan, void *to) {
    struct code_range range = plan_range(plan);
    int32_t codes[BLOCK];
    for (size_t i = 0; i < BLOCK; i++) {
        codes[i] = plan->op->u.copy.fill_code;
    }
    size_t count = plan_output(plan)->count, size = storage_size(range.storage);
    for (size_t done = 0; done < count; done += BLOCK) {
        plan->isa->requantize(codes, block_size(count - done), 0, 0, &range, (char *)to + done * size);
    }
}

/* The run along the last axis. */
static void copy_row(const struct copy *copy, const struct mover *mover, const char *from, char *to) {
    uint32_t last = copy->rank - 1;
    ptrdiff_t in_step = (ptrdiff_t)copy->in_stride[last], out_step = (ptrdiff_t)copy->out_stride[last];
    if (out_step == 1) {
        mover_run(mover, from, in_step, copy->dims[last], to);
        return;
    }
    ptrdiff_t in_bytes = in_step * (ptrdiff_t)storage_size(mover->storage);
    ptrdiff_t out_bytes = out_step * (ptrdiff_t)storage_size(mover->range.storage);
    for (ptrdiff_t i = 0; i < (ptrdiff_t)copy->dims[last]; i++) {
        mover_run(mover, from + i * in_bytes, 1, 1, to + i * out_bytes);
    }
}

static int64_t offset_of(const struct copy *copy, const int64_t *stride, const uint32_t *index) {
    int64_t offset = 0;
    for (uint32_t axis = 0; axis + 1 < copy->rank; axis++) {
        offset += (int64_t)index[axis] * stride[axis];
    }
    return offset;
}

static void copy_run(const struct plan *plan, void *const *data, void *scratch) {
    (void)scratch;
    const struct copy *copy = plan->state;
    const struct pare_op *op = plan->op;
    struct mover mover = mover_of(plan, 0);
    if (op->u.copy.fill) {
        fill(plan, data[op->output]);
    }
    int64_t in_size = storage_size(mover.storage), out_size = storage_size(mover.range.storage);
    const char *from = (const char *)data[op->inputs[0]] + op->u.copy.in_base * in_size;
    char *to = (char *)data[op->output] + op->u.copy.out_base * out_size;
    uint32_t index[PARE_MAX_RANK] = {0};
    bool more = true;
    while (more) {
        copy_row(copy, &mover, from + offset_of(copy, copy->in_stride, index) * in_size,
                 to + offset_of(copy, copy->out_stride, index) * out_size);
        more = false;
        for (uint32_t axis = copy->rank - 1; axis-- > 0 && !more;) {
            more = ++index[axis] < copy->dims[axis];
            index[axis] = more ? index[axis] : 0;
        }
    }
}

const struct kernel kernel_copy = {copy_plan, copy_run};
