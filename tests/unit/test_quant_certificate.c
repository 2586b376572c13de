/* The exactness certificate against the sums that extreme inputs make, and against float32 where it must refuse. */
#include "quant/certificate.h"

#include "graph/op.h"
#include "quant/codes.h"
#include "quant/lower.h"
#include "quant/parameters.h"

#include "suite_main.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct context ctx;
static uint64_t state;

static int64_t pick(int64_t low, int64_t high) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return low + (int64_t)((state >> 33) % (uint64_t)(high - low + 1));
}

static void assert_ok(enum pare_status status) {
    ck_assert_msg(status == PARE_OK, "%s", ctx.diag.message);
}

static struct scheme *scheme_of(const char *text) {
    struct graph *g = NULL;
    struct scheme *s = NULL;
    context_init(&ctx);
    assert_ok(graph_parse(&ctx, text, &g));
    assert_ok(graph_infer(&ctx, g));
    assert_ok(scheme_new(&ctx, g, &s));
    return s;
}

static void release(struct scheme *s) {
    struct graph *g = s->graph;
    scheme_free(s);
    graph_free(g);
}

static struct weight_choice *random_weights(struct scheme *s, const struct linear *l) {
    struct weight_choice *w = ARENA_NEW(&s->arena, struct weight_choice);
    int32_t *codes = ARENA_ARRAY(&s->arena, (size_t)l->rows * l->columns, int32_t);
    int bits = (int)pick(2, 16);
    w->format = (struct format){.bits = bits, .is_signed = true, .frac = (int)pick(-3, 20)};
    for (uint32_t i = 0; i < l->rows * l->columns; i++) {
        codes[i] = (int32_t)pick(format_min(&w->format), format_max(&w->format));
    }
    w->codes = codes;
    assert_ok(weight_choice_finish(&ctx, &s->arena, l, w));
    return w;
}

/* The largest sum of one row, positive or negative, the bias added in its favour. */
static int64_t extreme_of_row(const struct linear *l, const struct bias_choice *b, uint32_t r) {
    int64_t up = 0, down = 0, low = format_min(&l->in->format), high = format_max(&l->in->format);
    int shift = format_frac(&l->weights->format, (int)r) + l->in->format.frac - format_frac(&b->format, (int)r);
    int64_t bias = b->codes[r] * ((int64_t)1 << shift);
    for (uint32_t c = 0; c < l->columns; c++) {
        int64_t w = l->weights->codes[r * l->columns + c];
        up += w > 0 ? w * high : w * low;
        down += w > 0 ? w * low : w * high;
    }
    return (up > -down ? up : -down) + (bias < 0 ? -bias : bias);
}

START_TEST(linear_sums) {
    struct scheme *s = scheme_of("graph g { input x: float32[1,9] const w: float32[4,9] = random(1,-1,1)"
                                 " const b: float32[4] = random(2,-1,1) y = Gemm(x, w, b) {transB=1} output y }");
    struct linear *l = &s->linears[0];
    for (state = 1; state < 2000;) {
        uint64_t seed = state;
        int bits = (int)pick(1, 16);
        bool is_signed = bits > 1 && pick(0, 1) == 1;
        l->in->format = (struct format){.bits = bits, .is_signed = is_signed, .frac = (int)pick(-4, 12)};
        l->out->format = (struct format){.bits = 8, .is_signed = true, .frac = 3};
        l->weights = random_weights(s, l);
        l->bias_bits = (int)pick(2, 12);
        const struct bias_choice *b = NULL;
        struct program *p = NULL;
        assert_ok(linear_bias_choice(&ctx, &s->arena, l, &b));
        int64_t largest = 0;
        for (uint32_t r = 0; r < l->rows; r++) {
            int64_t extreme = extreme_of_row(l, b, r);
            largest = extreme > largest ? extreme : largest;
        }
        ck_assert_int_eq(linear_accumulator(l, b), largest);
        assert_ok(lower(&ctx, s, &p));
        ck_assert_int_eq(op_accumulator(p, &p->ops[0]), largest);
        ck_assert_int_eq(op_exact_in_float32(p, &p->ops[0]), largest <= 1 << 24);
        ck_assert_int_eq(p->ops[0].wide, largest > INT32_MAX);
        program_free(p);
        state = seed + 1;
    }
    release(s);
}
END_TEST

static bool mean_is_certain(int bits, bool is_signed, int up, const char *dims) {
    char text[256];
    snprintf(text, sizeof text, "graph g { input x: float32[1,1,%s] y = GlobalAveragePool(x) output y }", dims);
    struct scheme *s = scheme_of(text);
    struct program *p = NULL;
    s->points[0].format = (struct format){.bits = bits, .is_signed = is_signed, .frac = 2};
    s->points[1].format = (struct format){.bits = 16, .is_signed = is_signed, .frac = 2 + up};
    assert_ok(lower(&ctx, s, &p));
    bool certain = op_exact_in_float32(p, &p->ops[0]);
    program_free(p);
    release(s);
    return certain;
}

/* Whether some mean of `count` codes up to `largest` is rounded otherwise after a rounding to float32. */
static bool mean_goes_wrong(int64_t count, int64_t largest, int up) {
    for (int64_t tie = 0; tie < largest << up; tie++) {
        for (int64_t near = -1; near <= 1; near++) {
            int64_t sum = (2 * tie + 1) * count / ((int64_t)2 << up) + near;
            double exact = ldexp((double)sum, up) / (double)count;
            double remainder = fabs(exact - (double)tie - 0.5);
            bool is_tie = ((2 * tie + 1) * count) == sum * ((int64_t)2 << up);
            if (!is_tie && sum >= 0 && sum <= largest * count && remainder < 0.25 &&
                rint((double)(float)exact) != rint(exact)) {
                return true;
            }
        }
    }
    return false;
}

START_TEST(means) {
    static const struct {
        int bits, up;
        int64_t rows, columns;
    } cases[] = {
        {8, 0, 7, 7},       {8, 0, 255, 256}, {8, 0, 256, 256},  {8, 0, 257, 256},  {8, 0, 512, 300},
        {8, 3, 90, 90},     {8, 3, 91, 91},   {10, 0, 127, 129}, {10, 0, 128, 129}, {10, 0, 181, 181},
        {4, 0, 1023, 1023}, {4, 4, 255, 257}, {4, 4, 400, 400},
    };
    int wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char dims[64];
        snprintf(dims, sizeof dims, "%d,%d", (int)cases[i].rows, (int)cases[i].columns);
        int64_t count = cases[i].rows * cases[i].columns;
        bool certain = mean_is_certain(cases[i].bits, false, cases[i].up, dims);
        bool fails = mean_goes_wrong(count, ((int64_t)1 << cases[i].bits) - 1, cases[i].up);
        ck_assert_int_eq(certain, count << (cases[i].bits + cases[i].up) < 1 << 24);
        ck_assert_msg(!(certain && fails), "%d bits, %s: called certain", cases[i].bits, dims);
        wrong += fails;
    }
    ck_assert_int_gt(wrong, 0); /* the bound is there for a reason */
    ck_assert(mean_is_certain(8, true, 0, "256,511"));
    ck_assert(!mean_is_certain(8, true, 0, "256,512"));
}
END_TEST

static bool table_is_certain(const char *function) {
    char text[128];
    struct program *p = NULL;
    snprintf(text, sizeof text, "graph g { input x: float32[1,4] y = %s(x) output y }", function);
    struct scheme *s = scheme_of(text);
    s->points[0].format = s->points[1].format = (struct format){.bits = 8, .is_signed = true, .frac = 5};
    assert_ok(lower(&ctx, s, &p));
    ck_assert(p->op_count == 1 && p->ops[0].kind == PARE_TABLE);
    bool certain = op_exact_in_float32(p, &p->ops[0]);
    p->op_types = NULL;
    ck_assert(!op_exact_in_float32(p, &p->ops[0]));
    program_free(p);
    release(s);
    return certain;
}

START_TEST(tables) {
    ck_assert(table_is_certain("HardSigmoid") && table_is_certain("HardSwish") && table_is_certain("LeakyRelu") &&
              table_is_certain("ThresholdedRelu"));
    ck_assert(!table_is_certain("Sigmoid") && !table_is_certain("Tanh") && !table_is_certain("Elu"));
}
END_TEST

int main(void) {
    Suite *s = suite_create("quant_certificate");
    TCase *c = tcase_create("certificate");
    tcase_set_timeout(c, 0);
    tcase_add_test(c, linear_sums);
    tcase_add_test(c, means);
    tcase_add_test(c, tables);
    suite_add_tcase(s, c);
    return suite_main(s);
}
