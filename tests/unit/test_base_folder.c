/* Folders written as a whole. */
#include "base/file.h"
#include "base/folder.h"

#include "suite_main.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct context ctx;
static char root[64], path[128];

static void setup(void) {
    context_init(&ctx);
    strcpy(root, "/tmp/pare-folder-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    snprintf(path, sizeof path, "%s/out", root);
}

static const char *in_root(const char *name) {
    static char text[192];
    snprintf(text, sizeof text, "%s/%s", root, name);
    return text;
}

static void remove_all(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    ck_assert_int_eq(system(command), 0); /* NOLINT(*-env33-c): a path of our own */
}

static const struct folder_file files[] = {{"a", "one", 3}, {"deep/er/b", "two", 3}, {"deep/c", "", 0}};

START_TEST(writes_every_file) {
    struct file_map map;
    snprintf(path, sizeof path, "%s/not/there/yet/", root);
    ck_assert_int_eq(folder_write(&ctx, path, files, 3), PARE_OK);
    ck_assert_int_eq(file_map(&ctx, in_root("not/there/yet/deep/er/b"), &map), PARE_OK);
    ck_assert_uint_eq(map.size, 3);
    ck_assert(memcmp(map.data, "two", 3) == 0);
    file_unmap(&map);
    ck_assert(file_exists(in_root("not/there/yet/deep/c")));
    remove_all();
}
END_TEST

START_TEST(takes_an_empty_folder_and_leaves_others) {
    ck_assert_int_eq(file_make_directory(&ctx, path), PARE_OK);
    ck_assert_int_eq(folder_write(&ctx, path, files, 1), PARE_OK);
    ck_assert_int_eq(folder_write(&ctx, path, files, 2), PARE_ERROR_USAGE);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "exists already"));
    ck_assert(!file_exists(in_root("out/deep")));
    context_clear(&ctx);
    ck_assert_int_eq(folder_write(&ctx, in_root("out/a"), files, 1), PARE_ERROR_USAGE);
    remove_all();
}
END_TEST

START_TEST(leaves_nothing_behind_when_it_fails) {
    static const struct folder_file clash[] = {{"a", "one", 3}, {"b/c", "two", 3}, {"b", "a file and a folder", 5}};
    ck_assert_int_eq(folder_write(&ctx, path, clash, 3), PARE_ERROR_IO);
    ck_assert(!file_exists(path));
    ck_assert_msg(rmdir(root) == 0, "something is left in %s", root);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("base/folder");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, writes_every_file);
    tcase_add_test(tests, takes_an_empty_folder_and_leaves_others);
    tcase_add_test(tests, leaves_nothing_behind_when_it_fails);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
