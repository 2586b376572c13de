/* Networks that others quantised: operators between codes become those on codes. */
#include "float/float.h"
#include "passes/passes.h"

#include "suite_main.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct context ctx;

static struct graph *fused(const char *text) {
    struct graph *g;
    context_init(&ctx);
    ck_assert_msg(graph_parse(&ctx, text, &g) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_msg(graph_infer(&ctx, g) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_msg(passes_fuse_quantized(&ctx, &g) == PARE_OK, "%s", ctx.diag.message);
    return g;
}

#define CODES                                                                                                          \
    "const s: float32[] = 0.125 const z: uint8[] = 3 const t: float32[] = 0.5 const u: uint8[] = 9\n"                  \
    "const k: int8[] = 0 const w: int8[4,2,1,1] = [1,2,3,4,5,6,7,8] const v: float32[4] = [1,2,3,4]\n"                 \
    "const o: int8[4] = [0,0,0,0] const b: int32[4] = [1,2,3,4] const c: float32[4] = [1,2,3,4]\n"

START_TEST(test_conv) {
    struct graph *g = fused("graph g {\ninput x: uint8[1,2,3,3]\n" CODES
                            "a = DequantizeLinear(x, s, z) d = DequantizeLinear(w, v, o) {axis=0}\n"
                            "e = DequantizeLinear(b, c) {axis=0} f = Conv(a, d, e) as conv {pads=[1,1,1,1]}\n"
                            "y = QuantizeLinear(f, t, u) output y }\n");
    ck_assert_int_eq(g->node_count, 1);
    ck_assert(node_is(g->first, "QLinearConv"));
    size_t pads = 0;
    (void)node_ints(g->first, "pads", &pads);
    ck_assert_uint_eq(pads, 4);
    ck_assert_int_eq(g->first->input_count, 9);
    ck_assert_str_eq(g->first->inputs[8]->name, "b");
    ck_assert_str_eq(g->outputs[0]->name, "y");
    graph_free(g);
}
END_TEST

/* Whatever is not all codes stays as it is. */
START_TEST(test_what_stays) {
    static const char *const texts[] = {
        /* a float bias */
        "e = Identity(c) f = Conv(a, d, e) y = QuantizeLinear(f, t, u) output y }\n",
        /* the float result is read as well */
        "e = DequantizeLinear(b, c) {axis=0} f = Conv(a, d, e) y = QuantizeLinear(f, t, u) output y output f }\n",
        /* no quantised result */
        "e = DequantizeLinear(b, c) {axis=0} y = Conv(a, d, e) output y }\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[2048];
        snprintf(text, sizeof text,
                 "graph g {\ninput x: uint8[1,2,3,3]\n" CODES
                 "a = DequantizeLinear(x, s, z) d = DequantizeLinear(w, v, o) {axis=0}\n%s",
                 texts[i]);
        struct graph *g = fused(text);
        bool kept = false;
        for (const struct node *n = g->first; n != NULL; n = n->next) {
            kept = kept || node_is(n, "Conv");
        }
        ck_assert(kept);
        graph_free(g);
    }
}
END_TEST

START_TEST(test_sum_and_weights) {
    struct graph *g = fused("graph g {\ninput x: uint8[1,4]\n" CODES
                            "q = QuantizeLinear(v, s, z) d = DequantizeLinear(q, s, z) a = DequantizeLinear(x, s, z)\n"
                            "f = Add(a, d) y = QuantizeLinear(f, t, u) output y }\n");
    ck_assert_int_eq(g->node_count, 1);
    ck_assert(node_is(g->first, "QLinearAdd"));
    ck_assert(value_is_constant(g->first->inputs[3]));
    ck_assert_int_eq(g->first->inputs[3]->type, DTYPE_UINT8);
    graph_free(g);
}
END_TEST

static struct graph *expanded(const char *text) {
    struct graph *g;
    context_init(&ctx);
    ck_assert_msg(graph_parse(&ctx, text, &g) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_msg(graph_infer(&ctx, g) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_msg(passes_expand_quantized(&ctx, &g) == PARE_OK, "%s", ctx.diag.message);
    return g;
}

/* What was fused comes apart again: the same operators, and the same numbers. */
START_TEST(test_expand) {
    struct graph *g = fused("graph g {\ninput x: uint8[1,2,3,3]\n" CODES
                            "a = DequantizeLinear(x, s, z) d = DequantizeLinear(w, v, o) {axis=0}\n"
                            "e = DequantizeLinear(b, c) {axis=0} f = Conv(a, d, e) as conv {pads=[1,1,1,1]}\n"
                            "y = QuantizeLinear(f, t, u) output y }\n");
    ck_assert_int_eq(passes_expand_quantized(&ctx, &g), PARE_OK);
    ck_assert_int_eq(g->node_count, 5);
    const struct node *q = g->outputs[0]->producer, *conv = q->inputs[0]->producer;
    ck_assert(node_is(q, "QuantizeLinear") && node_is(conv, "Conv"));
    size_t pads = 0;
    (void)node_ints(conv, "pads", &pads);
    ck_assert_uint_eq(pads, 4);
    const struct node *bias = conv->inputs[2]->producer;
    for (size_t i = 0; i < 4; i++) { /* that of the product */
        ck_assert(tensor_get_double(bias->inputs[1]->constant, i) == 0.125 * (double)(i + 1));
    }
    graph_free(g);
}
END_TEST

#define QUANTS                                                                                                         \
    "const z: float32[] = 0 const s: float32[] = 0.25 const four: float32[] = 4 const eight: float32[] = 8\n"          \
    "const w: float32[2,2] = [0.5,-9,0.3,0.125] const v: float32[2,1] = [0.25,0.125]\n"

/* A Quant of 8 bits fills its type, one of 4 needs a Clip; weights become codes with a width of their own. */
START_TEST(test_expand_quant) {
    struct graph *g = expanded("graph g {\ninput x: float32[1,2]\n" QUANTS
                               "a = Quant(x, s, z, eight) as first {signed=0} b = Quant(w, v, z, four) as weights\n"
                               "c = MatMul(a, b) y = Quant(c, s, z, four) as last output y }\n");
    const struct node *last = g->outputs[0]->producer, *product = g->first;
    while (!node_is(product, "MatMul")) {
        product = product->next;
    }
    const struct node *first = product->inputs[0]->producer, *weights = product->inputs[1]->producer;
    ck_assert(node_is(last->inputs[0]->producer->inputs[0]->producer, "Clip"));
    ck_assert(first->inputs[0]->producer->inputs[0]->is_input);
    ck_assert_int_eq(first->inputs[0]->type, DTYPE_UINT8);
    const struct value *codes = weights->inputs[0];
    static const int64_t expected[] = {2, -8, 2, 1}; /* 0.3 / 0.125 is 2.4, -9 / 0.25 saturates */
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(tensor_get_int(codes->constant, i), expected[i]);
    }
    ck_assert(codes->format != NULL && codes->format->bits == 4 && codes->format->channels == 2);
    ck_assert_int_eq(format_frac(codes->format, 0), 2);
    ck_assert_int_eq(format_frac(codes->format, 1), 3);
    graph_free(g);
}
END_TEST

static struct graph *dequantized(const char *text) {
    struct graph *g;
    context_init(&ctx);
    ck_assert_msg(graph_parse(&ctx, text, &g) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_msg(graph_infer(&ctx, g) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_msg(passes_dequantize(&ctx, &g) == PARE_OK, "%s", ctx.diag.message);
    return g;
}

/* A zero point of 0 saturates at 0: the Relu that a quantiser merged stays in force. */
START_TEST(test_dequantize) {
    struct graph *g =
        dequantized("graph g {\ninput x: float32[1,2,3,3]\n" CODES
                    "const none: uint8[] = 0 q = QuantizeLinear(x, s, none) a = DequantizeLinear(q, s, none)\n"
                    "d = DequantizeLinear(w, v, o) {axis=0} y = Conv(a, d) output y }\n");
    const struct node *conv = g->outputs[0]->producer, *clip = conv->inputs[0]->producer;
    double low = -1, high = 0;
    ck_assert(node_is(conv, "Conv") && node_is(clip, "Clip") && g->node_count == 2);
    ck_assert(value_scalar(clip->inputs[1], &low) && value_scalar(clip->inputs[2], &high));
    ck_assert(low == 0 && high == 255 * 0.125);
    ck_assert_int_eq(conv->inputs[1]->type, DTYPE_FLOAT);
    ck_assert(tensor_get_double(conv->inputs[1]->constant, 7) == 8 * 4);
    graph_free(g);
}
END_TEST

#define DYNAMIC                                                                                                        \
    "const w: int8[2,3] = [1,2,3,4,5,6] const p: int8[3] = [1,0,-1] const v: float32[3] = [0.5,1,2] const b: "         \
    "float32[] = 3\n"                                                                                                  \
    "q, s, z = DynamicQuantizeLinear(x)\n"

/* As ONNX Runtime's quantize_dynamic writes it: scales on either side, codes moved on their way. */
START_TEST(test_dynamic_matmul) {
    static const char *const texts[] = {
        "m = MatMulInteger(q, w, z, p) c = Cast(m) {to=1} k = Mul(s, v) y = Mul(c, k) as product output y }\n",
        "m = MatMulInteger(q, w, z, p) c = Cast(m) {to=1} k = Mul(v, s) y = Mul(k, c) as product output y }\n",
        ("i = Identity(q) m = MatMulInteger(i, w, z, p) c = Cast(m) {to=1} k = Mul(s, v) y = Mul(c, k) as product\n"
         "output y }\n")};
    static const double weight[] = {0, 2, 8, 1.5, 5, 14};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text, "graph g {\ninput x: float32[N,2]\n" DYNAMIC "%s", texts[i]);
        struct graph *g = dequantized(text);
        const struct node *product = g->outputs[0]->producer;
        const struct node *moved = i == 2 ? product->inputs[0]->producer : product;
        ck_assert_int_eq(g->node_count, i == 2 ? 2 : 1);
        ck_assert(node_is(product, "MatMul") && moved->inputs[0]->is_input);
        ck_assert_str_eq(product->name, "product");
        for (size_t k = 0; k < 6; k++) {
            ck_assert(tensor_get_double(product->inputs[1]->constant, k) == weight[k]);
        }
        graph_free(g);
    }
}
END_TEST

START_TEST(test_dynamic_conv) {
    struct graph *g =
        dequantized("graph g {\ninput x: float32[1,2,4,4]\n"
                    "const w: uint8[2,1,1,2] = [1,2,3,4] const p: uint8[2] = [1,3] const v: float32[] = 0.25\n"
                    "q, s, z = DynamicQuantizeLinear(x) m = ConvInteger(q, w, z, p) {group=2, pads=[0,1,0,1]}\n"
                    "c = Cast(m) {to=1} k = Mul(s, v) y = Mul(c, k) output y }\n");
    static const double weight[] = {0, 0.25, 0, 0.25};
    const struct node *conv = g->outputs[0]->producer;
    size_t pads = 0;
    ck_assert_int_eq(g->node_count, 1);
    ck_assert(node_is(conv, "Conv") && node_int(conv, "group") == 2 && node_ints(conv, "pads", &pads) != NULL);
    for (size_t k = 0; k < 4; k++) {
        ck_assert(tensor_get_double(conv->inputs[1]->constant, k) == weight[k]);
    }
    graph_free(g);
}
END_TEST

/* An embedding of codes, read as numbers and multiplied as codes. */
START_TEST(test_dynamic_embedding) {
    struct graph *g =
        dequantized("graph g {\ninput i: int64[1,3]\nconst e: int8[4,2] = [1,2,3,4,5,6,7,8] const s: float32[] = 0.5\n"
                    "const z: int8[] = 2 const w: int8[2,2] = [1,2,3,4] const v: float32[] = 2\n"
                    "a = Gather(e, i) m = MatMulInteger(a, w, z) c = Cast(m) {to=1} k = Mul(s, v) y = Mul(c, k)\n"
                    "d = DequantizeLinear(a, s, z) r = Add(y, d) output r }\n");
    const struct node *sum = g->outputs[0]->producer, *product = sum->inputs[0]->producer;
    const struct node *gather = sum->inputs[1]->producer;
    ck_assert(node_is(sum, "Add") && node_is(product, "MatMul") && node_is(gather, "Gather"));
    ck_assert_ptr_eq(product->inputs[0], gather->outputs[0]);
    ck_assert_int_eq(gather->inputs[0]->constant->type, DTYPE_FLOAT);
    ck_assert(tensor_get_double(gather->inputs[0]->constant, 7) == 3);
    ck_assert_int_eq(g->node_count, 3);
    graph_free(g);
}
END_TEST

/* Integers that are read as well, scales of another kind, and computed weights stay. */
START_TEST(test_dynamic_that_stays) {
    static const char *const texts[] = {
        "m = MatMulInteger(q, q, z, z) c = Cast(m) {to=1} k = Mul(s, b) y = Mul(c, k) output y }\n",
        ("m = MatMulInteger(q, w, z, p) c = Cast(m) {to=11} t = Cast(v) {to=11} u = Cast(s) {to=11} k = Mul(u, t)\n"
         "y = Mul(c, k) output y }\n"),
        "m = MatMulInteger(q, w, z, p) c = Cast(m) {to=1} k = Mul(s, s) y = Mul(c, k) output y }\n",
        "m = MatMulInteger(q, w, z, p) c = Cast(m) {to=1} y = Mul(c, v) output y }\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text, "graph g {\ninput x: float32[2,2]\n" DYNAMIC "%s", texts[i]);
        struct graph *g = dequantized(text);
        bool kept = false;
        for (const struct node *n = g->first; n != NULL; n = n->next) {
            kept = kept || node_is(n, "MatMulInteger");
        }
        ck_assert_msg(kept, "%s", texts[i]);
        graph_free(g);
    }
}
END_TEST

static int nodes_of(const struct graph *g, const char *op) {
    int count = 0;
    for (const struct node *n = g->first; n != NULL; n = n->next) {
        count += node_is(n, op);
    }
    return count;
}

/* Readers of the same codes become one, however many they are; one whose numbers are an output stays as well. */
START_TEST(test_many_readers_of_codes) {
    static const char *const outputs[] = {"", "d1 = DequantizeLinear(e, s, z) output d1"};
    char text[4096];
    for (int stay = 0; stay < 2; stay++) {
        int used = snprintf(text, sizeof text,
                            "graph g {\ninput x: float32[1,4] const r: int64[2] = [2,2]\n" CODES
                            "q = QuantizeLinear(x, s, z) e = Reshape(q, r)\n"
                            "d0 = DequantizeLinear(e, s, z) a0 = Relu(d0) %s\n",
                            outputs[stay]);
        for (int i = 2; i < 22; i++) {
            used += snprintf(text + used, sizeof text - (size_t)used,
                             "d%d = DequantizeLinear(e, s, z) b%d = Relu(d%d) a%d = Add(a0, b%d) output a%d\n", i, i, i,
                             i, i, i);
        }
        snprintf(text + used, sizeof text - (size_t)used, "}\n");
        struct graph *g = dequantized(text);
        ck_assert_int_eq(nodes_of(g, "DequantizeLinear"), 2 * stay);
        ck_assert_int_eq(nodes_of(g, "Clip"), 1 - stay);
        ck_assert_int_eq(nodes_of(g, "Relu"), 21);
        graph_free(g);
    }
}
END_TEST

/* A body that captures codes reads them itself, not a value that comes after it. */
START_TEST(test_codes_in_a_body) {
    struct graph *g = dequantized(
        "graph g {\ninput x: float32[1,4] input on: bool[]\n" CODES "q = QuantizeLinear(x, s, z)\n"
        "i = If(on) {then_branch=graph t { m = DequantizeLinear(q, s, z) output m },"
        "else_branch=graph e { n = DequantizeLinear(q, s, z) p = Relu(n) output p }}\n"
        "d = DequantizeLinear(q, s, z) f = DequantizeLinear(q, s, z) h = Add(d, f) y = Add(h, i) output y }\n");
    ck_assert_int_eq(nodes_of(g, "DequantizeLinear"), 0);
    ck_assert_int_eq(nodes_of(g, "Clip"), 1);
    const struct node *branch = g->first;
    while (!node_is(branch, "If")) {
        branch = branch->next;
    }
    const struct graph *body = node_attr(branch, "else_branch")->graph;
    ck_assert_ptr_eq(body->outputs[0]->producer->inputs[0]->graph, body);
    graph_free(g);
}
END_TEST

/* A network in half precision between float32 ends; a cast that changes more than the width stays. */
START_TEST(test_widen) {
    struct graph *g;
    context_init(&ctx);
    ck_assert_int_eq(graph_parse(&ctx,
                                 "graph g {\ninput x: float32[1,2]\n"
                                 "a = Cast(x) {to=10} b = Cast(a) {to=1} c = Relu(b) d = Cast(c) {to=16}\n"
                                 "y = Cast(d) {to=1} e = Cast(c) {to=7} z = Cast(e) {to=1} output y output z }\n",
                                 &g),
                     PARE_OK);
    ck_assert_msg(graph_infer(&ctx, g) == PARE_OK && passes_widen(&ctx, &g) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_str_eq(g->outputs[0]->name, "y");
    const struct node *relu = g->outputs[0]->producer;
    ck_assert(node_is(relu, "Relu") && relu->inputs[0]->is_input);
    ck_assert(node_is(g->outputs[1]->producer->inputs[0]->producer, "Cast"));
    ck_assert_int_eq(g->node_count, 3);
    graph_free(g);
}
END_TEST

int main(void) {
    Suite *s = suite_create("passes/quantized");
    TCase *t = tcase_create("fusion");
    tcase_add_test(t, test_conv);
    tcase_add_test(t, test_what_stays);
    tcase_add_test(t, test_sum_and_weights);
    tcase_add_test(t, test_expand);
    tcase_add_test(t, test_expand_quant);
    tcase_add_test(t, test_dequantize);
    tcase_add_test(t, test_dynamic_matmul);
    tcase_add_test(t, test_dynamic_conv);
    tcase_add_test(t, test_dynamic_embedding);
    tcase_add_test(t, test_dynamic_that_stays);
    tcase_add_test(t, test_many_readers_of_codes);
    tcase_add_test(t, test_codes_in_a_body);
    tcase_add_test(t, test_widen);
    suite_add_tcase(s, t);
    return suite_main(s);
}
