#include "base/file.h"
#include "tensor/npy.h"

#include "suite_main.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

static struct context ctx;
static struct arena arena;
static char path[] = "pare-test-XXXXXX";

static void setup(void) {
    context_init(&ctx);
    arena_init(&arena);
    strcpy(path, "pare-test-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void teardown(void) {
    arena_free(&arena);
    unlink(path);
}

static struct tensor_set make_set(void) {
    static float x[6] = {1, -2, 3.5f, 0, 5, 6};
    static uint8_t y[2] = {7, 9};
    static struct named_tensor items[2];
    items[0] = (struct named_tensor){"conv1/x:0", {DTYPE_FLOAT, {2, {2, 3}}, x}};
    items[1] = (struct named_tensor){"y", {DTYPE_UINT8, {1, {2}}, y}};
    return (struct tensor_set){2, items};
}

/* An archive made by libzip itself: `data` under `name`. */
static void make_zip(const char *name, const void *data, size_t size, int method) {
    unlink(path);
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    ck_assert_ptr_nonnull(zip);
    zip_int64_t i = zip_file_add(zip, name, zip_source_buffer(zip, data, size, 0), 0);
    ck_assert_int_ge(i, 0);
    ck_assert_int_eq(zip_set_file_compression(zip, (zip_uint64_t)i, method, 0), 0);
    ck_assert_int_eq(zip_close(zip), 0);
}

/* Without the sync of file_write, which would take its time for a thousand files. */
static void put(const void *data, size_t size) {
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, size, f), size);
    ck_assert_int_eq(fclose(f), 0);
}

static void check_refused(const char *what) {
    struct tensor_set set;
    context_clear(&ctx);
    ck_assert_int_eq(npz_read(&ctx, &arena, path, &set), PARE_ERROR_INPUT);
    ck_assert_msg(strncmp(ctx.diag.message, path, strlen(path)) == 0, "no place: %s", ctx.diag.message);
    ck_assert_msg(strstr(ctx.diag.message, what) != NULL, "'%s' not in: %s", what, ctx.diag.message);
}

START_TEST(arrays_survive) {
    struct tensor_set set = make_set(), back;
    ck_assert_int_eq(npz_write(&ctx, path, &set), PARE_OK);
    ck_assert_int_eq(npz_read(&ctx, &arena, path, &back), PARE_OK);
    ck_assert_uint_eq(back.count, 2);
    ck_assert_str_eq(back.items[0].name, "conv1/x:0");
    ck_assert_ptr_eq(tensor_set_find(&back, "y"), &back.items[1].tensor);
    ck_assert_ptr_null(tensor_set_find(&back, "z"));
    for (size_t i = 0; i < 2; i++) {
        const struct tensor *a = &set.items[i].tensor, *b = &back.items[i].tensor;
        ck_assert_int_eq(a->type, b->type);
        ck_assert(shape_equal(&a->shape, &b->shape));
        ck_assert_mem_eq(a->data, b->data, tensor_bytes(a));
    }
}
END_TEST

START_TEST(same_bytes_in_any_time_zone) {
    struct tensor_set set = make_set();
    struct file_map map;
    setenv("TZ", "UTC", 1);
    ck_assert_int_eq(npz_write(&ctx, path, &set), PARE_OK);
    ck_assert_int_eq(file_map(&ctx, path, &map), PARE_OK);
    uint64_t first = hash_of(map.data, map.size, 0);
    file_unmap(&map);
    setenv("TZ", "Asia/Tokyo", 1);
    ck_assert_int_eq(npz_write(&ctx, path, &set), PARE_OK);
    ck_assert_int_eq(file_map(&ctx, path, &map), PARE_OK);
    ck_assert_uint_eq(hash_of(map.data, map.size, 0), first);
    file_unmap(&map);
}
END_TEST

START_TEST(no_arrays) {
    struct tensor_set none = {0}, back;
    ck_assert_int_eq(npz_write(&ctx, path, &none), PARE_OK);
    ck_assert_int_eq(npz_read(&ctx, &arena, path, &back), PARE_OK);
    ck_assert_uint_eq(back.count, 0);
}
END_TEST

START_TEST(deflated_arrays) {
    enum { COUNT = 100000 };
    struct tensor t = {DTYPE_UINT8, {1, {COUNT}}, calloc(1, COUNT)};
    struct buffer b;
    buffer_init(&b);
    ck_assert_int_eq(npy_append(&ctx, &b, &t), PARE_OK);
    make_zip("zeros.npy", b.data, b.size, ZIP_CM_DEFLATE); /* nearly the highest ratio that deflate reaches */
    struct tensor_set back;
    ck_assert_msg(npz_read(&ctx, &arena, path, &back) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_int_eq(back.items[0].tensor.shape.dim[0], COUNT);
    ck_assert_mem_eq(back.items[0].tensor.data, t.data, COUNT);
    buffer_free(&b);
    tensor_free(&t);
}
END_TEST

START_TEST(what_is_no_archive_is_refused) {
    check_refused("empty"); /* the file that setup made */
    put("PK\x03\x04 and then nothing of use", 28);
    check_refused("no readable .npz");
}
END_TEST

START_TEST(foreign_entries_are_refused) {
    make_zip("readme.txt", "hello", 5, ZIP_CM_STORE);
    check_refused("'readme.txt' is no .npy array");
    make_zip(".npy", "hello", 5, ZIP_CM_STORE);
    check_refused("'.npy' is no .npy array");
    make_zip("x.npy", "hello", 5, ZIP_CM_STORE);
    check_refused("x.npy: is no .npy data");
    make_zip("x.npy", "", 0, ZIP_CM_STORE);
    check_refused("x.npy: is no .npy data");
}
END_TEST

/* Offsets in the local header, the data and the central directory of a stored entry, from the ZIP specification
 * (APPNOTE 4.3.7, 4.3.12). */
START_TEST(lies_about_sizes_are_refused) {
    struct tensor_set set = make_set();
    set.count = 1;
    ck_assert_int_eq(npz_write(&ctx, path, &set), PARE_OK);
    struct file_map map;
    ck_assert_int_eq(file_map(&ctx, path, &map), PARE_OK);
    uint8_t *bytes = malloc(map.size);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, map.data, map.size);
    size_t size = map.size, central = 0;
    file_unmap(&map);
    for (size_t i = 0; i + 4 < size; i++) {
        central = memcmp(bytes + i, "PK\x01\x02", 4) == 0 ? i : central;
    }
    memcpy(bytes + central + 24, "\xF0\xFF\xFF\xFF", 4); /* the unpacked size: nearly 4 GiB */
    memcpy(bytes + 22, "\xF0\xFF\xFF\xFF", 4);
    put(bytes, size);
    check_refused("");
    free(bytes);
}
END_TEST

START_TEST(damage_does_no_harm) {
    struct tensor_set set = make_set();
    ck_assert_int_eq(npz_write(&ctx, path, &set), PARE_OK);
    struct file_map map;
    ck_assert_int_eq(file_map(&ctx, path, &map), PARE_OK);
    uint8_t good[1024];
    size_t size = map.size;
    ck_assert_uint_le(size, sizeof good);
    memcpy(good, map.data, size);
    file_unmap(&map);
    for (size_t cut = 0; cut < size; cut++) {
        put(good, cut);
        check_refused("");
    }
    /* A flipped bit in the elements is found by the checksum; elsewhere it may be harmless. */
    int refused = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t broken[1024];
        memcpy(broken, good, size);
        broken[i] ^= (uint8_t)(1u << i % 8);
        context_clear(&ctx);
        put(broken, size);
        struct tensor_set back;
        refused += npz_read(&ctx, &arena, path, &back) != PARE_OK;
    }
    ck_assert_int_gt(refused, (int)size / 2);
}
END_TEST

int main(void) {
    Suite *s = suite_create("tensor/npz");
    TCase *t = tcase_create("npz");
    suite_add_tcase(s, t);
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, arrays_survive);
    tcase_add_test(t, same_bytes_in_any_time_zone);
    tcase_add_test(t, no_arrays);
    tcase_add_test(t, deflated_arrays);
    tcase_add_test(t, what_is_no_archive_is_refused);
    tcase_add_test(t, foreign_entries_are_refused);
    tcase_add_test(t, lies_about_sizes_are_refused);
    tcase_add_test(t, damage_does_no_harm);
    return suite_main(s);
}
