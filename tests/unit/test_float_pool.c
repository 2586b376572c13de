/* Pools against their definitions, over seeded random shapes. */
#include "float_trial.h"

#include "suite_main.h"

struct setting {
    int64_t planes[2], image[2], kernel[2], stride[2], dilation[2], pads[4];
    bool ceil_mode, pads_count;
};

static int64_t extent(const struct setting *s, int i) {
    return (s->kernel[i] - 1) * s->dilation[i] + 1;
}

/* With ceil_mode, a last window that would begin in the end padding is dropped. */
static int64_t output_size(const struct setting *s, int i) {
    int64_t room = s->image[i] + s->pads[i] + s->pads[2 + i] - extent(s, i);
    int64_t size = (room + (s->ceil_mode ? s->stride[i] - 1 : 0)) / s->stride[i] + 1;
    bool dropped = s->ceil_mode && (size - 1) * s->stride[i] >= s->image[i] + s->pads[i];
    return dropped ? size - 1 : size;
}

static void choose(struct trial *t, struct setting *s) {
    s->planes[0] = trial_integer(t, 1, 2);
    s->planes[1] = trial_integer(t, 1, 3);
    for (int i = 0; i < 2; i++) {
        s->kernel[i] = trial_integer(t, 1, 4);
        s->stride[i] = trial_integer(t, 1, 3);
        s->dilation[i] = trial_integer(t, 1, 2);
        s->pads[i] = trial_integer(t, 0, s->kernel[i] - 1);
        s->pads[2 + i] = trial_integer(t, 0, s->kernel[i] - 1);
        s->image[i] = extent(s, i) + trial_integer(t, 0, 12);
    }
    s->ceil_mode = trial_integer(t, 0, 1) != 0;
    s->pads_count = trial_integer(t, 0, 1) != 0;
}

struct window {
    double largest, sum;
    int inside, padded; /* taps on the image; on the image or its declared padding */
};

static struct window look(const struct setting *s, const float *x, int64_t row, int64_t column) {
    struct window w = {.largest = -INFINITY};
    for (int64_t k = 0; k < s->kernel[0] * s->kernel[1]; k++) {
        int64_t i = row * s->stride[0] + k / s->kernel[1] * s->dilation[0] - s->pads[0];
        int64_t j = column * s->stride[1] + k % s->kernel[1] * s->dilation[1] - s->pads[1];
        w.padded += i < s->image[0] + s->pads[2] && j < s->image[1] + s->pads[3];
        if (i < 0 || j < 0 || i >= s->image[0] || j >= s->image[1]) {
            continue;
        }
        double v = (double)x[i * s->image[1] + j];
        w.inside++;
        w.sum += v;
        w.largest = fmax(w.largest, v);
    }
    return w;
}

static void check_pool(const char *op, uint64_t seed) {
    struct trial t;
    struct setting s;
    trial_start(&t, op, 1, 1, seed);
    choose(&t, &s);
    bool is_max = strcmp(op, "MaxPool") == 0;
    int64_t dims[4] = {s.planes[0], s.planes[1], s.image[0], s.image[1]};
    int64_t out[4] = {s.planes[0], s.planes[1], output_size(&s, 0), output_size(&s, 1)};
    const float *x = trial_random(&t, 0, 4, dims);
    trial_ints(&t, "kernel_shape", s.kernel, 2);
    trial_ints(&t, "strides", s.stride, 2);
    trial_ints(&t, "dilations", s.dilation, 2);
    trial_ints(&t, "pads", s.pads, 4);
    trial_int(&t, "ceil_mode", s.ceil_mode);
    if (!is_max) {
        trial_int(&t, "count_include_pad", s.pads_count);
    }
    trial_run(&t);
    trial_expect_shape(&t, 0, 4, out);
    int64_t size = out[2] * out[3];
    for (int64_t i = 0; i < out[0] * out[1] * size; i++) {
        struct window w = look(&s, x + i / size * s.image[0] * s.image[1], i % size / out[3], i % out[3]);
        int divisor = s.pads_count ? w.padded : w.inside;
        if (w.inside > 0) {
            trial_expect(&t, 0, (size_t)i, is_max ? w.largest : w.sum / divisor, is_max ? 0.0 : 1e-6);
        }
    }
    trial_end(&t);
}

START_TEST(max_pool) {
    check_pool("MaxPool", (uint64_t)_i);
}
END_TEST

START_TEST(average_pool) {
    check_pool("AveragePool", (uint64_t)_i + 1000);
}
END_TEST

START_TEST(max_pool_of_integers) {
    struct trial t;
    trial_start(&t, "MaxPool", 1, 1, 1);
    struct tensor *x = trial_input(&t, 0, DTYPE_INT8, 3, (int64_t[]){1, 1, 4});
    memcpy(x->data, (int8_t[]){-128, -5, 127, 3}, 4);
    trial_ints(&t, "kernel_shape", (int64_t[]){2}, 1);
    trial_run(&t);
    ck_assert_int_eq(t.outputs[0].type, DTYPE_INT8);
    ck_assert_int_eq(memcmp(t.outputs[0].data, (int8_t[]){-5, 127, 127}, 3), 0);
    trial_end(&t);
}
END_TEST

START_TEST(global_pools) {
    for (int is_max = 0; is_max < 2; is_max++) {
        struct trial t;
        trial_start(&t, is_max ? "GlobalMaxPool" : "GlobalAveragePool", 1, 1, 7);
        const float *x = trial_random(&t, 0, 5, (int64_t[]){2, 3, 4, 5, 2});
        trial_run(&t);
        trial_expect_shape(&t, 0, 5, (int64_t[]){2, 3, 1, 1, 1});
        for (size_t i = 0; i < 6; i++) {
            double sum = 0.0, largest = -INFINITY;
            for (size_t k = 0; k < 40; k++) {
                sum += (double)x[i * 40 + k];
                largest = fmax(largest, (double)x[i * 40 + k]);
            }
            trial_expect(&t, 0, i, is_max ? largest : sum / 40.0, 1e-6);
        }
        trial_end(&t);
    }
}
END_TEST

int main(void) {
    Suite *s = suite_create("float/pool");
    TCase *pools = tcase_create("pools");
    tcase_add_loop_test(pools, max_pool, 0, 100);
    tcase_add_loop_test(pools, average_pool, 0, 200);
    tcase_add_test(pools, max_pool_of_integers);
    tcase_add_test(pools, global_pools);
    suite_add_tcase(s, pools);
    return suite_main(s);
}
