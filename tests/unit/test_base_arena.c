#include "base/arena.h"

#include "suite_main.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static void setup(void) {
    arena_init(&arena);
}

static void teardown(void) {
    arena_free(&arena);
}

static bool filled_with(const uint8_t *p, size_t size, uint8_t byte) {
    bool all = true;
    for (size_t k = 0; k < size; k++) {
        all = all && p[k] == byte;
    }
    return all;
}

/* Sizes around the block size: zeroed, aligned, and not overlapping (each is filled with its own byte). */
START_TEST(blocks_do_not_overlap) {
    enum { COUNT = 2000 };
    uint8_t *p[COUNT];
    size_t size[COUNT];
    uint32_t state = 1;
    for (int i = 0; i < COUNT; i++) {
        state = state * 1664525u + 1013904223u;
        size[i] = (state >> 16) % (i % 50 == 0 ? 100000 : 300);
        p[i] = arena_alloc(&arena, size[i]);
        ck_assert_ptr_nonnull(p[i]);
        ck_assert_uint_eq((uintptr_t)p[i] % (size[i] >= 64 ? 64 : 16), 0);
        ck_assert(filled_with(p[i], size[i], 0));
        memset(p[i], i % 255 + 1, size[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        ck_assert(filled_with(p[i], size[i], (uint8_t)(i % 255 + 1)));
    }
}
END_TEST

START_TEST(impossible_sizes_give_null) {
    ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX));
    ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX - 64));
    ck_assert_ptr_null(arena_array(&arena, SIZE_MAX / 2, 3));
    ck_assert_ptr_null(arena_string_n(&arena, "", SIZE_MAX));
    ck_assert_uint_eq(arena.bytes, 0);
    ck_assert_ptr_nonnull(arena_alloc(&arena, 0));
    ck_assert_ptr_nonnull(ARENA_ARRAY(&arena, 0, int));
}
END_TEST

START_TEST(strings) {
    ck_assert_str_eq(arena_string(&arena, "conv_3"), "conv_3");
    ck_assert_str_eq(arena_string_n(&arena, "conv_3", 4), "conv");
    ck_assert_str_eq(arena_format(&arena, "%s[%d]", "x", 7), "x[7]");
    char *wide = arena_format(&arena, "%100000d", 1);
    ck_assert_uint_eq(strlen(wide), 100000);
}
END_TEST

START_TEST(usable_after_free) {
    arena_alloc(&arena, 10);
    arena_free(&arena);
    ck_assert_uint_eq(arena.bytes, 0);
    ck_assert_ptr_nonnull(arena_alloc(&arena, 10));
}
END_TEST

int main(void) {
    Suite *s = suite_create("base/arena");
    TCase *t = tcase_create("arena");
    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, blocks_do_not_overlap);
    tcase_add_test(t, impossible_sizes_give_null);
    tcase_add_test(t, strings);
    tcase_add_test(t, usable_after_free);
    return suite_main(s);
}
