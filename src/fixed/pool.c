/* Maxima and means over windows, one row of outputs at a time. */
#include "base/bytes.h"
#include "fixed/block.h"
#include "runtime/arith.h"
#include "runtime/window.h"

/* What a window meets along one axis. */
struct span {
    int32_t start;    /* input index of tap 0; may lie in the padding */
    struct taps taps; /* on the input */
    uint32_t counted; /* taps that a mean divides by */
};

struct pool {
    struct span *y, *x;
    bool along_taps; /* sum over the taps of one output, not over the outputs of one tap */
    bool even;       /* all x.counted are equal */
};

static enum pare_status plan_axis(struct context *ctx, struct plan *plan, uint32_t in, uint32_t out, uint32_t kernel,
                                  uint32_t stride, uint32_t dilation, uint32_t before, uint32_t after,
                                  struct span **spans) {
    bool padded = plan->op->u.window.count_include_pad;
    *spans = ARENA_ARRAY(&plan->arena, out, struct span);
    if (*spans == NULL) {
        return fail_memory(ctx);
    }
    for (uint32_t o = 0; o < out; o++) {
        struct span *s = &(*spans)[o];
        s->start = (int32_t)(o * stride) - (int32_t)before;
        s->taps = taps_between(s->start, (int32_t)kernel, (int32_t)dilation, 0, (int32_t)in);
        struct taps counted = s->taps;
        if (padded) {
            counted =
                taps_between(s->start, (int32_t)kernel, (int32_t)dilation, -(int32_t)before, (int32_t)(in + after));
        }
        s->counted = (uint32_t)(counted.last - counted.first);
    }
    return PARE_OK;
}

static enum pare_status pool_plan(struct context *ctx, struct plan *plan) {
    const struct pare_window *w = &plan->op->u.window;
    struct pool *pool = ARENA_NEW(&plan->arena, struct pool);
    if (pool == NULL) {
        return fail_memory(ctx);
    }
    plan->state = pool;
    TRY(plan_axis(ctx, plan, w->in_h, w->out_h, w->kernel_h, w->stride_h, w->dilation_h, w->pad_top, w->pad_bottom,
                  &pool->y));
    TRY(plan_axis(ctx, plan, w->in_w, w->out_w, w->kernel_w, w->stride_w, w->dilation_w, w->pad_left, w->pad_right,
                  &pool->x));
    pool->along_taps = w->out_w < w->kernel_w;
    pool->even = true;
    for (uint32_t o = 1; o < w->out_w; o++) {
        pool->even = pool->even && pool->x[o].counted == pool->x[0].counted;
    }
    /* One row of accumulators, one of widened codes. */
    size_t row = w->out_w > w->kernel_w ? w->out_w : w->kernel_w;
    if (!size_multiply(row, 2 * sizeof(int32_t), &plan->scratch)) {
        return fail_memory(ctx);
    }
    return PARE_OK;
}

struct row { /* of outputs, over one row of inputs */
    const struct plan *plan;
    const char *from;
    int32_t *acc, *codes;
};

/* Folds codes into accumulators: acc[i * step] takes codes[i]. */
typedef void fold_function(int32_t *acc, size_t step, const int32_t *codes, size_t count);

static void fold_max(int32_t *acc, size_t step, const int32_t *codes, size_t count) {
    if (step == 0) {
        for (size_t i = 0; i < count; i++) {
            *acc = codes[i] > *acc ? codes[i] : *acc;
        }
        return;
    }
    for (size_t i = 0; i < count; i++) {
        acc[i] = codes[i] > acc[i] ? codes[i] : acc[i];
    }
}

static void fold_sum(int32_t *acc, size_t step, const int32_t *codes, size_t count) {
    if (step == 0) {
        for (size_t i = 0; i < count; i++) {
            *acc += codes[i];
        }
        return;
    }
    for (size_t i = 0; i < count; i++) {
        acc[i] += codes[i];
    }
}

static void fold_taps(const struct row *row, fold_function *fold) {
    const struct pare_window *w = &row->plan->op->u.window;
    const struct pool *pool = row->plan->state;
    uint8_t storage = plan_input(row->plan, 0)->storage;
    for (uint32_t o = 0; o < w->out_w; o++) {
        const struct span *s = &pool->x[o];
        size_t first = (size_t)(s->start + s->taps.first * (int32_t)w->dilation_w);
        size_t count = (size_t)(s->taps.last - s->taps.first);
        codes_to_int32(row->from + first * storage_size(storage), storage, w->dilation_w, count, row->codes);
        fold(row->acc + o, 0, row->codes, count);
    }
}

static void fold_outputs(const struct row *row, fold_function *fold) {
    const struct pare_window *w = &row->plan->op->u.window;
    uint8_t storage = plan_input(row->plan, 0)->storage;
    for (uint32_t k = 0; k < w->kernel_w; k++) {
        int32_t start = (int32_t)(k * w->dilation_w) - (int32_t)w->pad_left;
        struct taps outputs = taps_between(start, (int32_t)w->out_w, (int32_t)w->stride_w, 0, (int32_t)w->in_w);
        if (outputs.first < outputs.last) {
            size_t first = (size_t)(start + outputs.first * (int32_t)w->stride_w);
            size_t count = (size_t)(outputs.last - outputs.first);
            codes_to_int32(row->from + first * storage_size(storage), storage, w->stride_w, count, row->codes);
            fold(row->acc + outputs.first, 1, row->codes, count);
        }
    }
}

typedef void finish_function(const struct plan *plan, uint32_t oy, const int32_t *acc, void *to);

static void pool_run(const struct plan *plan, void *const *data, void *scratch, int32_t start, fold_function *fold,
                     finish_function *finish) {
    const struct pare_window *w = &plan->op->u.window;
    const struct pool *pool = plan->state;
    size_t in_row = (size_t)w->in_w * storage_size(plan_input(plan, 0)->storage);
    char *to = data[plan->op->output];
    struct row row = {.plan = plan, .acc = scratch};
    row.codes = row.acc + (w->out_w > w->kernel_w ? w->out_w : w->kernel_w);
    for (uint32_t c = 0; c < w->in_c; c++) {
        const char *channel = (const char *)data[plan->op->inputs[0]] + c * w->in_h * in_row;
        for (uint32_t oy = 0; oy < w->out_h; oy++) {
            const struct span *s = &pool->y[oy];
            for (uint32_t o = 0; o < w->out_w; o++) {
                row.acc[o] = start;
            }
            for (int32_t k = s->taps.first; k < s->taps.last; k++) {
                row.from = channel + (size_t)(s->start + k * (int32_t)w->dilation_h) * in_row;
                (pool->along_taps ? fold_taps : fold_outputs)(&row, fold);
            }
            finish(plan, oy, row.acc, to);
            to += w->out_w * storage_size(plan_output(plan)->storage);
        }
    }
}

static void finish_max(const struct plan *plan, uint32_t oy, const int32_t *acc, void *to) {
    (void)oy;
    struct code_range range = plan_range(plan);
    int shift = plan_input(plan, 0)->frac - plan_output(plan)->frac;
    plan->isa->requantize(acc, plan->op->u.window.out_w, 0, shift, &range, to);
}

static void max_pool_run(const struct plan *plan, void *const *data, void *scratch) {
    pool_run(plan, data, scratch, INT32_MIN, fold_max, finish_max);
}

const struct kernel kernel_max_pool = {pool_plan, max_pool_run};

/* Dividing by a power of two is part of the rounding shift. */
static int power_of_two(uint32_t n) {
    int power = 0;
    while ((n >> power & 1) == 0) {
        power++;
    }
    return n == (uint32_t)1 << power ? power : -1;
}

static void finish_average(const struct plan *plan, uint32_t oy, const int32_t *acc, void *to) {
    const struct pool *pool = plan->state;
    const struct pare_op *op = plan->op;
    struct code_range range = plan_range(plan);
    int shift = plan_input(plan, 0)->frac - plan_output(plan)->frac;
    int power = pool->even ? power_of_two(pool->y[oy].counted * pool->x[0].counted) : -1;
    if (power >= 0) {
        plan->isa->requantize(acc, op->u.window.out_w, 0, shift + power, &range, to);
        return;
    }
    for (uint32_t o = 0; o < op->u.window.out_w; o++) {
        int64_t mean = round_divide(acc[o], -shift, pool->y[oy].counted * pool->x[o].counted);
        write_code(to, range.storage, o, clamp64(mean, op->low, op->high));
    }
}

/* A sum of 16-bit codes over more taps than this could leave 32 bits. */
#define NARROW_TAPS 32768

static enum pare_status average_pool_plan(struct context *ctx, struct plan *plan) {
    const struct pare_window *w = &plan->op->u.window;
    if ((uint64_t)w->kernel_h * w->kernel_w > NARROW_TAPS) {
        plan->kernel = &kernel_reference;
        return PARE_OK;
    }
    return pool_plan(ctx, plan);
}

static void average_pool_run(const struct plan *plan, void *const *data, void *scratch) {
    pool_run(plan, data, scratch, 0, fold_sum, finish_average);
}

const struct kernel kernel_average_pool = {average_pool_plan, average_pool_run};
