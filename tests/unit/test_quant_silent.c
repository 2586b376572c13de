/* Channels that are zero on every sample are taken out, and nothing that the network computes changes. */
#include "quant/silent.h"

#include "float/float.h"
#include "quant_trial.h"

#include "suite_main.h"

#include <stdio.h>

#define SAMPLES ((size_t)300)

/* A bias that no sum of these inputs and weights makes up for, before Relu. */
#define SILENT "-99"
#define INPUT "graph g {\n  input x: float32[N,2,6,6]\n  const a: float32[4,2,3,3] = random(1,-1,1)\n"
#define HALF_SILENT "  const b: float32[4] = [9, " SILENT ", 8, " SILENT "]\n"

struct trial_case {
    const char *text;
    int entries;     /* of the list */
    int64_t dropped; /* of each */
};

static const struct trial_case cases[] = {
    {INPUT HALF_SILENT "  const w: float32[3,4,3,3] = random(2,-1,1)\n  c = Conv(x, a, b)\n  r = Relu(c)\n"
                       "  m = MaxPool(r) {kernel_shape=[2,2]}\n  y = Conv(m, w) {pads=[1,1,1,1]}\n  output y\n}\n",
     1, 2},
    {INPUT HALF_SILENT "  const w: float32[3,64] = random(2,-1,1)\n  c = Conv(x, a, b)\n  r = Relu(c)\n"
                       "  f = Flatten(r)\n  y = Gemm(f, w) {transB=1}\n  output y\n}\n",
     1, 2},
    {INPUT HALF_SILENT "  const w: float32[3,64] = random(2,-1,1)\n  const s: int64[2] = [-1, 64]\n"
                       "  c = Conv(x, a, b)\n  r = Relu(c)\n  f = Reshape(r, s)\n  y = Gemm(f, w) {transB=1}\n"
                       "  output y\n}\n",
     1, 2},
    {INPUT HALF_SILENT "  const w: float32[4,3,2,2] = random(2,-1,1)\n  c = Conv(x, a, b)\n  r = Relu(c)\n"
                       "  y = ConvTranspose(r, w)\n  output y\n}\n",
     1, 2},
    /* Behind Concat and pooling, twice; behind a zero point of 0, and behind a depthwise convolution without bias. */
    {INPUT HALF_SILENT "  const d: float32[2,2,3,3] = random(2,0,1)\n  const w: float32[3,6,1,1] = random(3,-1,1)\n"
                       "  c = Conv(x, a, b)\n  r = Relu(c)\n  e = Conv(x, d)\n  t = Concat(e, r) {axis=1}\n"
                       "  m = MaxPool(t) {kernel_shape=[2,2]}\n  y = Conv(t, w)\n  z = Conv(m, w)\n  output y\n"
                       "  output z\n}\n",
     1, 2},
    {INPUT HALF_SILENT "  const w: float32[3,4,3,3] = random(2,-1,1)\n  const p: float32[4,1,1] = [1,0,3,0]\n"
                       "  c = Conv(x, a, b)\n  r = Relu(c)\n  m = Sub(r, p)\n  y = Conv(m, w) {pads=[1,1,1,1]}\n"
                       "  output y\n}\n",
     1, 2},
    {INPUT HALF_SILENT "  const d: float32[4,1,3,3] = random(2,-1,1)\n  const w: float32[3,4,1,1] = random(3,-1,1)\n"
                       "  c = Conv(x, a, b)\n  r = Relu(c)\n  e = Conv(r, d) {group=4, pads=[1,1,1,1]}\n"
                       "  y = Conv(e, w)\n  output y\n}\n",
     2, 2},
    /* Two layers, and two readers. */
    {INPUT HALF_SILENT "  const d: float32[4,4,1,1] = random(2,-1,1)\n  const w: float32[3,4,1,1] = random(3,-1,1)\n"
                       "  c = Conv(x, a, b)\n  r = Relu(c)\n  e = Conv(r, d, b)\n  s = Relu(e)\n  y = Conv(s, w)\n"
                       "  z = Conv(r, w)\n  output y\n  output z\n}\n",
     2, 2},
    /* What is added to a silent channel is heard. */
    {INPUT HALF_SILENT "  const d: float32[4,2,3,3] = random(2,-1,1)\n  const n: float32[4] = [9, 8, 9, " SILENT "]\n"
                       "  const w: float32[3,4,1,1] = random(3,-1,1)\n  c = Conv(x, a, b)\n  r = Relu(c)\n"
                       "  e = Conv(x, d, n)\n  s = Relu(e)\n  k = Add(r, s)\n  y = Conv(k, w)\n  output y\n}\n",
     2, 1},
    /* Two rows of a batch, and rows that are no samples. */
    {"graph g {\n  input x: float32[2,2,6,6]\n  const a: float32[4,2,3,3] = random(1,-1,1)\n" HALF_SILENT
     "  const w: float32[3,4,1,1] = random(2,-1,1)\n  c = Conv(x, a, b)\n  r = Relu(c)\n  y = Conv(r, w)\n"
     "  output y\n}\n",
     1, 2},
    {"graph g {\n  input x: float32[1,3,6]\n  const s: int64[2] = [3, 6]\n  const a: float32[4,6] = random(1,-1,1)\n"
     "  const b: float32[4] = [9, 9, " SILENT ", " SILENT "]\n  const w: float32[3,4] = random(2,-1,1)\n"
     "  q = Reshape(x, s)\n  c = Gemm(q, a, b) {transB=1}\n  r = Relu(c)\n  y = Gemm(r, w) {transB=1}\n  output y\n}\n",
     1, 2},
    /* Left alone: what a body of an If reads, a size that is computed, groups behind, a zero point, an output of the
       network, and a network that says nothing. */
    {INPUT HALF_SILENT
     "  const w: float32[3,4,1,1] = random(3,-1,1)\n  const t: bool[] = 1\n  c = Conv(x, a, b)\n"
     "  r = Relu(c)\n  y = Conv(r, w)\n  u = If(t) {then_branch=graph t { m = AveragePool(c) "
     "{kernel_shape=[1,1]} p = Conv(m, w) output p }, else_branch=graph e { q = Conv(r, w) output q }}\n"
     "  output y\n  output u\n}\n",
     0, 0},
    {INPUT HALF_SILENT "  const w: float32[3,64] = random(2,-1,1)\n  const n: int64[1] = 64\n  c = Conv(x, a, b)\n"
                       "  r = Relu(c)\n  h = Shape(x) {start=0, end=1}\n  s = Concat(h, n) {axis=0}\n"
                       "  f = Reshape(r, s)\n  y = Gemm(f, w) {transB=1}\n  output y\n}\n",
     0, 0},
    {INPUT HALF_SILENT "  const w: float32[4,1,3,3] = random(2,-1,1)\n  c = Conv(x, a, b)\n  r = Relu(c)\n"
                       "  y = Conv(r, w) {group=4}\n  output y\n}\n",
     0, 0},
    {INPUT HALF_SILENT "  const w: float32[3,4,3,3] = random(2,-1,1)\n  const p: float32[4,1,1] = [1,2,3,4]\n"
                       "  c = Conv(x, a, b)\n  r = Relu(c)\n  m = Sub(r, p)\n  y = Conv(m, w) {pads=[1,1,1,1]}\n"
                       "  output y\n}\n",
     0, 0},
    {INPUT HALF_SILENT "  const w: float32[3,4,3,3] = random(2,-1,1)\n  c = Conv(x, a, b)\n  r = Relu(c)\n"
                       "  y = Conv(r, w)\n  output y\n  output r\n}\n",
     0, 0},
    {INPUT "  const b: float32[4] = [" SILENT ", " SILENT ", " SILENT ", " SILENT "]\n"
           "  const w: float32[3,4,3,3] = random(2,-1,1)\n  c = Conv(x, a, b)\n  r = Relu(c)\n  y = Conv(r, w)\n"
           "  output y\n}\n",
     0, 0},
};
#define CASES ((int)(sizeof(cases) / sizeof(cases[0])))

static void run(struct quant_trial *t, size_t sample, struct tensor *outputs) {
    struct tensor input;
    struct shape shape;
    ck_assert(value_shape(t->graph->inputs[0], 1, &shape));
    trial_ok(t, tensor_alloc(&t->ctx, DTYPE_FLOAT, &shape, &input));
    trial_ok(t, trial_load(t->graph, &t->ctx, sample, &input));
    trial_ok(t, float_run(&t->ctx, t->graph, &input, outputs, NULL, NULL));
    tensor_free(&input);
}

static void assert_computes_the_same(struct quant_trial *before, struct quant_trial *after) {
    for (size_t i = 0; i < 20; i++) {
        struct tensor a[2], b[2];
        run(before, i, a);
        run(after, i, b);
        for (int k = 0; k < before->graph->output_count; k++) {
            ck_assert_uint_eq(tensor_count(&a[k]), tensor_count(&b[k]));
            for (size_t j = 0; j < tensor_count(&a[k]); j++) {
                float x = ((const float *)a[k].data)[j], y = ((const float *)b[k].data)[j];
                ck_assert_msg(fabsf(x - y) <= 1e-4f, "%g, %g", (double)x, (double)y);
            }
            tensor_free(&a[k]);
            tensor_free(&b[k]);
        }
    }
}

static void drop(struct quant_trial *t, struct arena *a, size_t samples, struct dropped_list *dropped) {
    struct sample_source source = {trial_load, t->graph, NULL};
    trial_ok(t, drop_silent_channels(&t->ctx, a, t->graph, samples, &source, dropped));
    trial_ok(t, graph_verify(&t->ctx, t->graph));
    trial_ok(t, graph_infer(&t->ctx, t->graph)); /* no dimension contradicts another */
}

START_TEST(takes_out_what_is_silent) {
    const struct trial_case *c = &cases[_i % CASES];
    struct quant_trial before, after;
    struct dropped_list dropped;
    struct arena a;
    arena_init(&a);
    trial_begin(&before, c->text);
    trial_begin(&after, c->text);
    after.ctx.threads = 1 + _i / CASES;
    drop(&after, &a, SAMPLES, &dropped);
    ck_assert_int_eq((int)dropped.count, c->entries);
    for (size_t i = 0; i < dropped.count; i++) {
        ck_assert_int_eq(dropped.items[i].dropped, c->dropped);
        ck_assert_int_eq(dropped.items[i].channels, 4);
    }
    int64_t kept = 4 - (c->entries > 0 ? c->dropped : 0);
    const struct node *first = after.graph->first;
    first = node_is(first, "Reshape") ? first->next : first;
    ck_assert_int_eq(first->inputs[1]->constant->shape.dim[0], kept);
    ck_assert_int_eq(first->outputs[0]->dims[1].value, kept);
    assert_computes_the_same(&before, &after);
    trial_finish(&before);
    trial_finish(&after);
    arena_free(&a);
}
END_TEST

START_TEST(few_samples_tell_too_little) {
    struct quant_trial t;
    struct dropped_list dropped;
    struct arena a;
    arena_init(&a);
    trial_begin(&t, cases[0].text);
    drop(&t, &a, SAMPLES - 1, &dropped);
    ck_assert_uint_eq(dropped.count, 0);
    trial_finish(&t);
    arena_free(&a);
}
END_TEST

/* Nobody follows channels without end. */
START_TEST(long_ways_are_left_alone) {
    static char text[1 << 15];
    struct quant_trial t;
    struct dropped_list dropped;
    struct arena a;
    size_t at = (size_t)snprintf(text, sizeof text, "%s",
                                 INPUT HALF_SILENT "  const d: float32[4,1,1,1] = random(2,-1,1)\n"
                                                   "  const w: float32[3,4,1,1] = random(3,-1,1)\n  c = Conv(x, a, b)\n"
                                                   "  r = Relu(c)\n  p0 = Conv(r, d) {group=4}\n");
    for (int i = 0; i < 300; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "  p%d = MaxPool(p%d) {kernel_shape=[1,1]}\n", i + 1, i);
    }
    snprintf(text + at, sizeof text - at, "  y = Conv(p300, w)\n  output y\n}\n");
    arena_init(&a);
    trial_begin(&t, text);
    drop(&t, &a, SAMPLES, &dropped);
    ck_assert_uint_eq(dropped.count, 0);
    trial_finish(&t);
    arena_free(&a);
}
END_TEST

int main(void) {
    Suite *s = suite_create("silent channels");
    TCase *t = tcase_create("silent channels");
    tcase_add_loop_test(t, takes_out_what_is_silent, 0, 2 * CASES);
    tcase_add_test(t, few_samples_tell_too_little);
    tcase_add_test(t, long_ways_are_left_alone);
    suite_add_tcase(s, t);
    return suite_main(s);
}
