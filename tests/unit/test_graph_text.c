/* The text form: printing and parsing give back the same graph, and hostile text is refused with its place. */
#include "graph/graph.h"
#include "graph/op.h"

#include "suite_main.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct context ctx;

static void setup(void) {
    context_init(&ctx);
}

static struct graph *parse(const char *text) {
    struct graph *g = NULL;
    enum pare_status status = graph_parse(&ctx, text, &g);
    ck_assert_msg(status == PARE_OK, "%s", ctx.diag.message);
    return g;
}

static char *print(const struct graph *g) {
    struct buffer b;
    buffer_init(&b);
    ck_assert_int_eq(graph_print(&ctx, g, &b), PARE_OK);
    write_u8(&b, 0);
    ck_assert(!b.failed);
    return (char *)b.data; /* heap memory of the buffer */
}

static void assert_round_trip(const char *text) {
    struct graph *g = parse(text);
    char *first = print(g);
    struct graph *again = parse(first);
    char *second = print(again);
    ck_assert_str_eq(first, second);
    free(first);
    free(second);
    graph_free(g);
    graph_free(again);
}

static const char network[] =
    "# a comment\n"
    "graph net {\n"
    "  metadata \"pare\" \"a \\\"quoted\\\" text\\nin two lines\"\n"
    "  input x: float32[N,3,8,8] q(8,6,s)\n"
    "  const w: float32[4,3,3,3] q(4,[1,-2,3,40],s,0) = random(7, -1, 1)\n"
    "  const \"a b\": float32[4] = [0.1, -0, 1e-30, inf]\n"
    "  const big: float32[4,100] = splat(0.25)\n"
    "  const seeds: int64[100] = random(3, -50, 50)\n"
    "  const half: float16[2] = [0.5, 65504]\n"
    "  const flag: bool[] = 1\n"
    "  const none: float32[0] = []\n"
    "  value loose: ?[...]\n"
    "  /conv/out: float32[N,4,4,4] q(8,4,u) = Conv(x, w, \"a b\") as conv_1 origin BatchNormalization\n"
    "    {strides=[2,2], pads=[1,1,1,1], auto_pad=\"NOTSET\"}\n"
    "  y: float32[?,4,4,4] = LeakyRelu(/conv/out) {alpha=0.1}\n"
    "  z = Clip(y, -, -)\n"
    "  shape = Shape(z)\n"
    "  filled = ConstantOfShape(shape) {value=float32[1] [3.5]}\n"
    "  dropped, - = Dropout(filled)\n"
    "  output z\n"
    "  output dropped\n"
    "}\n";

START_TEST(round_trip) {
    assert_round_trip(network);
    assert_round_trip("graph \"\\x01 odd\\\\name\" { input \"input\": ?[2,?,\"batch size\"] output \"input\" }");
}
END_TEST

START_TEST(contents) {
    struct graph *g = parse(network);
    ck_assert_int_eq(g->input_count, 1);
    ck_assert_int_eq(g->output_count, 2);
    ck_assert_int_eq(g->node_count, 6);
    ck_assert_int_eq(g->metadata_count, 1);
    ck_assert_str_eq(g->metadata[0].text, "a \"quoted\" text\nin two lines");
    const struct value *w = graph_find(g, "w");
    ck_assert_int_eq(w->format->channel_frac[3], 40);
    ck_assert_int_eq(format_frac(w->format, 1), -2);
    const struct node *conv = graph_find(g, "/conv/out")->producer;
    ck_assert_str_eq(conv->name, "conv_1");
    ck_assert_str_eq(conv->origin->name, "BatchNormalization");
    ck_assert_int_eq(conv->attr_count, 3);
    ck_assert(graph_find(g, "x")->dims[0].symbol == graph_symbol(g, "N"));
    ck_assert(!value_is_constant(graph_find(g, "x")));
    ck_assert_double_eq(tensor_get_double(graph_find(g, "a b")->constant, 2), (double)1e-30F);
    ck_assert_ptr_null(graph_find(g, "y")->producer->next->inputs[1]);
    graph_free(g);
}
END_TEST

START_TEST(random_is_the_same_everywhere) {
    struct graph *g = parse("graph g { const a: float32[3] = random(1, 0, 1) output a }");
    const struct tensor *t = graph_find(g, "a")->constant;
    ck_assert_double_eq_tol(tensor_get_double(t, 0), 0.5665615751722809, 1e-7);
    ck_assert_double_eq_tol(tensor_get_double(t, 1), 0.7457817572627011, 1e-7);
    graph_free(g);
}
END_TEST

START_TEST(brief_hides_large_constants) {
    struct graph *g = parse(network);
    struct buffer b;
    buffer_init(&b);
    ck_assert_int_eq(graph_print_brief(&ctx, g, &b), PARE_OK);
    write_u8(&b, 0);
    ck_assert_ptr_nonnull(strstr((char *)b.data, "elided("));
    ck_assert_ptr_null(strstr((char *)b.data, "hex("));
    buffer_free(&b);
    graph_free(g);
}
END_TEST

struct refusal {
    const char *text, *message;
};

static const struct refusal refused[] = {
    {"", "line 1, column 1: expected graph, found the end"},
    {"graph g {\n  y = Relu(x)\n}", "line 2, column 12: 'x' is not defined above"},
    {"graph g { input x input x }", "column 25: 'x' is defined twice"},
    {"graph g { input x y = Frobnicate(x) }", "expected an operator, found 'Frobnicate'"},
    {"graph g { input x: float99[] }", "expected an element type"},
    {"graph g { input x: float32[1,2,3,4,5,6,7,8,9] }", "more than 8 dimensions"},
    {"graph g { const x: float32[2] = [1] }", "expected ','"},
    {"graph g { const x: float32[1] = [1,2] }", "expected ']' after 1 elements"},
    {"graph g { const x: float32[N] = splat(1) }", "known dimensions"},
    {"graph g { const x: float32[1000000,1000000] = splat(1) }", "too large"},
    {"graph g { const x: float32[4611686018427387904,4611686018427387904] = splat(1) }", "too large"},
    {"graph g { const x: float32[1] = hex(\"00\") }", "expected a string of 8 hexadecimal digits"},
    {"graph g { const x: int8[1] = hex(\"0g\") }", "byte 0 is not hexadecimal"},
    {"graph g { input x y = Relu(x) {axis=1} output y }", "Relu has no attribute 'axis'"},
    {"graph g { input x y = Concat(x) {axis=1.5} output y }", "is no integer"},
    {"graph g { input x y = Concat(x) {axis=1, axis=2} output y }", "given twice"},
    {"graph g { input x y = Relu(x) as a z = Relu(y) as a output z }", "two nodes are named 'a'"},
    {"graph g { input x y = Relu(x, x) output y }", "Relu has 2 inputs"},
    {"graph g { input x y = Conv(x, -) output y }", "must not be omitted"},
    {"graph g { y = Relu(y) output y }", "produced after it"},
    {"graph g { input x output x output x }", "is an output of the graph twice"},
    {"graph g { output x }", "'x' is not defined above"},
    {"graph \"open", "the string does not end"},
    {"graph \"a\\q\" {}", "unknown escape"},
    {"graph g {} trailing", "expected the end"},
    {"graph g { input x: float32[-1] }", "is no integer in [0,"},
    {"graph g { input x q(99,0,s) }", "is no integer in [0, 32]"},
};

START_TEST(refusals) {
    const struct refusal *r = &refused[_i];
    struct graph *g = NULL;
    ck_assert_int_eq(graph_parse(&ctx, r->text, &g), PARE_ERROR_INPUT);
    ck_assert_ptr_null(g);
    ck_assert_msg(strstr(ctx.diag.message, r->message) != NULL, "%s\ngives: %s\nexpected: %s", r->text,
                  ctx.diag.message, r->message);
}
END_TEST

/* `depth` subgraphs, each the attribute of a Relu. */
static char *nested(int depth) {
    struct buffer b;
    buffer_init(&b);
    for (int i = 0; i < depth; i++) {
        write_format(&b, "graph g { input x y = Relu(x) {body=");
    }
    write_format(&b, "graph g { input x output x }");
    for (int i = 0; i < depth; i++) {
        write_format(&b, "} output y }");
    }
    write_u8(&b, 0);
    return (char *)b.data;
}

START_TEST(nesting_is_bounded) {
    char *shallow = nested(5);
    char *deep = nested(100000);
    struct graph *g = NULL;
    assert_round_trip(shallow);
    ck_assert_int_eq(graph_parse(&ctx, deep, &g), PARE_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "nested more than"));
    free(shallow);
    free(deep);
}
END_TEST

START_TEST(subgraphs_see_values_around_them) {
    static const char text[] = "graph g { input x: float32[2] a = Relu(x) "
                               "y = Identity(a) {body=graph inner { b = Add(a, x) output b }} output y }";
    assert_round_trip(text);
    struct graph *g = parse(text);
    ck_assert(graph_has_subgraphs(g));
    ck_assert_int_eq(graph_find(g, "a")->use_count, 2);
    struct graph *copy = NULL;
    ck_assert_int_eq(graph_clone(&ctx, g, true, &copy), PARE_OK);
    ck_assert_int_eq(graph_verify(&ctx, copy), PARE_OK);
    ck_assert_int_eq(graph_find(copy, "a")->use_count, 2);
    node_remove_attr(graph_find(copy, "y")->producer, "body");
    ck_assert_int_eq(graph_find(copy, "a")->use_count, 1);
    ck_assert_int_eq(graph_verify(&ctx, copy), PARE_OK);
    graph_free(copy);
    graph_free(g);
}
END_TEST

/* Mutations of a valid text: accepted or refused, never worse. */
START_TEST(mutations) {
    static const char alphabet[] = "{}[]()=,:\"-#?.0919eqsux \n\\/";
    char text[sizeof network];
    uint32_t state = 12345;
    int accepted = 0;
    for (int round = 0; round < 4000; round++) {
        memcpy(text, network, sizeof network);
        for (int i = 0; i < 1 + round % 4; i++) {
            state = state * 1664525U + 1013904223U;
            text[(state >> 8) % (sizeof network - 1)] = alphabet[(state >> 3) % (sizeof alphabet - 1)];
        }
        if (round % 5 == 0) {
            text[state % sizeof network] = '\0';
        }
        struct graph *g = NULL;
        context_clear(&ctx);
        if (graph_parse(&ctx, text, &g) == PARE_OK) {
            ck_assert_int_eq(graph_verify(&ctx, g), PARE_OK);
            accepted++;
            graph_infer(&ctx, g);
            graph_free(g);
        }
    }
    ck_assert_int_gt(accepted, 0);
}
END_TEST

static uint64_t hash_of_text(const char *text) {
    struct graph *g = parse(text);
    uint64_t hash = 0;
    ck_assert_int_eq(graph_hash(&ctx, g, 1, &hash), PARE_OK);
    graph_free(g);
    return hash;
}

#define HASHED(SIZE, SEED, ALPHA, NAME)                                                                                \
    "graph g {\ninput x: float32[N," SIZE "]\nconst w: float32[100] = random(" SEED ",-1,1)\n"                         \
    "y = LeakyRelu(x) as " NAME " {alpha=" ALPHA "}\nz = Mul(y, w)\noutput z }\n"

START_TEST(the_hash_sees_everything) {
    static const char *const texts[] = {
        HASHED("100", "1", "0.5", "leaky"),  HASHED("1", "1", "0.5", "leaky"),     HASHED("100", "2", "0.5", "leaky"),
        HASHED("100", "1", "0.25", "leaky"), HASHED("100", "1", "0.5", "renamed"),
    };
    enum { COUNT = sizeof texts / sizeof *texts };
    uint64_t hashes[COUNT];
    for (int i = 0; i < COUNT; i++) {
        hashes[i] = hash_of_text(texts[i]);
        ck_assert_uint_eq(hash_of_text(texts[i]), hashes[i]);
        for (int k = 0; k < i; k++) {
            ck_assert_msg(hashes[i] != hashes[k], "%d and %d have the same hash", i, k);
        }
    }
}
END_TEST

int main(void) {
    Suite *s = suite_create("graph/text");
    TCase *t = tcase_create("text");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, round_trip);
    tcase_add_test(t, contents);
    tcase_add_test(t, random_is_the_same_everywhere);
    tcase_add_test(t, brief_hides_large_constants);
    tcase_add_loop_test(t, refusals, 0, sizeof refused / sizeof *refused);
    tcase_add_test(t, nesting_is_bounded);
    tcase_add_test(t, subgraphs_see_values_around_them);
    tcase_add_test(t, mutations);
    tcase_add_test(t, the_hash_sees_everything);
    suite_add_tcase(s, t);
    return suite_main(s);
}
