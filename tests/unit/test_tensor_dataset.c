#include "tensor/dataset.h"

#include "suite_main.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAMPLES = 5, CHANNELS = 3, HEIGHT = 4, WIDTH = 2, SIZE = CHANNELS * HEIGHT * WIDTH };

static struct context ctx;
static struct arena arena;
static uint8_t pixels[SAMPLES * SIZE]; /* NCHW */
static int64_t labels[SAMPLES];
static struct named_tensor items[3];
static struct tensor_set arrays;
static struct preprocess declared;
static struct input_spec wanted;
static struct dataset_spec spec;

static void setup(void) {
    context_init(&ctx);
    arena_init(&arena);
    for (size_t i = 0; i < sizeof pixels; i++) {
        pixels[i] = (uint8_t)(i * 41 % 251);
    }
    memcpy(labels, (int64_t[]){0, 1, 2, 1, 0}, sizeof labels);
    items[0] = (struct named_tensor){"x", {DTYPE_UINT8, {4, {SAMPLES, CHANNELS, HEIGHT, WIDTH}}, pixels}};
    items[1] = (struct named_tensor){"y", {DTYPE_INT64, {1, {SAMPLES}}, labels}};
    arrays = (struct tensor_set){2, items};
    preprocess_init(&declared);
    wanted = (struct input_spec){"image", DTYPE_FLOAT, {4, {-1, CHANNELS, HEIGHT, WIDTH}}};
    spec = (struct dataset_spec){.inputs = &wanted, .input_count = 1, .classes = 3, .preprocess = &declared};
}

static void teardown(void) {
    arena_free(&arena);
}

static struct dataset make(void) {
    struct dataset d;
    ck_assert_msg(dataset_from_arrays(&ctx, &arena, "val.npz", &arrays, &spec, &d) == PARE_OK, "%s", ctx.diag.message);
    return d;
}

static void check_refused(const char *what) {
    struct dataset d;
    context_clear(&ctx);
    enum pare_status status = dataset_from_arrays(&ctx, &arena, "val.npz", &arrays, &spec, &d);
    ck_assert_msg(status == PARE_ERROR_INPUT, "not refused; expected: %s", what);
    ck_assert_mem_eq(ctx.diag.message, "val.npz: ", 9);
    ck_assert_msg(strstr(ctx.diag.message, what) != NULL, "'%s' not in: %s", what, ctx.diag.message);
}

static void want_nhwc(void) {
    wanted.shape = (struct shape){4, {1, HEIGHT, WIDTH, CHANNELS}};
}

static const float *load(const struct dataset *d, size_t i) {
    struct tensor *t = NULL;
    ck_assert_int_eq(dataset_new_sample(&ctx, &arena, d, &t), PARE_OK);
    dataset_load(d, i, t);
    return t->data;
}

static uint8_t pixel(size_t n, size_t c, size_t h, size_t w) {
    return pixels[((n * CHANNELS + c) * HEIGHT + h) * WIDTH + w];
}

START_TEST(as_it_is) {
    struct dataset d = make();
    ck_assert_uint_eq(d.count, SAMPLES);
    ck_assert_int_eq(d.inputs[0].type, DTYPE_FLOAT);
    struct shape one = {4, {1, CHANNELS, HEIGHT, WIDTH}};
    ck_assert(shape_equal(&d.inputs[0].shape, &one));
    for (size_t n = 0; n < SAMPLES; n++) {
        const float *v = load(&d, n);
        for (size_t i = 0; i < SIZE; i++) {
            ck_assert(v[i] == (float)pixels[n * SIZE + i]);
        }
        ck_assert_int_eq(dataset_label(&d, n), labels[n]);
    }
}
END_TEST

static void declare_channels(void) {
    declared.scale = 1.0 / 255;
    declared.mean_count = declared.std_count = CHANNELS;
    memcpy(declared.mean, (double[]){.4914, .4822, .4465}, sizeof(double[3]));
    memcpy(declared.std, (double[]){.2023, .1994, .2010}, sizeof(double[3]));
}

static float expected_value(size_t n, size_t c, size_t h, size_t w) {
    float v = (float)pixel(n, c, h, w) * (float)declared.scale;
    v -= (float)declared.mean[c];
    return v / (float)declared.std[c];
}

START_TEST(scale_mean_std_per_channel) {
    declare_channels();
    struct dataset d = make();
    for (size_t n = 0; n < SAMPLES; n++) {
        const float *v = load(&d, n);
        for (size_t i = 0; i < SIZE; i++) {
            ck_assert(v[i] == expected_value(n, i / (HEIGHT * WIDTH), i / WIDTH % HEIGHT, i % WIDTH));
        }
    }
}
END_TEST

START_TEST(transposed_to_nhwc) {
    declare_channels();
    declared.layout = LAYOUT_NHWC;
    want_nhwc();
    struct dataset d = make();
    ck_assert(shape_equal(&d.inputs[0].shape, &wanted.shape));
    for (size_t n = 0; n < SAMPLES; n++) {
        const float *v = load(&d, n);
        for (size_t i = 0; i < SIZE; i++) {
            ck_assert(v[i] == expected_value(n, i % CHANNELS, i / CHANNELS / WIDTH, i / CHANNELS % WIDTH));
        }
    }
}
END_TEST

/* The same bytes read as NHWC data for a model that wants NCHW. */
START_TEST(transposed_to_nchw) {
    items[0].tensor.shape = (struct shape){4, {SAMPLES, HEIGHT, WIDTH, CHANNELS}};
    declared.layout = LAYOUT_NCHW;
    struct dataset d = make();
    const float *v = load(&d, 1);
    for (size_t c = 0; c < CHANNELS; c++) {
        for (size_t s = 0; s < HEIGHT * WIDTH; s++) {
            ck_assert(v[c * HEIGHT * WIDTH + s] == (float)pixels[SIZE + s * CHANNELS + c]);
        }
    }
}
END_TEST

START_TEST(data_that_fit_stay) {
    items[0].tensor.shape = (struct shape){4, {SAMPLES, HEIGHT, WIDTH, CHANNELS}};
    want_nhwc();
    declare_channels();
    struct dataset undeclared = make();
    const float *v = load(&undeclared, 0); /* three numbers: the last axis is the only one of three */
    for (size_t i = 0; i < SIZE; i++) {
        float x = (float)pixels[i] * (float)declared.scale - (float)declared.mean[i % CHANNELS];
        ck_assert(v[i] == x / (float)declared.std[i % CHANNELS]);
    }
    declared.layout = LAYOUT_NHWC;
    struct dataset d = make();
    ck_assert_mem_eq(load(&d, 0), v, SIZE * sizeof(float));
}
END_TEST

START_TEST(one_number_for_all_channels) {
    declared.mean_count = declared.std_count = 1;
    declared.mean[0] = 83;
    declared.std[0] = 2;
    struct dataset d = make();
    const float *v = load(&d, 2);
    for (size_t i = 0; i < SIZE; i++) {
        ck_assert(v[i] == ((float)pixels[2 * SIZE + i] - 83) / 2);
    }
}
END_TEST

START_TEST(open_dimensions) {
    wanted.shape = (struct shape){4, {-1, CHANNELS, -1, -1}};
    ck_assert_int_eq(make().inputs[0].shape.dim[2], HEIGHT);
    wanted.shape = (struct shape){.rank = -1};
    ck_assert_int_eq(make().inputs[0].shape.rank, 4);
}
END_TEST

START_TEST(mismatches_name_both_shapes) {
    want_nhwc();
    check_refused("x: has shape [5,3,4,2], but the model's input 'image' wants [1,4,2,3]; declare the layout nhwc");
    wanted.shape = (struct shape){4, {1, 1, HEIGHT, WIDTH}};
    check_refused("[5,3,4,2], but the model's input 'image' wants [1,1,4,2]");
    declared.layout = LAYOUT_NHWC;
    check_refused("[5,3,4,2], but the model's input 'image' wants [1,1,4,2]");
    wanted.shape = (struct shape){2, {-1, SIZE}};
    check_refused("[5,3,4,2], but the model's input 'image' wants [?,24]");
    wanted.shape = (struct shape){4, {8, CHANNELS, HEIGHT, WIDTH}};
    check_refused("batch of 1");
    wanted.shape = (struct shape){0};
    check_refused("wants []");
}
END_TEST

START_TEST(a_whole_input_holds_one_sample) {
    wanted.shape = (struct shape){4, {-1, 1, HEIGHT, WIDTH}};
    items[0].tensor.shape = (struct shape){5, {SAMPLES, CHANNELS, 1, HEIGHT, WIDTH}};
    check_refused("x: has shape [5,3,1,4,2], but the model's input 'image' wants [?,1,4,2]; a sample that is a whole "
                  "input has a batch of 1");
    items[0].tensor.shape = (struct shape){5, {SAMPLES, 1, 1, HEIGHT, CHANNELS * WIDTH}};
    wanted.shape.dim[3] = CHANNELS * WIDTH;
    ck_assert_int_eq(make().inputs[0].shape.dim[0], 1);
}
END_TEST

START_TEST(channel_counts_must_agree) {
    declared.mean_count = 5;
    check_refused("mean and std have 5 numbers, but a sample of shape [1,3,4,2]");
    declared.layout = LAYOUT_NHWC;
    declared.mean_count = CHANNELS;
    check_refused("has 2 channels (layout nhwc)");
}
END_TEST

START_TEST(types_must_fit) {
    wanted.type = DTYPE_INT32;
    struct dataset d = make();
    struct tensor *t = NULL;
    ck_assert_int_eq(dataset_new_sample(&ctx, &arena, &d, &t), PARE_OK);
    dataset_load(&d, 3, t);
    ck_assert_int_eq(tensor_get_int(t, 1), pixels[3 * SIZE + 1]);
    wanted.type = DTYPE_INT8;
    check_refused("x: has uint8 [5,3,4,2], but the model's input 'image' wants int8 [?,3,4,2]");
    static float values[SAMPLES * SIZE];
    items[0].tensor.type = DTYPE_FLOAT;
    items[0].tensor.data = values;
    wanted.type = DTYPE_INT64;
    check_refused("has float32");
    wanted.type = DTYPE_STRING;
    check_refused("wants string");
}
END_TEST

START_TEST(bad_values_are_found) {
    static float values[SAMPLES * SIZE];
    items[0].tensor.type = DTYPE_FLOAT;
    items[0].tensor.data = values;
    values[2 * SIZE + 7] = NAN;
    check_refused("x[2] holds nan, which is not finite in float32, at element 7");
    values[2 * SIZE + 7] = -INFINITY;
    check_refused("x[2] holds -inf");
    values[2 * SIZE + 7] = 0;
    make();
    static double wide[SAMPLES * SIZE];
    wide[0] = 1e300;
    items[0].tensor.type = DTYPE_DOUBLE;
    items[0].tensor.data = wide;
    check_refused("x[0] holds 1e+300");
}
END_TEST

START_TEST(empty_data_are_refused) {
    items[0].tensor.shape.dim[0] = 0;
    items[1].tensor.shape.dim[0] = 0;
    check_refused("x: has shape [0,3,4,2]");
    items[0].tensor.shape = (struct shape){4, {SAMPLES, CHANNELS, 0, WIDTH}};
    check_refused("at least one sample");
    items[0].tensor.shape = (struct shape){0};
    check_refused("first axis");
}
END_TEST

START_TEST(labels_are_checked) {
    labels[3] = 3;
    check_refused("y[3] is 3, but the model has 3 classes, 0 to 2");
    spec.classes = 0;
    make();
    labels[3] = -1;
    check_refused("y[3] is -1");
    spec.ignore_labels = true;
    ck_assert_ptr_null(make().labels);
    spec.ignore_labels = false;
    labels[3] = 0;
    items[1].tensor.shape = (struct shape){2, {SAMPLES, 1}};
    ck_assert_ptr_nonnull(make().labels);
    items[1].tensor.shape = (struct shape){1, {SAMPLES - 1}};
    check_refused("y has shape [4], but there are 5 samples");
    items[1].tensor.shape = (struct shape){2, {1, SAMPLES}};
    check_refused("y has shape [1,5]");
    items[1].tensor.shape = (struct shape){1, {SAMPLES}};
    items[1].tensor.type = DTYPE_DOUBLE;
    check_refused("labels are integers");
    uint64_t large[SAMPLES] = {0, 1, 2, UINT64_MAX, 0};
    items[1].tensor.type = DTYPE_UINT64;
    items[1].tensor.data = large;
    spec.classes = 3;
    check_refused("y[3] is");
}
END_TEST

START_TEST(several_inputs) {
    static float state[SAMPLES * 2 * 7];
    struct input_spec both[2] = {wanted, {"state", DTYPE_FLOAT, {3, {2, -1, 7}}}};
    spec.inputs = both;
    spec.input_count = 2;
    check_refused("has no array 'image'; the arrays there are: 'x', 'y'");
    items[0].name = "image";
    check_refused("has no array 'state'");
    state[14 + 13] = 4;
    items[2] = (struct named_tensor){"state", {DTYPE_FLOAT, {4, {SAMPLES, 2, 1, 7}}, state}};
    arrays.count = 3;
    struct dataset d = make();
    struct tensor *t = NULL;
    ck_assert_int_eq(dataset_new_sample(&ctx, &arena, &d, &t), PARE_OK);
    dataset_load(&d, 1, t);
    struct shape whole = {3, {2, 1, 7}};
    ck_assert(shape_equal(&t[1].shape, &whole));
    ck_assert(((float *)t[1].data)[13] == 4);
    items[2].tensor.shape.dim[0] = SAMPLES - 1;
    check_refused("state: has 4 samples, the inputs before it 5");
}
END_TEST

static char warning[256];

static void keep_warning(void *user, const char *message) {
    (void)user;
    snprintf(warning, sizeof warning, "%s", message);
}

START_TEST(names) {
    ctx.warn = keep_warning;
    items[2] = (struct named_tensor){"extra", {DTYPE_UINT8, {1, {1}}, pixels}};
    arrays.count = 3;
    make();
    ck_assert_str_eq(warning, "val.npz: array 'extra' is not used");
    items[0].name = "image";
    ck_assert_uint_eq(make().count, SAMPLES);
    items[0].name = "pictures";
    check_refused("has no array 'image' and none called 'x'; the arrays there are: 'pictures', 'y', 'extra'");
}
END_TEST

START_TEST(the_hash_sees_everything) {
    uint64_t first = make().hash;
    ck_assert_uint_eq(make().hash, first);
    pixels[17]++;
    uint64_t second = make().hash;
    ck_assert_uint_ne(second, first);
    pixels[17]--;
    labels[0] = 1;
    ck_assert_uint_ne(make().hash, first);
    labels[0] = 0;
    ck_assert_uint_eq(make().hash, first);
    declared.scale = 0.5;
    ck_assert_uint_ne(make().hash, first);
    declared.scale = 1;
    declared.layout = LAYOUT_NCHW;
    ck_assert_uint_ne(make().hash, first);
    declared.layout = LAYOUT_ANY;
    declared.mean_count = 1;
    uint64_t with_mean = make().hash;
    ck_assert_uint_ne(with_mean, first);
    declared.mean[0] = 2;
    ck_assert_uint_ne(make().hash, with_mean);
    declared.mean[0] = 0;
    declared.mean_count = 0;
    declared.std_count = 1;
    declared.std[0] = 1;
    ck_assert_uint_ne(make().hash, with_mean);
}
END_TEST

START_TEST(files) {
    struct dataset a, b;
    const char *npz = "pare-test-dataset.npz", *npy = "pare-test-dataset.npy";
    ck_assert_int_eq(npz_write(&ctx, npz, &arrays), PARE_OK);
    FILE *f = fopen(npy, "wb");
    ck_assert_ptr_nonnull(f);
    struct buffer bytes;
    buffer_init(&bytes);
    ck_assert_int_eq(npy_append(&ctx, &bytes, &items[0].tensor), PARE_OK);
    ck_assert_uint_eq(fwrite(bytes.data, 1, bytes.size, f), bytes.size);
    fclose(f);
    buffer_free(&bytes);
    ck_assert_int_eq(dataset_read(&ctx, &arena, npz, &spec, &a), PARE_OK);
    ck_assert_int_eq(dataset_read(&ctx, &arena, npy, &spec, &b), PARE_OK);
    ck_assert(a.labels != NULL && b.labels == NULL);
    ck_assert_mem_eq(load(&a, 4), load(&b, 4), SIZE * sizeof(float));
    struct input_spec both[2] = {wanted, wanted};
    spec.inputs = both;
    spec.input_count = 2;
    ck_assert_int_eq(dataset_read(&ctx, &arena, npy, &spec, &b), PARE_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "the model has 2 inputs"));
    unlink(npz);
    unlink(npy);
    context_clear(&ctx);
    ck_assert_int_eq(dataset_read(&ctx, &arena, npz, &spec, &a), PARE_ERROR_INPUT);
}
END_TEST

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
    Suite *s = suite_create("tensor/dataset");
    TCase *t = tcase_create("dataset");
    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, as_it_is);
    tcase_add_test(t, scale_mean_std_per_channel);
    tcase_add_test(t, transposed_to_nhwc);
    tcase_add_test(t, transposed_to_nchw);
    tcase_add_test(t, data_that_fit_stay);
    tcase_add_test(t, one_number_for_all_channels);
    tcase_add_test(t, open_dimensions);
    tcase_add_test(t, mismatches_name_both_shapes);
    tcase_add_test(t, a_whole_input_holds_one_sample);
    tcase_add_test(t, channel_counts_must_agree);
    tcase_add_test(t, types_must_fit);
    tcase_add_test(t, bad_values_are_found);
    tcase_add_test(t, empty_data_are_refused);
    tcase_add_test(t, labels_are_checked);
    tcase_add_test(t, several_inputs);
    tcase_add_test(t, names);
    tcase_add_test(t, the_hash_sees_everything);
    tcase_add_test(t, files);
    tcase_add_test(t, parts_are_disjoint_and_complete);
    tcase_add_test(t, labels_are_divided_evenly);
    tcase_add_test(t, seeds_decide);
    tcase_add_test(t, labels_do_not_make_other_inputs);
    tcase_add_test(t, impossible_splits_are_refused);
    tcase_add_test(t, sets_are_joined);
    return suite_main(s);
}
