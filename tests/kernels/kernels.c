/* Every kernel, in every instruction set that this processor has, computes what the reference kernel computes, and
 * touches no byte outside of its buffers. `--bench` prints speeds, `--seed N` draws other cases. */
#include "runtime/kernels.h"
#include "base/context.h"
#include "cases.h"
#include "fixed/plan.h"
#include "runtime/codes.h"
#include "runtime/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(p, size) ASAN_POISON_MEMORY_REGION(p, size)
#define UNPOISON(p, size) ASAN_UNPOISON_MEMORY_REGION(p, size)
#else
#define POISON(p, size) ((void)0)
#define UNPOISON(p, size) ((void)0)
#endif

#define GUARD 64
#define GUARD_BYTE 0xa5
#define ALL_CASES 1000
#define LARGE_CASES 25
#define PADDED_CASES 8

/* ---- guarded buffers ---- */

struct guarded {
    uint8_t *memory;
    size_t size;
};

static void *guarded_data(const struct guarded *g) {
    return g->memory + GUARD;
}

static struct guarded guarded_new(size_t size, const void *content) {
    size_t all = (size + 3 * GUARD - 1) / GUARD * GUARD;
    struct guarded g = {aligned_alloc(GUARD, all), size};
    if (g.memory == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    memset(g.memory, GUARD_BYTE, GUARD + size + GUARD);
    if (content != NULL) {
        memcpy(g.memory + GUARD, content, size);
    }
    POISON(g.memory, GUARD);
    POISON(g.memory + GUARD + size, GUARD);
    return g;
}

/* Whether nothing was written before or after the data. */
static bool guarded_free(struct guarded *g) {
    UNPOISON(g->memory, GUARD);
    UNPOISON(g->memory + GUARD + g->size, GUARD);
    bool intact = true;
    for (size_t i = 0; i < GUARD; i++) {
        intact = intact && g->memory[i] == GUARD_BYTE && g->memory[GUARD + g->size + i] == GUARD_BYTE;
    }
    free(g->memory);
    return intact;
}

static size_t value_size(const struct pare_value *v) {
    return (size_t)v->count * storage_size(v->storage);
}

/* ---- one case ---- */

struct tally {
    uint64_t outputs, saturated;
};

static void print_case(const struct kernel_case *c, const char *isa, const char *what) {
    const struct pare_window *w = &c->op.u.window;
    const struct pare_value *x = &c->values[0], *y = &c->values[c->op.output];
    printf("%s %s: %s (input %u bits %s, output %u bits, weights %u bits%s%s)\n", isa, kind_name(c->op.kind), what,
           x->bits, x->is_signed ? "signed" : "unsigned", y->bits, c->op.weights.bits, c->op.wide ? ", wide" : "",
           c->op.zero != NULL ? ", zero points" : "");
    if (c->op.kind == PARE_CONV || c->op.kind == PARE_CONV_TRANSPOSE || c->op.kind == PARE_MAX_POOL ||
        c->op.kind == PARE_AVERAGE_POOL) {
        printf("  %ux%ux%u -> %ux%ux%u kernel %ux%u stride %ux%u dilation %ux%u pad %u %u group %u\n", w->in_c, w->in_h,
               w->in_w, w->out_c, w->out_h, w->out_w, w->kernel_h, w->kernel_w, w->stride_h, w->stride_w, w->dilation_h,
               w->dilation_w, w->pad_top, w->pad_left, w->group);
    }
}

static bool same_codes(const struct kernel_case *c, const char *isa, const void *expected, const void *found) {
    const struct pare_value *y = &c->values[c->op.output];
    struct codes e = codes_of(expected, y->storage, false), f = codes_of(found, y->storage, false);
    for (uint32_t i = 0; i < y->count; i++) {
        if (code_at(&e, i) != code_at(&f, i)) {
            print_case(c, isa, "differs from the reference");
            printf("  element %u of %u is %d, expected %d\n", i, y->count, code_at(&f, i), code_at(&e, i));
            return false;
        }
    }
    return true;
}

static void count_saturated(const struct kernel_case *c, const void *expected, struct tally *tally) {
    const struct pare_value *y = &c->values[c->op.output];
    struct codes e = codes_of(expected, y->storage, false);
    for (uint32_t i = 0; i < y->count; i++) {
        tally->saturated += code_at(&e, i) == c->op.low || code_at(&e, i) == c->op.high;
    }
    tally->outputs += y->count;
}

static bool check_isa(struct context *ctx, const struct kernel_case *c, const struct isa *isa, const void *expected) {
    struct plan plan = {.kernel = NULL};
    context_clear(ctx);
    if (plan_update(ctx, &plan, &c->op, c->values, isa) != PARE_OK) {
        print_case(c, isa->name, ctx->diag.message);
        arena_free(&plan.arena);
        return false;
    }
    struct guarded buffers[PARE_MAX_INPUTS + 1], scratch = guarded_new(plan.scratch, NULL);
    void *data[PARE_MAX_INPUTS + 1];
    for (uint32_t i = 0; i <= c->op.input_count; i++) {
        buffers[i] = guarded_new(value_size(&c->values[i]), i < c->op.input_count ? c->codes[i] : NULL);
        data[i] = guarded_data(&buffers[i]);
    }
    plan.kernel->run(&plan, data, guarded_data(&scratch));
    bool same = same_codes(c, isa->name, expected, data[c->op.output]);
    bool intact = guarded_free(&scratch);
    for (uint32_t i = 0; i <= c->op.input_count; i++) {
        intact = guarded_free(&buffers[i]) && intact;
    }
    if (!intact) {
        print_case(c, isa->name, "wrote outside of its buffers");
    }
    arena_free(&plan.arena);
    return same && intact;
}

static bool check_case(struct context *ctx, const struct kernel_case *c, struct tally *tally) {
    const char *problem = pare_check_op(&c->op, c->values);
    if (problem != NULL) {
        print_case(c, "generator", problem);
        return false;
    }
    struct guarded expected = guarded_new(value_size(&c->values[c->op.output]), NULL);
    void *data[PARE_MAX_INPUTS + 1];
    memcpy(data, c->codes, sizeof c->codes);
    data[c->op.output] = guarded_data(&expected);
    pare_run_op(&c->op, c->values, data);
    count_saturated(c, data[c->op.output], tally);
    bool good = true;
    for (size_t i = 0; i < isa_count; i++) {
        good = good && (!isa_all[i]->available() || check_isa(ctx, c, isa_all[i], data[c->op.output]));
    }
    return guarded_free(&expected) && good;
}

static bool check_kind(struct context *ctx, uint8_t kind, uint64_t seed) {
    struct tally tally = {0, 0};
    for (uint32_t i = 0; i < ALL_CASES; i++) {
        struct random r = {seed * 1000003 + kind * ALL_CASES + i};
        struct kernel_case c;
        bool conv = kind == PARE_CONV || kind == PARE_CONV_TRANSPOSE;
        if (conv && i >= ALL_CASES - PADDED_CASES) {
            case_make_padded(&c, &r, kind);
        } else {
            case_make(&c, &r, kind, i < LARGE_CASES ? CASE_LARGE : CASE_SMALL);
        }
        bool good = check_case(ctx, &c, &tally);
        arena_free(&c.arena);
        if (!good) {
            printf("  case %u\n", i);
            return false;
        }
    }
    bool meaningful = tally.saturated > 0 && tally.saturated < tally.outputs;
    printf("%-14s %8llu outputs equal, %4.1f %% of them at a bound\n", kind_name(kind),
           (unsigned long long)tally.outputs, 100.0 * (double)tally.saturated / (double)tally.outputs);
    return meaningful;
}

/* ---- speed ---- */

/* Of this process: others may be busy. */
static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds per run, of at least `least` seconds of runs. */
static double time_plan(const struct plan *plan, void *const *data, void *scratch, double least) {
    plan->kernel->run(plan, data, scratch);
    uint32_t runs = 0;
    double start = seconds(), now = start;
    while (now - start < least) {
        plan->kernel->run(plan, data, scratch);
        runs++;
        now = seconds();
    }
    return (now - start) / runs;
}

static double bench_isa(struct context *ctx, const struct kernel_case *c, const struct isa *isa) {
    struct plan plan = {.kernel = NULL};
    if (plan_update(ctx, &plan, &c->op, c->values, isa) != PARE_OK) {
        fprintf(stderr, "%s\n", ctx->diag.message);
        exit(1);
    }
    struct guarded output = guarded_new(value_size(&c->values[c->op.output]), NULL);
    struct guarded scratch = guarded_new(plan.scratch, NULL);
    void *data[PARE_MAX_INPUTS + 1];
    memcpy(data, c->codes, sizeof c->codes);
    data[c->op.output] = guarded_data(&output);
    double time = time_plan(&plan, data, guarded_data(&scratch), 0.1);
    guarded_free(&output);
    guarded_free(&scratch);
    arena_free(&plan.arena);
    return time;
}

static void bench_case(struct context *ctx, const struct kernel_case *c, const char *name) {
    const struct pare_value *y = &c->values[c->op.output];
    double work = (double)y->count * (c->op.weights.columns > 0 ? c->op.weights.columns : 1);
    double reference = bench_isa(ctx, c, NULL);
    printf("%-34s reference %7.3f", name, work / reference * 1e-9);
    for (size_t i = 0; i < isa_count; i++) {
        if (isa_all[i]->available()) {
            double time = bench_isa(ctx, c, isa_all[i]);
            printf("  %s %7.2f (x%.0f)", isa_all[i]->name, work / time * 1e-9, reference / time);
        }
    }
    printf("\n");
}

static void bench_conv(struct context *ctx, const char *name, uint32_t in_c, uint32_t size, uint32_t out_c,
                       uint32_t kernel, uint32_t stride, uint32_t group) {
    uint32_t pad = kernel / 2, out = (size + 2 * pad - kernel) / stride + 1;
    struct pare_window w = {.in_c = in_c,
                            .in_h = size,
                            .in_w = size,
                            .out_c = out_c,
                            .out_h = out,
                            .out_w = out,
                            .kernel_h = kernel,
                            .kernel_w = kernel,
                            .stride_h = stride,
                            .stride_w = stride,
                            .dilation_h = 1,
                            .dilation_w = 1,
                            .pad_top = pad,
                            .pad_left = pad,
                            .group = group};
    struct random r = {1};
    struct kernel_case c;
    case_make_conv(&c, &r, &w, 8);
    bench_case(ctx, &c, name);
    arena_free(&c.arena);
}

static void bench_dense(struct context *ctx, const char *name, uint32_t samples, uint32_t columns, uint32_t rows) {
    struct random r = {1};
    struct kernel_case c;
    case_make_dense(&c, &r, samples, columns, rows);
    bench_case(ctx, &c, name);
    arena_free(&c.arena);
}

static void bench_pool(struct context *ctx, const char *name, uint8_t kind, uint32_t channels, uint32_t size) {
    struct pare_window w = {.in_c = channels,
                            .in_h = size,
                            .in_w = size,
                            .out_c = channels,
                            .out_h = size / 2,
                            .out_w = size / 2,
                            .kernel_h = 2,
                            .kernel_w = 2,
                            .stride_h = 2,
                            .stride_w = 2,
                            .dilation_h = 1,
                            .dilation_w = 1,
                            .group = 1};
    struct random r = {1};
    struct kernel_case c;
    case_make_conv(&c, &r, &w, 0);
    c.op.kind = kind;
    c.op.weights = (struct pare_weights){0};
    c.values[1].frac = c.values[0].frac;
    bench_case(ctx, &c, name);
    arena_free(&c.arena);
}

static void bench_all(struct context *ctx) {
    printf("GMAC/s (kinds without weights: G outputs/s)\n");
    bench_conv(ctx, "conv 3x3 3->32 32x32", 3, 32, 32, 3, 1, 1);
    bench_conv(ctx, "conv 3x3 32->32 32x32", 32, 32, 32, 3, 1, 1);
    bench_conv(ctx, "conv 3x3 32->64 16x16", 32, 16, 64, 3, 1, 1);
    bench_conv(ctx, "conv 3x3 64->64 16x16", 64, 16, 64, 3, 1, 1);
    bench_conv(ctx, "conv 3x3 128->128 8x8", 128, 8, 128, 3, 1, 1);
    bench_conv(ctx, "conv 3x3 stride 2 64->128 32x32", 64, 32, 128, 3, 2, 1);
    bench_conv(ctx, "conv 5x5 1->32 28x28", 1, 28, 32, 5, 1, 1);
    bench_conv(ctx, "conv 7x7 stride 2 3->64 224x224", 3, 224, 64, 7, 2, 1);
    bench_conv(ctx, "conv 1x1 64->128 28x28", 64, 28, 128, 1, 1, 1);
    bench_conv(ctx, "conv 1x1 256->512 7x7", 256, 7, 512, 1, 1, 1);
    bench_conv(ctx, "depthwise 3x3 64 56x56", 64, 56, 64, 3, 1, 64);
    bench_conv(ctx, "depthwise 3x3 stride 2 64 56x56", 64, 56, 64, 3, 2, 64);
    bench_conv(ctx, "depthwise 1x1 64 32x32", 64, 32, 64, 1, 1, 64);
    bench_dense(ctx, "dense 1 x 2048 -> 128", 1, 2048, 128);
    bench_dense(ctx, "dense 64 x 256 -> 256", 64, 256, 256);
    bench_pool(ctx, "max pool 2x2 64 32x32", PARE_MAX_POOL, 64, 32);
    bench_pool(ctx, "average pool 2x2 64 32x32", PARE_AVERAGE_POOL, 64, 32);
    for (int kind = PARE_MATMUL; kind < PARE_HOST; kind++) {
        struct random r = {3};
        struct kernel_case c;
        case_make(&c, &r, (uint8_t)kind, CASE_LARGE);
        bench_case(ctx, &c, kind_name((uint8_t)kind));
        arena_free(&c.arena);
    }
}

int main(int argc, char **argv) {
    struct context ctx;
    context_init(&ctx);
    uint64_t seed = 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--bench") == 0) {
            bench_all(&ctx);
            return 0;
        }
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            seed = strtoull(argv[++i], NULL, 10);
        } else {
            fprintf(stderr, "usage: kernels [--bench] [--seed N]\n");
            return 2;
        }
    }
    bool good = true;
    for (int kind = 0; kind < PARE_HOST; kind++) {
        good = check_kind(&ctx, (uint8_t)kind, seed) && good;
    }
    return good ? 0 : 1;
}
