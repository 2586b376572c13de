/* Broken .pare files: refused with the place, never read or run outside of their bounds. */
#include "hostile_file.h"

#include "suite_main.h"

static enum pare_status open_status(const void *data, size_t size) {
    struct pare_model model;
    enum pare_status status = pare_model_open(data, size, &model);
    ck_assert((model.problem == NULL) == (status == PARE_OK));
    return status;
}

START_TEST(refuses_a_damaged_header) {
    struct random_program r;
    struct buffer file;
    one_file(5, &r, &file);
    struct pare_file_header *header = (struct pare_file_header *)(void *)file.data;
    for (size_t size = 0; size < file.size; size++) {
        ck_assert_int_eq(open_status(file.data, size), PARE_ERROR_INPUT);
    }
    ck_assert_int_eq(open_status(file.data + 1, file.size - 1), PARE_ERROR_INPUT);
    ck_assert_int_eq(open_status(NULL, 0), PARE_ERROR_USAGE);
    file.data[file.size - 1] ^= 1;
    ck_assert_int_eq(open_status(file.data, file.size), PARE_ERROR_INPUT);
    file.data[file.size - 1] ^= 1;
    header->minor[0] = PARE_FORMAT_MINOR + 1;
    ck_assert_int_eq(open_status(file.data, file.size), PARE_ERROR_UNSUPPORTED);
    header->minor[0] = PARE_FORMAT_MINOR;
    header->major[0]++;
    ck_assert_int_eq(open_status(file.data, file.size), PARE_ERROR_UNSUPPORTED);
    header->major[0]--;
    ck_assert_int_eq(open_status(file.data, file.size), PARE_OK);
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

START_TEST(says_where_a_file_is_broken) {
    struct random_program r;
    struct buffer file;
    struct program *p = NULL;
    one_file(5, &r, &file);
    op_records(&file)[r.program.op_count - 1].kind = PARE_HOST;
    repair_checksum(file.data, file.size);
    context_clear(&ctx);
    ck_assert_int_eq(program_read(&ctx, "some.pare", file.data, file.size, &p), PARE_ERROR_INPUT);
    char expected[64];
    snprintf(expected, sizeof(expected), "some.pare: operator %u: ", r.program.op_count - 1);
    ck_assert_msg(strncmp(ctx.diag.message, expected, strlen(expected)) == 0, "%s", ctx.diag.message);
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

START_TEST(refuses_sections_that_do_not_fill_the_file) {
    struct random_program r;
    struct buffer file;
    one_file(5, &r, &file);
    struct pare_file_header *header = (struct pare_file_header *)(void *)file.data;
    uint8_t *const sizes[] = {header->numbers_size, header->data_size, header->names_size, header->metadata_size};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        static const uint32_t wrong[] = {UINT32_MAX, 0};
        uint32_t size = little_endian32(sizes[i], 0);
        for (int k = 0; k < 4; k++) {
            put(sizes[i], k < 2 ? wrong[k] : k == 2 ? size + 1 : size - 1, 4);
            repair_checksum(file.data, file.size);
            ck_assert_int_eq(open_status(file.data, file.size), PARE_ERROR_INPUT);
        }
        put(sizes[i], size, 4);
    }
    repair_checksum(file.data, file.size);
    ck_assert_int_eq(open_status(file.data, file.size), PARE_OK);
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

static enum pare_status read_file(const struct buffer *file) {
    struct program *p = NULL;
    repair_checksum(file->data, file->size);
    enum pare_status status = program_read(&ctx, "file", file->data, file->size, &p);
    if (status == PARE_OK) {
        free_program(p);
    }
    return status;
}

static enum pare_status read_metadata(struct random_program *r, const char *text) {
    struct buffer file;
    r->program.metadata = text;
    buffer_init(&file);
    ck_assert_int_eq(program_write(&ctx, &r->program, &file), PARE_OK);
    enum pare_status status = read_file(&file);
    buffer_free(&file);
    return status;
}

START_TEST(refuses_text_that_is_no_utf8) {
    static const char *const good[] = {
        "abcd", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc3",
                                      "\xc0\x80",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf0\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xe2\x82",
                                      "\xff",
                                      "\xc3("};
    struct random_program r;
    struct buffer file;
    one_file(5, &r, &file);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_msg(read_metadata(&r, good[i]) == PARE_OK, "good %zu", i);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(read_metadata(&r, bad[i]) == PARE_ERROR_INPUT, "bad %zu", i);
    }
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

/* The size that the metadata are said to have. */
START_TEST(refuses_damaged_text) {
    static const uint32_t sizes[] = {0, 20, 22, 1 << 24, (1 << 24) + 1, UINT32_MAX};
    struct random_program r;
    struct buffer file;
    one_file(5, &r, &file);
    uint8_t *section = section_of(&file, PARE_METADATA);
    ck_assert_uint_eq(little_endian32(section, 0), strlen(r.program.metadata));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        put(section, sizes[i], 4);
        ck_assert_int_eq(read_file(&file), PARE_ERROR_INPUT);
        ck_assert_str_eq(ctx.diag.message, "file: its metadata are damaged");
    }
    ck_assert(open_status(file.data, file.size) == PARE_OK); /* nothing at run time depends on it */
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

START_TEST(refuses_a_plan_that_overlaps) {
    static const uint32_t sizes[] = {16, 16, 16};
    struct random_program r;
    struct buffer file;
    random_seed(1);
    make_chain(&r, sizes, 3);
    r.program.values[1].offset = 8; /* in place would be at 0 */
    buffer_init(&file);
    ck_assert_int_eq(program_write(&ctx, &r.program, &file), PARE_ERROR_INTERNAL);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "overlap in the arena"));
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

/* One to three bytes changed, in any place, or in a record. */
static void mutate(uint8_t *file, size_t size) {
    size_t records = sizeof(struct pare_file_header) + (size_t)pick(0, 600);
    for (int i = pick(1, 3); i > 0; i--) {
        size_t at =
            chance(70) && records < size ? (size_t)pick(16, (int32_t)records) : (size_t)pick(0, (int32_t)size - 1);
        static const uint8_t extreme[] = {0, 1, 0x7f, 0x80, 0xff};
        file[at] = chance(50) ? extreme[pick(0, 4)] : (uint8_t)random_bits();
    }
}

START_TEST(survives_mutated_files) {
    unsigned opened = 0, refused = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct random_program r;
        struct buffer file;
        one_file(seed, &r, &file);
        uint8_t *copy = malloc(file.size); /* exactly as long, so that sanitizers see every read beyond */
        ck_assert_ptr_nonnull(copy);
        for (int i = 0; i < 200; i++) {
            memcpy(copy, file.data, file.size);
            mutate(copy, file.size);
            repair_checksum(copy, file.size);
            bool ran = run_hostile(copy, file.size, 1 << 20);
            opened += ran;
            refused += !ran;
            struct program *p = NULL;
            context_clear(&ctx);
            if (program_read(&ctx, "file", copy, file.size, &p) == PARE_OK) {
                free_program(p);
            }
        }
        free(copy);
        buffer_free(&file);
        random_program_free(&r);
    }
    ck_assert_uint_gt(opened, 1000);
    ck_assert_uint_gt(refused, 1000);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("fixed/hostile_file");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 0);
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, refuses_a_damaged_header);
    tcase_add_test(tests, says_where_a_file_is_broken);
    tcase_add_test(tests, refuses_sections_that_do_not_fill_the_file);
    tcase_add_test(tests, refuses_text_that_is_no_utf8);
    tcase_add_test(tests, refuses_damaged_text);
    tcase_add_test(tests, refuses_a_plan_that_overlaps);
    tcase_add_test(tests, survives_mutated_files);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
