#include "base/bytes.h"

#include "suite_main.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(sizes_overflow) {
    size_t v = 0;
    ck_assert(size_add(SIZE_MAX - 1, 1, &v));
    ck_assert_uint_eq(v, SIZE_MAX);
    ck_assert(!size_add(SIZE_MAX, 1, &v));
    ck_assert(size_multiply(SIZE_MAX / 3, 3, &v));
    ck_assert(size_multiply(0, SIZE_MAX, &v));
    ck_assert(size_multiply(SIZE_MAX, 0, &v));
    ck_assert(!size_multiply(SIZE_MAX / 3 + 1, 3, &v));
}
END_TEST

START_TEST(reader_is_sticky) {
    const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    struct reader r;
    reader_init(&r, data, sizeof data);
    ck_assert_uint_eq(read_u8(&r), 1);
    ck_assert_uint_eq(read_u16(&r), 0x0302);
    ck_assert_uint_eq(read_u32(&r), 0x07060504);
    ck_assert_uint_eq(read_u32(&r), 0x0B0A0908);
    ck_assert_uint_eq(read_u32(&r), 0x0F0E0D0C);
    ck_assert(!r.failed);
    ck_assert_uint_eq(read_u16(&r), 0);
    ck_assert(r.failed);
    ck_assert_uint_eq(read_u8(&r), 0); /* one byte is left, but the reader stays failed */
    ck_assert_ptr_null(read_bytes(&r, 0));
}
END_TEST

START_TEST(reader_refuses_huge_sizes) {
    struct reader r;
    reader_init(&r, "abc", 3);
    ck_assert_uint_eq(read_u8(&r), 'a');
    ck_assert_ptr_null(read_bytes(&r, SIZE_MAX));
    ck_assert(r.failed);
    reader_init(&r, NULL, 0);
    ck_assert_ptr_nonnull(read_bytes(&r, 0));
    ck_assert_uint_eq(read_u32(&r), 0);
    ck_assert(r.failed);
}
END_TEST

START_TEST(buffer_writes_what_the_reader_reads) {
    struct buffer b;
    buffer_init(&b);
    write_u8(&b, 0xAB);
    write_u8(&b, 0x01);
    ck_assert_uint_eq(b.size, 2);
    write_u32(&b, 0xDEADBEEF);
    write_u16(&b, 0xCAFE);
    write_format(&b, "%d-%s", 42, "x");
    write_bytes(&b, NULL, 0);
    ck_assert(!b.failed);
    struct reader r;
    reader_init(&r, b.data, b.size);
    ck_assert_uint_eq(read_u16(&r), 0x01AB);
    ck_assert_uint_eq(read_u32(&r), 0xDEADBEEF);
    ck_assert_uint_eq(read_u16(&r), 0xCAFE);
    ck_assert_mem_eq(read_bytes(&r, 4), "42-x", 4);
    ck_assert_uint_eq(r.at, b.size);
    buffer_free(&b);
}
END_TEST

START_TEST(buffer_grows) {
    struct buffer b;
    buffer_init(&b);
    for (uint32_t i = 0; i < 100000; i++) {
        write_u32(&b, i);
    }
    struct reader r;
    reader_init(&r, b.data, b.size);
    for (uint32_t i = 0; i < 100000; i++) {
        ck_assert_uint_eq(read_u32(&r), i);
    }
    buffer_free(&b);
    ck_assert_ptr_null(b.data);
}
END_TEST

/* The published values of FNV-1a. */
START_TEST(checksums) {
    ck_assert_uint_eq(hash_of("", 0, 0), 0xCBF29CE484222325);
    ck_assert_uint_eq(hash_of("a", 1, 0), 0xAF63DC4C8601EC8C);
    ck_assert_uint_eq(hash_of("foobar", 6, 0), 0x85944171F73967E8);
    ck_assert_uint_eq(hash_of("bar", 3, hash_of("foo", 3, 0)), 0x85944171F73967E8);
}
END_TEST

int main(void) {
    Suite *s = suite_create("base/bytes");
    TCase *t = tcase_create("bytes");
    suite_add_tcase(s, t);
    tcase_add_test(t, sizes_overflow);
    tcase_add_test(t, reader_is_sticky);
    tcase_add_test(t, reader_refuses_huge_sizes);
    tcase_add_test(t, buffer_writes_what_the_reader_reads);
    tcase_add_test(t, buffer_grows);
    tcase_add_test(t, checksums);
    return suite_main(s);
}
