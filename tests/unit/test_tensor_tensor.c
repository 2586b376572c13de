#include "tensor/tensor.h"

#include "suite_main.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct context ctx;
static struct arena arena;

static void setup(void) {
    context_init(&ctx);
    arena_init(&arena);
}

static void teardown(void) {
    arena_free(&arena);
}

START_TEST(type_names) {
    for (int i = 0; i < 64; i++) {
        enum dtype type = (enum dtype)i;
        if (dtype_size(type) > 0) {
            ck_assert_int_eq(dtype_from_name(dtype_name(type)), type);
        }
        ck_assert_ptr_nonnull(dtype_name(type));
    }
    ck_assert_int_eq(dtype_from_name("float3"), DTYPE_NONE);
    ck_assert_uint_eq(dtype_size(DTYPE_STRING), 0);
    ck_assert_uint_eq(dtype_size(DTYPE_INT2), 1);
    ck_assert(dtype_is_float(DTYPE_BFLOAT16) && !dtype_is_float(DTYPE_INT8));
}
END_TEST

START_TEST(shapes) {
    size_t count = 0;
    char text[256];
    struct shape scalar = {0};
    ck_assert(shape_count(&scalar, &count) && count == 1);
    ck_assert_str_eq(shape_text(&scalar, text, sizeof text), "[]");
    struct shape s = {4, {1, 3, 32, 32}};
    ck_assert(shape_count(&s, &count) && count == 3072);
    ck_assert_str_eq(shape_text(&s, text, sizeof text), "[1,3,32,32]");
    ck_assert_str_eq(shape_text(&s, text, 5), "[1,3");
    s.dim[0] = -1;
    ck_assert(!shape_count(&s, &count));
    ck_assert_str_eq(shape_text(&s, text, sizeof text), "[?,3,32,32]");
    struct shape huge = {3, {INT64_MAX, INT64_MAX, INT64_MAX}};
    ck_assert(!shape_count(&huge, &count));
    huge.dim[2] = 0;
    ck_assert(shape_count(&huge, &count) && count == 0);
    struct shape limit = {1, {INT64_MAX / 4}};
    ck_assert(!shape_count(&limit, &count));
    ck_assert(!shape_equal(&s, &huge) && shape_equal(&s, &s));
}
END_TEST

START_TEST(impossible_tensors_are_refused) {
    struct tensor t;
    struct shape huge = {2, {INT64_MAX, 2}};
    ck_assert_int_eq(tensor_new(&ctx, &arena, DTYPE_FLOAT, &huge, &t), PARE_ERROR_INPUT);
    context_clear(&ctx);
    struct shape negative = {1, {-1}};
    ck_assert_int_eq(tensor_alloc(&ctx, DTYPE_FLOAT, &negative, &t), PARE_ERROR_INPUT);
    context_clear(&ctx);
    struct shape deep = {TENSOR_MAX_RANK + 1, {1}};
    ck_assert_int_eq(tensor_alloc(&ctx, DTYPE_FLOAT, &deep, &t), PARE_ERROR_INPUT);
    context_clear(&ctx);
    struct shape one = {1, {1}};
    ck_assert_int_eq(tensor_new(&ctx, &arena, DTYPE_STRING, &one, &t), PARE_ERROR_UNSUPPORTED);
    context_clear(&ctx);
    struct shape empty = {2, {0, 5}};
    ck_assert_int_eq(tensor_alloc(&ctx, DTYPE_DOUBLE, &empty, &t), PARE_OK);
    ck_assert_uint_eq(tensor_bytes(&t), 0);
    tensor_free(&t);
    tensor_free(&t);
}
END_TEST

static double half_value(unsigned h) {
    int exponent = (int)(h >> 10 & 31);
    int mantissa = (int)(h & 1023);
    double magnitude = exponent == 0 ? ldexp(mantissa, -24) : ldexp(1024 + mantissa, exponent - 25);
    return h & 0x8000 ? -magnitude : magnitude;
}

/* Every finite half, its neighbour's midpoint (a tie, to even), and just off it. */
START_TEST(halves) {
    for (unsigned h = 0; h < 0x7C00; h++) {
        double v = half_value(h);
        double next = h + 1 == 0x7C00 ? 65536 : half_value(h + 1);
        float middle = (float)((v + next) / 2);
        uint16_t even = (uint16_t)(h % 2 == 0 ? h : h + 1);
        ck_assert(half_to_float((uint16_t)h) == (float)v && half_to_float((uint16_t)(h | 0x8000)) == (float)-v);
        ck_assert(float_to_half((float)v) == h && float_to_half((float)-v) == (h | 0x8000));
        ck_assert(float_to_half(middle) == even && float_to_half(-middle) == (even | 0x8000));
        ck_assert(float_to_half(nextafterf(middle, 0.0f)) == h);
        ck_assert(float_to_half(nextafterf(middle, INFINITY)) == h + 1);
    }
    ck_assert_uint_eq(float_to_half(INFINITY), 0x7C00);
    ck_assert_uint_eq(float_to_half(FLT_MAX), 0x7C00);
    ck_assert_uint_eq(float_to_half(-1e-30f), 0x8000);
    ck_assert(isinf(half_to_float(0xFC00)) && isnan(half_to_float(0x7C01)));
    ck_assert_uint_eq(float_to_half(NAN) & 0x7C00, 0x7C00);
    ck_assert_uint_ne(float_to_half(NAN) & 0x03FF, 0);
}
END_TEST

START_TEST(bfloats) {
    ck_assert_uint_eq(float_to_bfloat16(1.0f), 0x3F80);
    ck_assert_uint_eq(float_to_bfloat16(0x1.01p0f), 0x3F80);     /* a tie, to even */
    ck_assert_uint_eq(float_to_bfloat16(0x1.03p0f), 0x3F82);     /* a tie, to even */
    ck_assert_uint_eq(float_to_bfloat16(0x1.010002p0f), 0x3F81); /* above the tie */
    ck_assert_uint_eq(float_to_bfloat16(FLT_MAX), 0x7F80);
    ck_assert(isnan(bfloat16_to_float(float_to_bfloat16(NAN))));
    ck_assert(bfloat16_to_float(0xC040) == -3.0f);
}
END_TEST

static struct tensor one_element(enum dtype type) {
    struct shape one = {1, {1}};
    struct tensor t;
    ck_assert_int_eq(tensor_new(&ctx, &arena, type, &one, &t), PARE_OK);
    return t;
}

static double through(enum dtype type, double v) {
    struct tensor t = one_element(type);
    tensor_set_double(&t, 0, v);
    return tensor_get_double(&t, 0);
}

START_TEST(doubles_round_to_even_and_saturate) {
    static const struct {
        enum dtype type;
        double low, high;
    } ranges[] = {
        {DTYPE_INT2, -2, 1},
        {DTYPE_UINT2, 0, 3},
        {DTYPE_INT4, -8, 7},
        {DTYPE_UINT4, 0, 15},
        {DTYPE_INT8, -128, 127},
        {DTYPE_UINT8, 0, 255},
        {DTYPE_INT16, -32768, 32767},
        {DTYPE_UINT16, 0, 65535},
        {DTYPE_INT32, -2147483648.0, 2147483647.0},
        {DTYPE_UINT32, 0, 4294967295.0},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        enum dtype type = ranges[i].type;
        ck_assert(through(type, 1e300) == ranges[i].high && through(type, INFINITY) == ranges[i].high);
        ck_assert(through(type, -1e300) == ranges[i].low && through(type, -INFINITY) == ranges[i].low);
        ck_assert(through(type, ranges[i].high + 0.4) == ranges[i].high);
        ck_assert(through(type, 0.5) == 0 && through(type, -0.5) == 0 && through(type, 0.75) == 1);
        ck_assert(through(type, NAN) == 0);
        if (ranges[i].high >= 4) {
            ck_assert(through(type, 1.5) == 2 && through(type, 2.5) == 2 && through(type, 3.5) == 4);
        }
    }
    ck_assert(through(DTYPE_INT8, -1.5) == -2 && through(DTYPE_INT8, -2.5) == -2);
    ck_assert(through(DTYPE_BOOL, 0.25) == 1 && through(DTYPE_BOOL, 0) == 0);
    ck_assert(through(DTYPE_UINT64, 1e300) == 0x1p64 && through(DTYPE_UINT64, -1) == 0);
    ck_assert(through(DTYPE_UINT64, 0x1p63) == 0x1p63);
}
END_TEST

START_TEST(doubles_are_rounded_once) {
    /* Rounded to float first, this would become the tie 1 + 2^-11, and then 1. */
    ck_assert(through(DTYPE_FLOAT16, 1 + 0x1p-11 + 0x1p-40) == 1 + 0x1p-10);
    ck_assert(through(DTYPE_FLOAT16, 1 + 0x1p-11) == 1);
    ck_assert(through(DTYPE_BFLOAT16, -(1 + 0x1p-8 + 0x1p-40)) == -(1 + 0x1p-7));
    ck_assert(isinf(through(DTYPE_FLOAT16, 1e300)) && isinf(through(DTYPE_FLOAT16, INFINITY)));
    ck_assert(through(DTYPE_FLOAT16, 1e-300) == 0);
}
END_TEST

START_TEST(integers_are_exact) {
    static const int64_t values[] = {INT64_MIN, INT64_MIN + 1, -(1LL << 53) - 1, -1, 0, 1, (1LL << 53) + 1, INT64_MAX};
    struct tensor t = one_element(DTYPE_INT64);
    struct tensor u = one_element(DTYPE_UINT64);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        tensor_set_int(&t, 0, values[i]);
        ck_assert_int_eq(tensor_get_int(&t, 0), values[i]);
        tensor_set_int(&u, 0, values[i]);
        ck_assert_int_eq(tensor_get_int(&u, 0), values[i] < 0 ? 0 : values[i]);
    }
    ((uint64_t *)u.data)[0] = UINT64_MAX;
    ck_assert_int_eq(tensor_get_int(&u, 0), INT64_MAX);
    struct tensor f = one_element(DTYPE_FLOAT);
    tensor_set_double(&f, 0, -2.75);
    ck_assert_int_eq(tensor_get_int(&f, 0), -2);
    tensor_set_double(&f, 0, 1e30);
    ck_assert_int_eq(tensor_get_int(&f, 0), INT64_MAX);
    tensor_set_double(&f, 0, NAN);
    ck_assert_int_eq(tensor_get_int(&f, 0), 0);
}
END_TEST

START_TEST(conversion) {
    struct shape s = {2, {2, 2}};
    struct tensor t, f, back, u;
    ck_assert_int_eq(tensor_new(&ctx, &arena, DTYPE_INT64, &s, &t), PARE_OK);
    memcpy(t.data, (int64_t[]){-3, 0, 1000, INT64_MAX}, 32);
    ck_assert_int_eq(tensor_convert(&ctx, &arena, &t, DTYPE_INT8, &back), PARE_OK);
    ck_assert_mem_eq(back.data, ((int8_t[]){-3, 0, 127, 127}), 4);
    ck_assert(shape_equal(&back.shape, &s));
    ck_assert_int_eq(tensor_convert(&ctx, &arena, &t, DTYPE_FLOAT, &f), PARE_OK);
    ck_assert(((float *)f.data)[2] == 1000.0f && ((float *)f.data)[3] == 0x1p63f);
    ck_assert_int_eq(tensor_convert(&ctx, &arena, &t, DTYPE_UINT64, &u), PARE_OK);
    ck_assert_int_eq(tensor_convert(&ctx, &arena, &u, DTYPE_INT64, &back), PARE_OK);
    ck_assert_mem_eq(back.data, ((int64_t[]){0, 0, 1000, INT64_MAX}), 32);
    ck_assert_int_eq(tensor_convert(&ctx, &arena, &t, DTYPE_STRING, &back), PARE_ERROR_UNSUPPORTED);
}
END_TEST

int main(void) {
    Suite *s = suite_create("tensor/tensor");
    TCase *t = tcase_create("tensor");
    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, type_names);
    tcase_add_test(t, shapes);
    tcase_add_test(t, impossible_tensors_are_refused);
    tcase_add_test(t, halves);
    tcase_add_test(t, bfloats);
    tcase_add_test(t, doubles_round_to_even_and_saturate);
    tcase_add_test(t, doubles_are_rounded_once);
    tcase_add_test(t, integers_are_exact);
    tcase_add_test(t, conversion);
    return suite_main(s);
}
