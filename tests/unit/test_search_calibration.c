/* Which samples statistics and fits are taken from. */
#include "search/calibration.h"

#include "suite_main.h"

#include <check.h>
#include <stdlib.h>

enum { OWN = 3, SEARCH = 5, MANY = 1500 }; /* samples */

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

static struct calibration choose(const struct dataset *own, struct dataset *search) {
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

START_TEST(few_search_samples_serve_both_ends) {
    struct dataset own = numbers(0, OWN), search = numbers(OWN, SEARCH);
    struct calibration c = choose(&own, &search), alone = choose(NULL, &search);
    ck_assert_uint_eq(c.count, OWN + SEARCH);
    ck_assert_uint_eq(count_from(&c, OWN), SEARCH);
    ck_assert_uint_eq(alone.count, SEARCH);
    ck_assert_uint_eq(count_from(&alone, OWN), SEARCH);
    ck_assert_uint_eq(search.count, SEARCH);
    ck_assert_uint_ne(c.hash, alone.hash);
}
END_TEST

/* Samples of the search set that calibration has not got, by their numbers. */
static void check_apart(struct calibration *c, const struct dataset *search, int first) {
    bool seen[MANY] = {false};
    struct sample_source source = calibration_source(c);
    struct tensor *t = NULL;
    ck_assert_int_eq(dataset_new_sample(&ctx, &arena, search, &t), PARE_OK);
    for (size_t i = 0; i < c->count; i++) {
        ck_assert_int_eq(source.load(source.user, &ctx, i, t), PARE_OK);
        int number = (int)*(const float *)t->data - first;
        seen[number < 0 ? 0 : number] |= number >= 0;
    }
    for (size_t i = 0; i < search->count; i++) {
        dataset_load(search, i, t);
        ck_assert(!seen[(int)*(const float *)t->data - first]);
    }
}

START_TEST(many_search_samples_are_shared_out) {
    struct dataset own = numbers(0, 600), search = numbers(600, MANY), all = numbers(0, MANY);
    struct calibration c = choose(&own, &search), half = choose(NULL, &all);
    ck_assert_uint_eq(c.count, 1024);
    ck_assert_uint_eq(count_from(&c, 600), 424);
    ck_assert_uint_eq(search.count, MANY - 424);
    check_apart(&c, &search, 600);
    ck_assert_uint_eq(half.count, MANY / 2);
    ck_assert_uint_eq(all.count, MANY - MANY / 2);
    check_apart(&half, &all, 0);
}
END_TEST

START_TEST(own_samples_are_enough) {
    struct dataset many = numbers(0, MANY), some = numbers(0, 512), search = numbers(MANY, SEARCH);
    struct calibration full = choose(&many, &search), enough = choose(&some, &search);
    ck_assert_uint_eq(full.count, 1024);
    ck_assert_uint_eq(count_from(&full, MANY), 0);
    ck_assert_uint_eq(enough.count, 512);
    ck_assert_uint_eq(search.count, SEARCH);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("search/calibration");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, few_search_samples_serve_both_ends);
    tcase_add_test(tests, many_search_samples_are_shared_out);
    tcase_add_test(tests, own_samples_are_enough);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
