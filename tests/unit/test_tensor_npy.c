#include "tensor/npy.h"

#include "suite_main.h"

#include <check.h>
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

/* A .npy of format MAJOR.0 with this header text. */
static struct buffer make_npy(int major, const char *header, const void *data, size_t size) {
    struct buffer b;
    buffer_init(&b);
    write_bytes(&b, "\x93NUMPY", 6);
    write_u8(&b, (uint8_t)major);
    write_u8(&b, 0);
    if (major == 1) {
        write_u16(&b, (uint16_t)strlen(header));
    } else {
        write_u32(&b, (uint32_t)strlen(header));
    }
    write_bytes(&b, header, strlen(header));
    write_bytes(&b, data, size);
    ck_assert(!b.failed);
    return b;
}

/* Parses from a copy of the exact size, so that the sanitizer sees any read beyond it. */
static enum pare_status parse(const void *data, size_t size, struct tensor *t) {
    context_clear(&ctx);
    void *copy = malloc(size > 0 ? size : 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, data, size);
    enum pare_status status = npy_parse(&ctx, &arena, "a.npy", copy, size, t);
    free(copy);
    return status;
}

static enum pare_status parse_text(int major, const char *header, const void *data, size_t size, struct tensor *t) {
    struct buffer b = make_npy(major, header, data, size);
    enum pare_status status = parse(b.data, b.size, t);
    buffer_free(&b);
    return status;
}

static void check_refused(const char *header, size_t size, const char *what) {
    static const uint8_t zeros[256] = {0};
    struct tensor t;
    enum pare_status status = parse_text(1, header, zeros, size, &t);
    ck_assert_msg(status == PARE_ERROR_INPUT, "not refused: %s", header);
    ck_assert_msg(strncmp(ctx.diag.message, "a.npy: ", 7) == 0, "no place: %s", ctx.diag.message);
    ck_assert_msg(strstr(ctx.diag.message, what) != NULL, "%s: '%s' not in: %s", header, what, ctx.diag.message);
}

START_TEST(every_type_survives) {
    static const enum dtype types[] = {DTYPE_BOOL,   DTYPE_INT8,    DTYPE_UINT8,  DTYPE_INT16,
                                       DTYPE_UINT16, DTYPE_INT32,   DTYPE_UINT32, DTYPE_INT64,
                                       DTYPE_UINT64, DTYPE_FLOAT16, DTYPE_FLOAT,  DTYPE_DOUBLE};
    static const struct shape shapes[] = {{0}, {1, {5}}, {1, {0}}, {3, {2, 0, 4}}, {8, {1, 2, 1, 2, 1, 2, 1, 3}}};
    for (size_t k = 0; k < sizeof types / sizeof types[0] * 5; k++) {
        struct tensor t, back;
        ck_assert_int_eq(tensor_new(&ctx, &arena, types[k / 5], &shapes[k % 5], &t), PARE_OK);
        for (size_t i = 0; i < tensor_count(&t); i++) {
            tensor_set_int(&t, i, (int64_t)(i * 37 % 127));
        }
        struct buffer b;
        buffer_init(&b);
        ck_assert_int_eq(npy_append(&ctx, &b, &t), PARE_OK);
        ck_assert_uint_eq((b.size - tensor_bytes(&t)) % 64, 0);
        ck_assert_int_eq(parse(b.data, b.size, &back), PARE_OK);
        ck_assert_int_eq(back.type, t.type);
        ck_assert(shape_equal(&back.shape, &t.shape));
        ck_assert(tensor_bytes(&t) == 0 || memcmp(back.data, t.data, tensor_bytes(&t)) == 0);
        buffer_free(&b);
    }
}
END_TEST

START_TEST(types_that_numpy_lacks_are_widened) {
    struct shape s = {1, {2}};
    uint16_t brain[] = {0x3F80, 0xC040};
    int8_t narrow[] = {-8, 7};
    struct tensor t = {DTYPE_BFLOAT16, s, brain}, u = {DTYPE_INT4, s, narrow}, text = {DTYPE_STRING, s, NULL}, back;
    struct buffer b;
    buffer_init(&b);
    ck_assert_int_eq(npy_append(&ctx, &b, &t), PARE_OK);
    ck_assert_int_eq(parse(b.data, b.size, &back), PARE_OK);
    ck_assert_int_eq(back.type, DTYPE_FLOAT);
    ck_assert(((float *)back.data)[0] == 1 && ((float *)back.data)[1] == -3);
    b.size = 0;
    ck_assert_int_eq(npy_append(&ctx, &b, &u), PARE_OK);
    ck_assert_int_eq(parse(b.data, b.size, &back), PARE_OK);
    ck_assert_int_eq(back.type, DTYPE_INT8);
    ck_assert_int_eq(tensor_get_int(&back, 0), -8);
    ck_assert_int_eq(npy_append(&ctx, &b, &text), PARE_ERROR_UNSUPPORTED);
    buffer_free(&b);
}
END_TEST

START_TEST(header_spellings) {
    static const uint8_t data[4] = {1, 0, 2, 0};
    static const char *const headers[] = {
        "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }\n",
        "{\"shape\":(2),\"fortran_order\":False,\"descr\":\"<i2\"}",
        " { 'fortran_order' : True , 'shape' : ( 2L , ) , 'descr' : '=i2' } \n",
        "{'descr':'i2','fortran_order':False,'shape':(2,)}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        for (int major = 1; major <= 3; major++) {
            struct tensor t;
            ck_assert_msg(parse_text(major, headers[i], data, 4, &t) == PARE_OK, "%s", ctx.diag.message);
            ck_assert_int_eq(t.shape.rank, 1);
            ck_assert_int_eq(tensor_get_int(&t, 0), 1);
            ck_assert_int_eq(tensor_get_int(&t, 1), 2);
        }
    }
}
END_TEST

START_TEST(big_endian) {
    static const uint8_t data[] = {0x40, 0x09, 0x21, 0xFB, 0x54, 0x44, 0x2D, 0x18};
    struct tensor t;
    ck_assert_int_eq(parse_text(1, "{'descr':'>f8','fortran_order':False,'shape':()}", data, 8, &t), PARE_OK);
    ck_assert(tensor_get_double(&t, 0) == 3.141592653589793);
    ck_assert_int_eq(parse_text(1, "{'descr':'>i2','fortran_order':False,'shape':(2,2)}", data, 8, &t), PARE_OK);
    ck_assert_int_eq(tensor_get_int(&t, 0), 0x4009);
    ck_assert_int_eq(tensor_get_int(&t, 3), 0x2D18);
}
END_TEST

/* Element (i,j,k) holds 100i+10j+k wherever it is stored. */
START_TEST(fortran_order) {
    enum { A = 3, B = 4, C = 5 };
    uint8_t data[2 * A * B * C];
    for (int k = 0; k < C; k++) {
        for (int j = 0; j < B; j++) {
            for (int i = 0; i < A; i++) {
                size_t at = 2 * (size_t)(i + A * (j + B * k));
                int v = 100 * i + 10 * j + k;
                data[at] = (uint8_t)(v >> 8);
                data[at + 1] = (uint8_t)v;
            }
        }
    }
    struct tensor t;
    ck_assert_int_eq(parse_text(1, "{'descr':'>u2','fortran_order':True,'shape':(3,4,5)}", data, sizeof data, &t),
                     PARE_OK);
    for (int i = 0; i < A * B * C; i++) {
        ck_assert_int_eq(tensor_get_int(&t, (size_t)i), 100 * (i / (B * C)) + 10 * (i / C % B) + i % C);
    }
    ck_assert_int_eq(parse_text(1, "{'descr':'<f8','fortran_order':True,'shape':(3,0,5)}", NULL, 0, &t), PARE_OK);
}
END_TEST

START_TEST(bools_become_0_or_1) {
    struct tensor t;
    ck_assert_int_eq(parse_text(1, "{'descr':'|b1','fortran_order':False,'shape':(3,)}", "\x00\x01\xFF", 3, &t),
                     PARE_OK);
    ck_assert_mem_eq(t.data, "\x00\x01\x01", 3);
}
END_TEST

START_TEST(broken_headers_are_refused) {
    check_refused("", 0, "expected a dictionary");
    check_refused("{", 0, "quoted string");
    check_refused("{}", 0, "expected 'descr'");
    check_refused("{'descr':'<f4','fortran_order':False}", 4, "'shape'");
    check_refused("{'descr':'<f4','fortran_order':False,'shape':(1,),'x':1}", 4, "unknown or repeated key");
    check_refused("{'descr':'<f4','descr':'<f4','fortran_order':False,'shape':(1,)}", 4, "unknown or repeated key");
    check_refused("{'descr':'<f4','fortran_order':False,'shape':(1,)} x", 4, "nothing else");
    check_refused("{'descr':'<f4','fortran_order':Maybe,'shape':(1,)}", 4, "True or False");
    check_refused("{'descr':'<f4','fortran_order':False,'shape':[1]}", 4, "tuple");
    check_refused("{'descr':'<f4','fortran_order':False,'shape':(1 2)}", 4, ", or )");
    check_refused("{'descr':'<f4','fortran_order':False,'shape':(-1,)}", 4, "not negative");
    check_refused("{'descr':'<f4','fortran_order':False,'shape':(99999999999999999999,)}", 4, "64 bits");
    check_refused("{'descr':'<f4','fortran_order':False,'shape':(1,1,1,1,1,1,1,1,1)}", 4, "8 dimensions");
    check_refused("{'descr':'<f4','fortran_order':False,'shape':(1,", 4, "dimension");
    check_refused("{'descr':'<f4", 0, "without end");
    check_refused("{'descr' '<f4'}", 0, "expected :");
}
END_TEST

START_TEST(types_that_cannot_be_held_are_refused) {
    check_refused("{'descr':'|O','fortran_order':False,'shape':(1,)}", 8, "pickled");
    check_refused("{'descr':'<c16','fortran_order':False,'shape':(1,)}", 16, "'<c16'");
    check_refused("{'descr':'<U5','fortran_order':False,'shape':(1,)}", 20, "'<U5'");
    check_refused("{'descr':'<f16','fortran_order':False,'shape':(1,)}", 16, "'<f16'");
    check_refused("{'descr':'','fortran_order':False,'shape':(1,)}", 16, "''");
    check_refused("{'descr':[('a','<i4')],'fortran_order':False,'shape':(1,)}", 4, "structured");
}
END_TEST

START_TEST(data_must_be_what_the_header_promises) {
    check_refused("{'descr':'<f4','fortran_order':False,'shape':(2,)}", 7, "float32 of shape [2], but 7 bytes");
    check_refused("{'descr':'<f4','fortran_order':False,'shape':(2,)}", 9, "9 bytes");
    check_refused("{'descr':'<f4','fortran_order':False,'shape':(4294967296,4294967296)}", 0, "0 bytes");
    check_refused("{'descr':'<f8','fortran_order':False,'shape':(2305843009213693952,)}", 0, "0 bytes");
    check_refused("{'descr':'<f4','fortran_order':True,'shape':(9223372036854775807,2)}", 8, "8 bytes");
}
END_TEST

START_TEST(every_truncation_is_refused) {
    uint8_t data[24] = {0};
    struct buffer b = make_npy(1, "{'descr':'<f4','fortran_order':False,'shape':(2,3)}", data, sizeof data);
    for (size_t size = 0; size < b.size; size++) {
        struct tensor t;
        ck_assert_int_eq(parse(b.data, size, &t), PARE_ERROR_INPUT);
    }
    b.data[6] = 9; /* the version */
    struct tensor t;
    ck_assert_int_eq(parse(b.data, b.size, &t), PARE_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "format 9.0"));
    buffer_free(&b);
}
END_TEST

/* Nothing but a status may come of damaged bytes. */
START_TEST(damage_does_no_harm) {
    uint8_t data[24] = {0};
    struct buffer b = make_npy(2, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", data, sizeof data);
    uint32_t state = 7;
    int refused = 0;
    for (int round = 0; round < 20000; round++) {
        uint8_t broken[256];
        memcpy(broken, b.data, b.size);
        for (int flips = 0; flips <= round % 3; flips++) {
            state = state * 1664525u + 1013904223u;
            broken[(state >> 8) % (b.size - sizeof data)] ^= (uint8_t)(1u << (state >> 29));
        }
        struct tensor t;
        refused += parse(broken, b.size, &t) != PARE_OK;
    }
    ck_assert_int_gt(refused, 10000);
    buffer_free(&b);
}
END_TEST

int main(void) {
    Suite *s = suite_create("tensor/npy");
    TCase *t = tcase_create("npy");
    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every_type_survives);
    tcase_add_test(t, types_that_numpy_lacks_are_widened);
    tcase_add_test(t, header_spellings);
    tcase_add_test(t, big_endian);
    tcase_add_test(t, fortran_order);
    tcase_add_test(t, bools_become_0_or_1);
    tcase_add_test(t, broken_headers_are_refused);
    tcase_add_test(t, types_that_cannot_be_held_are_refused);
    tcase_add_test(t, data_must_be_what_the_header_promises);
    tcase_add_test(t, every_truncation_is_refused);
    tcase_add_test(t, damage_does_no_harm);
    return suite_main(s);
}
