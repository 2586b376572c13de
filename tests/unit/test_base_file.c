#include "base/file.h"

#include "suite_main.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct context ctx;
static char folder[] = "pare-test-XXXXXX";

static void setup(void) {
    context_init(&ctx);
    strcpy(folder, "pare-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static void remove_tree(const char *path) {
    DIR *d = opendir(path);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char inner[4096];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
        if (file_is_directory(inner)) {
            remove_tree(inner);
        } else {
            unlink(inner);
        }
    }
    closedir(d);
    rmdir(path);
}

static void teardown(void) {
    ck_assert_int_eq(chdir(".."), 0);
    remove_tree(folder);
}

static int entries(const char *path) {
    int count = 0;
    DIR *d = opendir(path);
    ck_assert_ptr_nonnull(d);
    while (readdir(d) != NULL) {
        count++;
    }
    closedir(d);
    return count - 2;
}

START_TEST(written_then_mapped) {
    struct file_map map;
    ck_assert_int_eq(file_write(&ctx, "a", "first", 5), PARE_OK);
    ck_assert_int_eq(file_write(&ctx, "a", "second one", 10), PARE_OK);
    ck_assert_int_eq(file_map(&ctx, "a", &map), PARE_OK);
    ck_assert_uint_eq(map.size, 10);
    ck_assert_mem_eq(map.data, "second one", 10);
    file_unmap(&map);
    file_unmap(&map);
    ck_assert_int_eq(entries("."), 1); /* nothing is left beside it */
}
END_TEST

START_TEST(an_empty_file_is_a_file) {
    struct file_map map;
    ck_assert_int_eq(file_write(&ctx, "empty", NULL, 0), PARE_OK);
    ck_assert_int_eq(file_map(&ctx, "empty", &map), PARE_OK);
    ck_assert_uint_eq(map.size, 0);
    ck_assert_ptr_null(map.data);
    file_unmap(&map);
}
END_TEST

static void check_map_refused(const char *path, const char *what) {
    struct file_map map;
    context_clear(&ctx);
    ck_assert_int_eq(file_map(&ctx, path, &map), PARE_ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, path));
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, what));
    ck_assert_ptr_null(map.data);
}

START_TEST(only_regular_files_are_mapped) {
    ck_assert_int_eq(mkfifo("pipe", 0600), 0);
    check_map_refused("missing", "No such file");
    check_map_refused(".", "a directory");
    check_map_refused("pipe", "a device or pipe");
    check_map_refused("/dev/zero", "a device or pipe");
}
END_TEST

static void check_write_refused(const char *path) {
    context_clear(&ctx);
    ck_assert_int_eq(file_write(&ctx, path, "x", 1), PARE_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "cannot write"));
}

START_TEST(failed_writes_leave_nothing) {
    ck_assert_int_eq(mkdir("d", 0700), 0);
    ck_assert_int_eq(mkfifo("pipe", 0600), 0);
    check_write_refused("missing/a");
    check_write_refused("d");
    check_write_refused("pipe");
    check_write_refused("/dev/null");
    ck_assert_int_eq(entries("."), 2);
    ck_assert_int_eq(entries("d"), 0);
    char path[5000];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    check_write_refused(path);
}
END_TEST

START_TEST(directories_with_parents) {
    ck_assert_int_eq(file_make_directory(&ctx, "a/b//c/"), PARE_OK);
    ck_assert(file_is_directory("a/b/c"));
    ck_assert_int_eq(file_make_directory(&ctx, "a/b/c"), PARE_OK);
    ck_assert_int_eq(file_write(&ctx, "a/file", "x", 1), PARE_OK);
    ck_assert(file_exists("a/file"));
    ck_assert(!file_is_directory("a/file"));
    ck_assert_int_eq(file_make_directory(&ctx, "a/file/d"), PARE_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "a/file"));
}
END_TEST

int main(void) {
    Suite *s = suite_create("base/file");
    TCase *t = tcase_create("file");
    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, written_then_mapped);
    tcase_add_test(t, an_empty_file_is_a_file);
    tcase_add_test(t, only_regular_files_are_mapped);
    tcase_add_test(t, failed_writes_leave_nothing);
    tcase_add_test(t, directories_with_parents);
    return suite_main(s);
}
