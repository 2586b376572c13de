/* Operators that move elements: each output element is looked up by its definition. */
#include "float_trial.h"

#include "suite_main.h"

/* Index of element `flat` along each axis. */
static void unflatten(const struct shape *s, size_t flat, int64_t *at) {
    for (int i = s->rank - 1; i >= 0; i--) {
        at[i] = (int64_t)flat % s->dim[i];
        flat /= (size_t)s->dim[i];
    }
}

static size_t flatten(const struct shape *s, const int64_t *at) {
    int64_t flat = 0;
    for (int i = 0; i < s->rank; i++) {
        flat = flat * s->dim[i] + at[i];
    }
    return (size_t)flat;
}

/* Elements numbered from 0, of any type that holds the numbers. */
static void number(struct trial *t, int input, enum dtype type, int rank, const int64_t *dims, int64_t first) {
    struct tensor *x = trial_input(t, input, type, rank, dims);
    for (size_t i = 0; i < tensor_count(x); i++) {
        tensor_set_int(x, i, first + (int64_t)i);
    }
}

static const enum dtype types[] = {DTYPE_FLOAT, DTYPE_UINT8, DTYPE_INT16, DTYPE_INT64};

START_TEST(transpose) {
    struct trial t;
    trial_start(&t, "Transpose", 1, 1, (uint64_t)_i);
    int64_t dims[4], perm[4] = {0, 1, 2, 3};
    for (int i = 0; i < 4; i++) {
        int64_t other = trial_integer(&t, 0, i), swapped = perm[i];
        perm[i] = perm[other];
        perm[other] = swapped;
        dims[i] = trial_integer(&t, 1, 3);
    }
    number(&t, 0, types[_i % 4], 4, dims, 0);
    trial_ints(&t, "perm", perm, 4);
    trial_run(&t);
    for (size_t i = 0; i < tensor_count(&t.outputs[0]); i++) {
        int64_t at[4], from[4];
        unflatten(&t.outputs[0].shape, i, at);
        for (int k = 0; k < 4; k++) {
            from[perm[k]] = at[k];
        }
        trial_expect(&t, 0, i, (double)flatten(&t.inputs[0].shape, from), 0.0);
    }
    trial_end(&t);
}
END_TEST

START_TEST(slice) {
    struct trial t;
    trial_start(&t, "Slice", 5, 1, (uint64_t)_i);
    int64_t dims[3] = {7, 5, 6}, starts[2], ends[2], axes[2] = {0, -1}, steps[2];
    for (int i = 0; i < 2; i++) {
        starts[i] = trial_integer(&t, -9, 9);
        ends[i] = trial_integer(&t, -9, 9);
        steps[i] = trial_integer(&t, 1, 3) * (trial_integer(&t, 0, 1) ? 1 : -1);
    }
    number(&t, 0, types[_i % 4], 3, dims, 0);
    trial_vector(&t, 1, starts, 2);
    trial_vector(&t, 2, ends, 2);
    trial_vector(&t, 3, axes, 2);
    trial_vector(&t, 4, steps, 2);
    trial_run(&t);
    /* As in Python, but that a start below 0 is 0 for negative steps, too. */
    int64_t picks[3][8], counts[3] = {0};
    for (int axis = 0; axis < 3; axis++) {
        int64_t n = dims[axis], k = axis / 2;
        int64_t step = axis == 1 ? 1 : steps[k], low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
        int64_t start = axis == 1 ? 0 : starts[k] < 0 ? starts[k] + n : starts[k];
        int64_t end = axis == 1 ? n : ends[k] < 0 ? ends[k] + n : ends[k];
        start = start < 0 ? 0 : start > high ? high : start;
        end = end < low ? low : end > high ? high : end;
        for (int64_t i = start; step > 0 ? i < end : i > end; i += step) {
            picks[axis][counts[axis]++] = i;
        }
    }
    trial_expect_shape(&t, 0, 3, counts);
    for (size_t i = 0; i < tensor_count(&t.outputs[0]); i++) {
        int64_t at[3];
        unflatten(&t.outputs[0].shape, i, at);
        int64_t from[3] = {picks[0][at[0]], picks[1][at[1]], picks[2][at[2]]};
        trial_expect(&t, 0, i, (double)flatten(&t.inputs[0].shape, from), 0.0);
    }
    trial_end(&t);
}
END_TEST

START_TEST(concat_then_split) {
    struct trial t;
    int axis = _i % 3;
    int64_t parts[3][3];
    trial_start(&t, "Concat", 3, 1, (uint64_t)_i);
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < 3; i++) {
            parts[k][i] = i == axis ? trial_integer(&t, 0, 4) : 2 + i;
        }
        number(&t, k, types[_i % 4], 3, parts[k], 40 * k);
    }
    trial_int(&t, "axis", axis - 3);
    trial_run(&t);

    struct trial s;
    trial_start(&s, "Split", 2, 3, 1);
    struct tensor *joined = trial_input(&s, 0, types[_i % 4], 3, t.outputs[0].shape.dim);
    memcpy(joined->data, t.outputs[0].data, tensor_bytes(joined));
    trial_vector(&s, 1, (int64_t[]){parts[0][axis], parts[1][axis], parts[2][axis]}, 3);
    trial_int(&s, "axis", axis);
    trial_run(&s);
    size_t total = 0;
    for (int k = 0; k < 3; k++) {
        trial_expect_shape(&s, k, 3, parts[k]);
        ck_assert_int_eq(memcmp(s.outputs[k].data, t.inputs[k].data, tensor_bytes(&t.inputs[k])), 0);
        total += tensor_count(&s.outputs[k]);
    }
    ck_assert_uint_eq(total, tensor_count(&t.outputs[0]));
    /* The first part lies where Concat puts it, so that Split is not merely its mirror image. */
    for (size_t i = 0; i < tensor_count(&t.inputs[0]); i++) {
        int64_t at[3];
        unflatten(&t.inputs[0].shape, i, at);
        trial_expect(&t, 0, flatten(&t.outputs[0].shape, at), (double)i, 0.0);
    }
    trial_end(&s);
    trial_end(&t);
}
END_TEST

START_TEST(gather) {
    struct trial t;
    trial_start(&t, "Gather", 2, 1, 1);
    int axis = _i % 3;
    number(&t, 0, types[_i % 4], 3, (int64_t[]){4, 5, 6}, 0);
    trial_vector(&t, 1, (int64_t[]){3, -1, 0, 0}, 4);
    t.inputs[1].shape = (struct shape){2, {2, 2}};
    trial_int(&t, "axis", axis);
    trial_run(&t);
    ck_assert_int_eq(t.outputs[0].shape.rank, 4);
    for (size_t i = 0; i < tensor_count(&t.outputs[0]); i++) {
        int64_t at[4] = {0}, from[TENSOR_MAX_RANK] = {0}, picks[4] = {3, t.inputs[0].shape.dim[axis] - 1, 0, 0};
        unflatten(&t.outputs[0].shape, i, at);
        for (int k = 0; k < 3; k++) {
            from[k] = k < axis ? at[k] : k == axis ? picks[at[axis] * 2 + at[axis + 1]] : at[k + 1];
        }
        trial_expect(&t, 0, i, (double)flatten(&t.inputs[0].shape, from), 0.0);
    }
    ((int64_t *)t.inputs[1].data)[1] = -7;
    tensor_free(&t.outputs[0]);
    trial_refused(&t, PARE_ERROR_INPUT);
    trial_end(&t);
}
END_TEST

/* What stands at position `at` of [0, n) when it is continued in the given mode; -1 for the fill value. */
static int64_t continued(const char *mode, int64_t at, int64_t n) {
    while ((at < 0 || at >= n) && strcmp(mode, "constant") != 0) {
        if (strcmp(mode, "edge") == 0) {
            at = at < 0 ? 0 : n - 1;
        } else if (strcmp(mode, "wrap") == 0) {
            at += at < 0 ? n : -n;
        } else {
            at = at < 0 ? -at : 2 * (n - 1) - at;
        }
    }
    return at < 0 || at >= n ? -1 : at;
}

START_TEST(pad) {
    static const char *const modes[] = {"constant", "edge", "reflect", "wrap"};
    struct trial t;
    trial_start(&t, "Pad", 3, 1, (uint64_t)_i);
    int64_t dims[2] = {3, 4}, pads[4], out[2];
    bool is_constant = _i % 4 == 0;
    for (int i = 0; i < 4; i++) {
        pads[i] = trial_integer(&t, is_constant ? -1 : 0, 2);
    }
    for (int i = 0; i < 2; i++) {
        out[i] = dims[i] + pads[i] + pads[2 + i];
    }
    enum dtype type = types[_i / 4 % 4];
    number(&t, 0, type, 2, dims, 0);
    trial_vector(&t, 1, pads, 4);
    tensor_set_int(trial_input(&t, 2, type, 0, NULL), 0, 99);
    trial_string(&t, "mode", modes[_i % 4]);
    trial_run(&t);
    trial_expect_shape(&t, 0, 2, out);
    for (int64_t i = 0; i < out[0] * out[1]; i++) {
        int64_t row = continued(modes[_i % 4], i / out[1] - pads[0], dims[0]);
        int64_t column = continued(modes[_i % 4], i % out[1] - pads[1], dims[1]);
        trial_expect(&t, 0, (size_t)i, row < 0 || column < 0 ? 99.0 : (double)(row * 4 + column), 0.0);
    }
    trial_end(&t);
}
END_TEST

START_TEST(shape_and_constant_of_shape) {
    struct trial t;
    trial_start(&t, "Shape", 1, 1, 1);
    number(&t, 0, DTYPE_UINT8, 3, (int64_t[]){2, 3, 4}, 0);
    trial_int(&t, "start", -2);
    trial_run(&t);
    trial_expect_shape(&t, 0, 1, (int64_t[]){2});
    ck_assert_int_eq(memcmp(t.outputs[0].data, (int64_t[]){3, 4}, 16), 0);
    trial_end(&t);

    trial_start(&t, "ConstantOfShape", 1, 1, 1);
    trial_vector(&t, 0, (int64_t[]){2, 2}, 2);
    trial_run(&t);
    ck_assert_int_eq(t.outputs[0].type, DTYPE_FLOAT);
    ck_assert_int_eq(memcmp(t.outputs[0].data, (float[4]){0}, 16), 0);
    trial_end(&t);
}
END_TEST

START_TEST(dropout_passes_everything) {
    struct trial t;
    trial_start(&t, "Dropout", 3, 2, 1);
    const float *x = trial_random(&t, 0, 1, (int64_t[]){5});
    trial_run(&t);
    ck_assert_int_eq(memcmp(t.outputs[0].data, x, 20), 0);
    ck_assert_int_eq(memcmp(t.outputs[1].data, (uint8_t[]){1, 1, 1, 1, 1}, 5), 0);
    tensor_free(&t.outputs[0]);
    tensor_free(&t.outputs[1]);
    tensor_set_int(trial_input(&t, 2, DTYPE_BOOL, 0, NULL), 0, 1);
    trial_refused(&t, PARE_ERROR_INPUT);
    trial_end(&t);
}
END_TEST

int main(void) {
    Suite *s = suite_create("float/movement");
    TCase *movement = tcase_create("movement");
    tcase_add_loop_test(movement, transpose, 0, 80);
    tcase_add_loop_test(movement, slice, 0, 200);
    tcase_add_loop_test(movement, concat_then_split, 0, 60);
    tcase_add_loop_test(movement, gather, 0, 12);
    tcase_add_loop_test(movement, pad, 0, 160);
    tcase_add_test(movement, shape_and_constant_of_shape);
    tcase_add_test(movement, dropout_passes_everything);
    suite_add_tcase(s, movement);
    return suite_main(s);
}
