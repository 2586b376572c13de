/* Networks that others quantised: operators between codes become those on codes. */
#include "float/float.h"
#include "passes/passes.h"

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

int main(void) {
    Suite *s = suite_create("passes/quantized");
    TCase *t = tcase_create("fusion");
    tcase_add_test(t, test_conv);
    tcase_add_test(t, test_what_stays);
    tcase_add_test(t, test_sum_and_weights);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
