/* A file of an older version of the format is read for what it is. */
#include "file_fixture.h"

/* What make_network() below was in version 1.1. */
static const char version_1_1[] =
    "5041524501000100a8020000b59eaeba48000000070005000100010040000000cc0000004401000048010000e1000000290200006a00"
    "000093020000150000000108010404000000010000000000000000000000000800040300010002000000300000001000000000060004"
    "020002000300000030000000100000000006000402000300040000000000000020000000010801040100040005000000000000002000"
    "000001080102feff05000600000044000000300000000006020402000000000000003800000010000000003601030800010000000000"
    "0000c80050000000840000000c000100000002000100000000003f00000000000000000007000200000003000000000000003f009800"
    "0000000000000400020000000400030003000000ff00ac000000000000000200010200000500040000000000ff00c0000000c8000000"
    "000005000100000002000000010000000300000001000000080000000100000003000000010000001000000001000000030000000100"
    "0000020000000102033f0000000000000000000000000000000000000000020000000100000003000000080000000100000003000000"
    "0100010001000100010001000000000000000000010000000100feff53b17e29d40f01ff03fd05fb07f90201aa0401f0010000000300"
    "0000080000000800000002000600000000000100000030000000010000000100000002000000300000001be41b390000000000000000"
    "0000000000000000000000000276616c75655f300076616c75655f310076616c75655f320076616c75655f330076616c75655f340076"
    "616c75655f350076616c75655f36006f705f300054657374006f705f310054657374006f705f320054657374006f705f330054657374"
    "006f705f340054657374007b226d616465223a2022627920612074657374227d";

static struct pare_value make_value(enum pare_storage storage, uint8_t bits, int16_t frac, const uint32_t *dims,
                                    uint8_t rank) {
    struct pare_value v = {.storage = storage, .bits = bits, .is_signed = storage == PARE_I8, .frac = frac};
    v.rank = rank;
    v.count = 1;
    for (unsigned i = 0; i < rank; i++) {
        v.dims[i] = dims[i];
        v.count *= dims[i];
    }
    return v;
}

static void add_values(struct random_program *r) {
    static const uint32_t in[] = {1, 2, 1, 3}, wide[] = {1, 8, 1, 3}, both[] = {1, 16, 1, 3}, out[] = {1, 2};
    static uint8_t constant[24] = {1, 2, 3, 63};
    struct pare_value fixed = make_value(PARE_U8, 6, 2, wide, 4);
    fixed.constant = constant;
    const struct pare_value values[] = {make_value(PARE_I8, 8, 4, in, 4),
                                        make_value(PARE_U8, 8, 3, wide, 4),
                                        make_value(PARE_U8, 6, 2, wide, 4),
                                        make_value(PARE_U8, 6, 2, both, 4),
                                        make_value(PARE_I8, 8, 1, both, 4),
                                        make_value(PARE_I8, 8, -2, out, 2),
                                        fixed};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        add_value(r, &values[i], NULL);
    }
}

static void add_linear(struct random_program *r) {
    static const uint8_t weights[] = {0x53, 0xb1, 0x7e, 0x29, 0xd4, 0x0f}, zeros[] = {1, 0, 0xfe, 0xff};
    static const uint8_t bias[8] = {1, 0xff, 3, 0xfd, 5, 0xfb, 7, 0xf9}, matrix[24] = {0x1b, 0xe4, 0x1b, 0x39};
    static const int8_t weight_frac[] = {2, 3, 2, 3, 2, 3, 2, 3}, bias_frac[] = {4, 4, 4, 4, 5, 5, 5, 5}, two = 2;
    struct pare_op conv = {.kind = PARE_CONV, .input_count = 1, .inputs = {0}, .output = 1, .high = 200, .zero = zeros};
    conv.u.window = (struct pare_window){2, 1, 3, 8, 1, 3, 1, 1, 1, 1, 1, 1, 0, 0, 1, false, 0, 0};
    conv.weights = (struct pare_weights){3, 8, 2, 6, weights, true, weight_frac, 0};
    conv.bias = (struct pare_bias){8, bias, true, bias_frac, 0};
    struct pare_op dense = {.kind = PARE_DENSE, .input_count = 1, .inputs = {4}, .output = 5, .low = -128, .high = 127};
    dense.weights = (struct pare_weights){2, 2, 48, 96, matrix, false, &two, 0};
    add_op(r, &conv);
    add_op(r, &(struct pare_op){.kind = PARE_REQUANTIZE, .input_count = 1, .inputs = {1}, .output = 2, .high = 63});
    struct pare_op concat = {.kind = PARE_CONCAT, .input_count = 2, .inputs = {2, 6}, .output = 3, .high = 63};
    concat.u.concat.outer = 1;
    concat.u.concat.inner = 3;
    concat.u.concat.size[0] = concat.u.concat.size[1] = 8;
    add_op(r, &concat);
    struct pare_op add = {.kind = PARE_ADD, .input_count = 2, .inputs = {3, 3}, .output = 4, .low = -128, .high = 127};
    add.u.binary.rank = 1;
    add.u.binary.dims[0] = 48;
    add.u.binary.stride[0][0] = add.u.binary.stride[1][0] = 1;
    add_op(r, &add);
    add_op(r, &dense);
}

/* A convolution with zero points and fractions of its channels, a rescaling and an addition in place, a
 * concatenation with a constant, a product. */
static void make_network(struct random_program *r) {
    static const uint32_t one = 1;
    random_seed(1);
    make_chain(r, &one, 1);
    r->program.value_count = r->program.op_count = 0;
    add_values(r);
    add_linear(r);
    r->program.outputs[0] = 5;
}

static void read_hex(const char *text, struct buffer *out) {
    buffer_init(out);
    for (; text[0] != '\0'; text += 2) {
        const char digits[] = {text[0], text[1], '\0'};
        write_u8(out, (uint8_t)strtoul(digits, NULL, 16));
    }
    ck_assert(!out->failed);
}

START_TEST(reads_version_1_1) {
    struct random_program r;
    struct buffer old, now, again;
    struct program *p = NULL;
    make_network(&r);
    write_planned(&r, &now);
    read_hex(version_1_1, &old);
    ck_assert_uint_eq(old.data[6], 1);
    ck_assert_uint_gt(now.data[6], 1);
    ck_assert_msg(program_read(&ctx, "old", old.data, old.size, &p) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_str_eq(p->metadata, r.program.metadata);
    ck_assert_str_eq(p->op_names[4], "op_4");
    buffer_init(&again);
    ck_assert_msg(program_write(&ctx, p, &again) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_uint_eq(again.size, now.size);
    ck_assert(memcmp(again.data, now.data, now.size) == 0);
    free_program(p);
    buffer_free(&again);
    buffer_free(&now);
    buffer_free(&old);
    random_program_free(&r);
}
END_TEST

static void run_file(const struct buffer *file, int8_t output[2]) {
    static const int8_t input[6] = {3, -100, 127, 50, 0, -7};
    uint8_t arena[256];
    struct pare_model model;
    ck_assert_msg(pare_model_open(file->data, file->size, &model) == PARE_OK, "%s", model.problem);
    ck_assert_uint_le(pare_model_arena_size(&model), sizeof(arena));
    memset(arena, 0x5A, sizeof(arena));
    ck_assert_int_eq(pare_model_run(&model, arena, (const void *[]){input}, (void *[]){output}), PARE_OK);
}

START_TEST(runs_version_1_1) {
    struct random_program r;
    struct buffer old, now;
    int8_t before[2] = {99, 99}, after[2] = {98, 98};
    make_network(&r);
    write_planned(&r, &now);
    read_hex(version_1_1, &old);
    run_file(&old, before);
    run_file(&now, after);
    ck_assert(before[0] == after[0] && before[1] == after[1] && before[0] != before[1]);
    buffer_free(&now);
    buffer_free(&old);
    random_program_free(&r);
}
END_TEST

static const char *problem_of(struct buffer *file, uint8_t minor) {
    struct pare_model model;
    file->data[6] = minor;
    repair_checksum(file->data, file->size);
    return pare_model_open(file->data, file->size, &model) == PARE_OK ? "" : model.problem;
}

START_TEST(refuses_flags_newer_than_the_file) {
    struct random_program r;
    struct buffer old, now;
    make_network(&r);
    write_planned(&r, &now);
    ck_assert_str_eq(problem_of(&now, 2), "");
    ck_assert_str_eq(problem_of(&now, 1), "a value has an unknown format");
    read_hex(version_1_1, &old);
    const struct pare_file_header *header = (const struct pare_file_header *)(const void *)old.data;
    struct pare_file_op *op = (struct pare_file_op *)(void *)(old.data + little_endian32(header->ops, 0));
    ck_assert_str_eq(problem_of(&old, 1), "");
    op->flags ^= PARE_OP_TERSE;
    ck_assert_str_eq(problem_of(&old, 1), "an operator of an unknown kind");
    op->flags ^= PARE_OP_TERSE;
    op->flags |= PARE_OP_PACKED_FRACS;
    ck_assert_str_eq(problem_of(&old, 0), "an operator of an unknown kind");
    buffer_free(&now);
    buffer_free(&old);
    random_program_free(&r);
}
END_TEST

START_TEST(addends_are_newer_than_1_2) {
    unsigned with = 0, without = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct random_program r;
        struct buffer file;
        bool adds = false;
        one_file(seed, &r, &file);
        for (uint32_t i = 0; i < r.program.op_count; i++) {
            adds = adds || (r.program.ops[i].kind == PARE_CONV && r.program.ops[i].input_count == 2);
        }
        ck_assert_str_eq(problem_of(&file, 3), "");
        ck_assert_str_eq(problem_of(&file, 2), adds ? "an operator of an unknown kind" : "");
        with += adds;
        without += !adds;
        buffer_free(&file);
        random_program_free(&r);
    }
    ck_assert_uint_gt(with, 5);
    ck_assert_uint_gt(without, 5);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("fixed/versions");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, reads_version_1_1);
    tcase_add_test(tests, runs_version_1_1);
    tcase_add_test(tests, refuses_flags_newer_than_the_file);
    tcase_add_test(tests, addends_are_newer_than_1_2);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
