/* Which samples statistics and fits are taken from. */
#include "search/calibration.h"

#include <check.h>
#include <stdlib.h>

enum { OWN = 3, SEARCH = 5, MANY = 1500 };

static struct context ctx;
static struct arena arena;
static struct preprocess declared;

static void setup(void) {
    context_init(&ctx);
    arena_init(&arena);
    preprocess_init(&declared);
}

static void teardown(void) {
    arena_free(&arena);
}

/* Samples of one number each, from `first` on. */
static struct dataset numbers(int first, int64_t count) {
    float *x = ARENA_ARRAY(&arena, (size_t)count, float);
    struct named_tensor *item = ARENA_NEW(&arena, struct named_tensor);
    struct input_spec *wanted = ARENA_NEW(&arena, struct input_spec);
    ck_assert(x != NULL && item != NULL && wanted != NULL);
    for (int64_t i = 0; i < count; i++) {
        x[i] = (float)(first + i);
    }
    *item = (struct named_tensor){"x", {DTYPE_FLOAT, {2, {count, 1}}, x}};
    *wanted = (struct input_spec){"x", DTYPE_FLOAT, {2, {-1, 1}}};
    struct tensor_set arrays = {1, item};
    struct dataset_spec spec = {.inputs = wanted, .input_count = 1, .preprocess = &declared};
    struct dataset d;
    ck_assert_msg(dataset_from_arrays(&ctx, &arena, "x.npz", &arrays, &spec, &d) == PARE_OK, "%s", ctx.diag.message);
    return d;
}

static struct calibration choose(const struct dataset *own, const struct dataset *search) {
    struct calibration c;
    ck_assert_int_eq(calibration_choose(&ctx, &arena, own, search, 7, &c), PARE_OK);
    return c;
}

/* How many of the delivered samples are from `first` on. */
static size_t count_from(struct calibration *c, float first) {
    struct sample_source source = calibration_source(c);
    struct tensor *t = NULL;
    size_t count = 0;
    ck_assert_int_eq(dataset_new_sample(&ctx, &arena, c->more.count > 0 ? &c->more : &c->own, &t), PARE_OK);
    for (size_t i = 0; i < c->count; i++) {
        ck_assert_int_eq(source.load(source.user, &ctx, i, t), PARE_OK);
        count += *(const float *)t->data >= first;
    }
    return count;
}

START_TEST(search_samples_fill_up) {
    struct dataset own = numbers(0, OWN), search = numbers(OWN, SEARCH), many = numbers(OWN, MANY);
    struct calibration few = choose(&own, &search), full = choose(&own, &many);
    ck_assert_uint_eq(few.count, OWN + SEARCH);
    ck_assert_uint_eq(count_from(&few, OWN), SEARCH);
    ck_assert_uint_eq(full.count, 1024);
    ck_assert_uint_eq(count_from(&full, OWN), 1024 - OWN);
    ck_assert_uint_ne(few.hash, full.hash);
}
END_TEST

START_TEST(own_samples_are_enough) {
    struct dataset own = numbers(0, MANY), search = numbers(MANY, SEARCH);
    struct calibration c = choose(&own, &search);
    ck_assert_uint_eq(c.count, 1024);
    ck_assert_uint_eq(count_from(&c, MANY), 0);
}
END_TEST

START_TEST(without_own_samples_all_are_of_the_search_set) {
    struct dataset search = numbers(0, SEARCH);
    struct calibration c = choose(NULL, &search);
    ck_assert_uint_eq(c.count, SEARCH);
    ck_assert_uint_eq(count_from(&c, 0), SEARCH);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("search/calibration");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, search_samples_fill_up);
    tcase_add_test(tests, own_samples_are_enough);
    tcase_add_test(tests, without_own_samples_all_are_of_the_search_set);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
