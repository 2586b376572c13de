#include "base/context.h"
#include "fixed/executor.h"
#include "runtime/codes.h"

#include "suite_main.h"

#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#undef fail /* an old name of Check, and ours of base/context.h */

/* input -> conv -> host -> conv -> max pool -> conv -> add(pool) -> conv -> dense; the host step counts its calls. */
enum { CONV_1, HOST, CONV_2, POOL, CONV_3, ADD, CONV_4, DENSE, OPS };
enum { VALUES = OPS + 1, CHANNELS = 6, SIZE = 9, POOLED = 4, CLASSES = 5, SAMPLES = 23 };

struct net {
    struct arena arena;
    struct program program;
    struct pare_value values[VALUES];
    struct pare_op ops[OPS];
    struct host_step step;
    uint32_t input, output;
    const char *names[OPS];
    atomic_int host_calls;
    int fail_at; /* call of the host step, 0: never */
};

static uint64_t random_state;

static uint32_t next_random(void) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

static enum pare_status host_run(void *user, struct context *ctx, const void *const *inputs, void *output) {
    struct net *net = user;
    if (atomic_fetch_add(&net->host_calls, 1) + 1 == net->fail_at) {
        return fail(ctx, PARE_ERROR_UNSUPPORTED, "step: no");
    }
    for (uint32_t i = 0; i < net->values[HOST].count; i++) {
        ((uint8_t *)output)[i] = (uint8_t)(((const uint8_t *)inputs[0])[i] / 2 + 1);
    }
    return PARE_OK;
}

static void set_value(struct net *net, uint32_t v, uint32_t channels, uint32_t size, bool is_signed) {
    struct pare_value *value = &net->values[v];
    *value = (struct pare_value){.storage = is_signed ? PARE_I8 : PARE_U8,
                                 .bits = 8,
                                 .is_signed = is_signed,
                                 .frac = 4,
                                 .rank = 4,
                                 .dims = {1, channels, size, size}};
    value->count = channels * size * size;
}

static void set_weights(struct net *net, uint32_t op, uint32_t rows, uint32_t columns) {
    static const int8_t frac = 6;
    uint8_t *data = arena_alloc(&net->arena, (size_t)rows * columns);
    uint8_t *bias = arena_alloc(&net->arena, rows * (size_t)2);
    for (uint32_t i = 0; i < rows * columns; i++) {
        data[i] = (uint8_t)next_random();
    }
    for (uint32_t i = 0; i < rows * 2; i++) {
        bias[i] = (uint8_t)next_random();
    }
    net->ops[op].weights = (struct pare_weights){8, rows, columns, columns * 8, data, false, &frac, 0};
    net->ops[op].bias = (struct pare_bias){16, bias, false, &frac, 0};
}

static void set_conv(struct net *net, uint32_t op, uint32_t in_channels, uint32_t size) {
    net->ops[op].kind = PARE_CONV;
    net->ops[op].u.window = (struct pare_window){.in_c = in_channels,
                                                 .in_h = size,
                                                 .in_w = size,
                                                 .out_c = CHANNELS,
                                                 .out_h = size,
                                                 .out_w = size,
                                                 .kernel_h = 3,
                                                 .kernel_w = 3,
                                                 .stride_h = 1,
                                                 .stride_w = 1,
                                                 .dilation_h = 1,
                                                 .dilation_w = 1,
                                                 .pad_top = 1,
                                                 .pad_left = 1,
                                                 .group = 1,
                                                 .pad_bottom = 1,
                                                 .pad_right = 1};
    set_weights(net, op, CHANNELS, in_channels * 9);
    set_value(net, op + 1, CHANNELS, size, false);
}

static void set_pool(struct net *net) {
    net->ops[POOL].kind = PARE_MAX_POOL;
    net->ops[POOL].u.window = (struct pare_window){.in_c = CHANNELS,
                                                   .in_h = SIZE,
                                                   .in_w = SIZE,
                                                   .out_c = CHANNELS,
                                                   .out_h = POOLED,
                                                   .out_w = POOLED,
                                                   .kernel_h = 2,
                                                   .kernel_w = 2,
                                                   .stride_h = 2,
                                                   .stride_w = 2,
                                                   .dilation_h = 1,
                                                   .dilation_w = 1,
                                                   .group = 1};
    set_value(net, POOL + 1, CHANNELS, POOLED, false);
}

static void set_add(struct net *net) {
    struct pare_op *op = &net->ops[ADD];
    op->kind = PARE_ADD;
    op->input_count = 2;
    op->inputs[1] = POOL + 1;
    op->u.binary.rank = 1;
    op->u.binary.dims[0] = CHANNELS * POOLED * POOLED;
    op->u.binary.stride[0][0] = op->u.binary.stride[1][0] = 1;
    set_value(net, ADD + 1, CHANNELS, POOLED, false);
}

static struct net *net_new(void) {
    static const char *const names[OPS] = {"conv_1", "host", "conv_2", "pool", "conv_3", "add", "conv_4", "dense"};
    struct net *net = calloc(1, sizeof *net);
    arena_init(&net->arena);
    random_state = 1;
    set_value(net, 0, 3, SIZE, true);
    for (uint32_t i = 0; i < OPS; i++) {
        net->ops[i].input_count = 1;
        net->ops[i].inputs[0] = i;
        net->ops[i].output = i + 1;
        net->ops[i].high = 255;
    }
    set_conv(net, CONV_1, 3, SIZE);
    net->ops[HOST].kind = PARE_HOST;
    set_value(net, HOST + 1, CHANNELS, SIZE, false);
    set_conv(net, CONV_2, CHANNELS, SIZE);
    set_pool(net);
    set_conv(net, CONV_3, CHANNELS, POOLED);
    set_add(net);
    set_conv(net, CONV_4, CHANNELS, POOLED);
    net->ops[DENSE].kind = PARE_DENSE;
    set_weights(net, DENSE, CLASSES, CHANNELS * POOLED * POOLED);
    set_value(net, DENSE + 1, CLASSES, 1, false);
    memcpy(net->names, names, sizeof names);
    net->step = (struct host_step){host_run, net, "host", "Custom"};
    net->output = VALUES - 1;
    net->program = (struct program){.values = net->values,
                                    .value_count = VALUES,
                                    .ops = net->ops,
                                    .op_count = OPS,
                                    .op_names = net->names,
                                    .inputs = &net->input,
                                    .outputs = &net->output,
                                    .input_count = 1,
                                    .output_count = 1,
                                    .steps = &net->step,
                                    .step_count = 1};
    return net;
}

static void net_free(struct net *net) {
    arena_free(&net->arena);
    free(net);
}

/* ---- runs ---- */

struct results {
    const struct net *net;
    bool all_values; /* hash every value, not only the output */
    uint64_t hash[2 * SAMPLES];
    atomic_int workers_too_large;
    int threads;
};

static enum pare_status load(void *user, struct context *ctx, size_t sample, void *const *inputs) {
    (void)ctx;
    const struct results *results = user;
    uint64_t state = sample * 77 + 5;
    for (uint32_t i = 0; i < results->net->values[0].count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        ((int8_t *)inputs[0])[i] = (int8_t)(state >> 56);
    }
    return PARE_OK;
}

static enum pare_status sink(void *user, struct context *ctx, size_t sample, int worker, const void *const *values) {
    (void)ctx;
    struct results *results = user;
    uint64_t hash = 0;
    for (uint32_t v = results->all_values ? 0 : VALUES - 1; v < VALUES; v++) {
        hash = hash_of(values[v], results->net->values[v].count, hash);
    }
    results->hash[sample] = hash;
    if (worker >= results->threads) {
        atomic_fetch_add(&results->workers_too_large, 1);
    }
    return PARE_OK;
}

/* One value of each sample. */
struct reading {
    struct results results;
    uint32_t value;
    uint64_t hash[SAMPLES];
};

static enum pare_status load_reading(void *user, struct context *ctx, size_t sample, void *const *inputs) {
    return load(&((struct reading *)user)->results, ctx, sample, inputs);
}

static enum pare_status sink_reading(void *user, struct context *ctx, size_t sample, int worker,
                                     const void *const *values) {
    (void)ctx, (void)worker;
    struct reading *r = user;
    r->hash[sample] = hash_of(values[r->value], r->results.net->values[r->value].count, 0);
    return PARE_OK;
}

static struct results run(struct net *net, struct executor *e, int threads, bool all_values,
                          struct executor_cache *cache) {
    struct context ctx;
    context_init(&ctx);
    ctx.threads = threads;
    struct results results = {.net = net, .all_values = all_values, .threads = threads};
    ck_assert_int_eq(executor_run(&ctx, e, NULL, SAMPLES, load, sink, &results, cache), PARE_OK);
    ck_assert_int_eq(atomic_load(&results.workers_too_large), 0);
    return results;
}

static struct executor *executor_make(struct net *net) {
    struct context ctx;
    context_init(&ctx);
    struct executor *e = NULL;
    ck_assert_msg(executor_new(&ctx, &net->program, &e) == PARE_OK, "%s", ctx.diag.message);
    return e;
}

static void ck_same(const struct results *a, const struct results *b) {
    ck_assert_mem_eq(a->hash, b->hash, sizeof a->hash);
}

START_TEST(threads_and_instruction_sets_agree) {
    struct net *net = net_new();
    struct executor *e = executor_make(net);
    struct results one = run(net, e, 1, true, NULL), two = run(net, e, 2, true, NULL),
                   five = run(net, e, 5, true, NULL);
    ck_same(&one, &two);
    ck_same(&one, &five);
    ck_assert(one.hash[0] != one.hash[1]);
    const char *const sets[] = {"reference", "portable", "avx2", "avx512_vnni"};
    int ran = 0;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct context ctx;
        context_init(&ctx);
        if (executor_force(&ctx, e, sets[i]) == PARE_OK) {
            struct results forced = run(net, e, 2, true, NULL);
            ck_same(&one, &forced);
            ran++;
        }
    }
    ck_assert_int_ge(ran, 2);
    executor_free(e);
    net_free(net);
}
END_TEST

/* Random changes of weights and formats, random cuts: with a cache of any size the outputs are the same. */
static void compare_cached(size_t budget, size_t slots) {
    struct context ctx;
    context_init(&ctx);
    struct net *net = net_new();
    struct executor *e = executor_make(net);
    struct executor_cache *cache = NULL;
    ck_assert_int_eq(executor_cache_new(&ctx, e, slots, budget, &cache), PARE_OK);
    const uint32_t changeable[] = {CONV_1, CONV_2, CONV_3, CONV_4, DENSE};
    for (int round = 0; round < 60; round++) {
        uint64_t seed = random_state + (uint64_t)round;
        random_state = seed * 2654435761u + 99;
        uint32_t op = changeable[next_random() % 5];
        if (next_random() % 3 > 0) {
            set_weights(net, op, net->ops[op].weights.rows, net->ops[op].weights.columns);
        }
        if (next_random() % 3 == 0) {
            net->values[net->ops[op].output].frac = (int16_t)(2 + next_random() % 4);
        }
        ck_assert_int_eq(executor_update(&ctx, e, op), PARE_OK);
        if (next_random() % 4 > 0) {
            executor_cache_want(cache, next_random() % (OPS + 1));
        }
        struct results cached = run(net, e, 1 + round % 3, false, cache), plain = run(net, e, 2, false, NULL);
        ck_same(&cached, &plain);
    }
    executor_cache_free(cache);
    executor_free(e);
    net_free(net);
}

START_TEST(cache_changes_nothing) {
    compare_cached((size_t)1 << 24, SAMPLES);
}
END_TEST

START_TEST(cache_with_a_small_budget_changes_nothing) {
    compare_cached(30000, SAMPLES);
}
END_TEST

START_TEST(cache_without_room_changes_nothing) {
    compare_cached(10, SAMPLES);
}
END_TEST

START_TEST(cache_of_a_part_of_the_samples_changes_nothing) {
    compare_cached((size_t)1 << 24, SAMPLES / 2);
}
END_TEST

START_TEST(cache_saves_the_operators_before_the_cut) {
    struct context ctx;
    context_init(&ctx);
    struct net *net = net_new();
    struct executor *e = executor_make(net);
    struct executor_cache *cache = NULL;
    ck_assert_int_eq(executor_cache_new(&ctx, e, SAMPLES, (size_t)1 << 24, &cache), PARE_OK);
    executor_cache_want(cache, CONV_3);
    struct results first = run(net, e, 2, false, cache);
    ck_assert_int_eq(atomic_load(&net->host_calls), SAMPLES);
    struct results again = run(net, e, 2, false, cache);
    ck_same(&first, &again);
    ck_assert_int_eq(atomic_load(&net->host_calls), SAMPLES);
    ck_assert_int_eq(executor_update(&ctx, e, CONV_4), PARE_OK);
    run(net, e, 2, false, cache);
    ck_assert_int_eq(atomic_load(&net->host_calls), SAMPLES);
    ck_assert_int_eq(executor_update(&ctx, e, CONV_2), PARE_OK);
    run(net, e, 2, false, cache);
    ck_assert_int_eq(atomic_load(&net->host_calls), 2 * SAMPLES);
    executor_cache_free(cache);
    executor_free(e);
    net_free(net);
}
END_TEST

/* What the operator reads, and nothing after it, from snapshots or not. */
START_TEST(runs_stop_before_an_operator) {
    struct context ctx;
    context_init(&ctx);
    ctx.threads = 2;
    struct net *net = net_new();
    struct executor *e = executor_make(net);
    struct executor_cache *cache = NULL;
    ck_assert_int_eq(executor_cache_new(&ctx, e, SAMPLES, (size_t)1 << 24, &cache), PARE_OK);
    struct reading whole = {.results = {.net = net, .threads = 2}, .value = net->ops[CONV_3].inputs[0]}, part = whole;
    ck_assert_int_eq(executor_run(&ctx, e, NULL, SAMPLES, load_reading, sink_reading, &whole, NULL), PARE_OK);
    executor_cache_want(cache, CONV_4);
    run(net, e, 2, false, cache);
    int calls = atomic_load(&net->host_calls);
    for (int pass = 0; pass < 2; pass++) {
        executor_cache_want(cache, CONV_3);
        ck_assert_int_eq(executor_run_before(&ctx, e, CONV_3, NULL, SAMPLES, load_reading, sink_reading, &part, cache),
                         PARE_OK);
        ck_assert_mem_eq(whole.hash, part.hash, sizeof whole.hash);
        memset(part.hash, 0, sizeof part.hash);
    }
    ck_assert_int_le(atomic_load(&net->host_calls), calls + (int)SAMPLES);
    ck_assert_int_eq(executor_run_before(&ctx, e, 0, NULL, SAMPLES, load_reading, NULL, &part, NULL), PARE_OK);
    ck_assert_int_le(atomic_load(&net->host_calls), calls + (int)SAMPLES);
    executor_cache_free(cache);
    executor_free(e);
    net_free(net);
}
END_TEST

static bool out_of_patience(void *user) {
    return atomic_fetch_add((atomic_int *)user, 1) > 40;
}

START_TEST(cancelled_runs_leave_a_usable_cache) {
    struct context ctx;
    context_init(&ctx);
    ctx.threads = 2;
    atomic_int polls = 0;
    struct net *net = net_new();
    struct executor *e = executor_make(net);
    struct executor_cache *cache = NULL;
    ck_assert_int_eq(executor_cache_new(&ctx, e, SAMPLES, (size_t)1 << 24, &cache), PARE_OK);
    executor_cache_want(cache, CONV_3);
    ctx.cancelled = out_of_patience;
    ctx.user = &polls;
    struct results results = {.net = net, .threads = 2};
    ck_assert_int_eq(executor_run(&ctx, e, NULL, SAMPLES, load, sink, &results, cache), PARE_ERROR_INTERRUPTED);
    executor_cache_want(cache, CONV_3);
    struct results cached = run(net, e, 2, false, cache), plain = run(net, e, 1, false, NULL);
    ck_same(&cached, &plain);
    executor_cache_free(cache);
    executor_free(e);
    net_free(net);
}
END_TEST

START_TEST(host_step_failure_is_returned) {
    struct context ctx;
    context_init(&ctx);
    ctx.threads = 2;
    struct net *net = net_new();
    struct executor *e = executor_make(net);
    net->fail_at = 5;
    struct results results = {.net = net, .threads = 2};
    ck_assert_int_eq(executor_run(&ctx, e, NULL, SAMPLES, load, sink, &results, NULL), PARE_ERROR_UNSUPPORTED);
    ck_assert_str_eq(ctx.diag.message, "step: no");
    executor_free(e);
    net_free(net);
}
END_TEST

START_TEST(sample_lists_are_followed) {
    struct context ctx;
    context_init(&ctx);
    struct net *net = net_new();
    struct executor *e = executor_make(net);
    const size_t list[] = {7, 3, 19};
    struct results some = {.net = net, .threads = ctx.threads}, all = run(net, e, 1, false, NULL);
    ck_assert_int_eq(executor_run(&ctx, e, list, 3, load, sink, &some, NULL), PARE_OK);
    for (size_t i = 0; i < SAMPLES; i++) {
        bool listed = i == 7 || i == 3 || i == 19;
        ck_assert(some.hash[i] == (listed ? all.hash[i] : 0));
    }
    executor_free(e);
    net_free(net);
}
END_TEST

START_TEST(constants_are_inputs_too) {
    struct net *net = net_new();
    struct executor *e = executor_make(net);
    struct results before = run(net, e, 1, false, NULL);
    uint8_t *zeros = arena_alloc(&net->arena, net->values[POOL + 1].count + 1);
    net->values[POOL + 1].constant = zeros + 1; /* not aligned */
    net->ops[POOL].kind = PARE_HOST;            /* nobody computes the constant */
    net->ops[POOL].u.host.step = 0;
    net->ops[POOL].output = HOST + 1;
    net->ops[POOL].inputs[0] = CONV_1 + 1;
    executor_free(e);
    e = executor_make(net);
    struct results after = run(net, e, 1, false, NULL), reference;
    ck_assert(memcmp(before.hash, after.hash, sizeof after.hash) != 0);
    struct context ctx;
    context_init(&ctx);
    ck_assert_int_eq(executor_force(&ctx, e, "reference"), PARE_OK);
    reference = run(net, e, 1, false, NULL);
    ck_same(&reference, &after);
    executor_free(e);
    net_free(net);
}
END_TEST

START_TEST(mistakes_are_named) {
    struct context ctx;
    context_init(&ctx);
    struct net *net = net_new();
    struct executor *e = executor_make(net);
    ck_assert_int_eq(executor_force(&ctx, e, "abacus"), PARE_ERROR_USAGE);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "abacus"));
    context_clear(&ctx);
    ck_assert_int_eq(executor_update(&ctx, e, OPS), PARE_ERROR_USAGE);
    context_clear(&ctx);
    net->ops[CONV_3].u.window.in_c = 5;
    ck_assert_int_eq(executor_update(&ctx, e, CONV_3), PARE_OK);
    struct results results = {.net = net, .threads = ctx.threads};
    ck_assert_int_eq(executor_run(&ctx, e, NULL, 1, load, sink, &results, NULL), PARE_ERROR_INPUT);
    ck_assert_ptr_eq(strstr(ctx.diag.message, "conv_3: "), ctx.diag.message);
    context_clear(&ctx);
    struct executor *other = NULL;
    ck_assert_int_eq(executor_new(&ctx, &net->program, &other), PARE_ERROR_INPUT);
    ck_assert_ptr_null(other);
    net->ops[CONV_3].u.window.in_c = CHANNELS;
    net->ops[ADD].inputs[1] = VALUES;
    context_clear(&ctx);
    ck_assert_int_eq(executor_new(&ctx, &net->program, &other), PARE_ERROR_INPUT);
    net->ops[ADD].inputs[1] = POOL + 1;
    net->output = VALUES;
    context_clear(&ctx);
    ck_assert_int_eq(executor_new(&ctx, &net->program, &other), PARE_ERROR_INPUT);
    executor_free(e);
    net_free(net);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("fixed/executor");
    TCase *runs = tcase_create("runs");
    tcase_set_timeout(runs, 0);
    tcase_add_test(runs, threads_and_instruction_sets_agree);
    tcase_add_test(runs, host_step_failure_is_returned);
    tcase_add_test(runs, sample_lists_are_followed);
    tcase_add_test(runs, constants_are_inputs_too);
    tcase_add_test(runs, mistakes_are_named);
    suite_add_tcase(suite, runs);
    TCase *cache = tcase_create("cache");
    tcase_set_timeout(cache, 0);
    tcase_add_test(cache, cache_changes_nothing);
    tcase_add_test(cache, cache_with_a_small_budget_changes_nothing);
    tcase_add_test(cache, cache_without_room_changes_nothing);
    tcase_add_test(cache, cache_of_a_part_of_the_samples_changes_nothing);
    tcase_add_test(cache, cache_saves_the_operators_before_the_cut);
    tcase_add_test(cache, runs_stop_before_an_operator);
    tcase_add_test(cache, cancelled_runs_leave_a_usable_cache);
    suite_add_tcase(suite, cache);
    return suite_main(suite);
}
