/* Windows, slices, paddings, broadcasting and resizing against plain definitions. */
#include "graph/axes.h"
#include "graph/broadcast.h"
#include "graph/op.h"
#include "graph/resize.h"
#include "graph/slice.h"
#include "graph/window.h"

#include "suite_main.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct context ctx;
static struct graph *g;
static uint32_t state;

static void setup(void) {
    context_init(&ctx);
    ck_assert_int_eq(graph_new(&ctx, "g", &g), PARE_OK);
    state = 1;
}

static void teardown(void) {
    graph_free(g);
}

static int pick(int count) {
    state = state * 1664525U + 1013904223U;
    return (int)((state >> 8) % (uint32_t)count);
}

/* A node without values: geometry looks at attributes only. */
static struct node *new_node(const char *op) {
    struct node *n = NULL;
    ck_assert_int_eq(graph_add_node(&ctx, g, op_find(op), NULL, NULL, 0, NULL, 0, NULL, &n), PARE_OK);
    return n;
}

static void set_int(struct node *n, const char *name, int64_t v) {
    ck_assert_int_eq(node_set_int(&ctx, n, name, v), PARE_OK);
}

static void set_ints(struct node *n, const char *name, const int64_t *v, size_t count) {
    ck_assert_int_eq(node_set_ints(&ctx, n, name, v, count), PARE_OK);
}

struct pool {
    int64_t size, kernel, stride, dilation, pads[2];
    bool ceil_mode;
};

static struct pool random_pool(void) {
    struct pool p = {.size = 1 + pick(12), .kernel = 1 + pick(4), .stride = 1 + pick(4), .dilation = 1 + pick(3)};
    int extent = (int)((p.kernel - 1) * p.dilation + 1);
    p.pads[0] = pick(extent);
    p.pads[1] = pick(extent);
    p.ceil_mode = pick(2);
    return p;
}

/* Windows that fit, and with ceil_mode a last one that hangs over but does not begin behind the input. */
static int64_t count_windows(const struct pool *p) {
    int64_t extent = (p->kernel - 1) * p->dilation + 1;
    int64_t padded = p->pads[0] + p->size + p->pads[1];
    int64_t begin = 0;
    int64_t count = 0;
    for (; begin + extent <= padded; begin += p->stride) {
        count++;
    }
    bool rest = begin - p->stride + extent < padded;
    bool begins_inside = begin < p->pads[0] + p->size;
    return count + (p->ceil_mode && rest && begins_inside);
}

START_TEST(pool_windows) {
    int refused = 0;
    for (int round = 0; round < 2000; round++) {
        struct pool p = random_pool();
        struct node *n = new_node("MaxPool");
        set_ints(n, "kernel_shape", &p.kernel, 1);
        set_ints(n, "strides", &p.stride, 1);
        set_ints(n, "dilations", &p.dilation, 1);
        set_ints(n, "pads", p.pads, 2);
        set_int(n, "ceil_mode", p.ceil_mode);
        struct shape input = {.rank = 3, .dim = {1, 1, p.size}};
        struct window w;
        bool fits = p.pads[0] + p.size + p.pads[1] >= (p.kernel - 1) * p.dilation + 1;
        context_clear(&ctx);
        ck_assert_int_eq(window_resolve(&ctx, n, &input, NULL, &w), fits ? PARE_OK : PARE_ERROR_INPUT);
        refused += !fits;
        if (fits) {
            int64_t expected = count_windows(&p);
            ck_assert_int_eq(w.output[0], expected);
            ck_assert_int_gt(w.output[0], 0);
        }
    }
    ck_assert_int_gt(refused, 10);
}
END_TEST

START_TEST(same_padding) {
    for (int round = 0; round < 1000; round++) {
        struct pool p = random_pool();
        bool upper = pick(2);
        struct node *n = new_node("Conv");
        set_ints(n, "strides", &p.stride, 1);
        set_ints(n, "dilations", &p.dilation, 1);
        ck_assert_int_eq(node_set_string(&ctx, n, "auto_pad", upper ? "SAME_UPPER" : "SAME_LOWER"), PARE_OK);
        struct shape input = {.rank = 3, .dim = {1, 1, p.size}};
        struct shape weight = {.rank = 3, .dim = {1, 1, p.kernel}};
        struct window w;
        ck_assert_int_eq(window_resolve(&ctx, n, &input, &weight, &w), PARE_OK);
        ck_assert_int_eq(w.output[0], (p.size + p.stride - 1) / p.stride);
        int64_t odd = (upper ? 1 : -1) * (w.pad_end[0] - w.pad_begin[0]);
        ck_assert(odd == 0 || odd == 1);
        struct pool same = {p.size, p.kernel, p.stride, p.dilation, {w.pad_begin[0], w.pad_end[0]}, false};
        ck_assert_int_eq(count_windows(&same), w.output[0]);
    }
}
END_TEST

/* A ConvTranspose undoes the sizes of the Conv with the same attributes. */
START_TEST(transposed_windows) {
    for (int round = 0; round < 1000; round++) {
        struct pool p = random_pool();
        struct node *n = new_node("ConvTranspose");
        set_ints(n, "strides", &p.stride, 1);
        set_ints(n, "dilations", &p.dilation, 1);
        set_ints(n, "pads", p.pads, 2);
        struct shape input = {.rank = 3, .dim = {1, 1, p.size}};
        struct shape weight = {.rank = 3, .dim = {1, 1, p.kernel}};
        struct window w;
        context_clear(&ctx);
        if (window_resolve(&ctx, n, &input, &weight, &w) != PARE_OK) {
            ck_assert_int_le((p.size - 1) * p.stride + (p.kernel - 1) * p.dilation + 1, p.pads[0] + p.pads[1]);
            continue;
        }
        struct pool back = p;
        back.size = w.output[0];
        back.ceil_mode = false;
        ck_assert_int_eq(count_windows(&back), p.size);
    }
}
END_TEST

START_TEST(transposed_output_shape) {
    struct node *n = new_node("ConvTranspose");
    int64_t two = 2;
    int64_t ten = 10;
    set_ints(n, "strides", &two, 1);
    set_ints(n, "output_shape", &ten, 1);
    struct shape input = {.rank = 3, .dim = {1, 1, 5}};
    struct shape weight = {.rank = 3, .dim = {1, 1, 3}};
    struct window w;
    ck_assert_int_eq(window_resolve(&ctx, n, &input, &weight, &w), PARE_OK);
    ck_assert_int_eq(w.output[0], 10);
    ck_assert_int_eq(w.pad_begin[0], 1); /* 11 - 10, the odd one in front unless SAME_UPPER */
    ck_assert_int_eq(w.pad_end[0], 0);
    ck_assert_int_eq(node_set_string(&ctx, n, "auto_pad", "SAME_UPPER"), PARE_OK);
    ck_assert_int_eq(window_resolve(&ctx, n, &input, &weight, &w), PARE_OK);
    ck_assert_int_eq(w.pad_begin[0], 0);
    ck_assert_int_eq(w.pad_end[0], 1);
}
END_TEST

/* Python's meaning of x[start:end:step], by walking. */
static int64_t walk_slice(int64_t size, int64_t start, int64_t end, int64_t step, int64_t *first) {
    int64_t count = 0;
    int64_t low = step < 0 ? -1 : 0;
    int64_t high = step < 0 ? size - 1 : size;
    start += start < 0 ? size : 0;
    end += end < 0 ? size : 0;
    start = start < low ? low : start > high ? high : start;
    end = end < low ? low : end > high ? high : end;
    *first = start;
    for (int64_t i = start; step > 0 ? i < end : i > end; i += step) {
        count++;
    }
    return count;
}

START_TEST(slices) {
    for (int round = 0; round < 4000; round++) {
        struct shape input = {.rank = 1, .dim = {1 + pick(8)}};
        int64_t start = pick(24) - 12;
        int64_t end = pick(24) - 12;
        int64_t step = pick(2) ? 1 + pick(4) : -1 - pick(4);
        struct slice_inputs in = {.length = 1, .starts = &start, .ends = &end, .steps = &step};
        struct slice s;
        int64_t first = 0;
        if (step < 0 && start < -input.dim[0]) {
            continue; /* ONNX begins at the first element there, Python before it */
        }
        ck_assert_int_eq(slice_resolve(&ctx, &in, &input, &s), PARE_OK);
        ck_assert_int_eq(s.count[0], walk_slice(input.dim[0], start, end, step, &first));
        ck_assert(s.count[0] == 0 || s.start[0] == first);
        ck_assert(s.count[0] == 0 || (s.start[0] >= 0 && s.start[0] < input.dim[0]));
    }
}
END_TEST

START_TEST(slices_at_the_limits) {
    struct shape input = {.rank = 1, .dim = {5}};
    int64_t start = INT64_MAX;
    int64_t end = INT64_MIN;
    int64_t step = INT64_MIN;
    struct slice_inputs in = {.length = 1, .starts = &start, .ends = &end, .steps = &step};
    struct slice s;
    ck_assert_int_eq(slice_resolve(&ctx, &in, &input, &s), PARE_OK);
    ck_assert_int_eq(s.start[0], 4);
    ck_assert_int_eq(s.count[0], 1);
    start = INT64_MIN;
    end = INT64_MAX;
    step = INT64_MAX;
    ck_assert_int_eq(slice_resolve(&ctx, &in, &input, &s), PARE_OK);
    ck_assert_int_eq(s.start[0], 0);
    ck_assert_int_eq(s.count[0], 1);
    input.dim[0] = 0;
    ck_assert_int_eq(slice_resolve(&ctx, &in, &input, &s), PARE_OK);
    ck_assert_int_eq(s.count[0], 0);
}
END_TEST

START_TEST(paddings) {
    int64_t pads[4] = {1, 2, 3, -1};
    int64_t axes[2] = {-1, 0};
    struct padding p;
    ck_assert_int_eq(padding_resolve(&ctx, pads, 4, axes, 2, 3, &p), PARE_OK);
    ck_assert_int_eq(p.begin[2], 1);
    ck_assert_int_eq(p.end[2], 3);
    ck_assert_int_eq(p.begin[0], 2);
    ck_assert_int_eq(p.end[0], -1);
    ck_assert_int_eq(p.begin[1], 0);
    axes[1] = 2;
    ck_assert_int_eq(padding_resolve(&ctx, pads, 4, axes, 2, 3, &p), PARE_ERROR_INPUT);
}
END_TEST

START_TEST(broadcasting) {
    struct shape a = {.rank = 3, .dim = {2, 1, 4}};
    struct shape b = {.rank = 2, .dim = {3, 1}};
    struct shape out;
    int64_t stride[TENSOR_MAX_RANK];
    ck_assert(broadcast_shape(&a, &b, &out));
    ck_assert(shape_equal(&out, &(struct shape){.rank = 3, .dim = {2, 3, 4}}));
    broadcast_strides(&a, &out, stride);
    ck_assert(stride[0] == 4 && stride[1] == 0 && stride[2] == 1);
    broadcast_strides(&b, &out, stride);
    ck_assert(stride[0] == 0 && stride[1] == 1 && stride[2] == 0);
    b.dim[1] = 3;
    ck_assert(!broadcast_shape(&a, &b, &out));
}
END_TEST

static struct resize resolve_resize(struct node *n, int64_t from, int64_t to) {
    struct shape input = {.rank = 1, .dim = {from}};
    struct resize_inputs in = {.sizes = &to, .size_count = 1};
    struct resize r;
    ck_assert_int_eq(resize_resolve(&ctx, n, &in, &input, &r), PARE_OK);
    ck_assert_int_eq(r.output[0], to);
    return r;
}

static void set_resize(struct node *n, const char *coordinate, const char *nearest) {
    ck_assert_int_eq(node_set_string(&ctx, n, "coordinate_transformation_mode", coordinate), PARE_OK);
    ck_assert_int_eq(node_set_string(&ctx, n, "nearest_mode", nearest), PARE_OK);
}

START_TEST(nearest_doubles) {
    static const char *const modes[][2] = {{"asymmetric", "floor"}, {"half_pixel", "round_prefer_floor"}};
    struct node *n = new_node("Resize");
    set_resize(n, modes[_i][0], modes[_i][1]);
    struct resize r = resolve_resize(n, 5, 10);
    for (int64_t o = 0; o < 10; o++) {
        ck_assert_int_eq(resize_nearest_index(&r, 0, o), o / 2);
    }
}
END_TEST

START_TEST(nearest_rounds_ties_as_asked) {
    static const struct {
        const char *mode;
        int64_t index;
    } rules[] = {{"round_prefer_floor", 1}, {"round_prefer_ceil", 2}, {"floor", 1}, {"ceil", 2}};
    struct node *n = new_node("Resize");
    for (int i = 0; i < 4; i++) {
        set_resize(n, "asymmetric", rules[i].mode);
        struct resize r = resolve_resize(n, 4, 8);
        ck_assert_float_eq(resize_coordinate(&r, 0, 3), 1.5F);
        ck_assert_int_eq(resize_nearest_index(&r, 0, 3), rules[i].index);
    }
}
END_TEST

START_TEST(corners_stay) {
    struct node *n = new_node("Resize");
    set_resize(n, "align_corners", "floor");
    struct resize r = resolve_resize(n, 5, 9);
    ck_assert_float_eq(resize_coordinate(&r, 0, 0), 0);
    ck_assert_float_eq(resize_coordinate(&r, 0, 4), 2);
    ck_assert_float_eq(resize_coordinate(&r, 0, 8), 4);
    set_resize(n, "half_pixel_symmetric", "floor");
    r = resolve_resize(n, 4, 2);
    ck_assert_float_eq(resize_coordinate(&r, 0, 0) + resize_coordinate(&r, 0, 1), 3);
}
END_TEST

START_TEST(cropping) {
    struct node *n = new_node("Resize");
    set_resize(n, "tf_crop_and_resize", "floor");
    struct shape input = {.rank = 1, .dim = {9}};
    int64_t size = 3;
    float roi[2] = {0.25F, 0.75F};
    float broken[2] = {0.25F, strtof("nan", NULL)};
    struct resize_inputs in = {.sizes = &size, .size_count = 1, .roi = roi, .roi_count = 2};
    struct resize r;
    ck_assert_int_eq(resize_resolve(&ctx, n, &in, &input, &r), PARE_OK);
    ck_assert_float_eq(resize_coordinate(&r, 0, 0), 2);
    ck_assert_float_eq(resize_coordinate(&r, 0, 1), 4);
    ck_assert_float_eq(resize_coordinate(&r, 0, 2), 6);
    in.roi = broken;
    ck_assert_int_eq(resize_resolve(&ctx, n, &in, &input, &r), PARE_ERROR_INPUT);
}
END_TEST

START_TEST(axes) {
    int axis = 0;
    ck_assert(axis_resolve(-3, 3, &axis));
    ck_assert_int_eq(axis, 0);
    ck_assert(!axis_resolve(-4, 3, &axis));
    ck_assert(!axis_resolve(3, 3, &axis));
    ck_assert(!axis_resolve(0, 0, &axis));
    int perm[TENSOR_MAX_RANK];
    ck_assert_int_eq(axes_of_transpose(&ctx, new_node("Transpose"), 3, perm), PARE_OK);
    ck_assert(perm[0] == 2 && perm[1] == 1 && perm[2] == 0);
}
END_TEST

int main(void) {
    Suite *s = suite_create("graph/geometry");
    TCase *t = tcase_create("geometry");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, pool_windows);
    tcase_add_test(t, same_padding);
    tcase_add_test(t, transposed_windows);
    tcase_add_test(t, transposed_output_shape);
    tcase_add_test(t, slices);
    tcase_add_test(t, slices_at_the_limits);
    tcase_add_test(t, paddings);
    tcase_add_test(t, broadcasting);
    tcase_add_loop_test(t, nearest_doubles, 0, 2);
    tcase_add_test(t, nearest_rounds_ties_as_asked);
    tcase_add_test(t, corners_stay);
    tcase_add_test(t, cropping);
    tcase_add_test(t, axes);
    suite_add_tcase(s, t);
    return suite_main(s);
}
