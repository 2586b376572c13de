/* Channels that the others make good are taken out, and the readers' weights make good what they brought. */
#include "quant/redundant.h"

#include "float/float.h"
#include "passes/channel_drop.h"
#include "quant_trial.h"

#include "suite_main.h"

#define SAMPLES ((size_t)600)

/* Of the four channels that `a` makes, the third is the sum of the first two, the fourth twice the second; Relu passes
 * all of them, inputs and weights being positive. */
#define INPUT "graph g {\n  input x: float32[N,2,6,6]\n  const one: float32[2,1,1] = [1,1]\n  s = Add(x, one)\n"
#define DEPENDENT                                                                                                      \
    "  const a: float32[4,2,1,1] = [1,0, 0.25,1, 1.25,1, 0.5,2]\n  const b: float32[4] = [1,0,1,0]\n"                  \
    "  c = Conv(s, a, b)\n  r = Relu(c)\n"
#define READER "  const w: float32[3,4,3,3] = random(2,-1,1)\n  const k: float32[3] = [1,2,3]\n"

/* The padding is zero behind the zero points. */
#define PADDED "  m = Sub(r, p)\n  y = Conv(m, w, k) {pads=[1,1,1,1]}\n  output y\n}\n"

struct trial_case {
    const char *text;
    size_t dropped;   /* all groups together */
    double tolerance; /* of outputs, relative to the largest; what is exact is so but for the damping */
    const char *name; /* of an entry of the list */
    int64_t gone, of; /* in that entry */
};

static const struct trial_case cases[] = {
    /* Pointwise, and behind pooling, a zero point, flattening, Concat and a depthwise convolution. */
    {INPUT DEPENDENT READER "  m = MaxPool(r) {kernel_shape=[1,1]}\n  y = Conv(m, w, k)\n  output y\n}\n", 2, 1e-2,
     "Conv", 2, 4},
    {INPUT DEPENDENT READER "  y = Conv(r, w, k)\n  output y\n}\n", 2, 1e-2, "Conv", 2, 4},
    {INPUT DEPENDENT READER "  const p: float32[4,1,1] = [1,2,3,4]\n" PADDED, 2, 1e-2, "Conv", 2, 4},
    {INPUT DEPENDENT READER "  const p: float32[4,1,1] = [9,2,-30,40]\n" PADDED, 1, 2e-2, "Conv", 1, 4},
    {INPUT DEPENDENT "  const w: float32[3,144] = random(2,-1,1)\n  const k: float32[3] = [1,2,3]\n  f = Flatten(r)\n"
                     "  y = Gemm(f, w, k) {transB=1}\n  output y\n}\n",
     2, 1e-2, "Conv", 2, 4},
    {INPUT DEPENDENT "  const d: float32[2,2,1,1] = random(5,0,1)\n  e = Conv(s, d)\n  q = Relu(e)\n"
                     "  t = Concat(q, r) {axis=1}\n  const w: float32[3,6,1,1] = random(2,-1,1)\n"
                     "  const k: float32[3] = [1,2,3]\n  y = Conv(t, w, k)\n  output y\n}\n",
     3, 2e-2, "Conv", 2, 4},
    {INPUT DEPENDENT READER "  const d: float32[4,1,1,1] = [1,-2,3,1]\n  const e: float32[4] = [1,2,3,4]\n"
                            "  m = Conv(r, d, e) {group=4}\n  y = Conv(m, w, k)\n  output y\n}\n",
     2, 1e-2, "Conv_1", 2, 4},
    /* Independent channels stay, and so does what a group behind reads, or nobody does. */
    {INPUT "  const a: float32[2,2,1,1] = [1,0, 0,1]\n  const b: float32[2] = [1,1]\n  c = Conv(s, a, b)\n"
           "  r = Relu(c)\n  const w: float32[3,2,1,1] = random(2,-1,1)\n  y = Conv(r, w)\n  output y\n}\n",
     0, 0, NULL, 0, 0},
    {INPUT DEPENDENT "  const w: float32[4,2,1,1] = random(2,-1,1)\n  y = Conv(r, w) {group=2}\n  output y\n}\n", 0, 0,
     NULL, 0, 0},
    {INPUT DEPENDENT READER "  y = Conv(r, w, k)\n  output y\n  output r\n}\n", 0, 0, NULL, 0, 0},
};
#define CASES ((int)(sizeof(cases) / sizeof(cases[0])))

/* The outputs of sample i. */
static void run(struct quant_trial *t, const struct graph *g, size_t i, struct tensor *outputs) {
    struct tensor input;
    struct shape shape;
    ck_assert(value_shape(g->inputs[0], 1, &shape));
    trial_ok(t, tensor_alloc(&t->ctx, DTYPE_FLOAT, &shape, &input));
    trial_ok(t, trial_load((void *)g, &t->ctx, i, &input));
    trial_ok(t, float_run(&t->ctx, g, &input, outputs, NULL, NULL));
    tensor_free(&input);
}

static double largest_of(const struct tensor *t) {
    double largest = 0;
    for (size_t i = 0; i < tensor_count(t); i++) {
        largest = fmax(largest, fabs(tensor_get_double(t, i)));
    }
    return largest;
}

/* On samples that the statistics have not seen, too. */
static void assert_near(struct quant_trial *t, const struct graph *g, double tolerance) {
    for (size_t i = SAMPLES - 10; i < SAMPLES + 10; i++) {
        struct tensor a[2], b[2];
        run(t, t->graph, i, a);
        run(t, g, i, b);
        double largest = largest_of(&a[0]);
        ck_assert_uint_eq(tensor_count(&a[0]), tensor_count(&b[0]));
        for (size_t k = 0; k < tensor_count(&a[0]); k++) {
            double error = fabs(tensor_get_double(&a[0], k) - tensor_get_double(&b[0], k));
            ck_assert_msg(error <= tolerance * largest, "%g of %g", error, largest);
        }
        for (int k = 0; k < g->output_count; k++) {
            tensor_free(&a[k]);
            tensor_free(&b[k]);
        }
    }
}

static size_t apply(struct quant_trial *t, struct arena *a, double loss, struct graph **g, struct dropped_list *list) {
    struct channel_plan *plan;
    trial_ok(t, channel_plan_new(&t->ctx, t->scheme, t->statistics, &plan));
    ck_assert_uint_eq(channel_plan_count(plan), 0);
    trial_ok(t, channel_plan_extend(&t->ctx, plan, loss / 4));
    trial_ok(t, channel_plan_extend(&t->ctx, plan, loss));
    trial_ok(t, graph_clone(&t->ctx, t->graph, false, g));
    trial_ok(t, channel_plan_apply(&t->ctx, a, plan, *g, list));
    size_t count = channel_plan_count(plan);
    channel_plan_free(plan);
    trial_ok(t, graph_verify(&t->ctx, *g));
    trial_ok(t, graph_infer(&t->ctx, *g)); /* no dimension contradicts another */
    return count;
}

START_TEST(takes_out_what_others_make_good) {
    const struct trial_case *c = &cases[_i];
    struct quant_trial t;
    struct graph *g;
    struct dropped_list list = {0};
    struct arena a;
    arena_init(&a);
    trial_begin(&t, c->text);
    trial_collect(&t, SAMPLES, 1 + _i % 2);
    ck_assert_uint_eq(apply(&t, &a, 0.01, &g, &list), c->dropped);
    assert_near(&t, g, c->tolerance);
    if (c->name != NULL) {
        const struct dropped_channels *d = dropped_of(&list, c->name);
        ck_assert_ptr_nonnull(d);
        ck_assert_int_eq(d->dropped, c->gone);
        ck_assert_int_eq(d->channels, c->of);
        int64_t marked = 0;
        for (int64_t i = 0; i < d->channels; i++) {
            marked += d->gone[i];
        }
        ck_assert_int_eq(marked, c->gone);
    }
    graph_free(g);
    arena_free(&a);
    trial_finish(&t);
}
END_TEST

/* However much may be lost, one channel stays. */
START_TEST(never_all_of_them) {
    struct quant_trial t;
    struct graph *g;
    struct dropped_list list = {0};
    struct arena a;
    arena_init(&a);
    trial_begin(&t, cases[1].text);
    trial_collect(&t, SAMPLES, 1);
    ck_assert_uint_eq(apply(&t, &a, 1e9, &g, &list), 3);
    graph_free(g);
    arena_free(&a);
    trial_finish(&t);
}
END_TEST

/* Anything depends on anything in a few vectors. */
START_TEST(few_vectors_tell_nothing) {
    struct quant_trial t;
    struct graph *g;
    struct dropped_list list = {0};
    struct arena a;
    arena_init(&a);
    trial_begin(&t, cases[1].text);
    trial_collect(&t, 4, 1);
    ck_assert_uint_eq(apply(&t, &a, 0.01, &g, &list), 0);
    ck_assert_uint_eq(list.count, 0);
    graph_free(g);
    arena_free(&a);
    trial_finish(&t);
}
END_TEST

/* What has gone is counted in the channels that a layer had at first. */
START_TEST(channels_that_go_one_after_the_other) {
    static const bool first[] = {false, true, false, false, true}, second[] = {true, false, false};
    struct quant_trial t;
    struct dropped_list list = {0};
    struct scalable *all;
    size_t count;
    struct arena a;
    arena_init(&a);
    trial_begin(&t, "graph g {\n  input x: float32[N,2,3,3]\n  const a: float32[5,2,1,1] = random(1,-1,1)\n"
                    "  const w: float32[3,5,1,1] = random(2,-1,1)\n  c = Conv(x, a)\n  r = Relu(c)\n  y = Conv(r, w)\n"
                    "  output y\n}\n");
    trial_ok(&t, scalable_list(&t.ctx, &a, t.graph, &all, &count));
    ck_assert_uint_eq(count, 1);
    trial_ok(&t, dropped_add(&t.ctx, &a, &list, &all[0], first));
    trial_ok(&t, channel_drop(&t.ctx, &all[0], first));
    trial_ok(&t, scalable_list(&t.ctx, &a, t.graph, &all, &count));
    trial_ok(&t, dropped_add(&t.ctx, &a, &list, &all[0], second));
    ck_assert_uint_eq(list.count, 1);
    ck_assert_int_eq(list.items[0].dropped, 3);
    ck_assert_int_eq(list.items[0].channels, 5);
    static const bool gone[] = {true, true, false, false, true};
    ck_assert_int_eq(memcmp(list.items[0].gone, gone, sizeof gone), 0);
    arena_free(&a);
    trial_finish(&t);
}
END_TEST

int main(void) {
    Suite *s = suite_create("redundant channels");
    TCase *t = tcase_create("redundant channels");
    tcase_add_loop_test(t, takes_out_what_others_make_good, 0, CASES);
    tcase_add_test(t, never_all_of_them);
    tcase_add_test(t, few_vectors_tell_nothing);
    tcase_add_test(t, channels_that_go_one_after_the_other);
    suite_add_tcase(s, t);
    return suite_main(s);
}
