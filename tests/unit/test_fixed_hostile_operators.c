/* Operators of .pare files that point outside, or say what no version has given a meaning yet. */
#include "hostile_file.h"

#include "suite_main.h"

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

int main(void) {
    Suite *suite = suite_create("fixed/hostile_operators");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 0);
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, refuses_zero_points_out_of_place);
    tcase_add_test(tests, refuses_fractions_above_127);
    tcase_add_test(tests, refuses_inputs_out_of_place);
    tcase_add_test(tests, refuses_fields_that_its_kind_does_not_have);
    tcase_add_test(tests, refuses_formats_of_what_is_not_there);
    tcase_add_test(tests, refuses_windows_over_other_ranks);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
