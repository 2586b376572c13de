/* Resize against the formulas of the ONNX specification (operator Resize, version 19). */
#include "float_trial.h"

#include "suite_main.h"

static const char *const coordinates[] = {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"};
static const char *const nearest_modes[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};

static double coordinate(const char *mode, int64_t o, int64_t in, int64_t out) {
    double scale = (double)out / (double)in, x = (double)o;
    if (strcmp(mode, "align_corners") == 0) {
        return out == 1 ? 0.0 : x * (double)(in - 1) / (double)(out - 1);
    }
    if (strcmp(mode, "asymmetric") == 0) {
        return x / scale;
    }
    if (strcmp(mode, "pytorch_half_pixel") == 0 && out == 1) {
        return 0.0;
    }
    return (x + 0.5) / scale - 0.5;
}

static int64_t clamp(int64_t v, int64_t n) {
    return v < 0 ? 0 : v >= n ? n - 1 : v;
}

static int64_t nearest(const char *mode, double x) {
    if (strcmp(mode, "floor") == 0) {
        return (int64_t)floor(x);
    }
    if (strcmp(mode, "ceil") == 0) {
        return (int64_t)ceil(x);
    }
    return (int64_t)(strcmp(mode, "round_prefer_floor") == 0 ? ceil(x - 0.5) : floor(x + 0.5));
}

/* Where a coordinate falls on the boundary between two choices, a scale that float32 cannot hold exactly leaves the
 * choice to rounding errors: such elements are left out. */
static bool is_decided(double x, int64_t in, int64_t out) {
    double phase = x * 2.0 - floor(x * 2.0), scale = (double)out / (double)in;
    return (phase > 1e-3 && phase < 1.0 - 1e-3) || (phase == 0.0 && (double)(float)scale == scale);
}

static void start(struct trial *t, uint64_t seed, int64_t *in, int64_t *out) {
    trial_start(t, "Resize", 4, 1, seed);
    in[0] = out[0] = 1;
    in[1] = out[1] = 2;
    for (int i = 2; i < 4; i++) {
        in[i] = trial_integer(t, 1, 8);
        out[i] = trial_integer(t, 1, 12);
    }
    trial_random(t, 0, 4, in);
    trial_vector(t, 3, out, 4);
}

START_TEST(resize_nearest) {
    struct trial t;
    int64_t in[4], out[4];
    const char *mode = coordinates[_i % 4], *rounding = nearest_modes[_i / 4 % 4];
    start(&t, (uint64_t)_i, in, out);
    trial_string(&t, "coordinate_transformation_mode", mode);
    trial_string(&t, "nearest_mode", rounding);
    trial_run(&t);
    trial_expect_shape(&t, 0, 4, out);
    const float *x = t.inputs[0].data;
    for (int64_t i = 0; i < 2 * out[2] * out[3]; i++) {
        double row = coordinate(mode, i / out[3] % out[2], in[2], out[2]),
               column = coordinate(mode, i % out[3], in[3], out[3]);
        int64_t r = clamp(nearest(rounding, row), in[2]), c = clamp(nearest(rounding, column), in[3]);
        if (is_decided(row, in[2], out[2]) && is_decided(column, in[3], out[3])) {
            trial_expect(&t, 0, (size_t)i, (double)x[(i / (out[2] * out[3]) * in[2] + r) * in[3] + c], 0.0);
        }
    }
    trial_end(&t);
}
END_TEST

START_TEST(resize_linear) {
    struct trial t;
    int64_t in[4], out[4];
    const char *mode = coordinates[_i % 4];
    start(&t, (uint64_t)_i + 500, in, out);
    trial_string(&t, "coordinate_transformation_mode", mode);
    trial_string(&t, "mode", "linear");
    trial_run(&t);
    trial_expect_shape(&t, 0, 4, out);
    for (int64_t i = 0; i < 2 * out[2] * out[3]; i++) {
        const float *x = (const float *)t.inputs[0].data + i / (out[2] * out[3]) * in[2] * in[3];
        double row = coordinate(mode, i / out[3] % out[2], in[2], out[2]),
               column = coordinate(mode, i % out[3], in[3], out[3]);
        double sum = 0.0;
        for (int corner = 0; corner < 4; corner++) {
            int64_t r = (int64_t)floor(row) + corner / 2, c = (int64_t)floor(column) + corner % 2;
            double weight = (1.0 - fabs(row - (double)r)) * (1.0 - fabs(column - (double)c));
            sum += weight * (double)x[clamp(r, in[2]) * in[3] + clamp(c, in[3])];
        }
        trial_expect(&t, 0, (size_t)i, sum, 2e-5);
    }
    trial_end(&t);
}
END_TEST

/* Every mode keeps a constant image, inside and with antialias, as its weights add up to 1. */
START_TEST(constants_stay) {
    struct trial t;
    int64_t in[4], out[4];
    start(&t, (uint64_t)_i + 900, in, out);
    for (int64_t i = 0; i < 2 * in[2] * in[3]; i++) {
        ((float *)t.inputs[0].data)[i] = 3.0f;
    }
    trial_string(&t, "mode", _i % 2 ? "cubic" : "linear");
    trial_int(&t, "antialias", _i / 2 % 2);
    trial_int(&t, "exclude_outside", _i / 4 % 2);
    trial_run(&t);
    for (size_t i = 0; i < tensor_count(&t.outputs[0]); i++) {
        trial_expect(&t, 0, i, 3.0, 1e-5);
    }
    trial_end(&t);
}
END_TEST

START_TEST(crop_and_resize) {
    struct trial t;
    trial_start(&t, "Resize", 4, 1, 1);
    memcpy(trial_random(&t, 0, 2, (int64_t[]){1, 4}), (float[]){1, 2, 3, 4}, 16);
    memcpy(trial_random(&t, 1, 1, (int64_t[]){4}), (float[]){0, 0.5f, 0, 1.5f}, 16);
    trial_vector(&t, 3, (int64_t[]){1, 3}, 2);
    trial_string(&t, "coordinate_transformation_mode", "tf_crop_and_resize");
    trial_string(&t, "mode", "linear");
    trial_float(&t, "extrapolation_value", -7.0f);
    trial_run(&t);
    /* Columns 1.5, 3 and 4.5: the last lies outside. */
    double expected[3] = {2.5, 4.0, -7.0};
    for (size_t i = 0; i < 3; i++) {
        trial_expect(&t, 0, i, expected[i], 1e-6);
    }
    trial_end(&t);
}
END_TEST

START_TEST(unknown_mode_is_refused) {
    struct trial t;
    int64_t in[4], out[4];
    start(&t, 1, in, out);
    trial_string(&t, "mode", "lanczos");
    trial_refused(&t, PARE_ERROR_UNSUPPORTED);
    trial_end(&t);
}
END_TEST

int main(void) {
    Suite *s = suite_create("float/resize");
    TCase *resize = tcase_create("Resize");
    tcase_add_loop_test(resize, resize_nearest, 0, 160);
    tcase_add_loop_test(resize, resize_linear, 0, 120);
    tcase_add_loop_test(resize, constants_stay, 0, 40);
    tcase_add_test(resize, crop_and_resize);
    tcase_add_test(resize, unknown_mode_is_refused);
    suite_add_tcase(s, resize);
    return suite_main(s);
}
