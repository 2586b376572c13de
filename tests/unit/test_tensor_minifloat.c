/* The floating types of 4 and 8 bits. */
#include "tensor/tensor.h"

#include "suite_main.h"

#include <check.h>
#include <math.h>

static const enum dtype types[] = {DTYPE_FLOAT8E4M3FN,   DTYPE_FLOAT8E4M3FNUZ, DTYPE_FLOAT8E5M2,
                                   DTYPE_FLOAT8E5M2FNUZ, DTYPE_FLOAT4E2M1,     DTYPE_FLOAT8E8M0};
#define TYPE_COUNT (int)(sizeof types / sizeof types[0])

static const struct minifloat_rounding saturating = {.saturate = true};

static int codes_of(enum dtype type) {
    return type == DTYPE_FLOAT4E2M1 ? 16 : 256;
}

START_TEST(every_code_comes_back) {
    enum dtype type = types[_i];
    for (int code = 0; code < codes_of(type); code++) {
        double v = minifloat_to_double(type, (uint8_t)code);
        if (!isnan(v) && !isinf(v)) {
            ck_assert_int_eq(minifloat_of(type, v, saturating), code);
        } else if (isnan(v)) {
            ck_assert(isnan(minifloat_to_double(type, minifloat_of(type, v, saturating))));
        }
    }
}
END_TEST

/* Between two neighbours the nearer one, in the middle the even one: up to the largest number. */
START_TEST(rounding_is_to_the_nearest) {
    enum dtype type = types[_i];
    int half = codes_of(type) / 2;
    for (int code = 0; code + 1 < half && type != DTYPE_FLOAT8E8M0; code++) {
        double a = minifloat_to_double(type, (uint8_t)code), b = minifloat_to_double(type, (uint8_t)(code + 1));
        if (isnan(b) || isinf(b)) {
            break;
        }
        ck_assert_int_eq(minifloat_of(type, a + 0.49 * (b - a), saturating), code);
        ck_assert_int_eq(minifloat_of(type, a + 0.51 * (b - a), saturating), code + 1);
        ck_assert_int_eq(minifloat_of(type, a + 0.5 * (b - a), saturating), code % 2 == 0 ? code : code + 1);
    }
}
END_TEST

START_TEST(known_values) {
    ck_assert_double_eq(minifloat_to_double(DTYPE_FLOAT8E4M3FN, 0x7E), 448);
    ck_assert_double_eq(minifloat_to_double(DTYPE_FLOAT8E4M3FNUZ, 0x7F), 240);
    ck_assert_double_eq(minifloat_to_double(DTYPE_FLOAT8E5M2, 0x7B), 57344);
    ck_assert_double_eq(minifloat_to_double(DTYPE_FLOAT8E5M2FNUZ, 0x7F), 57344);
    ck_assert_double_eq(minifloat_to_double(DTYPE_FLOAT4E2M1, 7), 6);
    ck_assert_double_eq(minifloat_to_double(DTYPE_FLOAT8E8M0, 128), 2);
    ck_assert_double_eq(minifloat_to_double(DTYPE_FLOAT8E4M3FN, 1), 0x1p-9);
    ck_assert(isinf(minifloat_to_double(DTYPE_FLOAT8E5M2, 0x7C)));
    ck_assert(isnan(minifloat_to_double(DTYPE_FLOAT8E4M3FNUZ, 0x80)));
}
END_TEST

/* The table of ONNX's Cast: with saturation the largest number, without it NaN, or infinity where there is one. */
START_TEST(too_large_numbers) {
    static const struct minifloat_rounding plain = {.saturate = false};
    ck_assert_int_eq(minifloat_of(DTYPE_FLOAT8E4M3FN, INFINITY, saturating), 0x7E);
    ck_assert_int_eq(minifloat_of(DTYPE_FLOAT8E4M3FN, -1e9, saturating), 0xFE);
    ck_assert_int_eq(minifloat_of(DTYPE_FLOAT8E4M3FN, 1e9, plain), 0x7F);
    ck_assert_int_eq(minifloat_of(DTYPE_FLOAT8E5M2, -INFINITY, plain), 0xFC);
    ck_assert_int_eq(minifloat_of(DTYPE_FLOAT8E5M2FNUZ, 1e9, plain), 0x80);
    ck_assert_int_eq(minifloat_of(DTYPE_FLOAT8E4M3FNUZ, -0.0, saturating), 0);
    ck_assert_int_eq(minifloat_of(DTYPE_FLOAT8E8M0, 0x1p200, plain), 255);
    ck_assert_int_eq(minifloat_of(DTYPE_FLOAT8E8M0, 3, (struct minifloat_rounding){true, MINIFLOAT_UP}), 129);
    ck_assert_int_eq(minifloat_of(DTYPE_FLOAT8E8M0, 3, (struct minifloat_rounding){true, MINIFLOAT_DOWN}), 128);
}
END_TEST

int main(void) {
    Suite *s = suite_create("tensor/minifloat");
    TCase *t = tcase_create("minifloat");
    tcase_add_loop_test(t, every_code_comes_back, 0, TYPE_COUNT);
    tcase_add_loop_test(t, rounding_is_to_the_nearest, 0, TYPE_COUNT);
    tcase_add_test(t, known_values);
    tcase_add_test(t, too_large_numbers);
    suite_add_tcase(s, t);
    return suite_main(s);
}
