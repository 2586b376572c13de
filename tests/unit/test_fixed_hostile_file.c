/* Broken .pare files: refused with the place, never read or run outside of their bounds. */
#include "file_fixture.h"

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

static struct pare_file_op *op_records(const struct buffer *file) {
    return (struct pare_file_op *)(void *)section_of(file, PARE_OPERATORS);
}

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

/* What opening the file with its checksum repaired says about operator 0, or "" where it opens. */
static const char *first_problem(const struct buffer *file) {
    struct pare_model model;
    repair_checksum(file->data, file->size);
    if (pare_model_open(file->data, file->size, &model) == PARE_OK) {
        return "";
    }
    return model.in_operator && model.place == 0 ? model.problem : "another place";
}

static struct pare_op first_op(const struct buffer *file) {
    struct pare_model model;
    struct pare_op op;
    ck_assert_int_eq(pare_model_open(file->data, file->size, &model), PARE_OK);
    ck_assert_ptr_null(pare_decode_op(&model, 0, &op));
    return op;
}

static void put(uint8_t *field, uint32_t v, int size) {
    for (int i = 0; i < size; i++) {
        field[i] = (uint8_t)(v >> 8 * i & 0xff);
    }
}

/* The coefficients of operator 0 at the end of the data section, with a byte less behind them than their zero points
 * take. Returns where they say how many bits those have. */
static uint8_t *cut_zero_points(const struct buffer *file) {
    struct pare_op op = first_op(file);
    struct pare_file_op *record = op_records(file);
    uint8_t *data = section_of(file, PARE_DATA), *end = section_of(file, PARE_NAMES);
    const uint8_t *block = data + little_endian32(record->data, 0);
    size_t zeros = ((size_t)op.u.window.in_c * op.zero_bits + 7) / 8;
    size_t whole = (size_t)(op.zero - block) + zeros;
    memmove(end - whole + 1, block, whole - 1);
    put(record->data, (uint32_t)(end - whole + 1 - data), 4);
    return end - zeros;
}

START_TEST(refuses_zero_points_out_of_place) {
    unsigned cut = 0, misplaced = 0;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct random_program r;
        struct buffer file;
        one_file(seed, &r, &file);
        if (r.program.ops[0].kind != PARE_CONV) {
            op_records(&file)->flags |= PARE_OP_INPUT_ZERO;
            ck_assert_str_eq(first_problem(&file), "an operator of an unknown kind");
            misplaced++;
        } else if (r.program.ops[0].zero != NULL) {
            ck_assert_str_eq(first_problem(&file), "");
            uint8_t *bits = cut_zero_points(&file);
            ck_assert(*bits >= 1 && *bits <= 16);
            ck_assert_str_eq(first_problem(&file), "its weights lie outside of the data section");
            *bits = cut % 2 == 0 ? 0 : 17;
            ck_assert_str_eq(first_problem(&file), "its weights lie outside of the data section");
            cut++;
        }
        buffer_free(&file);
        random_program_free(&r);
    }
    ck_assert_uint_gt(cut, 3);
    ck_assert_uint_gt(misplaced, 100);
}
END_TEST

START_TEST(refuses_fractions_above_127) {
    unsigned tried = 0;
    for (uint64_t seed = 1; seed <= 600; seed++) {
        struct random_program r;
        struct buffer file;
        one_file(seed, &r, &file);
        struct pare_op op = first_op(&file);
        if (op.weights.frac != NULL && op.weights.frac_bits > 0) {
            file.data[(const uint8_t *)op.weights.frac - file.data] = (uint8_t)(129 - (1 << op.weights.frac_bits));
            ck_assert_str_eq(first_problem(&file), "its weights lie outside of the data section");
            tried++;
        }
        buffer_free(&file);
        random_program_free(&r);
    }
    ck_assert_uint_gt(tried, 10);
}
END_TEST

START_TEST(refuses_inputs_out_of_place) {
    struct random_program r;
    struct buffer file;
    static const uint32_t sizes[] = {16, 16, 16};
    random_seed(1);
    make_chain(&r, sizes, 3);
    write_planned(&r, &file);
    struct pare_file_op *ops = op_records(&file);
    ck_assert_str_eq(first_problem(&file), "");
    ops[0].inputs[0] = 2; /* before the first value */
    ck_assert_str_eq(first_problem(&file), "it names a value that does not exist");
    ops[0].inputs[0] = 0; /* the first number is a rank of 1, and also the operator's own output */
    put(ops[0].parameters, 0, 2);
    ck_assert_str_eq(first_problem(&file), "it reads a value before it is written");
    put(ops[0].parameters, UINT16_MAX, 2); /* no number at all stands for the input of the network */
    ck_assert_str_eq(first_problem(&file), "its parameters lie outside of the section of numbers");
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

/* Many convolutions that share one block of zero points, and one of fractions, of 1 bit each. */
START_TEST(takes_no_more_memory_than_the_file) {
    enum { CHANNELS = 60000, OPERATORS = 12 };
    uint32_t sizes[OPERATORS + 1];
    static uint8_t zero[CHANNELS / 8];
    static int8_t frac[1 + CHANNELS / 8] = {3};
    struct random_program r;
    struct buffer file;
    struct program *p = NULL;
    for (size_t i = 0; i <= OPERATORS; i++) {
        sizes[i] = CHANNELS;
    }
    memset(zero, 0xa5, sizeof(zero));
    memset(frac + 1, 0x5a, sizeof(frac) - 1);
    random_seed(1);
    make_chain(&r, sizes, OPERATORS + 1);
    for (uint32_t i = 0; i < OPERATORS; i++) {
        struct pare_op *op = &r.program.ops[i];
        op->kind = PARE_CONV;
        op->u.window =
            (struct pare_window){CHANNELS, 1, 1, CHANNELS, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, CHANNELS, false, 0, 0};
        op->weights = (struct pare_weights){0, CHANNELS, 1, 0, NULL, true, frac, 1};
        op->zero = zero;
        op->zero_bits = 1;
    }
    write_planned(&r, &file);
    ck_assert_uint_lt(file.size, 4 * sizeof(zero));
    ck_assert_msg(program_read(&ctx, "file", file.data, file.size, &p) == PARE_OK, "%s", ctx.diag.message);
    size_t records = p->op_count * sizeof(*p->ops) + p->value_count * sizeof(*p->values);
    ck_assert_uint_lt(p->arena->bytes, file.size + records + 64 * 1024);
    ck_assert_int_eq(zero_at(&p->ops[OPERATORS - 1], 2), zero_at(&r.program.ops[0], 2));
    ck_assert_int_eq(weight_frac(&p->ops[OPERATORS - 1].weights, 1), 4);
    free_program(p);
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

/* ---- files that would take long to check ---- */

enum { MANY = 1000 };

static struct pare_value many_values[MANY + 1];
static struct pare_op many_ops[MANY];

/* A chain of `count` equal operators with a row for each code, whose values of `codes` codes lie in two places by
 * turns. */
static struct program chain_of(struct random_program *r, const struct pare_op *op, uint32_t count, uint32_t codes) {
    static uint32_t input, output;
    random_seed(1);
    make_chain(r, &codes, 1);
    for (uint32_t i = 0; i <= count; i++) {
        many_values[i] = r->program.values[0];
        many_values[i].offset = i % 2 * codes;
    }
    for (uint32_t i = 0; i < count; i++) {
        many_ops[i] = *op;
        many_ops[i].inputs[0] = many_ops[i].inputs[1] = i;
        many_ops[i].output = i + 1;
    }
    struct program p = {.values = many_values, .ops = many_ops, .inputs = &input, .outputs = &output};
    output = count;
    p.value_count = count + 1;
    p.op_count = count;
    p.input_count = p.output_count = 1;
    return p;
}

START_TEST(opens_rows_of_nothing_at_once) {
    enum { CHANNELS = 1 << 30 };
    struct random_program r;
    struct buffer file;
    struct pare_op op = {.kind = PARE_CONV, .input_count = 2, .weights = {.rows = CHANNELS, .columns = 1}};
    op.u.window = (struct pare_window){1, 1 << 15, 1 << 15, CHANNELS, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, false, 0, 0};
    struct program p = chain_of(&r, &op, MANY, CHANNELS);
    buffer_init(&file);
    ck_assert_msg(program_write(&ctx, &p, &file) == PARE_OK, "%s", ctx.diag.message);
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

/* 100 layers may share one matrix, but not 1000. */
START_TEST(refuses_to_share_a_matrix_without_end) {
    enum { SIDE = 1000 };
    static const uint8_t weights[SIDE * SIDE / 4];
    struct random_program r;
    struct buffer file;
    struct pare_op op = {.kind = PARE_DENSE, .input_count = 1};
    op.weights = (struct pare_weights){.bits = 2, .rows = SIDE, .columns = SIDE, .row_bits = 2 * SIDE, .data = weights};
    buffer_init(&file);
    struct program p = chain_of(&r, &op, 100, SIDE);
    ck_assert_msg(program_write(&ctx, &p, &file) == PARE_OK, "%s", ctx.diag.message);
    random_program_free(&r);
    p = chain_of(&r, &op, MANY, SIDE);
    ck_assert_int_eq(program_write(&ctx, &p, &file), PARE_ERROR_INTERNAL);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "share more data than a file may"));
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

/* ---- what no version has given a meaning yet ---- */

/* A file of two rescalings of one code, operator 0 of this kind instead. */
static struct buffer file_of(struct random_program *r, const struct pare_op *op, unsigned rank) {
    struct buffer file;
    struct program p = chain_of(r, op, 2, 1);
    for (uint32_t v = 0; v <= 2; v++) {
        set_shape(&many_values[v], rank, (const uint32_t[]){1, 1, 1, 1, 1, 1});
    }
    buffer_init(&file);
    ck_assert_msg(program_write(&ctx, &p, &file) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_str_eq(first_problem(&file), "");
    return file;
}

static const struct pare_op one_weight = {.kind = PARE_CONV,
                                          .input_count = 1,
                                          .weights = {.rows = 1, .columns = 1},
                                          .u.window = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, false, 0, 0}};

static void refuses_byte(const struct buffer *file, uint8_t *byte, uint8_t value, const char *problem) {
    uint8_t before = *byte;
    *byte = value;
    ck_assert_str_eq(first_problem(file), problem);
    *byte = before;
    ck_assert_str_eq(first_problem(file), "");
}

START_TEST(refuses_fields_that_its_kind_does_not_have) {
    static const char *const unknown = "an operator of an unknown kind";
    struct random_program r;
    struct buffer file = file_of(&r, &(const struct pare_op){.kind = PARE_REQUANTIZE, .input_count = 1}, 1);
    struct pare_file_op *record = op_records(&file);
    refuses_byte(&file, &record->inputs[1], 1, unknown);
    refuses_byte(&file, &record->data[2], 1, unknown);
    buffer_free(&file);
    random_program_free(&r);
    const struct pare_op concat = {
        .kind = PARE_CONCAT, .input_count = 1, .u.concat = {.outer = 1, .inner = 1, .size = {1}}};
    file = file_of(&r, &concat, 1);
    record = op_records(&file);
    refuses_byte(&file, &record->inputs[0], 1, unknown);
    refuses_byte(&file, &record->inputs[1], 1, unknown);
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

START_TEST(refuses_formats_of_what_is_not_there) {
    static const char *const impossible = "its weights have an impossible shape";
    struct random_program r;
    struct buffer file = file_of(&r, &one_weight, 4);
    uint8_t *formats = section_of(&file, PARE_DATA) + little_endian32(op_records(&file)->data, 0);
    refuses_byte(&file, formats, PARE_WHOLE_BYTE_ROWS, impossible);
    refuses_byte(&file, formats + 1, 1 << PARE_FRAC_BITS_SHIFT, impossible);
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

/* Without the flag, only shapes of three and four dims say the sizes of a window. */
START_TEST(refuses_windows_over_other_ranks) {
    for (unsigned rank = 2; rank <= PARE_MAX_RANK; rank++) {
        struct random_program r;
        struct buffer file = file_of(&r, &one_weight, rank);
        struct pare_file_op *record = op_records(&file);
        bool said = rank != 3 && rank != 4;
        ck_assert((record->flags & PARE_OP_SIZES) == (said ? PARE_OP_SIZES : 0));
        if (said) {
            refuses_byte(&file, &record->flags, record->flags & ~PARE_OP_SIZES, "its weights have an impossible shape");
        }
        buffer_free(&file);
        random_program_free(&r);
    }
}
END_TEST

/* Copies of one code, whose strides matter to nobody, but differ and take five bytes each. */
START_TEST(has_room_for_64_kb_of_numbers) {
    struct random_program r;
    struct buffer file;
    struct pare_op op = {.kind = PARE_COPY, .input_count = 1};
    op.u.copy.rank = PARE_MAX_RANK;
    for (unsigned axis = 0; axis < PARE_MAX_RANK; axis++) {
        op.u.copy.dims[axis] = 1;
        op.u.copy.in_stride[axis] = op.u.copy.out_stride[axis] = INT32_MIN;
    }
    struct program p = chain_of(&r, &op, MANY, 1);
    for (int i = 0; i < MANY; i++) {
        many_ops[i].u.copy.in_stride[0] = INT32_MIN + i;
    }
    buffer_init(&file);
    ck_assert_int_eq(program_write(&ctx, &p, &file), PARE_ERROR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "split the network, or write it as ONNX"));
    p.op_count = *p.outputs = MANY * 4 / 5;
    p.value_count = p.op_count + 1;
    ck_assert_msg(program_write(&ctx, &p, &file) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_int_eq(first_op(&file).u.copy.in_stride[0], INT32_MIN);
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
    tcase_add_test(tests, refuses_zero_points_out_of_place);
    tcase_add_test(tests, refuses_fractions_above_127);
    tcase_add_test(tests, refuses_inputs_out_of_place);
    tcase_add_test(tests, refuses_sections_that_do_not_fill_the_file);
    tcase_add_test(tests, refuses_text_that_is_no_utf8);
    tcase_add_test(tests, refuses_damaged_text);
    tcase_add_test(tests, refuses_a_plan_that_overlaps);
    tcase_add_test(tests, takes_no_more_memory_than_the_file);
    tcase_add_test(tests, opens_rows_of_nothing_at_once);
    tcase_add_test(tests, refuses_to_share_a_matrix_without_end);
    tcase_add_test(tests, refuses_fields_that_its_kind_does_not_have);
    tcase_add_test(tests, refuses_formats_of_what_is_not_there);
    tcase_add_test(tests, refuses_windows_over_other_ranks);
    tcase_add_test(tests, has_room_for_64_kb_of_numbers);
    tcase_add_test(tests, survives_mutated_files);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
