/* Shape inference: what each operator makes of known, symbolic and unknown sizes, and what it refuses. */
#include "graph/graph.h"
#include "graph/infer.h"

#include "suite_main.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct context ctx;

static void setup(void) {
    context_init(&ctx);
}

static struct graph *parse(const char *body) {
    char text[2048];
    struct graph *g = NULL;
    snprintf(text, sizeof text, "graph g { %s output y }", body);
    enum pare_status status = graph_parse(&ctx, text, &g);
    ck_assert_msg(status == PARE_OK, "%s\n%s", text, ctx.diag.message);
    return g;
}

/* "float32[N,3]" of value y. */
static void describe(const struct graph *g, char *text, size_t size) {
    const struct value *v = graph_find(g, "y");
    struct infer_value d = {.rank = v->rank};
    char shape[INFER_TEXT_MAX];
    memcpy(d.dims, v->dims, sizeof d.dims);
    snprintf(text, size, "%s%s", v->type == DTYPE_NONE ? "?" : dtype_name(v->type),
             infer_text(&d, shape, sizeof shape));
}

struct example {
    const char *body, *expected;
};

static const struct example inferred[] = {
    /* element by element */
    {"input x: float32[N,3,8,8] y = Relu(x)", "float32[N,3,8,8]"},
    {"input x: float32[N,3] input z: float32[3] y = Add(x, z)", "float32[N,3]"},
    {"input x: float32[N,1,4] input z: float32[2,1] y = Mul(x, z)", "float32[N,2,4]"},
    {"input x: float32[N] input z: float32[M] y = Sub(x, z)", "float32[?]"},
    {"input x: float32[N] input z: float32[N] y = Sub(x, z)", "float32[N]"},
    {"input x: float32[N] input z: float32[5] y = Div(x, z)", "float32[5]"},
    {"input x: float32[0] input z: float32[1] y = Div(x, z)", "float32[0]"},
    {"input x: float32[N,3] y = Cast(x) {to=7}", "int64[N,3]"},
    {"input x: float32[N,3] y, m = Dropout(x)", "float32[N,3]"},
    {"input x: float32[N,3] m, y = Dropout(x)", "bool[N,3]"},
    {"input x: float32[N,3,4] const s: float32[3,1] = splat(0.5) y = PRelu(x, s)", "float32[N,3,4]"},
    {"input x: float32[...] y = Sigmoid(x)", "float32[...]"},
    {"input x y = Sigmoid(x)", "?[...]"},
    /* windows */
    {"input x: float32[N,3,32,30] const w: float32[8,3,3,3] = splat(1) y = Conv(x, w)", "float32[N,8,30,28]"},
    {"input x: float32[N,3,32] const w: float32[8,3,5] = splat(1) y = Conv(x, w) {strides=[2], pads=[2,2]}",
     "float32[N,8,16]"},
    {"input x: float32[1,4,9,9] const w: float32[8,2,3,3] = splat(1) y = Conv(x, w) {group=2, dilations=[2,3]}",
     "float32[1,8,5,3]"},
    {"input x: float32[1,3,7,8] const w: float32[8,3,3,3] = splat(1) y = Conv(x, w) {strides=[2,2], "
     "auto_pad=\"SAME_UPPER\"}",
     "float32[1,8,4,4]"},
    {"input x: float32[1,3,7,8] const w: float32[8,3,3,3] = splat(1) y = Conv(x, w) {pads=[1,1,1,1], "
     "auto_pad=\"VALID\"}",
     "float32[1,8,5,6]"},
    {"input x: float32[N,3,H,W] const w: float32[8,3,3,3] = splat(1) y = Conv(x, w)", "float32[N,8,?,?]"},
    {"input x: float32[N,3,H,W] const w: float32[8,3,3,3] = splat(1) y = Conv(x, w) {pads=[1,1,1,0]}",
     "float32[N,8,H,?]"},
    {"input x: float32[N,3,H,W] y = MaxPool(x) {kernel_shape=[2,2], auto_pad=\"SAME_LOWER\"}", "float32[N,3,H,W]"},
    {"input x: float32[N,3,8,8] input w: float32[8,3,?,?] y = Conv(x, w)", "float32[N,8,?,?]"},
    {"input x: float32[N,3,8,8] input w: float32[8,3,?,?] y = Conv(x, w) {kernel_shape=[3,3]}", "float32[N,8,6,6]"},
    {"input x: float32[1,4,5,5] const w: float32[4,3,3,3] = splat(1) y = ConvTranspose(x, w) {strides=[2,2], "
     "group=2, output_padding=[1,0]}",
     "float32[1,6,12,11]"},
    {"input x: float32[1,4,5] const w: float32[4,3,3] = splat(1) y = ConvTranspose(x, w) {strides=[2], "
     "output_shape=[10]}",
     "float32[1,3,10]"},
    {"input x: float32[1,4,5] const w: float32[4,3,3] = splat(1) y = ConvTranspose(x, w) {strides=[2], "
     "auto_pad=\"SAME_LOWER\"}",
     "float32[1,3,10]"},
    {"input x: float32[1,4,5] const w: float32[4,3,3] = splat(1) y = ConvTranspose(x, w) {strides=[2], pads=[1,1]}",
     "float32[1,3,9]"},
    {"input x: float32[1,4,6,6] y = MaxPool(x) {kernel_shape=[3,3], strides=[2,2]}", "float32[1,4,2,2]"},
    {"input x: float32[1,4,6,6] y = MaxPool(x) {kernel_shape=[3,3], strides=[2,2], ceil_mode=1}", "float32[1,4,3,3]"},
    /* a last window would begin in the end padding: dropped */
    {"input x: float32[1,1,2,2] y = MaxPool(x) {kernel_shape=[1,1], strides=[2,2], ceil_mode=1}", "float32[1,1,1,1]"},
    {"input x: float32[1,1,3] y = AveragePool(x) {kernel_shape=[2], strides=[3], pads=[0,1], ceil_mode=1}",
     "float32[1,1,1]"},
    {"input x: float32[N,4,6,W] y = GlobalAveragePool(x)", "float32[N,4,1,1]"},
    /* products */
    {"input x: float32[N,3] const w: float32[5,3] = splat(1) const b: float32[5] = splat(1) y = Gemm(x, w, b) "
     "{transB=1}",
     "float32[N,5]"},
    {"input x: float32[3,N] const w: float32[3,5] = splat(1) y = Gemm(x, w) {transA=1}", "float32[N,5]"},
    {"input x: float32[...] const w: float32[3,5] = splat(1) y = Gemm(x, w)", "float32[?,5]"},
    {"input x: float32[N,1,7,3] input z: float32[2,3,5] y = MatMul(x, z)", "float32[N,2,7,5]"},
    {"input x: float32[3] input z: float32[2,3,5] y = MatMul(x, z)", "float32[2,5]"},
    {"input x: float32[3] input z: float32[3] y = MatMul(x, z)", "float32[]"},
    /* reshapes */
    {"input x: float32[N,16,5,5] const s: int64[2] = [-1,400] y = Reshape(x, s)", "float32[N,400]"},
    {"input x: float32[N,16,5,5] const s: int64[2] = [0,-1] y = Reshape(x, s)", "float32[N,400]"},
    {"input x: float32[N,16,5,5] const s: int64[3] = [0,0,-1] y = Reshape(x, s)", "float32[N,16,25]"},
    {"input x: float32[N,16] const s: int64[2] = [1,-1] y = Reshape(x, s)", "float32[1,?]"},
    {"input x: float32[2,0] const s: int64[2] = [0,5] y = Reshape(x, s) {allowzero=1}", "float32[0,5]"},
    {"input x: float32[2,3] input s: int64[3] y = Reshape(x, s)", "float32[?,?,?]"},
    {"input x: float32[2,3] input s: int64[?] y = Reshape(x, s)", "float32[...]"},
    {"input x: float32[N,16,5,5] y = Flatten(x)", "float32[N,400]"},
    {"input x: float32[2,3,4] y = Flatten(x) {axis=-1}", "float32[6,4]"},
    {"input x: float32[2,3,4] y = Flatten(x) {axis=0}", "float32[1,24]"},
    {"input x: float32[N,1,3,1] y = Squeeze(x)", "float32[...]"},
    {"input x: float32[2,1,3,1] y = Squeeze(x)", "float32[2,3]"},
    {"input x: float32[N,1,3,1] const a: int64[1] = [-1] y = Squeeze(x, a)", "float32[N,1,3]"},
    {"input x: float32[N,3] const a: int64[2] = [-1,0] y = Unsqueeze(x, a)", "float32[1,N,3,1]"},
    /* layout */
    {"input x: float32[N,3,4,5] y = Transpose(x) {perm=[0,2,3,1]}", "float32[N,4,5,3]"},
    {"input x: float32[2,3,4] y = Transpose(x)", "float32[4,3,2]"},
    {"input x: float32[N,3,4] input z: float32[N,5,4] y = Concat(x, z) {axis=-2}", "float32[N,8,4]"},
    {"input x: float32[?,3] input z: float32[2,H] y = Concat(x, z) {axis=1}", "float32[2,?]"},
    {"input x: float32[N,7] a, y = Split(x) {axis=1, num_outputs=2}", "float32[N,3]"},
    {"input x: float32[N,6] const s: int64[2] = [2,4] a, y = Split(x, s) {axis=1}", "float32[N,4]"},
    {"input x: float32[N,10] const s: int64[1] = [2] const e: int64[1] = [-1] const a: int64[1] = [1] "
     "const t: int64[1] = [3] y = Slice(x, s, e, a, t)",
     "float32[N,3]"},
    {"input x: float32[N,10] const s: int64[1] = [-1] const e: int64[1] = [-9223372036854775807] "
     "const a: int64[1] = [1] const t: int64[1] = [-1] y = Slice(x, s, e, a, t)",
     "float32[N,10]"},
    {"input x: float32[N,10] const s: int64[2] = [0,5] const e: int64[2] = [9223372036854775807,100] y = Slice(x, s, "
     "e)",
     "float32[N,5]"},
    {"input x: float32[N,10] const s: int64[1] = [0] const e: int64[1] = [1] y = Slice(x, s, e)", "float32[?,10]"},
    {"input x: float32[N,7,3] const i: int64[2,2] = splat(0) y = Gather(x, i) {axis=1}", "float32[N,2,2,3]"},
    {"input x: float32[N,3,4,4] const p: int64[8] = [0,0,1,2,0,0,3,-1] y = Pad(x, p)", "float32[N,3,8,5]"},
    {"input x: float32[N,3,4] const p: int64[2] = [1,2] const a: int64[1] = [-1] y = Pad(x, p, -, a)",
     "float32[N,3,7]"},
    {"input x: float32[N,3,4] input p: int64[6] y = Pad(x, p)", "float32[?,?,?]"},
    /* reductions */
    {"input x: float32[N,3,4,5] const a: int64[2] = [2,-1] y = ReduceMean(x, a)", "float32[N,3,1,1]"},
    {"input x: float32[N,3,4,5] const a: int64[2] = [2,3] y = ReduceMean(x, a) {keepdims=0}", "float32[N,3]"},
    {"input x: float32[N,3] y = ReduceMean(x)", "float32[1,1]"},
    {"input x: float32[N,3] y = ReduceMean(x) {noop_with_empty_axes=1}", "float32[N,3]"},
    {"input x: float32[N,10] y = ArgMax(x) {axis=-1, keepdims=0}", "int64[N]"},
    {"input x: uint8[N,3] const a: int64[1] = [1] y = ReduceMax(x, a) {keepdims=0}", "uint8[N]"},
    /* several inputs */
    {"input a: float32[N,1] input b: float32[3] input c: float32[1,N,1] y = Sum(a, b, c)", "float32[1,N,3]"},
    {"input a: int64[N] input b: int64[1] y = Less(a, b)", "bool[N]"},
    {"input c: bool[N,1] input a: int8[3] input b: int8[] y = Where(c, a, b)", "int8[N,3]"},
    {"input x: float32[N,1] const s: int64[3] = [2,1,4] y = Expand(x, s)", "float32[2,N,4]"},
    {"input a: float32[B,I,J] input b: float32[B,J,5] y = Einsum(a, b) {equation=\"bij,bjk->bik\"}", "float32[B,I,5]"},
    {"input a: float32[N,3,4] y = Einsum(a) {equation=\"...ij->...ji\"}", "float32[N,4,3]"},
    /* places */
    {"input x: float32[N,7] const k: int64[1] = [3] y, i = TopK(x, k)", "float32[N,3]"},
    {"input x: float32[N,7] y = NonZero(x)", "int64[2,?]"},
    {"input x: float32[N,7] input c: bool[7] y = Compress(x, c) {axis=1}", "float32[N,?]"},
    {"input x: float32[N,7] u, i, y = Unique(x)", "int64[?]"},
    {"input x: float32[N,7,2] input i: int64[N,3,2] y = GatherND(x, i)", "float32[N,3,2]"},
    {"input x: float32[N,7,2] input i: int64[N,4,1] y = GatherND(x, i) {batch_dims=1}", "float32[N,4,2]"},
    {"input i: int64[N] const d: int64[] = 5 const v: uint8[2] = [0,1] y = OneHot(i, d, v) {axis=0}", "uint8[5,N]"},
    {"const a: int64[] = 2 const b: int64[] = 9 const d: int64[] = 3 y = Range(a, b, d)", "int64[3]"},
    {"input x: float32[N,2] const r: int64[2] = [1,3] y = Tile(x, r)", "float32[N,6]"},
    {"input x: float32[N,8,H,3] y = DepthToSpace(x) {blocksize=2}", "float32[N,2,?,6]"},
    {"input x: float32[N,7,4] const s: int64[1] = [9] y = CenterCropPad(x, s) {axes=[-1]}", "float32[N,7,9]"},
    {"input x: float32[N,3,3] y = Det(x)", "float32[N]"},
    {"input x: float32[N,5,2] y = Size(x)", "int64[]"},
    /* networks */
    {"input x: float32[T,N,3] const w: float32[2,16,3] = splat(0) const r: float32[2,16,4] = splat(0) y = LSTM(x, w, r)"
     " {direction=\"bidirectional\"}",
     "float32[T,2,N,4]"},
    {"input x: float32[N,T,3] const w: float32[1,12,3] = splat(0) const r: float32[1,12,4] = splat(0)"
     " y = GRU(x, w, r) {layout=1}",
     "float32[N,T,1,4]"},
    {"input q: float32[N,S,8] input k: float32[N,R,4] input v: float32[N,R,6] y = Attention(q, k, v)"
     " {q_num_heads=4, kv_num_heads=2}",
     "float32[N,S,12]"},
    {"input x: float32[N,3,8,8] input g: float32[N,5,6,2] y = GridSample(x, g)", "float32[N,3,5,6]"},
    {"input x: float32[N,9,1] y = DFT(x) {onesided=1}", "float32[N,5,2]"},
    {"input x: float32[N,9,1] const a: int64[] = 1 y = DFT(x, -, a) {onesided=1}", "float32[N,5,2]"},
    {"input x: float32[N,100,1] const s: int64[] = 10 const l: int64[] = 20 y = STFT(x, s, -, l)", "float32[N,9,11,2]"},
    {"input x: float32[N,5,S] input t: int64[N,S] y = SoftmaxCrossEntropyLoss(x, t) {reduction=\"none\"}",
     "float32[N,S]"},
    {"input x: float32[N,2,3] const s: float32[] = 1 m, y, v = LayerNormalization(x, s) {axis=1}", "float32[N,1,1]"},
    /* branches */
    {"input c: bool[] input x: float32[N,3] y = If(c) {then_branch=graph t { a = Relu(x) output a },"
     " else_branch=graph e { b = Neg(x) output b }}",
     "float32[N,3]"},
    {"input c: bool[] input x: float32[N,3] y = If(c) {then_branch=graph t { a = Relu(x) output a },"
     " else_branch=graph e { b = Transpose(x) output b }}",
     "float32[?,?]"},
    /* quantisation */
    {"input x: float32[N,3] const s: float32[] = 0.5 y = QuantizeLinear(x, s)", "uint8[N,3]"},
    {"input x: float32[N,3] const s: float32[] = 0.5 const z: int8[] = 0 y = QuantizeLinear(x, s, z)", "int8[N,3]"},
    {"input x: float32[N,3] const s: float32[3] = splat(1) y = QuantizeLinear(x, s) {output_dtype=4}", "uint16[N,3]"},
    {"input x: int4[6,5] const s: float32[3,5] = splat(1) y = DequantizeLinear(x, s) {axis=0, block_size=2}",
     "float32[6,5]"},
    /* resize */
    {"input x: float32[N,3,4,5] const s: float32[4] = [1,1,2,2.5] y = Resize(x, -, s)", "float32[N,3,8,12]"},
    {"input x: float32[N,3,4,5] const s: int64[2] = [7,9] y = Resize(x, -, -, s) {axes=[2,3]}", "float32[N,3,7,9]"},
    {"input x: float32[1,1,4,8] const s: int64[2] = [7,9] y = Resize(x, -, -, s) {axes=[2,3], "
     "keep_aspect_ratio_policy=\"not_larger\"}",
     "float32[1,1,5,9]"},
    {"input x: float32[1,1,4,8] const s: int64[2] = [7,9] y = Resize(x, -, -, s) {axes=[2,3], "
     "keep_aspect_ratio_policy=\"not_smaller\"}",
     "float32[1,1,7,14]"},
    /* shape arithmetic */
    {"input x: float32[N,16,5,5] s = Shape(x) const zero: int64[] = 0 n = Gather(s, zero) const a: int64[1] = [0] "
     "u = Unsqueeze(n, a) const m: int64[1] = [-1] t = Concat(u, m) {axis=0} y = Reshape(x, t)",
     "float32[N,400]"},
    {"input x: float32[N,16,5,5] s = Shape(x) {end=2} c = ConstantOfShape(s) y = Add(c, c)", "float32[N,16]"},
    {"input x: float32[N,16,5,5] s = Shape(x) {start=-2} const two: int64[] = 2 d = Mul(s, two) h = Shape(x) {end=2} "
     "t = Concat(h, d) {axis=0} y = Resize(x, -, -, t)",
     "float32[N,16,10,10]"},
    {"input x: float32[2,3,4] s = Shape(x) const b: int64[1] = [1] const e: int64[1] = [3] p = Slice(s, b, e) "
     "y = ConstantOfShape(p)",
     "float32[3,4]"},
    {"input x: float32[6,4] s = Shape(x) a, b = Split(s) {num_outputs=2} c = Div(a, b) d = Cast(c) {to=7} "
     "y = ConstantOfShape(d) {value=int64[1] [2]}",
     "int64[1]"},
    {"input x: float32[N,7,4] s = Shape(x) const z: int64[] = 0 n = Gather(s, z) const a: int64[1] = [0]\n"
     "u = Unsqueeze(n, a) const m: int64[2] = [-1,-1] t = Concat(u, m) {axis=0} const w: int64[3] = [-1,-1,-1]\n"
     "e = Equal(t, w) const o: int64[3] = [1,1,1] p = Where(e, o, t) const c: float32[1,1,4] = [1,2,3,4]\n"
     "y = Expand(c, p)",
     "float32[N,1,4]"},
    {"input x: float32[N,M,4] s = Shape(x) const z: int64[] = 0 const i: int64[] = 1 n = Gather(s, z) m = Gather(s, "
     "i)\n"
     "e = Equal(n, n) f = Equal(n, m) const two: int64[1] = [2] const five: int64[1] = [5] a = Where(e, two, five)\n"
     "b = Where(f, two, five) t = Concat(a, b) {axis=0} y = ConstantOfShape(t)",
     "float32[2,?]"},
    {"input x: float32[4,N,7,3] input z: float32[N,7,3,5] y = FusedMatMul(x, z) {transBatchA=1}", "float32[N,7,4,5]"},
    {"input x: float32[N,2] s = Shape(x) i = Identity(s) q = Squeeze(i) r = Sub(q, q) y = ConstantOfShape(r)",
     "float32[?,0]"},
};

START_TEST(shapes) {
    struct graph *g = parse(inferred[_i].body);
    enum pare_status status = graph_infer(&ctx, g);
    ck_assert_msg(status == PARE_OK, "%s\n%s", inferred[_i].body, ctx.diag.message);
    char text[INFER_TEXT_MAX + 32];
    describe(g, text, sizeof text);
    ck_assert_msg(strcmp(text, inferred[_i].expected) == 0, "%s\ngives %s, expected %s", inferred[_i].body, text,
                  inferred[_i].expected);
    ck_assert_int_eq(graph_infer(&ctx, g), PARE_OK); /* again: nothing changes */
    char again[INFER_TEXT_MAX + 32];
    describe(g, again, sizeof again);
    ck_assert_str_eq(text, again);
    graph_free(g);
}
END_TEST

static const struct example refused[] = {
    {"input x: float32[N,3] input z: float32[4] y = Add(x, z) as sum", "sum (Add): shapes [N,3] and [4] do not"},
    {"input x: float32[N,3] input z: int8[3] y = Add(x, z)", "input 0 is float32 and input 1 is int8"},
    {"input x: float32[N,3] y = Softmax(x) {axis=2}", "axis 2 does not exist in [N,3]"},
    {"input x: float32[N,3,4] const s: float32[4] = splat(1) y = BatchNormalization(x, s, s, s, s)",
     "input 1 has shape [4], expected [3]"},
    {"input x: float32[N,3] const s: float32[2,3] = splat(1) const t: float32[1,2,3] = splat(1) y = PRelu(x, t)",
     "do not broadcast"},
    {"input x: float32[N,3] const s: float32[2] = splat(1) y = Clip(x, s)", "expected one element"},
    {"input x: float32[N,3] y = Cast(x) {to=8}", "not supported"},
    {"input x: float32[N,3] const t: bool[] = 1 y = Dropout(x, -, t)", "training_mode"},
    {"input x: float32[N,3,8,8] const w: float32[8,4,3,3] = splat(1) y = Conv(x, w) as c",
     "c (Conv): input [N,3,8,8], weight [8,4,3,3] and group 1 do not fit"},
    {"input x: float32[N,4,8,8] const w: float32[9,2,3,3] = splat(1) y = Conv(x, w) {group=2}", "do not fit"},
    {"input x: float32[N,4,8,8] const w: float32[8,2,3,3] = splat(1) y = Conv(x, w) {group=0}", "do not fit"},
    {"input x: float32[N,4,8] const w: float32[8,4,3,3] = splat(1) y = Conv(x, w)", "do not fit"},
    {"input x: float32[N,4] const w: float32[8,4,3,3] = splat(1) y = Conv(x, w)", "expected rank 3 to 8"},
    {"input x: float32[N,3,8,8] const w: float32[8,3,9,3] = splat(1) y = Conv(x, w)",
     "the window covers 9 along axis 2"},
    {"input x: float32[N,3,8,8] const w: float32[8,3,3,3] = splat(1) const b: float32[7] = splat(1) y = Conv(x, w, b)",
     "input 2 has shape [7], expected [8]"},
    {"input x: float32[N,3,8,8] const w: float32[8,3,3,3] = splat(1) y = Conv(x, w) {strides=[0,1]}",
     "strides holds 0"},
    {"input x: float32[N,3,8,8] const w: float32[8,3,3,3] = splat(1) y = Conv(x, w) {strides=[1]}",
     "strides has 1 entries, expected 2"},
    {"input x: float32[N,3,8,8] const w: float32[8,3,3,3] = splat(1) y = Conv(x, w) {pads=[0,0,-1,0]}",
     "pads holds -1"},
    {"input x: float32[N,3,8,8] const w: float32[8,3,3,3] = splat(1) y = Conv(x, w) "
     "{dilations=[9223372036854775807,1]}",
     "dilations holds"},
    {"input x: float32[N,3,8,8] const w: float32[8,3,3,3] = splat(1) y = Conv(x, w) {kernel_shape=[5,3]}",
     "kernel_shape says 5"},
    {"input x: float32[N,3,8,8] const w: float32[8,3,3,3] = splat(1) y = Conv(x, w) {auto_pad=\"SAME\"}",
     "auto_pad is SAME"},
    {"input x: float32[N,3,0,8] const w: float32[8,3,3,3] = splat(1) y = Conv(x, w) {pads=[2,2,2,2]}",
     "the input has size 0"},
    {"input x: float32[1,4,5] const w: float32[3,3,3] = splat(1) y = ConvTranspose(x, w)", "do not fit"},
    {"input x: float32[1,4,2] const w: float32[4,3,1] = splat(1) y = ConvTranspose(x, w) {pads=[1,1]}",
     "padding leaves nothing"},
    {"input x: float32[1,4,2] const w: float32[4,3,1] = splat(1) y = ConvTranspose(x, w) {output_shape=[0]}",
     "output_shape holds 0"},
    {"input x: float32[1,4,6,6] y = MaxPool(x)", "kernel_shape is missing"},
    {"input x: float32[1,4,6,6] y = MaxPool(x) {kernel_shape=[0,3]}", "kernel_shape holds 0"},
    {"input x: float32[1,4,6,6] y = MaxPool(x) {kernel_shape=[2,2], pads=[2,0,0,0]}",
     "must be smaller than the window"},
    {"input x: float32[1,4,0] y = GlobalMaxPool(x)", "nothing to pool"},
    {"input x: float32[N,3] const w: float32[4,5] = splat(1) y = Gemm(x, w)", "[N,3] and [4,5] cannot be multiplied"},
    {"input x: float32[N,3] const w: float32[3,5] = splat(1) const b: float32[4] = splat(1) y = Gemm(x, w, b)",
     "addend [4] does not broadcast"},
    {"input x: float32[2,7,3] input z: float32[3,3,5] y = MatMul(x, z)", "cannot be multiplied"},
    {"input x: float32[] input z: float32[3,5] y = MatMul(x, z)", "expected rank 1"},
    {"input x: float32[2,3] const s: int64[2] = [4,-1] y = Reshape(x, s)", "cannot make [4,?] of [2,3]"},
    {"input x: float32[2,3] const s: int64[2] = [2,4] y = Reshape(x, s)", "cannot make [2,4] of [2,3]"},
    {"input x: float32[2,3] const s: int64[2] = [-1,-1] y = Reshape(x, s)", "2 entries of the shape are -1"},
    {"input x: float32[2,3] const s: int64[1] = [-2] y = Reshape(x, s)", "entry 0 of the shape is -2"},
    {"input x: float32[2] const s: int64[2] = [2,0] y = Reshape(x, s)", "does not have"},
    {"input x: float32[2] const s: int64[9] = splat(1) y = Reshape(x, s)", "at most 8"},
    {"input x: float32[2,3] y = Flatten(x) {axis=3}", "axis 3 does not exist"},
    {"input x: float32[2,3] const a: int64[1] = [1] y = Squeeze(x, a)", "axis 1 of [2,3] has not size 1"},
    {"input x: float32[2,3] const a: int64[2] = [1,-3] y = Unsqueeze(x, a)", "axis 1 is named twice"},
    {"input x: float32[2,3] const a: int64[1] = [4] y = Unsqueeze(x, a)", "axis 4 does not exist"},
    {"input x: float32[2,3] y = Transpose(x) {perm=[0,0]}", "axis 0 is named twice"},
    {"input x: float32[2,3] y = Transpose(x) {perm=[0]}", "perm has 1 entries"},
    {"input x: float32[2,3] y = Transpose(x) {perm=[0,2]}", "axis 2 does not exist"},
    {"input x: float32[2,3] input z: float32[3,3] y = Concat(x, z) {axis=1}", "[2,3] and [3,3] do not join"},
    {"input x: float32[2,3] y = Concat(x) {axis=2}", "axis 2 does not exist"},
    {"input x: float32[2,3] y = Concat(x)", "axis is missing"},
    {"input x: float32[7] a, y = Split(x)", "size 7 does not split into 2 parts"},
    {"input x: float32[2] a, b, y = Split(x) {num_outputs=2}", "the node has 3 outputs"},
    {"input x: float32[7] const s: int64[2] = [3,5] a, y = Split(x, s)", "sum up to 8, the input has 7"},
    {"input x: float32[7] const s: int64[2] = [-1,8] a, y = Split(x, s)", "split holds -1"},
    {"input x: float32[7] const s: int64[1] = [0] const t: int64[1] = [0] y = Slice(x, s, s, s, t)",
     "step along axis 0"},
    {"input x: float32[7] const s: int64[2] = [0,0] const a: int64[2] = [0,0] y = Slice(x, s, s, a)", "named twice"},
    {"input x: float32[7] const s: int64[2] = [0,0] const a: int64[1] = [0] y = Slice(x, s, a)", "input 2 has 1"},
    {"input x: float32[2,7] const i: int64[] = 0 y = Gather(x, i) {axis=-3}", "axis -3 does not exist"},
    {"const x: int64[2] = [1,2] const i: int64[] = 2 y = Gather(x, i)", "index 2 does not exist"},
    {"input x: float32[3] const p: int64[3] = [0,0,0] y = Pad(x, p)", "pads has 3 entries, expected 2"},
    {"input x: float32[3] const p: int64[2] = [-2,-2] y = Pad(x, p)", "do not fit an axis of size 3"},
    {"input x: float32[3] const p: int64[2] = [3,0] y = Pad(x, p) {mode=\"reflect\"}", "do not fit"},
    {"input x: float32[3] const p: int64[2] = [4611686018427387904,0] y = Pad(x, p)", "too large"},
    {"input x: float32[3] const p: int64[2] = [0,0] y = Pad(x, p) {mode=\"mirror\"}", "mode is mirror"},
    {"input x: float32[2,3] const a: int64[1] = [2] y = ReduceMean(x, a)", "axis 2 does not exist"},
    {"input x: float32[2,0] y = ArgMax(x) {axis=1}", "axis 1 of [2,0] is empty"},
    {"input x: float32[N,3] const s: float32[4] = splat(1) y = QuantizeLinear(x, s)",
     "scale [4] does not fit input [N,3]"},
    {"input x: float32[N,3] const s: float32[] = 1 const z: int8[] = 0 y = QuantizeLinear(x, s, z) {output_dtype=2}",
     "expected one type"},
    {"input x: int8[4] const s: float32[2] = splat(1) y = DequantizeLinear(x, s) {axis=0, block_size=3}",
     ""}, /* ceil(4 / 3) = 2 blocks: fine */
    {"input x: int8[4] const s: float32[3] = splat(1) y = DequantizeLinear(x, s) {axis=0, block_size=3}",
     "does not fit"},
    {"input x: float32[4] const s: float32[] = 1 y = DequantizeLinear(x, s)", "dequantises float32"},
    {"input x: float32[1,1,4] const s: float32[2] = [1,2] y = Resize(x, -, s)", "has 2 scales and 0 sizes, expected 3"},
    {"input x: float32[1,1,4] y = Resize(x)", "has 0 scales and 0 sizes"},
    {"input x: float32[4] const s: float32[1] = [-1] y = Resize(x, -, s)", "the scale along axis 0 is -1"},
    {"input x: float32[4] const s: float32[1] = [1e30] y = Resize(x, -, s)", "too large"},
    {"input x: float32[4] const s: int64[1] = [0] y = Resize(x, -, -, s)", "cannot resize axis 0 from 4 to 0"},
    {"input x: float32[4] const s: int64[1] = [2] y = Resize(x, -, -, s) {mode=\"lanczos\"}", "mode is lanczos"},
    {"const s: int64[1] = [-3] y = ConstantOfShape(s)", "size -3 of the output is negative"},
    {"const s: int64[2] = splat(4611686018427387904) y = ConstantOfShape(s)", "too large"},
    {"input a: float32[2] input b: int8[2] y = Max(a, b)", "input 0 is float32 and input 1 is int8"},
    {"input a: float32[2] input b: float32[3] y = Einsum(a, b) {equation=\"i,i->\"}", "does not fit the others"},
    {"input a: float32[2] y = Einsum(a) {equation=\"i->ij\"}", "stands in no input"},
    {"input a: float32[2] y = Einsum(a) {equation=\"i!\"}", "is not understood"},
    {"input x: float32[2] const k: int64[1] = [3] y, i = TopK(x, k)", "k is 3, the axis has 2"},
    {"const a: float32[] = 0 const b: float32[] = 1 const d: float32[] = 0 y = Range(a, b, d)", "is no range"},
    {"input x: float32[N,6,2,2] y = DepthToSpace(x) {blocksize=2}", "6 channels are no multiple of 4"},
    {"input c: int64[2] input x: float32[2] y = Where(c, x, x)", "the condition is int64"},
    {"input x: float32[T,N,3] input w: float32[1,16,5] input r: float32[1,16,4] y = LSTM(x, w, r)",
     "input 1 has shape [1,16,5], expected 3 at axis 2"},
    {"input q: float32[N,S,8] input k: float32[N,R,4] y = Attention(q, k, k) {q_num_heads=3, kv_num_heads=2}",
     "does not divide into 3 heads"},
    {"input x: float32[N,4] input u: float32[N,4] input i: int64[N,4] y = ScatterElements(x, i, u) "
     "{reduction=\"min2\"}",
     "reduction is min2"},
    /* declared otherwise */
    {"input x: float32[N,3] y: float32[N,4] = Relu(x) as r", "y: is declared as float32[N,4], but r (Relu) makes it"},
    {"input x: float32[N,3] y: float32[3] = Relu(x)", "makes it float32[N,3]"},
    {"input x: float32[N,3] y: int8[N,3] = Relu(x)", "is declared as int8"},
};

START_TEST(refusals) {
    const struct example *e = &refused[_i];
    struct graph *g = parse(e->body);
    enum pare_status status = graph_infer(&ctx, g);
    bool fine = e->expected[0] == '\0';
    ck_assert_msg(fine == (status == PARE_OK), "%s\nends with status %d %s", e->body, status, ctx.diag.message);
    ck_assert_msg(fine || strstr(ctx.diag.message, e->expected) != NULL, "%s\ngives: %s\nexpected: %s", e->body,
                  ctx.diag.message, e->expected);
    graph_free(g);
}
END_TEST

START_TEST(declared_knowledge_is_kept) {
    struct graph *g = parse("input x y: float32[batch,?] = Relu(x)");
    ck_assert_int_eq(graph_infer(&ctx, g), PARE_OK);
    char text[INFER_TEXT_MAX];
    describe(g, text, sizeof text);
    ck_assert_str_eq(text, "float32[batch,?]");
    graph_free(g);
    /* an inner value takes the symbol that follows from the inputs, an output keeps its declared name */
    g = parse("input x: float32[N,3] a: float32[unk__1,?] = Relu(x) y: float32[batch,3] = Relu(a)");
    ck_assert_int_eq(graph_infer(&ctx, g), PARE_OK);
    ck_assert_str_eq(graph_find(g, "a")->dims[0].symbol, "N");
    ck_assert_int_eq(graph_find(g, "a")->dims[1].value, 3);
    ck_assert_str_eq(graph_find(g, "y")->dims[0].symbol, "batch");
    graph_free(g);
}
END_TEST

int main(void) {
    Suite *s = suite_create("graph/infer");
    TCase *t = tcase_create("infer");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, shapes, 0, sizeof inferred / sizeof *inferred);
    tcase_add_loop_test(t, refusals, 0, sizeof refused / sizeof *refused);
    tcase_add_test(t, declared_knowledge_is_kept);
    suite_add_tcase(s, t);
    return suite_main(s);
}
