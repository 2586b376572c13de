/* pare_check through the public interface: verdicts, what is listed, and the schema of its JSON. */
#include "onnx_writer.h"
#include "pare/pare.h"
#include "schema.h"
#include "small_network.h"

#include "suite_main.h"

#include <check.h>

static char folder[] = "/tmp/pare-test-XXXXXX";
static struct pare_context *context;
static struct pare_settings *settings;

static void setup(void) {
    ck_assert_ptr_nonnull(mkdtemp(strcpy(folder, "/tmp/pare-test-XXXXXX")));
    small_begin(folder);
    context = pare_context_new();
    ck_assert_ptr_nonnull(context);
    ck_assert_int_eq(pare_settings_new(context, &settings), PARE_OK);
}

static void teardown(void) {
    char command[64];
    pare_settings_free(settings);
    pare_context_free(context);
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    small_end();
}

/* The JSON of a check that must give this verdict; it fits the schema. */
static json_t *checked(const char *name, enum pare_verdict expected) {
    struct pare_report *report = NULL;
    enum pare_verdict verdict = PARE_VERDICT_FINE;
    enum pare_status status = pare_check(context, small_path(name), settings, &verdict, &report);
    ck_assert_msg(status == PARE_OK, "%s", pare_message(context));
    ck_assert_int_eq(verdict, expected);
    json_t *json = json_loads(pare_report_json(report), 0, NULL);
    json_t *schema = json_load_file(PARE_SOURCE "/docs/check.schema.json", 0, NULL);
    ck_assert(schema != NULL && json != NULL && schema_fits(schema, json, "check"));
    json_decref(schema);
    pare_report_free(report);
    return json;
}

static json_t *checked_text(const char *text, enum pare_verdict expected) {
    graph_free(small_model("model.onnx", text));
    return checked("model.onnx", expected);
}

static const char *becomes(const json_t *json, size_t layer) {
    return json_string_value(json_object_get(json_array_get(json_object_get(json, "layers"), layer), "becomes"));
}

static size_t findings(const json_t *json, const char *kind) {
    size_t count = 0, i;
    json_t *finding;
    json_array_foreach(json_object_get(json, "findings"), i, finding) {
        count += strcmp(json_string_value(json_object_get(finding, "kind")), kind) == 0;
    }
    return count;
}

START_TEST(test_fine) {
    json_t *json = checked_text("graph g {\ninput x: float32[N,4]\nconst w: float32[4,3] = random(1,-1,1)\n"
                                "a = Gemm(x, w) as dense\nb = Relu(a) as relu\ny = Softmax(b) as softmax\noutput y }\n",
                                PARE_VERDICT_FINE);
    ck_assert_str_eq(becomes(json, 0), "integers");
    ck_assert_str_eq(becomes(json, 1), "bounds");
    ck_assert_str_eq(becomes(json, 2), "cut");
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(json, "totals"), "macs")), 12);
    json_decref(json);
}
END_TEST

/* Bodies: the larger branch of an If, every pass of a Loop and a Scan; recurrent weights at every step. */
START_TEST(test_bodies_are_counted) {
    static const struct {
        const char *text;
        int parameters, macs;
        enum pare_verdict verdict;
    } cases[] = {
        {"input c: bool[] y = If(c) {then_branch=graph t { a = MatMul(x, w) output a },"
         "else_branch=graph e { b = MatMul(x, w) d = MatMul(b, w) output d }}",
         3 * 16, 2 * 16, PARE_VERDICT_UNUSABLE}, /* its input is bool */
        {"const m: int64[] = 5 const go: bool[] = 1 y = Loop(m, go, x) {body=graph b {"
         "input i: int64[] input on: bool[] input v: float32[1,4] on_out = Identity(on) u = MatMul(v, w)"
         "output on_out output u }}",
         16, 5 * 16, PARE_VERDICT_REMARKS},
        {"const s: float32[7,1,4] = splat(1) z, y = Scan(x, s) {num_scan_inputs=1, body=graph b {"
         "input v: float32[1,4] input e: float32[1,4] u = MatMul(v, w) p = Add(u, e) output u output p }}",
         16 + 28, 7 * 16, PARE_VERDICT_REMARKS},
        {"const l: float32[1,20,4] = splat(1) const r: float32[1,20,5] = splat(1) const t: float32[6,1,4] = splat(1)"
         "y = LSTM(t, l, r) {hidden_size=5}",
         20 * 4 + 20 * 5 + 24, 6 * (20 * 4 + 20 * 5), PARE_VERDICT_REMARKS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "graph g {\ninput x: float32[1,4] const w: float32[4,4] = random(1,-1,1)\n%s output y }\n",
                 cases[i].text);
        json_t *json = checked_text(text, cases[i].verdict), *totals = json_object_get(json, "totals");
        ck_assert_int_eq(json_integer_value(json_object_get(totals, "macs")), cases[i].macs);
        ck_assert_int_eq(json_integer_value(json_object_get(totals, "parameters")), cases[i].parameters);
        json_decref(json);
    }
}
END_TEST

/* Trip counts that a broken or hostile model may hold: below 0, and no number at all. */
START_TEST(test_trips_that_are_none) {
    static const char *const trips[] = {"const m: int64[] = -3", "const m: float32[] = splat(nan)",
                                        "const m: float64[] = splat(nan)"};
    for (size_t i = 0; i < sizeof trips / sizeof trips[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "graph g {\ninput x: float32[1,4] const w: float32[4,4] = random(1,-1,1)\n%s const go: bool[] = 1\n"
                 "y = Loop(m, go, x) {body=graph b {input i: int64[] input on: bool[] input v: float32[1,4]\n"
                 "on_out = Identity(on) u = MatMul(v, w) output on_out output u }} output y }\n",
                 trips[i]);
        json_t *json = checked_text(text, PARE_VERDICT_REMARKS);
        ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(json, "totals"), "macs")), 0);
        json_decref(json);
    }
}
END_TEST

/* The batch behind the steps, as recurrent networks have it. */
START_TEST(test_batch_elsewhere) {
    json_t *json = checked_text("graph g {\ninput x: float32[N,7,4]\nconst l: float32[1,20,4] = splat(1)\n"
                                "const r: float32[1,20,5] = splat(1) t = Transpose(x) {perm=[1,0,2]}\n"
                                "y = LSTM(t, l, r) {hidden_size=5} output y }\n",
                                PARE_VERDICT_REMARKS);
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(json, "totals"), "macs")),
                     7 * (20 * 4 + 20 * 5));
    json_decref(json);
}
END_TEST

START_TEST(test_float_in_the_middle_is_a_remark) {
    json_t *json = checked_text("graph g {\ninput x: float32[N,4]\nconst w: float32[4,4] = random(1,-1,1)\n"
                                "a = Softmax(x) as softmax\ny = Gemm(a, w) as dense\noutput y }\n",
                                PARE_VERDICT_REMARKS);
    ck_assert_str_eq(becomes(json, 0), "float");
    ck_assert_uint_eq(findings(json, "float"), 1);
    json_decref(json);
}
END_TEST

static const char open_shape[] = "graph g {\ninput x: float32[N,2,H,W]\nconst w: float32[4,2,3,3] = random(1,-1,1)\n"
                                 "y = Conv(x, w) as conv\noutput y }\n";

START_TEST(test_open_dimensions_are_remarks_until_given) {
    json_t *json = checked_text(open_shape, PARE_VERDICT_REMARKS);
    ck_assert_str_eq(becomes(json, 0), "unknown");
    ck_assert_uint_eq(findings(json, "shape"), 2);
    json_decref(json);
    ck_assert_int_eq(pare_settings_set(context, settings, "input-shape", "x=N,2,8,9"), PARE_OK);
    json = checked("model.onnx", PARE_VERDICT_FINE);
    ck_assert_str_eq(becomes(json, 0), "integers");
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(json, "totals"), "macs")), 4 * 6 * 7 * 18);
    json_decref(json);
}
END_TEST

START_TEST(test_input_shape_must_fit_the_model) {
    static const char *const wrong[] = {"x=N,3,8,9", "z=N,2,8,9", "x=N,2,8"};
    graph_free(small_model("model.onnx", open_shape));
    for (int i = 0; i < 3; i++) {
        struct pare_settings *other = NULL;
        struct pare_network *network = NULL;
        ck_assert_int_eq(pare_settings_new(context, &other), PARE_OK);
        ck_assert_int_eq(pare_settings_set(context, other, "input-shape", wrong[i]), PARE_OK);
        ck_assert_int_eq(pare_network_open_with(context, small_path("model.onnx"), other, &network), PARE_ERROR_USAGE);
        ck_assert_ptr_null(network);
        pare_settings_free(other);
    }
    static const char *const unreadable[] = {"", "x=", "x=0,1", "x=-1", "1,,2", "x=1x", "1,1,1,1,1,1,1,1,1"};
    for (int i = 0; i < 7; i++) {
        ck_assert_int_eq(pare_settings_set(context, settings, "input-shape", unreadable[i]), PARE_ERROR_USAGE);
    }
}
END_TEST

/* Nothing hides behind the first trouble. */
START_TEST(test_every_trouble_is_listed) {
    message g = graph_head();
    float weights[] = {1, NAN};
    put_message(&g, GRAPH_NODE, node_head("Frobnicate", "unknown", "x", "a"));
    put_message(&g, GRAPH_NODE, node_head("Relu", "unfed", "nothing", "b"));
    put_message(&g, GRAPH_NODE, node_head("Add", "poisoned", "x w", "y"));
    put_message(&g, GRAPH_INITIALIZER, float_tensor("w", weights, 2));
    message m = model_of(99, g);
    small_write("model.onnx", m.data, m.size);
    buffer_free(&m);
    json_t *json = checked("model.onnx", PARE_VERDICT_UNUSABLE);
    ck_assert_uint_eq(findings(json, "opset"), 1);
    ck_assert_uint_eq(findings(json, "operator"), 1);
    ck_assert_uint_eq(findings(json, "weights"), 1);
    ck_assert_uint_ge(findings(json, "structure"), 1);
    json_decref(json);
}
END_TEST

START_TEST(test_no_model_is_an_error) {
    struct pare_report *report = NULL;
    enum pare_verdict verdict = PARE_VERDICT_FINE;
    small_write("junk.onnx", "junk", 4);
    ck_assert_int_eq(pare_check(context, small_path("junk.onnx"), NULL, &verdict, &report), PARE_ERROR_INPUT);
    ck_assert_ptr_null(report);
}
END_TEST

int main(void) {
    Suite *s = suite_create("api_check");
    TCase *t = tcase_create("check");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_fine);
    tcase_add_test(t, test_bodies_are_counted);
    tcase_add_test(t, test_trips_that_are_none);
    tcase_add_test(t, test_batch_elsewhere);
    tcase_add_test(t, test_float_in_the_middle_is_a_remark);
    tcase_add_test(t, test_open_dimensions_are_remarks_until_given);
    tcase_add_test(t, test_input_shape_must_fit_the_model);
    tcase_add_test(t, test_every_trouble_is_listed);
    tcase_add_test(t, test_no_model_is_an_error);
    suite_add_tcase(s, t);
    return suite_main(s);
}
