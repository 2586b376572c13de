/* Operators by small examples, worked out by hand from their definitions: text in, numbers out. The graphs have no
 * inputs; their first output is compared. */
#include "float/float.h"

#include "suite_main.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NUMBERS_MAX 12
#define NAN_HERE 1e300 /* in a list: what is not a number */

struct example {
    const char *text;
    struct shape shape;
    double expected[NUMBERS_MAX];
};

static const struct example examples[] = {
    /* element by element */
    {"const x: float32[3] = [-1,0,2] y = Elu(x) {alpha=2}", {1, {3}}, {2 * (0.36787944117144233 - 1), 0, 2}},
    {"const x: float32[2] = [-1,3] y = Celu(x) {alpha=2}", {1, {2}}, {2 * (0.6065306597126334 - 1), 3}},
    {"const x: float32[3] = [-2,0,1] y = ThresholdedRelu(x) {alpha=0.5}", {1, {3}}, {0, 0, 1}},
    {"const x: float32[3] = [-2,0.25,2] y = Shrink(x) {bias=0.5, lambd=1}", {1, {3}}, {-1.5, 0, 1.5}},
    {"const x: int32[2] = [-7,3] y = Abs(x)", {1, {2}}, {7, 3}},
    {"const x: int8[1] = [-128] y = Neg(x)", {1, {1}}, {-128}},
    {"const x: float32[4] = [-2.5,-0.5,0.5,1.5] y = Round(x)", {1, {4}}, {-2, 0, 0, 2}},
    {"const x: float32[3] = [-3,0,9] y = Sign(x)", {1, {3}}, {-1, 0, 1}},
    {"const x: float32[3] = [nan,1,inf] y = IsNaN(x)", {1, {3}}, {1, 0, 0}},
    {"const x: float32[3] = [-inf,1,inf] y = IsInf(x) {detect_negative=0}", {1, {3}}, {0, 0, 1}},
    {"const x: uint8[2] = [0,5] y = BitwiseNot(x)", {1, {2}}, {255, 250}},
    {"const x: float32[2] = [0,100] y = Softplus(x)", {1, {2}}, {0.6931471805599453, 100}},
    {"const x: float32[2] = [-4,4] y = Softsign(x)", {1, {2}}, {-0.8, 0.8}},
    /* pairs */
    {"const a: int32[4] = [-7,7,-7,7] const b: int32[4] = [3,3,-3,-3] y = Mod(a, b)", {1, {4}}, {2, 1, -1, -2}},
    {"const a: int32[4] = [-7,7,-7,7] const b: int32[4] = [3,3,-3,-3] y = Mod(a, b) {fmod=1}",
     {1, {4}},
     {-1, 1, -1, 1}},
    {"const a: int32[3] = [2,-1,2] const b: int32[3] = [10,3,-1] y = Pow(a, b)", {1, {3}}, {1024, -1, 0}},
    {"const a: uint8[2] = [3,255] const b: uint8[2] = [2,1] y = BitShift(a, b) {direction=\"LEFT\"}",
     {1, {2}},
     {12, 254}},
    {"const a: uint64[1] = hex(\"ffffffffffffffff\") const b: uint64[1] = [1] y = Greater(a, b)", {1, {1}}, {1}},
    {"const a: float32[2] = [nan,1] const b: float32[2] = [nan,1] y = Equal(a, b)", {1, {2}}, {0, 1}},
    {"const a: bool[2] = [1,0] const b: bool[1] = [1] y = Xor(a, b)", {1, {2}}, {0, 1}},
    {"const a: float32[2,1] = [1,5] const b: float32[2] = [3,4] const c: float32[] = 2 y = Max(a, b, c)",
     {2, {2, 2}},
     {3, 4, 5, 5}},
    {"const a: float32[2] = [1,5] const b: float32[2] = [3,4] y = Mean(a, b)", {1, {2}}, {2, 4.5}},
    {"const c: bool[2,1] = [1,0] const a: int8[1] = [7] const b: int8[2] = [1,2] y = Where(c, a, b)",
     {2, {2, 2}},
     {7, 7, 1, 2}},
    {"const x: float32[2,1] = [1,2] const s: int64[3] = [2,1,2] y = Expand(x, s)",
     {3, {2, 2, 2}},
     {1, 1, 2, 2, 1, 1, 2, 2}},
    /* reductions */
    {"const x: int64[2,2] = [1,2,3,9007199254740993] const a: int64[1] = [0] y = ReduceSum(x, a) {keepdims=0}",
     {1, {2}},
     {4, 9007199254740996.0}},
    {"const x: float32[2,2] = [1,-2,3,4] const a: int64[1] = [1] y = ReduceL1(x, a)", {2, {2, 1}}, {3, 7}},
    {"const x: float32[2] = [3,4] y = ReduceL2(x)", {1, {1}}, {5}},
    {"const x: float32[2] = [1000,1000] y = ReduceLogSumExp(x) {keepdims=0}", {0, {0}}, {1000.6931471805599}},
    {"const x: float32[0] = [] y = ReduceMax(x) {keepdims=0}", {0, {0}}, {-INFINITY}},
    {"const x: uint8[0] = [] y = ReduceMin(x) {keepdims=0}", {0, {0}}, {255}},
    {"const x: float32[3] = [4,1,1] y = ArgMin(x) {select_last_index=1}", {1, {1}}, {2}},
    /* places */
    {"const x: float32[5] = [3,1,4,1,5] const k: int64[1] = [2] y, i = TopK(x, k) {largest=0}", {1, {2}}, {1, 1}},
    {"const x: float32[5] = [3,1,4,1,5] const k: int64[1] = [2] v, y = TopK(x, k) {largest=0}", {1, {2}}, {1, 3}},
    {"const x: float32[2,2] = [1,0,0,2] y = NonZero(x)", {2, {2, 2}}, {0, 1, 0, 1}},
    {"const x: float32[2,2] = [1,2,3,4] const c: bool[2] = [0,1] y = Compress(x, c) {axis=1}", {2, {2, 1}}, {2, 4}},
    {"const x: int32[4] = [2,1,1,3] v, f, y, n = Unique(x)", {1, {4}}, {1, 0, 0, 2}},
    {"const x: int32[4] = [2,1,1,3] y = Unique(x) {sorted=0}", {1, {3}}, {2, 1, 3}},
    {"const x: float32[2,2] = [1,2,3,4] const i: int64[2,2] = [0,0,1,-1] y = GatherElements(x, i) {axis=1}",
     {2, {2, 2}},
     {1, 1, 4, 4}},
    {"const x: int8[2,2] = [1,2,3,4] const i: int64[2,1] = [1,0] y = GatherND(x, i)", {2, {2, 2}}, {3, 4, 1, 2}},
    {"const x: float32[3] = [1,1,1] const i: int64[2] = [1,1] const u: float32[2] = [5,6]"
     " y = ScatterElements(x, i, u) {reduction=\"add\"}",
     {1, {3}},
     {1, 12, 1}},
    {"const x: float32[3] = [1,1,1] const i: int64[2,1] = [0,2] const u: float32[2] = [5,6] y = ScatterND(x, i, u)",
     {1, {3}},
     {5, 1, 6}},
    {"const i: int64[2] = [1,-1] const d: int64[] = 3 const v: float32[2] = [0,9] y = OneHot(i, d, v)",
     {2, {2, 3}},
     {0, 9, 0, 0, 0, 9}},
    {"const a: float32[] = 1 const b: float32[] = 4 const d: float32[] = 1.5 y = Range(a, b, d)", {1, {2}}, {1, 2.5}},
    {"const x: float32[2] = [1,2] const r: int64[1] = [2] y = Tile(x, r)", {1, {4}}, {1, 2, 1, 2}},
    {"const x: float32[2,2] = [1,2,3,4] y = Trilu(x) {upper=0}", {2, {2, 2}}, {1, 0, 3, 4}},
    {"const x: float32[3] = [1,2,3] const a: int64[] = 0 y = CumSum(x, a) {exclusive=1, reverse=1}",
     {1, {3}},
     {5, 3, 0}},
    {"const x: float32[1,4,1,1] = [1,2,3,4] y = DepthToSpace(x) {blocksize=2}", {4, {1, 1, 2, 2}}, {1, 2, 3, 4}},
    {"const x: float32[3,2] = [1,2,3,4,5,6] const l: int64[2] = [2,3] y = ReverseSequence(x, l)",
     {2, {3, 2}},
     {3, 6, 1, 4, 5, 2}},
    {"const x: float32[3] = [1,2,3] const s: int64[1] = [5] y = CenterCropPad(x, s)", {1, {5}}, {0, 1, 2, 3, 0}},
    /* products, transforms, normalisations */
    {"const a: float32[2,2] = [1,2,3,4] const b: float32[2] = [5,6] y = Einsum(a, b) {equation=\"ij,j->i\"}",
     {1, {2}},
     {17, 39}},
    {"const a: float32[2,2] = [1,2,3,4] y = Einsum(a) {equation=\"ii\"}", {0, {0}}, {5}},
    {"const x: float32[2,2] = [1,2,3,4] y = Det(x)", {0, {0}}, {-2}},
    {"const x: float32[1,2,1] = [1,3] y = DFT(x, -, -)", {3, {1, 2, 2}}, {4, 0, -2, 0}},
    {"const n: int64[] = 4 y = HannWindow(n)", {1, {4}}, {0, 0.5, 1, 0.5}},
    {"const x: float32[1,2] = [1,3] const s: float32[2] = [1,2] y = LayerNormalization(x, s) {epsilon=0}",
     {2, {1, 2}},
     {-1, 2}},
    {"const x: float32[1,2] = [3,4] const s: float32[2] = [5,5] y = RMSNormalization(x, s) {epsilon=0}",
     {2, {1, 2}},
     {15 / 3.5355339059327378, 20 / 3.5355339059327378}},
    {"const x: float32[2] = [3,4] y = LpNormalization(x)", {1, {2}}, {0.6, 0.8}},
    {"const x: float32[1,2,1] = [3,4] y = LRN(x) {size=1, alpha=1, beta=0.5, bias=0}", {3, {1, 2, 1}}, {1, 1}},
    {"const x: float32[1,2] = [0,0] y = LogSoftmax(x)", {2, {1, 2}}, {-0.6931471805599453, -0.6931471805599453}},
    {"const x: float32[2,2] = [1,2,3,4] const t: int64[2] = [1,0] const w: float32[2] = [1,3]"
     " y = NegativeLogLikelihoodLoss(x, t, w)",
     {0, {0}},
     {-(2 * 3 + 3 * 1) / 4.0}},
    /* windows, sampling */
    {"const x: float32[1,1,2,2] = [1,4,3,2] v, y = MaxPool(x) {kernel_shape=[2,2]}", {4, {1, 1, 1, 1}}, {1}},
    {"const x: float32[1,1,1,2] = [3,4] y = LpPool(x) {kernel_shape=[1,2]}", {4, {1, 1, 1, 1}}, {5}},
    {"const x: float32[1,1,1,1] = [7] const i: int64[1,1,1,1] = [3] y = MaxUnpool(x, i) {kernel_shape=[2,2]}",
     {4, {1, 1, 2, 2}},
     {0, 0, 0, 7}},
    {"const x: float32[1,2,2] = [1,2,3,4] const s: int64[2] = [1,3] const b: int64[2] = [1,2] y = Col2Im(x, s, b)",
     {4, {1, 1, 1, 3}},
     {1, 5, 4}},
    {"const x: float32[1,1,1,2] = [2,4] const g: float32[1,1,1,2] = [0,0] y = GridSample(x, g)",
     {4, {1, 1, 1, 1}},
     {3}},
    {"const b: float32[1,2,4] = [0,0,1,1,0,0,1,1.1] const s: float32[1,1,2] = [0.5,0.9] const m: int64[] = 5"
     " const t: float32[] = 0.5 y = NonMaxSuppression(b, s, m, t)",
     {2, {1, 3}},
     {0, 0, 1}},
    /* attention: equal scores give the mean of the values; a hidden key gives none */
    {"const q: float32[1,1,1,1] = [0] const k: float32[1,1,2,1] = [1,2] y = Attention(q, k, k)",
     {4, {1, 1, 1, 1}},
     {1.5}},
    {"const q: float32[1,1,1,1] = [0] const k: float32[1,1,2,1] = [1,2] const m: bool[1,2] = [0,0]"
     " y = Attention(q, k, k, m)",
     {4, {1, 1, 1, 1}},
     {0}},
    /* one step of a cell whose weights are zero: tanh(0) keeps half of the state */
    {"const x: float32[1,1,1] = [1] const w: float32[1,4,1] = splat(0) const c: float32[1,1,1] = [8]"
     " v, h, y = LSTM(x, w, w, -, -, -, c)",
     {3, {1, 1, 1}},
     {4}},
    {"const x: float32[2,1,1] = [1,2] const w: float32[1,3,1] = splat(0) const h: float32[1,1,1] = [4]"
     " const l: int32[1] = [1] y = GRU(x, w, w, -, l, h)",
     {4, {2, 1, 1, 1}},
     {2, 0}},
    {"const q: float32[1,2,2] = [1,0,0,1] const k: float32[1,2,2] = [1,0,0,1] const v: float32[1,2,1] = [3,5]"
     " y, s = LinearAttention(q, k, v) {q_num_heads=1, kv_num_heads=1, update_rule=\"linear\", scale=1}",
     {3, {1, 2, 1}},
     {3, 5}},
    {"const x: float32[1,1,2] = [1,2] const c: float32[1,1,1] = [0] const s: float32[1,1,1] = [1]"
     " y = RotaryEmbedding(x, c, s) {num_heads=1}",
     {3, {1, 1, 2}},
     {-2, 1}},
    {"const x: float32[1,1,3] = [1,2,3] const w: float32[1,1,2] = [10,1] y, s = CausalConvWithState(x, w)",
     {3, {1, 1, 3}},
     {1, 12, 23}},
    {"const x: float32[1,1,2,2] = [1,2,3,4] const w: float32[1,1,1,1] = [2] const o: float32[1,2,1,1] = [0.5,0.5]"
     " y = DeformConv(x, w, o) {strides=[2,2]}",
     {4, {1, 1, 1, 1}},
     {5}},
    {"const x: float32[1,1,2,2] = [1,2,3,4] const r: float32[1,4] = [0,0,2,2] const b: int64[1] = [0]"
     " y = RoiAlign(x, r, b) {sampling_ratio=2}",
     {4, {1, 1, 1, 1}},
     {2.5}},
    {"const x: float32[1,1,2,2] = [1,2,3,4] const r: float32[1,5] = [0,0,0,1,1]"
     " y = MaxRoiPool(x, r) {pooled_shape=[1,2]}",
     {4, {1, 1, 1, 2}},
     {3, 4}},
    {"const t: float32[1,2,3] = [1,0,0,0,1,0] const s: int64[4] = [1,1,1,2] y = AffineGrid(t, s)",
     {4, {1, 1, 2, 2}},
     {-0.5, 0, 0.5, 0}},
    {"const x: float32[1,3,1] = [1,2,3] const s: int64[] = 1 const w: float32[2] = [1,1] y = STFT(x, s, w)",
     {4, {1, 2, 2, 2}},
     {3, 0, -1, 0, 5, 0, -1, 0}},
    {"const x: int64[4] = [5,6,5,6] y = TfIdfVectorizer(x) {min_gram_length=2, max_gram_length=2, max_skip_count=0,"
     " mode=\"TF\", ngram_counts=[0,1], ngram_indexes=[0,1], pool_int64s=[7,5,6]}",
     {1, {2}},
     {0, 2}},
    {"const c: float32[1,4,1] = [1,2,3,4] const u: float32[1,2,1] = [8,9] const i: int64[1] = [3]"
     " y = TensorScatter(c, u, i) {axis=1, mode=\"circular\"}",
     {3, {1, 4, 1}},
     {9, 2, 3, 8}},
    {"const n: int64[] = 1 const l: int64[] = 2 const r: int64[] = 2 const a: float32[] = 0 const b: float32[] = 1"
     " y = MelWeightMatrix(n, l, r, a, b)",
     {2, {2, 1}},
     {1, 0}},
    /* types */
    {"const x: float32[3] = [0.3,1000,nan] y = Cast(x) {to=17}", {1, {3}}, {0.3125, 448, NAN_HERE}},
    {"const x: float32[2] = [1000,1] y = Cast(x) {to=19, saturate=0}", {1, {2}}, {1024, 1}},
    {"const x: float32[2] = [2.5,-7] y = Cast(x) {to=23}", {1, {2}}, {2, -6}},
    {"const x: float32[3] = [2049,70000,0.1] h = Cast(x) {to=10} y = Cast(h) {to=1}",
     {1, {3}},
     {2048, INFINITY, 0.0999755859375}},
    {"const x: float32[3] = [257,259,nan] h = Cast(x) {to=16} y = Cast(h) {to=1}", {1, {3}}, {256, 260, NAN_HERE}},
    {"const x: float32[2] = [300,-1] y = Cast(x) {to=2}", {1, {2}}, {44, 255}},
    {"const x: float32[1] = [1] y = BitCast(x) {to=6}", {1, {1}}, {1065353216}},
    /* subgraphs see the values around them */
    {"const c: bool[] = 0 const a: float32[1] = [3] y = If(c) {then_branch=graph t { t = Neg(a) output t },"
     " else_branch=graph e { e = Add(a, a) output e }}",
     {1, {1}},
     {6}},
    {"const m: int64[] = 3 const s: float32[] = 1 const two: float32[] = 2 v, y = Loop(m, -, s) {body=graph b {"
     " input i: int64[] input go: bool[] input a: float32[] go2 = Identity(go) d = Mul(a, two) z = Identity(d)"
     " output go2 output d output z }}",
     {1, {3}},
     {2, 4, 8}},
    {"const s: float32[] = 0 const x: float32[3] = [1,2,3] v, y = Scan(s, x) {num_scan_inputs=1,"
     " scan_input_directions=[1], body=graph b { input a: float32[] input e: float32[] d = Add(a, e) z = Identity(d)"
     " output d output z }}",
     {1, {3}},
     {3, 5, 6}},
};

static void compare(const struct tensor *got, const struct example *e) {
    char shape[64];
    ck_assert_msg(shape_equal(&got->shape, &e->shape), "%s\ngives shape %s", e->text,
                  shape_text(&got->shape, shape, sizeof shape));
    for (size_t i = 0; i < tensor_count(got); i++) {
        double x = tensor_get_double(got, i), y = e->expected[i];
        bool close = y == NAN_HERE ? isnan(x) : x == y || fabs(x - y) <= 1e-6 * fabs(y) + 1e-7;
        ck_assert_msg(close, "%s\nelement %zu is %.9g, expected %.9g", e->text, i, x, y);
    }
}

START_TEST(operators_do_as_defined) {
    const struct example *e = &examples[_i];
    char text[1024];
    struct context ctx;
    struct graph *g = NULL;
    struct tensor y = {0};
    context_init(&ctx);
    snprintf(text, sizeof text, "graph example { %s output y }", e->text);
    ck_assert_msg(graph_parse(&ctx, text, &g) == PARE_OK && graph_infer(&ctx, g) == PARE_OK, "%s\n%s", e->text,
                  ctx.diag.message);
    ck_assert_msg(float_run(&ctx, g, NULL, &y, NULL, NULL) == PARE_OK, "%s\n%s", e->text, ctx.diag.message);
    compare(&y, e);
    tensor_free(&y);
    graph_free(g);
}
END_TEST

/* The examples with some of their digits changed: sizes, indices, attributes and data that nearly fit each other. They
 * are refused, or run; the sanitizers see whether they do harm. */
static void change_digits(char *text, uint64_t *state) {
    static const char digits[] = "0123456789-";
    for (char *at = text; *at != '\0'; at++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        if (*at >= '0' && *at <= '9' && *state >> 60 == 0) {
            *at = digits[(*state >> 40) % (sizeof digits - 1)];
        }
    }
}

START_TEST(changed_examples_do_no_harm) {
    uint64_t state = (uint64_t)_i;
    for (int round = 0; round < 200; round++) {
        char text[1024];
        struct context ctx;
        struct graph *g = NULL;
        struct tensor y = {0};
        context_init(&ctx);
        snprintf(text, sizeof text, "graph example { %s output y }", examples[_i].text);
        change_digits(text, &state);
        if (graph_parse(&ctx, text, &g) == PARE_OK && graph_infer(&ctx, g) == PARE_OK) {
            (void)float_run(&ctx, g, NULL, &y, NULL, NULL);
        }
        ck_assert_msg(ctx.diag.code != PARE_ERROR_INTERNAL, "%s\n%s", text, ctx.diag.message);
        tensor_free(&y);
        graph_free(g);
    }
}
END_TEST

/* Faults that only show while a graph runs. */
static const struct {
    const char *text, *message;
} faults[] = {
    {"const x: float32[2] = [1,2] const i: int64[1] = [2] y = GatherElements(x, i)", "index 2 is outside"},
    {"const x: float32[2] = [1,2] const i: int64[1,1] = [-3] const u: float32[1] = [0] y = ScatterND(x, i, u)",
     "index -3 is outside"},
    {"const x: float32[1,2] = [1,2] const t: int64[1] = [7] y = NegativeLogLikelihoodLoss(x, t)", "class 7"},
    {"const x: float32[1,1,1] = [1] const w: float32[1,1,1] = [1] y = RNN(x, w, w) {activations=\"Cosine\"}",
     "no activation Cosine"},
};

START_TEST(faults_are_named) {
    char text[1024];
    struct context ctx;
    struct graph *g = NULL;
    struct tensor y = {0};
    context_init(&ctx);
    snprintf(text, sizeof text, "graph fault { %s output y }", faults[_i].text);
    ck_assert_msg(graph_parse(&ctx, text, &g) == PARE_OK, "%s\n%s", text, ctx.diag.message);
    ck_assert_int_ne(float_run(&ctx, g, NULL, &y, NULL, NULL), PARE_OK);
    ck_assert_msg(strstr(ctx.diag.message, faults[_i].message) != NULL, "%s\ngives: %s", text, ctx.diag.message);
    graph_free(g);
}
END_TEST

int main(void) {
    Suite *s = suite_create("float/operators");
    TCase *t = tcase_create("operators");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, operators_do_as_defined, 0, sizeof examples / sizeof examples[0]);
    tcase_add_loop_test(t, changed_examples_do_no_harm, 0, sizeof examples / sizeof examples[0]);
    tcase_add_loop_test(t, faults_are_named, 0, sizeof faults / sizeof faults[0]);
    suite_add_tcase(s, t);
    return suite_main(s);
}
