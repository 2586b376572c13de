/* Conv and ConvTranspose against their definitions, over seeded random shapes. */
#include "float_trial.h"

#include "suite_main.h"

struct setting {
    int axes;                                         /* spatial */
    int64_t batch, groups, in_channels, out_channels; /* channels of one group */
    int64_t image[3], kernel[3], stride[3], dilation[3], pads[6], extra[3];
    bool bias;
};

static int64_t extent(const struct setting *s, int i) {
    return (s->kernel[i] - 1) * s->dilation[i] + 1;
}

static void choose(struct trial *t, int axes, struct setting *s) {
    memset(s, 0, sizeof *s);
    s->axes = axes;
    s->batch = trial_integer(t, 1, 2);
    s->groups = trial_integer(t, 1, 3);
    s->in_channels = trial_integer(t, 1, 3);
    s->out_channels = trial_integer(t, 1, 3);
    s->bias = trial_integer(t, 0, 1) != 0;
    for (int i = 0; i < axes; i++) {
        s->kernel[i] = trial_integer(t, 1, 4);
        s->stride[i] = trial_integer(t, 1, 3);
        s->dilation[i] = trial_integer(t, 1, 2);
        s->pads[i] = trial_integer(t, 0, 2);
        s->pads[axes + i] = trial_integer(t, 0, 2);
        s->image[i] = extent(s, i) + trial_integer(t, 0, axes == 1 ? 700 : 9);
        s->extra[i] = trial_integer(t, 0, (s->stride[i] > s->dilation[i] ? s->stride[i] : s->dilation[i]) - 1);
    }
}

static void set_window(struct trial *t, const struct setting *s) {
    size_t axes = (size_t)s->axes;
    trial_ints(t, "kernel_shape", s->kernel, axes);
    trial_ints(t, "strides", s->stride, axes);
    trial_ints(t, "dilations", s->dilation, axes);
    trial_ints(t, "pads", s->pads, 2 * axes);
    trial_int(t, "group", s->groups);
}

/* Position of `index` along up to three axes; false past the end. */
static bool next(int64_t *index, const int64_t *size, int axes) {
    for (int i = axes - 1; i >= 0; i--) {
        if (++index[i] < size[i]) {
            return true;
        }
        index[i] = 0;
    }
    return false;
}

static int64_t offset(const int64_t *index, const int64_t *size, int axes) {
    int64_t at = 0;
    for (int i = 0; i < axes; i++) {
        if (index[i] < 0 || index[i] >= size[i]) {
            return -1;
        }
        at = at * size[i] + index[i];
    }
    return at;
}

static int64_t volume(const int64_t *size, int axes) {
    int64_t v = 1;
    for (int i = 0; i < axes; i++) {
        v *= size[i];
    }
    return v;
}

/* Adds to sum[o] (or, transposed, to sum[p]) what passes between window position o and image position p. */
static void slide(const struct setting *s, const int64_t *image, const int64_t *windows, const float *kernel,
                  const float *from, double *sum, bool transposed) {
    int64_t o[3] = {0};
    do {
        int64_t k[3] = {0};
        do {
            int64_t p[3];
            for (int i = 0; i < s->axes; i++) {
                p[i] = o[i] * s->stride[i] + k[i] * s->dilation[i] - s->pads[i];
            }
            int64_t at = offset(p, image, s->axes), window = offset(o, windows, s->axes);
            double w = (double)kernel[offset(k, s->kernel, s->axes)];
            if (at >= 0) {
                sum[transposed ? at : window] += w * (double)from[transposed ? window : at];
            }
        } while (next(k, s->kernel, s->axes));
    } while (next(o, windows, s->axes));
}

static void expect_planes(const struct trial *t, const double *sum, int64_t first, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        trial_expect(t, 0, (size_t)(first + i), sum[i], 1e-4);
    }
}

static void conv_dims(const struct setting *s, int64_t *x, int64_t *w, int64_t *out) {
    x[0] = out[0] = s->batch;
    x[1] = s->groups * s->in_channels;
    w[0] = out[1] = s->groups * s->out_channels;
    w[1] = s->in_channels;
    for (int i = 0; i < s->axes; i++) {
        x[2 + i] = s->image[i];
        w[2 + i] = s->kernel[i];
        out[2 + i] = (s->image[i] + s->pads[i] + s->pads[s->axes + i] - extent(s, i)) / s->stride[i] + 1;
    }
}

static void check_conv(uint64_t seed, int axes) {
    struct trial t;
    struct setting s;
    trial_start(&t, "Conv", 3, 1, seed);
    choose(&t, axes, &s);
    int64_t xd[5], wd[5], yd[5], channels = s.groups * s.out_channels;
    conv_dims(&s, xd, wd, yd);
    const float *x = trial_random(&t, 0, 2 + axes, xd), *w = trial_random(&t, 1, 2 + axes, wd);
    const float *bias = s.bias ? trial_random(&t, 2, 1, &channels) : NULL;
    set_window(&t, &s);
    trial_run(&t);
    trial_expect_shape(&t, 0, 2 + axes, yd);

    int64_t image = volume(s.image, axes), windows = volume(yd + 2, axes), taps = volume(s.kernel, axes);
    double *sum = calloc((size_t)windows, sizeof *sum);
    for (int64_t plane = 0; plane < s.batch * channels; plane++) {
        int64_t m = plane % channels, group = m / s.out_channels;
        for (int64_t i = 0; i < windows; i++) {
            sum[i] = bias != NULL ? (double)bias[m] : 0.0;
        }
        for (int64_t k = 0; k < s.in_channels; k++) {
            int64_t channel = (plane / channels * s.groups + group) * s.in_channels + k;
            slide(&s, s.image, yd + 2, w + (m * s.in_channels + k) * taps, x + channel * image, sum, false);
        }
        expect_planes(&t, sum, plane * windows, windows);
    }
    free(sum);
    trial_end(&t);
}

START_TEST(conv_1d) {
    check_conv((uint64_t)_i, 1);
}
END_TEST

START_TEST(conv_2d) {
    check_conv((uint64_t)_i + 1000, 2);
}
END_TEST

START_TEST(conv_3d) {
    check_conv((uint64_t)_i + 2000, 3);
}
END_TEST

static void check_transposed(uint64_t seed, int axes) {
    struct trial t;
    struct setting s;
    trial_start(&t, "ConvTranspose", 3, 1, seed);
    choose(&t, axes, &s);
    int64_t xd[5] = {s.batch, s.groups * s.in_channels}, wd[5] = {s.groups * s.in_channels, s.out_channels};
    int64_t channels = s.groups * s.out_channels, yd[5] = {s.batch, channels};
    for (int i = 0; i < axes; i++) {
        xd[2 + i] = s.image[i] = 1 + s.image[i] % 7 + s.pads[i] + s.pads[axes + i];
        wd[2 + i] = s.kernel[i];
        yd[2 + i] = (s.image[i] - 1) * s.stride[i] + s.extra[i] + extent(&s, i) - s.pads[i] - s.pads[axes + i];
    }
    const float *x = trial_random(&t, 0, 2 + axes, xd), *w = trial_random(&t, 1, 2 + axes, wd);
    const float *bias = s.bias ? trial_random(&t, 2, 1, &channels) : NULL;
    set_window(&t, &s);
    trial_ints(&t, "output_padding", s.extra, (size_t)axes);
    trial_run(&t);
    trial_expect_shape(&t, 0, 2 + axes, yd);

    int64_t windows = volume(s.image, axes), image = volume(yd + 2, axes), taps = volume(s.kernel, axes);
    double *sum = calloc((size_t)image, sizeof *sum);
    for (int64_t plane = 0; plane < s.batch * channels; plane++) {
        int64_t m = plane % channels, group = m / s.out_channels;
        for (int64_t i = 0; i < image; i++) {
            sum[i] = bias != NULL ? (double)bias[m] : 0.0;
        }
        for (int64_t k = 0; k < s.in_channels; k++) {
            int64_t own = group * s.in_channels + k;
            int64_t channel = plane / channels * s.groups * s.in_channels + own;
            const float *kernel = w + (own * s.out_channels + m % s.out_channels) * taps;
            slide(&s, yd + 2, s.image, kernel, x + channel * windows, sum, true);
        }
        expect_planes(&t, sum, plane * image, image);
    }
    free(sum);
    trial_end(&t);
}

START_TEST(transposed_1d) {
    check_transposed((uint64_t)_i + 3000, 1);
}
END_TEST

START_TEST(transposed_2d) {
    check_transposed((uint64_t)_i + 4000, 2);
}
END_TEST

START_TEST(transposed_3d) {
    check_transposed((uint64_t)_i + 5000, 3);
}
END_TEST

/* Large enough for several tiles of unfolded rows; a constant image and kernel have sums known beforehand. */
START_TEST(conv_in_tiles) {
    struct trial t;
    trial_start(&t, "Conv", 2, 1, 1);
    float *x = trial_random(&t, 0, 4, (int64_t[]){1, 32, 60, 70});
    float *w = trial_random(&t, 1, 4, (int64_t[]){5, 32, 3, 3});
    for (int64_t i = 0; i < 32 * 60 * 70; i++) {
        x[i] = 1.0f;
    }
    for (int64_t i = 0; i < 5 * 32 * 9; i++) {
        int64_t filter = i / (32 * 9);
        w[i] = (float)(1 + filter);
    }
    trial_ints(&t, "pads", (int64_t[]){1, 1, 1, 1}, 4);
    trial_run(&t);
    for (int64_t i = 0; i < 5 * 60 * 70; i++) {
        int64_t filter = i / (60 * 70), row = i / 70 % 60, column = i % 70;
        int64_t taps = (3 - (row == 0 || row == 59)) * (3 - (column == 0 || column == 69));
        trial_expect(&t, 0, (size_t)i, (double)(32 * taps * (1 + filter)), 0.0);
    }
    trial_end(&t);
}
END_TEST

START_TEST(four_spatial_axes_are_refused) {
    struct trial t;
    trial_start(&t, "Conv", 2, 1, 1);
    trial_random(&t, 0, 6, (int64_t[]){1, 1, 2, 2, 2, 2});
    trial_random(&t, 1, 6, (int64_t[]){1, 1, 1, 1, 1, 1});
    trial_refused(&t, PARE_ERROR_UNSUPPORTED);
    trial_end(&t);
}
END_TEST

START_TEST(double_precision_is_refused) {
    struct trial t;
    trial_start(&t, "Conv", 2, 1, 1);
    memset(trial_input(&t, 0, DTYPE_DOUBLE, 3, (int64_t[]){1, 1, 4})->data, 0, 32);
    memset(trial_input(&t, 1, DTYPE_DOUBLE, 3, (int64_t[]){1, 1, 1})->data, 0, 8);
    trial_refused(&t, PARE_ERROR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(t.ctx.diag.message, "float64"));
    trial_end(&t);
}
END_TEST

int main(void) {
    Suite *s = suite_create("float/conv");
    TCase *conv = tcase_create("Conv");
    tcase_add_loop_test(conv, conv_1d, 0, 60);
    tcase_add_loop_test(conv, conv_2d, 0, 120);
    tcase_add_loop_test(conv, conv_3d, 0, 40);
    tcase_add_test(conv, conv_in_tiles);
    tcase_add_test(conv, four_spatial_axes_are_refused);
    tcase_add_test(conv, double_precision_is_refused);
    suite_add_tcase(s, conv);
    TCase *transposed = tcase_create("ConvTranspose");
    tcase_add_loop_test(transposed, transposed_1d, 0, 60);
    tcase_add_loop_test(transposed, transposed_2d, 0, 120);
    tcase_add_loop_test(transposed, transposed_3d, 0, 40);
    suite_add_tcase(s, transposed);
    return suite_main(s);
}
