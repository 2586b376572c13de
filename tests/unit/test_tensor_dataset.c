/* What a data set delivers, and what it refuses. */
#include "dataset_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

/* Sample 2 arrives in this shape, its elements in their order. */
static void check_delivered(int rank, const int64_t *dims) {
    struct dataset d = make();
    const struct shape *s = &d.inputs[0].shape;
    ck_assert_int_eq(s->rank, rank);
    for (int i = 0; i < rank; i++) {
        ck_assert_int_eq(s->dim[i], dims[i]);
    }
    const float *v = load(&d, 2);
    for (size_t i = 0; i < SIZE; i++) {
        ck_assert(v[i] == (float)pixels[2 * SIZE + i]);
    }
}

START_TEST(axes_of_size_1) {
    enum { ROWS = CHANNELS * HEIGHT };
    items[0].tensor.shape = (struct shape){3, {SAMPLES, ROWS, WIDTH}};
    wanted.shape = (struct shape){4, {-1, 1, ROWS, WIDTH}};
    check_delivered(4, (int64_t[]){1, 1, ROWS, WIDTH});
    wanted.shape = (struct shape){5, {1, -1, 1, WIDTH, 1}};
    check_delivered(5, (int64_t[]){1, ROWS, 1, WIDTH, 1});
    items[0].tensor.shape = (struct shape){5, {SAMPLES, 1, ROWS, 1, WIDTH}};
    wanted.shape = (struct shape){3, {-1, ROWS, WIDTH}};
    check_delivered(3, (int64_t[]){1, ROWS, WIDTH});
    items[0].tensor.shape = (struct shape){4, {SAMPLES, ROWS, WIDTH, 1}};
    wanted.shape = (struct shape){4, {-1, 1, ROWS, WIDTH}};
    check_delivered(4, (int64_t[]){1, 1, ROWS, WIDTH});
}
END_TEST

START_TEST(flat_inputs) {
    wanted.shape = (struct shape){2, {-1, SIZE}};
    check_delivered(2, (int64_t[]){1, SIZE});
    items[0].tensor.shape = (struct shape){4, {SAMPLES, 1, SIZE / 2, 2}};
    check_delivered(2, (int64_t[]){1, SIZE});
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
    declared.layout = LAYOUT_ANY;
    wanted.shape = (struct shape){2, {-1, SIZE - 1}};
    check_refused("[5,3,4,2], but the model's input 'image' wants [?,23]");
    wanted.shape = (struct shape){2, {-1, -1}};
    check_refused("wants [?,?]");
    wanted.shape = (struct shape){3, {-1, CHANNELS, HEIGHT * WIDTH}};
    check_refused("wants [?,3,8]");
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

START_TEST(labels_in_other_forms) {
    float numbers[SAMPLES] = {0, 1, 2, 1, 0};
    double rows[SAMPLES][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0, 1, 0}, {1, 0, 0}};
    items[1].tensor = (struct tensor){DTYPE_FLOAT, {1, {SAMPLES}}, numbers};
    struct dataset d = make();
    ck_assert_mem_eq(d.labels, labels, sizeof labels);
    numbers[2] = 1.5f;
    check_refused("y has float32 [5], and y[2] is no whole number; labels are integers from 0, or one-hot");
    numbers[2] = NAN;
    check_refused("y[2] is no whole number");
    items[1].tensor = (struct tensor){DTYPE_DOUBLE, {2, {SAMPLES, 3}}, rows};
    d = make();
    ck_assert_mem_eq(d.labels, labels, sizeof labels);
    spec.classes = 2;
    check_refused("y[2] is 2, but the model has 2 classes");
    spec.classes = 3;
    rows[4][1] = 1;
    check_refused("y[4] is no one-hot row");
    rows[4][0] = rows[4][1] = 0;
    check_refused("y[4] is no one-hot row");
    spec.label_use = LABELS_OPTIONAL;
    ck_assert_ptr_null(make().labels);
    rows[4][0] = 1;
    ck_assert_ptr_nonnull(make().labels);
}
END_TEST

START_TEST(labels_are_checked) {
    labels[3] = 3;
    check_refused("y[3] is 3, but the model has 3 classes, 0 to 2");
    spec.classes = 0;
    make();
    labels[3] = -1;
    check_refused("y[3] is -1");
    spec.label_use = LABELS_IGNORED;
    ck_assert_ptr_null(make().labels);
    spec.label_use = LABELS_TAKEN;
    labels[3] = 0;
    items[1].tensor.shape = (struct shape){2, {SAMPLES, 1}};
    ck_assert_ptr_nonnull(make().labels);
    items[1].tensor.shape = (struct shape){1, {SAMPLES - 1}};
    check_refused("y has shape [4], but there are 5 samples");
    items[1].tensor.shape = (struct shape){2, {1, SAMPLES}};
    check_refused("y has shape [1,5]");
    items[1].tensor.shape = (struct shape){1, {SAMPLES}};
    items[1].tensor.type = DTYPE_BOOL;
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
    tcase_add_test(t, axes_of_size_1);
    tcase_add_test(t, flat_inputs);
    tcase_add_test(t, labels_are_checked);
    tcase_add_test(t, labels_in_other_forms);
    tcase_add_test(t, several_inputs);
    tcase_add_test(t, names);
    tcase_add_test(t, the_hash_sees_everything);
    tcase_add_test(t, files);
    return suite_main(s);
}
