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
    bool even; /* all x.counted are equal */
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
    pool->even = true;
    for (uint32_t o = 1; o < w->out_w; o++) {
        pool->even = pool->even && pool->x[o].counted == pool->x[0].counted;
    }
    /* Widened codes and folded columns of an input row, accumulators of an output row. */
    if (!size_multiply((size_t)w->in_w * 2 + w->out_w, sizeof(int32_t), &plan->scratch)) {
        return fail_memory(ctx);
    }
    return PARE_OK;
}

static inline int32_t larger(int32_t a, int32_t b) {
    return a > b ? a : b;
}

/* A window is folded along its columns first, all columns of the input at once. */
typedef void fold_columns_function(int32_t *columns, const int32_t *codes, size_t count);
/* Then each output takes its columns. */
typedef void fold_taps_function(const struct span *spans, const int32_t *columns, size_t dilation, size_t count,
                                int32_t *acc);

static void max_columns(int32_t *columns, const int32_t *codes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        columns[i] = larger(columns[i], codes[i]);
    }
}

static void sum_columns(int32_t *columns, const int32_t *codes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        columns[i] += codes[i];
    }
}

static const int32_t *first_column(const struct span *s, const int32_t *columns, size_t dilation) {
    return columns + (s->start + s->taps.first * (int32_t)dilation);
}

static void max_taps(const struct span *spans, const int32_t *columns, size_t dilation, size_t count, int32_t *acc) {
    for (size_t o = 0; o < count; o++) {
        const int32_t *column = first_column(&spans[o], columns, dilation);
        int32_t best = *column;
        for (int32_t k = spans[o].taps.first + 1; k < spans[o].taps.last; k++) {
            column += dilation;
            best = larger(best, *column);
        }
        acc[o] = best;
    }
}

static void sum_taps(const struct span *spans, const int32_t *columns, size_t dilation, size_t count, int32_t *acc) {
    for (size_t o = 0; o < count; o++) {
        const int32_t *column = first_column(&spans[o], columns, dilation);
        int32_t sum = *column;
        for (int32_t k = spans[o].taps.first + 1; k < spans[o].taps.last; k++) {
            column += dilation;
            sum += *column;
        }
        acc[o] = sum;
    }
}

typedef void finish_function(const struct plan *plan, uint32_t oy, const int32_t *acc, void *to);

struct pool_kind {
    fold_columns_function *fold_columns;
    fold_taps_function *fold_taps;
    finish_function *finish;
};

static void pool_row(const struct plan *plan, const struct pool_kind *kind, const char *channel, uint32_t oy,
                     int32_t *scratch, char *to) {
    const struct pare_window *w = &plan->op->u.window;
    const struct pool *pool = plan->state;
    const struct span *s = &pool->y[oy];
    uint8_t storage = plan_input(plan, 0)->storage;
    size_t row_bytes = (size_t)w->in_w * storage_size(storage);
    int32_t *columns = scratch, *codes = columns + w->in_w, *acc = codes + w->in_w;
    for (int32_t k = s->taps.first; k < s->taps.last; k++) {
        const char *row = channel + (size_t)(s->start + k * (int32_t)w->dilation_h) * row_bytes;
        codes_to_int32(row, storage, 1, w->in_w, k == s->taps.first ? columns : codes);
        if (k > s->taps.first) {
            kind->fold_columns(columns, codes, w->in_w);
        }
    }
    kind->fold_taps(pool->x, columns, w->dilation_w, w->out_w, acc);
    kind->finish(plan, oy, acc, to);
}

static void pool_run(const struct plan *plan, void *const *data, void *scratch, const struct pool_kind *kind) {
    const struct pare_window *w = &plan->op->u.window;
    size_t channel_bytes = (size_t)w->in_h * w->in_w * storage_size(plan_input(plan, 0)->storage);
    size_t row_bytes = w->out_w * storage_size(plan_output(plan)->storage);
    char *to = data[plan->op->output];
    for (uint32_t c = 0; c < w->in_c; c++) {
        const char *channel = (const char *)data[plan->op->inputs[0]] + c * channel_bytes;
        for (uint32_t oy = 0; oy < w->out_h; oy++, to += row_bytes) {
            pool_row(plan, kind, channel, oy, scratch, to);
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
    static const struct pool_kind kind = {max_columns, max_taps, finish_max};
    pool_run(plan, data, scratch, &kind);
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
    static const struct pool_kind kind = {sum_columns, sum_taps, finish_average};
    pool_run(plan, data, scratch, &kind);
}

const struct kernel kernel_average_pool = {average_pool_plan, average_pool_run};
