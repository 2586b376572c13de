/* A search on a network with a channel that is silent and three that others make good. */
#include "api_fixture.h"

#include "suite_main.h"

#include <check.h>
#include <jansson.h>

/* Behind Relu nothing is negative: of what the second convolution makes, the fourth to sixth channels are sums and
 * multiples of the first three, the seventh is zero. */
static const char redundant_cnn[] =
    "graph cnn {\n"
    "input image: float32[N,1,8,8]\n"
    "const w0: float32[4,1,3,3] = random(1,-0.6,0.6)\n"
    "const b0: float32[4] = random(2,-0.3,0.3)\n"
    "const w1: float32[7,4,1,1] = [1,0,0,0, 0,1,0,0, 0,0,1,1, 1,1,0,0, 0,1,1,1, 2,0,0,0, -1,-1,-1,-1]\n"
    "const w2: float32[4,7,3,3] = random(4,-0.4,0.5)\n"
    "const b2: float32[4] = random(5,-0.3,0.3)\n"
    "const w3: float32[64,3] = random(3,-0.9,0.9)\n"
    "const b3: float32[3] = [0.0,-1.0,2.5]\n"
    "a = Conv(image, w0, b0) as conv0 {pads=[1,1,1,1]}\n"
    "b = Relu(a) as relu0\n"
    "c = Conv(b, w1) as conv1\n"
    "d = Relu(c) as relu1\n"
    "e = Conv(d, w2, b2) as conv2 {pads=[1,1,1,1]}\n"
    "f = Relu(e) as relu2\n"
    "const k: float32[1,4,8,8] = random(6,-0.1,0.1)\n"
    "i = Add(f, k) as add\n"
    "g = MaxPool(i) as pool {kernel_shape=[2,2], strides=[2,2]}\n"
    "h = Flatten(g) as flatten\n"
    "logits = Gemm(h, w3, b3) as dense\n"
    "probabilities = Softmax(logits) as softmax {axis=1}\n"
    "output probabilities }\n";

static void make_inputs(void) {
    begin_folder();
    struct graph *g = small_model("cnn.onnx", redundant_cnn);
    struct tensor images = small_images(1200), labels = small_labels(g, &images);
    small_npz("val.npz", &images, &labels);
    graph_free(g);
}

static void setup(void) {
    begin_test("cnn.onnx");
    set("data", small_path("val.npz"));
    set("scale", "1/255");
    set("max-drop", "10pt");
    set("bits", "4..8");
}

static json_t *quantize_to(const char *name) {
    struct pare_report *report;
    must(pare_quantize(context, model, settings, small_path(name), &report));
    json_t *root = json_loads(pare_report_json(report), 0, NULL);
    pare_report_free(report);
    return root;
}

static int count_of_weights(const json_t *report, const char *name) {
    json_t *layer;
    size_t i;
    json_array_foreach(json_object_get(report, "layers"), i, layer) {
        if (strcmp(json_string_value(json_object_get(layer, "name")), name) == 0) {
            return (int)json_integer_value(json_object_get(json_object_get(layer, "weight"), "count"));
        }
    }
    ck_abort_msg("no layer %s", name);
}

static int dropped_of_layer(const json_t *report, const char *name) {
    json_t *item;
    size_t i;
    json_array_foreach(json_object_get(report, "dropped_channels"), i, item) {
        if (strcmp(json_string_value(json_object_get(item, "name")), name) == 0) {
            return (int)json_integer_value(json_object_get(item, "dropped"));
        }
    }
    return 0;
}

static double share_at_8_bits(const json_t *report) {
    json_t *paper = json_object_get(json_object_get(report, "cost"), "paper");
    return json_number_value(json_object_get(paper, "memory_bits")) /
           json_number_value(json_object_get(paper, "memory_bits_8bit"));
}

START_TEST(four_of_seven_go) {
    set("bits", "8");
    json_t *report = quantize_to("eights");
    ck_assert_int_eq(dropped_of_layer(report, "conv1"), 4);
    ck_assert_int_eq(count_of_weights(report, "conv1"), 3 * (4 - dropped_of_layer(report, "conv0")));
    ck_assert_int_eq(count_of_weights(report, "conv2"), 4 * 3 * 9);
    ck_assert_double_lt(share_at_8_bits(report), 0.8); /* of the network as it was given */
    json_decref(report);
}
END_TEST

START_TEST(none_goes_where_they_are_kept) {
    set("bits", "8");
    set("keep-channels", "true");
    json_t *report = quantize_to("kept");
    ck_assert_uint_eq(json_array_size(json_object_get(report, "dropped_channels")), 0);
    ck_assert_int_eq(count_of_weights(report, "conv1"), 7 * 4);
    ck_assert_double_eq(share_at_8_bits(report), 1);
    json_decref(report);
}
END_TEST

/* At 16 bits everywhere, with this bound on the noise. */
static json_t *quantize_strictly(const char *bound, enum pare_status expected) {
    struct pare_report *report;
    set("metric", "sqnr");
    set("max-drop", bound);
    set("bits", "16");
    set("input-bits", "16");
    ck_assert_int_eq(pare_quantize(context, model, settings, small_path("strict"), &report), expected);
    ck_assert_ptr_nonnull(report);
    json_t *root = json_loads(pare_report_json(report), 0, NULL);
    pare_report_free(report);
    return root;
}

/* A bound of which a tenth is less than what all of them cost. */
START_TEST(only_what_costs_little_goes) {
    json_t *report = quantize_strictly("0.001%", PARE_OK);
    ck_assert_int_eq(dropped_of_layer(report, "conv1"), 3); /* four by a wide one, above */
    json_decref(report);
}
END_TEST

START_TEST(all_stay_where_the_start_fails_without_them) {
    json_t *report = quantize_strictly("0.00000001%", PARE_ERROR_BOUND);
    ck_assert_uint_eq(json_array_size(json_object_get(report, "dropped_channels")), 0);
    ck_assert_int_eq(count_of_weights(report, "conv1"), 7 * 4);
    json_decref(report);
}
END_TEST

START_TEST(threads_change_nothing) {
    must(pare_set_threads(context, 1));
    json_decref(quantize_to("one"));
    must(pare_set_threads(context, 2));
    json_decref(quantize_to("two"));
    check_same_file("one/model.onnx", "two/model.onnx");
    check_same_file("one/model.pare", "two/model.pare");
}
END_TEST

START_TEST(a_search_is_repeated_from_its_journal) {
    struct pare_report *picked;
    json_t *report = quantize_to("search"), *points = json_object_get(json_object_get(report, "search"), "pareto"),
           *point;
    char number[16] = "";
    size_t i;
    json_array_foreach(points, i, point) {
        if (json_is_true(json_object_get(point, "chosen"))) {
            snprintf(number, sizeof number, "%d", (int)i + 1);
        }
    }
    set("point", number);
    must(pare_pick(context, settings, small_path("search"), small_path("picked"), &picked));
    pare_report_free(picked);
    check_same_file("search/model.pare", "picked/model.pare");
    set("resume", "true");
    json_decref(quantize_to("picked"));
    check_same_file("search/model.onnx", "picked/model.onnx");
    json_decref(report);
}
END_TEST

int main(void) {
    Suite *s = suite_create("api/channels");
    TCase *c = tcase_create("channels");
    tcase_set_timeout(c, 600);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_unchecked_fixture(c, make_inputs, remove_inputs);
    tcase_add_test(c, four_of_seven_go);
    tcase_add_test(c, none_goes_where_they_are_kept);
    tcase_add_test(c, only_what_costs_little_goes);
    tcase_add_test(c, all_stay_where_the_start_fails_without_them);
    tcase_add_test(c, threads_change_nothing);
    tcase_add_test(c, a_search_is_repeated_from_its_journal);
    suite_add_tcase(s, c);
    return suite_main(s);
}
