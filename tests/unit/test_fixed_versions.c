/* The bytes of version 2.0 stay what they are, and other versions are refused with advice. */
#include "file_fixture.h"

#include "suite_main.h"

/* What make_network() below is, without names and metadata. */
static const char version_2_0[] =
    "50415245020000001001000000c1d3084800000007000500010001002f000000490000000000000000000000170400000000000007030500"
    "30000000050205003000000005020a000000000017010a000000000017fe0f00440000000502050000000000001201001200180000000c00"
    "01000000000000000700000021000000000004000101280000000000020001002d002e000000050004010201030401080103040110010302"
    "010200c80101010101010100000000010002020608080103000130010102300102033f000000000000000000000000000000000000000022"
    "2753b17e29d40f01ff03fd05fb07f902aa04f0020901001be41b39000000000000000000000000000000000000000002";

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

START_TEST(writes_version_2_0) {
    struct random_program r;
    struct buffer golden, file;
    make_network(&r);
    r.program.value_names = NULL;
    r.program.metadata = NULL;
    write_planned(&r, &file);
    read_hex(version_2_0, &golden);
    ck_assert_uint_eq(file.size, golden.size);
    ck_assert_mem_eq(file.data, golden.data, golden.size);
    buffer_free(&file);
    buffer_free(&golden);
    random_program_free(&r);
}
END_TEST

START_TEST(runs_version_2_0) {
    static const int8_t input[6] = {3, -100, 127, 50, 0, -7};
    int8_t output[2];
    uint8_t arena[256];
    struct buffer file;
    struct pare_model model;
    read_hex(version_2_0, &file);
    ck_assert_msg(pare_model_open(file.data, file.size, &model) == PARE_OK, "%s", model.problem);
    ck_assert_uint_le(pare_model_arena_size(&model), sizeof(arena));
    memset(arena, 0x5A, sizeof(arena));
    ck_assert_int_eq(pare_model_run(&model, arena, (const void *[]){input}, (void *[]){output}), PARE_OK);
    ck_assert_int_eq(output[0], -1);
    ck_assert_int_eq(output[1], 0);
    buffer_free(&file);
}
END_TEST

static const char *problem_of(struct buffer *file, uint8_t major, uint8_t minor) {
    struct pare_model model;
    file->data[4] = major;
    file->data[6] = minor;
    enum pare_status status = pare_model_open(file->data, file->size, &model);
    ck_assert_int_eq(status, model.problem == NULL ? PARE_OK : PARE_ERROR_UNSUPPORTED);
    return status == PARE_OK ? "" : model.problem;
}

START_TEST(refuses_other_versions) {
    static const char older[] = "written in an older version of the format; write it again with this pare";
    static const char newer[] = "written in another version of the format; read it with a newer pare";
    struct buffer file;
    read_hex(version_2_0, &file);
    ck_assert_str_eq(problem_of(&file, 2, 0), "");
    ck_assert_str_eq(problem_of(&file, 1, 3), older);
    ck_assert_str_eq(problem_of(&file, 2, 1), newer);
    ck_assert_str_eq(problem_of(&file, 3, 0), newer);
    buffer_free(&file);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("fixed/versions");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, writes_version_2_0);
    tcase_add_test(tests, runs_version_2_0);
    tcase_add_test(tests, refuses_other_versions);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
