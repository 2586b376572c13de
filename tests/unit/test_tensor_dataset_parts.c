/* Data sets taken apart, joined and compared. */
#include "dataset_fixture.h"

enum { MANY = 1000, KINDS = 4 };

static struct dataset make_many(bool labelled) {
    static uint8_t x[MANY];
    static uint8_t y[MANY];
    for (size_t i = 0; i < MANY; i++) {
        y[i] = (uint8_t)(i < 700 ? 0 : i < 900 ? 1 : i < 990 ? 2 : 3);
    }
    items[0] = (struct named_tensor){"x", {DTYPE_UINT8, {2, {MANY, 1}}, x}};
    items[1] = (struct named_tensor){"y", {DTYPE_UINT8, {1, {MANY}}, y}};
    arrays.count = labelled ? 2 : 1;
    wanted.shape = (struct shape){2, {-1, 1}};
    spec.classes = KINDS;
    return make();
}

START_TEST(parts_are_disjoint_and_complete) {
    for (int labelled = 0; labelled < 2; labelled++) {
        struct dataset d = make_many(labelled != 0), first, second;
        for (size_t count = 1; count < MANY; count += 37) {
            int seen[MANY] = {0};
            ck_assert_int_eq(dataset_split(&ctx, &arena, &d, 7, count, &first, &second), PARE_OK);
            ck_assert_uint_eq(first.count, count);
            ck_assert_uint_eq(second.count, MANY - count);
            for (size_t i = 0; i < MANY; i++) {
                size_t index = i < count ? first.indices[i] : second.indices[i - count];
                seen[index]++;
                ck_assert(i == 0 || i == count ||
                          index > (i < count ? first.indices[i - 1] : second.indices[i - count - 1]));
            }
            for (size_t i = 0; i < MANY; i++) {
                ck_assert_int_eq(seen[i], 1);
            }
        }
    }
}
END_TEST

START_TEST(labels_are_divided_evenly) {
    static const size_t share[KINDS] = {350, 100, 45, 5};
    struct dataset d = make_many(true), first;
    for (uint64_t seed = 0; seed < 20; seed++) {
        size_t counts[KINDS] = {0};
        ck_assert_int_eq(dataset_split(&ctx, &arena, &d, seed, MANY / 2, &first, NULL), PARE_OK);
        for (size_t i = 0; i < first.count; i++) {
            counts[dataset_label(&first, i)]++;
        }
        for (int k = 0; k < KINDS; k++) {
            ck_assert_uint_le(counts[k] > share[k] ? counts[k] - share[k] : share[k] - counts[k], 1);
        }
    }
}
END_TEST

START_TEST(seeds_decide) {
    struct dataset d = make_many(false), a, b, c, taken;
    ck_assert_int_eq(dataset_split(&ctx, &arena, &d, 1, 500, &a, NULL), PARE_OK);
    ck_assert_int_eq(dataset_split(&ctx, &arena, &d, 1, 500, &b, NULL), PARE_OK);
    ck_assert_int_eq(dataset_split(&ctx, &arena, &d, 2, 500, &c, NULL), PARE_OK);
    ck_assert_mem_eq(a.indices, b.indices, 500 * sizeof(size_t));
    ck_assert(memcmp(a.indices, c.indices, 500 * sizeof(size_t)) != 0);
    ck_assert_uint_eq(a.hash, b.hash);
    ck_assert_uint_ne(a.hash, c.hash);
    ck_assert_uint_ne(a.hash, d.hash);
    size_t shared = 0;
    for (size_t i = 0, j = 0; i < 500 && j < 500;) {
        shared += a.indices[i] == c.indices[j];
        size_t x = a.indices[i], y = c.indices[j];
        i += x <= y;
        j += y <= x;
    }
    ck_assert(shared > 150 && shared < 350); /* about half, were they independent */
    ck_assert_int_eq(dataset_take(&ctx, &arena, &a, 3, 100, &taken), PARE_OK);
    ck_assert_uint_eq(taken.count, 100);
    for (size_t i = 0, j = 0; i < 100; i++) {
        while (j < 500 && a.indices[j] < taken.indices[i]) {
            j++;
        }
        ck_assert(j < 500 && a.indices[j] == taken.indices[i]); /* a subset of the subset */
    }
    ck_assert_int_eq(dataset_take(&ctx, &arena, &a, 3, 5000, &taken), PARE_OK);
    ck_assert_uint_eq(taken.count, 500);
}
END_TEST

static struct dataset make_of(struct named_tensor *x) {
    struct tensor_set only = {1, x};
    struct dataset d;
    ck_assert_int_eq(dataset_from_arrays(&ctx, &arena, "calib.npz", &only, &spec, &d), PARE_OK);
    return d;
}

START_TEST(labels_do_not_make_other_inputs) {
    uint8_t others[sizeof pixels];
    struct named_tensor same = items[0], changed = items[0], fewer = items[0];
    memcpy(others, pixels, sizeof pixels);
    others[sizeof pixels - 1] ^= 1;
    changed.tensor.data = others;
    fewer.tensor.shape.dim[0]--;
    struct dataset d = make(), a = make_of(&same), b = make_of(&changed), c = make_of(&fewer);
    ck_assert(d.labels != NULL && a.labels == NULL);
    ck_assert(dataset_same_inputs(&d, &a));
    ck_assert(!dataset_same_inputs(&d, &b));
    ck_assert(!dataset_same_inputs(&d, &c));
}
END_TEST

START_TEST(impossible_splits_are_refused) {
    struct dataset d = make(), first, second;
    ck_assert_int_eq(dataset_split(&ctx, &arena, &d, 0, SAMPLES, &first, &second), PARE_ERROR_INPUT);
    context_clear(&ctx);
    ck_assert_int_eq(dataset_split(&ctx, &arena, &d, 0, 0, &first, &second), PARE_ERROR_INPUT);
}
END_TEST

START_TEST(sets_are_joined) {
    struct tensor_set sets[2] = {arrays, arrays}, all;
    struct named_tensor other[2] = {items[0], items[1]};
    other[0].tensor.shape.dim[0] = 2;
    other[1].tensor.shape.dim[0] = 2;
    sets[1].items = other;
    ck_assert_int_eq(tensor_set_join(&ctx, &arena, sets, 2, &all), PARE_OK);
    ck_assert_uint_eq(all.count, 2);
    ck_assert_int_eq(all.items[0].tensor.shape.dim[0], SAMPLES + 2);
    ck_assert_mem_eq((uint8_t *)all.items[0].tensor.data + SAMPLES * SIZE, pixels, 2 * SIZE);
    ck_assert_int_eq(tensor_get_int(&all.items[1].tensor, SAMPLES + 1), labels[1]);
    other[0].tensor.shape.dim[1] = 1;
    ck_assert_int_eq(tensor_set_join(&ctx, &arena, sets, 2, &all), PARE_ERROR_INPUT);
    context_clear(&ctx);
    sets[1].count = 1;
    other[0] = items[0];
    ck_assert_int_eq(tensor_set_join(&ctx, &arena, sets, 2, &all), PARE_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "y: is missing"));
}
END_TEST

int main(void) {
    Suite *s = suite_create("tensor/dataset_parts");
    TCase *t = tcase_create("dataset");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, parts_are_disjoint_and_complete);
    tcase_add_test(t, labels_are_divided_evenly);
    tcase_add_test(t, seeds_decide);
    tcase_add_test(t, labels_do_not_make_other_inputs);
    tcase_add_test(t, impossible_splits_are_refused);
    tcase_add_test(t, sets_are_joined);
    suite_add_tcase(s, t);
    return suite_main(s);
}
