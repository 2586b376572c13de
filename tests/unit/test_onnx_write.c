/* Writing, and reading back what was written. */
#include "base/file.h"
#include "graph/op.h"
#include "onnx_trial.h"

#include <stdio.h>
#include <stdlib.h>

static const char network[] = "graph net {\n"
                              "  metadata \"author\" \"someone\"\n"
                              "  input x: float32[N,3,8,8]\n"
                              "  const w: float32[4,3,3,3] = random(1, -1, 1)\n"
                              "  const b: float32[4] = [0.5, -0.5, 1, 2]\n"
                              "  const low: float32[] = 0\n"
                              "  const shape: int64[2] = [0, -1]\n"
                              "  c = Conv(x, w, b) as conv {pads = [1, 1, 1, 1], auto_pad = \"NOTSET\", group = 1}\n"
                              "  r = Clip(c, low) as act origin Relu\n"
                              "  l = LeakyRelu(r) as leak {alpha = 0.25}\n"
                              "  y = Reshape(l, shape) as flat\n"
                              "  output y\n"
                              "}\n";

static struct graph *graph_of(const char *text) {
    struct graph *g = NULL;
    enum pare_status status = graph_parse(&ctx, text, &g);
    ck_assert_msg(status == PARE_OK, "%s", ctx.diag.message);
    ck_assert_msg(graph_infer(&ctx, g) == PARE_OK, "%s", ctx.diag.message);
    return g;
}

static message write_graph(const struct graph *g, int opset) {
    message m = new_message();
    enum pare_status status = onnx_write(&ctx, g, &(struct onnx_write_options){.opset = opset}, &m);
    ck_assert_msg(status == PARE_OK, "%s", ctx.diag.message);
    return m;
}

static bool holds(const message *m, const char *bytes, size_t size) {
    for (size_t i = 0; i + size <= m->size; i++) {
        if (memcmp(m->data + i, bytes, size) == 0) {
            return true;
        }
    }
    return false;
}

static void round_trip(const char *source, int opset) {
    struct graph *g = graph_of(source);
    struct graph *again = must_parse(write_graph(g, opset));
    char *first = text_of(g), *second = text_of(again);
    ck_assert_str_eq(first, second);
    free(first);
    free(second);
    graph_free(g);
    graph_free(again);
}

START_TEST(test_round_trip) {
    round_trip(network, 0);
    round_trip(network, 21);
    round_trip(network, 25);
}
END_TEST

START_TEST(test_same_bytes) {
    struct graph *g = graph_of(network);
    message first = write_graph(g, 21), second = write_graph(g, 21);
    ck_assert_uint_eq(first.size, second.size);
    ck_assert_mem_eq(first.data, second.data, first.size);
    ck_assert(onnx_recognise(first.data, first.size));
    ck_assert(holds(&first, "\x12\x04pare", 6));
    buffer_free(&first);
    buffer_free(&second);
    graph_free(g);
}
END_TEST

/* The model that holds one constant of a small type, dequantized. */
static const char small[] = "graph small {\n"
                            "  const w: %s[5] = [1, %s, 0, %s, 1]\n"
                            "  const s: float32[] = 0.5\n"
                            "  y = DequantizeLinear(w, s) as d\n"
                            "  output y\n"
                            "}\n";

static void small_round_trip(const char *type, const char *low, const char *high, const char *bytes, size_t size) {
    char text[512];
    (void)snprintf(text, sizeof text, small, type, low, high);
    struct graph *g = graph_of(text);
    message m = write_graph(g, 25);
    ck_assert_msg(holds(&m, bytes, size), "%s is not packed as expected", type);
    buffer_free(&m);
    graph_free(g);
    round_trip(text, 25);
}

START_TEST(test_small_types) {
    small_round_trip("int4", "-8", "7", "\x4a\x03\x81\x70\x01", 5);
    small_round_trip("uint4", "15", "7", "\x4a\x03\xf1\x70\x01", 5);
    small_round_trip("int2", "-2", "-1", "\x4a\x02\xc9\x01", 4);
    small_round_trip("uint2", "2", "3", "\x4a\x02\xc9\x01", 4);
}
END_TEST

static const char of_opset_21[] = "graph g {\ninput x: float32[N,3,8,8]\nconst low: float32[] = -1\n"
                                  "const axes: int64[2] = [-2,-1]\na = Clip(x, low) as clip\n"
                                  "b = ReduceMean(a, axes) as mean\ny = Softmax(b) as last\noutput y }\n";

/* What older opsets say otherwise comes back as it was. */
START_TEST(test_older_opsets) {
    static const int opsets[] = {7, 8, 9, 10, 11, 12, 13, 17, 18, 25};
    for (size_t i = 0; i < sizeof opsets / sizeof opsets[0]; i++) {
        struct graph *g = graph_of(of_opset_21);
        struct graph *again = must_parse(write_graph(g, opsets[i]));
        struct node *mean = again->first->next;
        ck_assert_int_eq(again->node_count, 3);
        ck_assert(node_is(again->first, "Clip") && node_is(mean, "ReduceMean") && node_is(mean->next, "Softmax"));
        double low = 0;
        ck_assert(value_scalar(again->first->inputs[1], &low) && low == -1);
        ck_assert_uint_eq(tensor_count(mean->inputs[1]->constant), 2);
        ck_assert_int_eq(again->outputs[0]->dims[2].value, 1);
        graph_free(g);
        graph_free(again);
    }
}
END_TEST

START_TEST(test_opset_without_words) {
    struct graph *g = graph_of("graph g {\ninput x: float32[N,4,8]\na = HardSwish(x) as one\nb = HardSwish(a) as two\n"
                               "y = Softmax(b) as inner {axis=1}\noutput y }\n");
    message m = new_message();
    ck_assert_int_eq(onnx_write(&ctx, g, &(struct onnx_write_options){.opset = 12}, &m), PARE_ERROR_UNSUPPORTED);
    ck_assert_msg(strstr(ctx.diag.message, "HardSwish (from opset 14 on) (one, two)") != NULL &&
                      strstr(ctx.diag.message, "(inner); choose opset 14 or newer") != NULL,
                  "%s", ctx.diag.message);
    buffer_free(&m);
    graph_free(g);
}
END_TEST

static void remove_files(void) {
    remove("/tmp/pare-write.onnx");
    remove("/tmp/pare-write.onnx.data");
}

START_TEST(test_external_data) {
    static const char large[] = "graph net {\ninput x: float32[N,32]\nconst w: float32[32,32] = random(1,-1,1)\n"
                                "const b: float32[32] = random(2,-1,1)\ny = Gemm(x, w, b) as dense\noutput y }\n";
    struct graph *g = graph_of(large), *again = NULL;
    uint64_t whole = 0, split = 0;
    char *before = text_of(g);
    for (int external = 0; external < 2; external++) {
        struct onnx_write_options options = {.external_above = external ? 1 : 0};
        remove_files();
        ck_assert_int_eq(onnx_write_file(&ctx, g, &options, "/tmp/pare-write.onnx", external ? &split : &whole),
                         PARE_OK);
        ck_assert_int_eq(file_exists("/tmp/pare-write.onnx.data"), external);
        ck_assert_msg(onnx_read(&ctx, "/tmp/pare-write.onnx", &again) == PARE_OK, "%s", ctx.diag.message);
        char *after = text_of(again);
        ck_assert_str_eq(before, after);
        free(after);
        graph_free(again);
    }
    ck_assert_uint_gt(split, 32 * 32 * sizeof(float));
    ck_assert_uint_gt(whole, 32 * 32 * sizeof(float));
    free(before);
    remove_files();
    graph_free(g);
}
END_TEST

START_TEST(test_opsets) {
    char text[512];
    message m = new_message();
    (void)snprintf(text, sizeof text, small, "int2", "-2", "-1");
    struct graph *g = graph_of(text);
    ck_assert_int_eq(onnx_write(&ctx, g, NULL, &m), PARE_ERROR_UNSUPPORTED);
    ck_assert_msg(strstr(ctx.diag.message, "of int2 values") != NULL && strstr(ctx.diag.message, "opset 25") != NULL,
                  "%s", ctx.diag.message);
    context_clear(&ctx);
    ck_assert_int_eq(onnx_write(&ctx, g, &(struct onnx_write_options){.opset = 6}, &m), PARE_ERROR_USAGE);
    buffer_free(&m);
    graph_free(g);
}
END_TEST

START_TEST(test_formats) {
    static int fractions[] = {3, 4, 5, -6};
    struct format plain = {.bits = 5, .is_signed = false, .frac = 2};
    struct format channels = {.bits = 7, .is_signed = true, .axis = 1, .channels = 4, .channel_frac = fractions};
    struct graph *g = graph_of(network);
    graph_find(g, "r")->format = &plain;
    graph_find(g, "w")->format = &channels;
    message m = write_graph(g, 21);
    ck_assert(holds(&m,
                    "\n\x04"
                    "FRAC\x12\x08"
                    "3,4,5,-6",
                    16));
    ck_assert(holds(&m,
                    "\n\x04"
                    "AXIS\x12\x01"
                    "1",
                    9));
    ck_assert(holds(&m,
                    "\n\x04"
                    "BITS\x12\x01"
                    "5",
                    9));
    ck_assert(holds(&m,
                    "\n\x06SIGNED\x12\x01"
                    "0",
                    11));
    struct graph *again = must_parse(m);
    ck_assert(format_equal(graph_find(again, "r")->format, &plain));
    ck_assert(format_equal(graph_find(again, "w")->format, &channels));
    ck_assert_ptr_null(graph_find(again, "b")->format);
    graph_free(again);
    graph_find(g, "r")->format = NULL;
    graph_find(g, "w")->format = NULL;
    graph_free(g);
}
END_TEST

/* A Mul by 4 constants `w`, annotated. AXIS NULL: without one. */
static message annotated(const char *name, const char *bits, const char *frac, const char *is_signed,
                         const char *axis) {
    static const float values[] = {1, 2, 3, 4};
    message g = graph_head(), note = new_message();
    put_message(&g, GRAPH_INITIALIZER, float_tensor("w", values, 4));
    put_node(&g, "Mul", "mul", "x w", "y");
    put_text(&note, 1, name);
    put_message(&note, 2, pair("BITS", bits));
    put_message(&note, 2, pair("FRAC", frac));
    put_message(&note, 2, pair("SIGNED", is_signed));
    if (axis != NULL) {
        put_message(&note, 2, pair("AXIS", axis));
    }
    put_message(&g, GRAPH_QUANTIZATION_ANNOTATION, note);
    return model_of(21, g);
}

START_TEST(test_hostile_formats) {
    static const char *const wrong[][4] = {
        {"33", "1", "1", NULL},       {"-1", "1", "1", NULL},
        {"", "1", "1", NULL},         {"8", "", "1", NULL},
        {"8", "128", "1", NULL},      {"8", "1,2", "1", NULL},
        {"8", "1,2,3,4,5", "1", "0"}, {"8", "1,,2,3", "1", "0"},
        {"8", "1,2,3,", "1", "0"},    {"8", "1,2,3,4", "1", "1"},
        {"8", "1,2,3,4", "1", "-1"},  {"8", "1,2,3,4", "1", "x"},
        {"8", "1", "2", NULL},        {"8", "1", "yes", NULL},
        {"8 ", "1", "1", NULL},       {"8", "99999999999", "1", NULL},
        {"8", "1;", "1", NULL},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        must_refuse(annotated("w", wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3]), PARE_ERROR_INPUT,
                    "quantization_annotation", "`w`");
    }
    must_refuse(annotated("x", "8", "1,2,3", "1", "1"), PARE_ERROR_INPUT, "no constant", "`x`");
    graph_free(must_parse(annotated("nobody", "99", "1", "1", NULL)));
    struct graph *g = must_parse(annotated("w", "8", "1,2,-3,4", "1", "0"));
    ck_assert_int_eq(graph_find(g, "w")->format->channel_frac[2], -3);
    graph_free(g);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("write");
    tcase_add_test(tests, test_round_trip);
    tcase_add_test(tests, test_same_bytes);
    tcase_add_test(tests, test_small_types);
    tcase_add_test(tests, test_opsets);
    tcase_add_test(tests, test_older_opsets);
    tcase_add_test(tests, test_opset_without_words);
    tcase_add_test(tests, test_external_data);
    tcase_add_test(tests, test_formats);
    tcase_add_test(tests, test_hostile_formats);
    return run_case(tests, "onnx writing");
}
