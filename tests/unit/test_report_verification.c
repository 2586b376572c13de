/* What `verify` says, and calls a failure, of differences that must not be and of those that are not certain. */
#include "report/verification.h"

#include "suite_main.h"

#include <check.h>
#include <string.h>

static struct verified_layer layers[3];
static struct verification whole;

/* Three layers that are equal everywhere, the second and third not certain. */
static void all_equal(void) {
    static const char *const names[] = {"first", "second", "third"};
    memset(layers, 0, sizeof layers);
    for (int i = 0; i < 3; i++) {
        layers[i].name = names[i];
        layers[i].op = "Op";
        layers[i].codes = 100;
        layers[i].certain = i == 0;
        for (int kind = EXECUTOR_HOST; kind < EXECUTOR_COUNT; kind++) {
            layers[i].verdicts[kind].compared = true;
        }
    }
    whole = (struct verification){.folder = "out", .samples = 4, .layers = layers, .count = 3};
}

static void ends_with(const char *line, bool equal) {
    struct context ctx;
    struct buffer text, json;
    context_init(&ctx);
    buffer_init(&text);
    buffer_init(&json);
    ck_assert_int_eq(verification_text(&ctx, &whole, &text), PARE_OK);
    ck_assert_int_eq(verification_json(&ctx, &whole, &json), PARE_OK);
    write_bytes(&text, "", 1);
    write_bytes(&json, "", 1);
    size_t length = strlen(line), size = text.size - 1;
    ck_assert_uint_gt(size, length);
    ck_assert_str_eq((const char *)text.data + size - length, line);
    json_t *root = json_loads((const char *)json.data, 0, NULL);
    ck_assert_int_eq(json_is_true(json_object_get(root, "equal")), equal);
    json_decref(root);
    buffer_free(&text);
    buffer_free(&json);
}

START_TEST(nothing_differs) {
    all_equal();
    ck_assert_uint_eq(verification_failures(&whole), 0);
    ck_assert_uint_eq(verification_uncertain(&whole).layers, 0);
    ends_with("out: 4 samples, 3 layers, equal\n", true);
}
END_TEST

START_TEST(what_is_not_certain_differs) {
    all_equal();
    layers[1].verdicts[EXECUTOR_RUNTIME].different = 20;
    layers[2].verdicts[EXECUTOR_RUNTIME].different = 3;
    layers[2].verdicts[EXECUTOR_ONNX].different = 5;
    ck_assert_uint_eq(verification_failures(&whole), 0);
    ends_with(
        "\nout: 4 samples, 3 layers, NOT EQUAL in float: 25 codes of 2 layers that are not certain, from second on\n",
        false);
}
END_TEST

START_TEST(what_must_be_equal_differs) {
    all_equal();
    layers[0].verdicts[EXECUTOR_RUNTIME].different = 1;
    layers[1].verdicts[EXECUTOR_RUNTIME].different = 1;
    ck_assert_uint_eq(verification_failures(&whole), 1);
    ck_assert_uint_eq(verification_uncertain(&whole).codes, 1);
    ends_with("\nout: 4 samples, 3 layers, NOT EQUAL\n", false);

    all_equal();
    layers[2].verdicts[EXECUTOR_HOST].different = 1; /* integers are never uncertain */
    ck_assert_uint_eq(verification_failures(&whole), 1);
    ends_with("\nout: 4 samples, 3 layers, NOT EQUAL\n", false);
}
END_TEST

int main(void) {
    Suite *s = suite_create("report_verification");
    TCase *c = tcase_create("verification");
    tcase_add_test(c, nothing_differs);
    tcase_add_test(c, what_is_not_certain_differs);
    tcase_add_test(c, what_must_be_equal_differs);
    suite_add_tcase(s, c);
    return suite_main(s);
}
