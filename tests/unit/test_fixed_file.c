/* Programs written as .pare files, read back, planned and run in place. */
#include "random_program.h"

#include <check.h>

static struct context ctx;

static void setup(void) {
    context_init(&ctx);
}

static void write_planned(struct random_program *r, struct buffer *file) {
    size_t peak = 0;
    buffer_init(file);
    ck_assert_msg(program_plan_arena(&ctx, &r->program, &peak) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_msg(program_write(&ctx, &r->program, file) == PARE_OK, "%s", ctx.diag.message);
}

static void free_program(struct program *p) {
    struct arena *arena = p->arena;
    arena_free(arena);
    free(arena);
}

START_TEST(reads_what_it_wrote) {
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct random_program r;
        struct buffer file, again;
        struct program *p = NULL;
        random_seed(seed);
        random_program(&r);
        write_planned(&r, &file);
        ck_assert_msg(program_read(&ctx, "file", file.data, file.size, &p) == PARE_OK, "%s", ctx.diag.message);
        ck_assert_uint_eq(p->op_count, r.program.op_count);
        ck_assert_uint_eq(p->value_count, r.program.value_count);
        ck_assert_str_eq(p->metadata, r.program.metadata);
        ck_assert_str_eq(p->value_names[p->value_count - 1], r.program.value_names[p->value_count - 1]);
        ck_assert_str_eq(p->op_names[0], "op_0");
        ck_assert_str_eq(p->op_types[0], "Test");
        buffer_init(&again);
        ck_assert_msg(program_write(&ctx, p, &again) == PARE_OK, "%s", ctx.diag.message);
        ck_assert_uint_eq(again.size, file.size);
        ck_assert(memcmp(again.data, file.data, file.size) == 0);
        free_program(p);
        buffer_free(&again);
        buffer_free(&file);
        random_program_free(&r);
    }
}
END_TEST

/* Runs the file in an arena of exactly its size, which holds garbage before. */
static void compare_run(struct random_program *r, const struct buffer *file) {
    struct program *p = &r->program;
    struct pare_model model;
    const void *inputs[MOST_PARTS * MOST_VALUES];
    void *outputs[MOST_PARTS];
    ck_assert_int_eq(pare_model_open(file->data, file->size, &model), PARE_OK);
    ck_assert_uint_eq(pare_model_input_count(&model), p->input_count);
    ck_assert_uint_eq(pare_model_output_count(&model), p->output_count);
    for (uint32_t i = 0; i < p->input_count; i++) {
        inputs[i] = r->data[p->inputs[i]];
    }
    for (uint32_t i = 0; i < p->output_count; i++) {
        struct pare_port port;
        ck_assert_int_eq(pare_model_output(&model, i, &port), PARE_OK);
        outputs[i] = malloc(port.size);
        ck_assert_ptr_nonnull(outputs[i]);
    }
    uint8_t *arena = malloc(pare_model_arena_size(&model));
    ck_assert_ptr_nonnull(arena);
    memset(arena, 0x5A, pare_model_arena_size(&model));
    ck_assert_int_eq(pare_model_run(&model, arena, inputs, outputs), PARE_OK);
    for (uint32_t i = 0; i < p->output_count; i++) {
        const struct pare_value *y = &p->values[p->outputs[i]];
        ck_assert(memcmp(outputs[i], r->data[p->outputs[i]], (size_t)y->count * storage_size(y->storage)) == 0);
        free(outputs[i]);
    }
    free(arena);
}

START_TEST(runs_in_place_as_each_operator_does_alone) {
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct random_program r;
        struct buffer file;
        random_seed(seed);
        random_program(&r);
        write_planned(&r, &file);
        run_plainly(&r);
        compare_run(&r, &file);
        buffer_free(&file);
        random_program_free(&r);
    }
}
END_TEST

START_TEST(leaves_out_names_and_unused_values) {
    struct random_program r;
    struct buffer file, short_file;
    struct program *p = NULL;
    random_seed(7);
    random_program(&r);
    write_planned(&r, &file);
    add_value(&r, &r.program.values[0], r.data[0]);
    r.program.value_names = NULL;
    r.program.metadata = NULL;
    buffer_init(&short_file);
    ck_assert_msg(program_write(&ctx, &r.program, &short_file) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_uint_lt(short_file.size, file.size);
    ck_assert_int_eq(program_read(&ctx, "file", short_file.data, short_file.size, &p), PARE_OK);
    ck_assert_uint_eq(p->value_count, r.program.value_count - 1);
    ck_assert_ptr_null(p->value_names);
    ck_assert_ptr_null(p->metadata);
    free_program(p);
    buffer_free(&short_file);
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

START_TEST(names_every_step_that_stays_in_float) {
    struct random_program r;
    struct buffer file;
    random_seed(3);
    random_program(&r);
    r.program.op_names[0] = "soft";
    r.program.op_types[0] = "Softmax";
    r.program.ops[0].kind = PARE_HOST;
    r.program.op_names[r.program.op_count - 1] = "best";
    r.program.op_types[r.program.op_count - 1] = "ArgMax";
    r.program.ops[r.program.op_count - 1].kind = PARE_HOST;
    buffer_init(&file);
    ck_assert_int_eq(program_write(&ctx, &r.program, &file), PARE_ERROR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "soft (Softmax), best (ArgMax)"));
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

/* ---- the arena ---- */

/* A chain of rescalings of the given sizes; built on a random program for its memory. */
static void make_chain(struct random_program *r, const uint32_t *sizes, uint32_t count) {
    memset(r, 0, sizeof(*r));
    random_program(r);
    struct program *p = &r->program;
    p->value_count = p->op_count = p->input_count = p->output_count = 0;
    struct pare_value v = {.storage = PARE_I8, .bits = 8, .is_signed = true};
    for (uint32_t i = 0; i < count; i++) {
        set_flat(&v, sizes[i]);
        add_value(r, &v, NULL);
    }
    for (uint32_t i = 0; i + 1 < count; i++) {
        struct pare_op op = {.kind = PARE_REQUANTIZE, .input_count = 1, .inputs = {i}, .output = i + 1};
        add_op(r, &op);
    }
    p->inputs[p->input_count++] = 0;
    p->outputs[p->output_count++] = count - 1;
}

START_TEST(plans_a_chain_into_its_two_largest_neighbours) {
    static const uint32_t sizes[] = {64, 400, 100, 400, 200, 12};
    struct random_program r;
    size_t peak = 0;
    random_seed(1);
    make_chain(&r, sizes, 6);
    ck_assert_int_eq(program_plan_arena(&ctx, &r.program, &peak), PARE_OK);
    ck_assert_uint_eq(peak, 600);
    random_program_free(&r);
}
END_TEST

START_TEST(plans_around_a_residual) {
    static const uint32_t sizes[] = {64, 400, 100, 400, 200, 12};
    struct random_program r;
    size_t peak = 0;
    random_seed(1);
    make_chain(&r, sizes, 6);
    r.program.ops[4].input_count = 2; /* value 1 is read by the last operator too */
    r.program.ops[4].inputs[1] = 1;
    ck_assert_int_eq(program_plan_arena(&ctx, &r.program, &peak), PARE_OK);
    ck_assert_uint_eq(peak, 1000);
    random_program_free(&r);
}
END_TEST

START_TEST(refuses_a_plan_that_overlaps) {
    static const uint32_t sizes[] = {16, 16, 16};
    struct random_program r;
    struct buffer file;
    random_seed(1);
    make_chain(&r, sizes, 3);
    buffer_init(&file);
    ck_assert_int_eq(program_write(&ctx, &r.program, &file), PARE_ERROR_INTERNAL);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "overlap in the arena"));
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

/* ---- size ---- */

/* One 3x3 convolution of 64 channels at 3 bits: what the records cost beside the exact bits. */
START_TEST(adds_little_to_the_exact_bits) {
    static const uint32_t sizes[] = {64 * 8 * 8, 64 * 8 * 8};
    static uint8_t data[64 * 576 * 3 / 8];
    static int8_t frac[64];
    struct random_program r;
    struct buffer file;
    random_seed(1);
    make_chain(&r, sizes, 2);
    struct pare_op *op = &r.program.ops[0];
    op->kind = PARE_CONV;
    op->u.window = (struct pare_window){64, 8, 8, 64, 8, 8, 3, 3, 1, 1, 1, 1, 1, 1, 1, false, 1, 1};
    op->weights = (struct pare_weights){3, 64, 576, 576 * 3, data, true, frac};
    write_planned(&r, &file);
    ck_assert_uint_le(file.size, sizeof(data) + sizeof(data) * 3 / 100 + 1024);
    ck_assert_uint_ge(file.size, sizeof(data));
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

/* ---- hostile files ---- */

static void one_file(uint64_t seed, struct random_program *r, struct buffer *file) {
    random_seed(seed);
    random_program(r);
    write_planned(r, file);
}

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
    ck_assert_int_eq(open_status(file.data + 1, file.size - 1), PARE_ERROR_USAGE);
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
    struct pare_file_header *header = (struct pare_file_header *)(void *)file.data;
    struct pare_file_op *ops = (struct pare_file_op *)(void *)(file.data + little_endian32(header->ops, 0));
    ops[r.program.op_count - 1].kind = PARE_HOST;
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

/* Replaces the text at the file's end, its metadata. */
static enum pare_status read_metadata(struct buffer *file, const char *text) {
    struct program *p = NULL;
    size_t size = strlen(text);
    memcpy(file->data + file->size - size, text, size);
    repair_checksum(file->data, file->size);
    enum pare_status status = program_read(&ctx, "file", file->data, file->size, &p);
    if (status == PARE_OK) {
        free_program(p);
    }
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
        ck_assert_msg(read_metadata(&file, "xxxx") == PARE_OK && read_metadata(&file, good[i]) == PARE_OK, "good %zu",
                      i);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(read_metadata(&file, "xxxx"), PARE_OK);
        ck_assert_msg(read_metadata(&file, bad[i]) == PARE_ERROR_INPUT, "bad %zu", i);
    }
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

START_TEST(refuses_an_input_code_outside_of_its_format) {
    static const uint32_t sizes[] = {4, 4};
    int8_t input[4] = {0, 15, -16, 0}, output[4] = {77, 77, 77, 77};
    uint8_t arena[64];
    struct random_program r;
    struct buffer file;
    struct pare_model model;
    random_seed(1);
    make_chain(&r, sizes, 2);
    r.program.values[0].bits = 5;
    write_planned(&r, &file);
    ck_assert_int_eq(pare_model_open(file.data, file.size, &model), PARE_OK);
    ck_assert_uint_le(pare_model_arena_size(&model), sizeof(arena));
    ck_assert_int_eq(pare_model_run(&model, arena, (const void *[]){input}, (void *[]){output}), PARE_OK);
    output[0] = 77;
    input[3] = 16;
    ck_assert_int_eq(pare_model_run(&model, arena, (const void *[]){input}, (void *[]){output}), PARE_ERROR_INPUT);
    ck_assert_int_eq(output[0], 77);
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

static unsigned hook_calls;

static void counting_requantize(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    hook_calls++;
    pare_run_requantize(op, values, data);
}

START_TEST(runs_the_kernels_that_a_caller_installs) {
    struct random_program r;
    struct buffer file;
    static const uint32_t sizes[] = {8, 8, 8, 8};
    pare_kernel *kernels[PARE_KIND_COUNT] = {NULL};
    int8_t input[8] = {1, 2, 3, 4, -5, -6, -7, -8}, output[8];
    uint8_t arena[64];
    struct pare_model model;
    random_seed(1);
    make_chain(&r, sizes, 4);
    for (uint32_t i = 0; i < r.program.op_count; i++) {
        r.program.ops[i].low = -128;
        r.program.ops[i].high = 127;
    }
    write_planned(&r, &file);
    ck_assert_int_eq(pare_model_open(file.data, file.size, &model), PARE_OK);
    ck_assert_uint_eq(pare_model_arena_size(&model), 16);
    kernels[PARE_REQUANTIZE] = counting_requantize;
    model.kernels = kernels;
    hook_calls = 0;
    ck_assert_int_eq(pare_model_run(&model, arena, (const void *[]){input}, (void *[]){output}), PARE_OK);
    ck_assert_uint_eq(hook_calls, 3);
    ck_assert(memcmp(input, output, sizeof(input)) == 0);
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

START_TEST(describes_inputs_and_outputs) {
    struct random_program r;
    struct buffer file;
    struct pare_model model;
    struct pare_port port;
    one_file(9, &r, &file);
    ck_assert_int_eq(pare_model_open(file.data, file.size, &model), PARE_OK);
    for (uint32_t i = 0; i < r.program.input_count; i++) {
        const struct pare_value *x = &r.program.values[r.program.inputs[i]];
        ck_assert_int_eq(pare_model_input(&model, i, &port), PARE_OK);
        ck_assert_uint_eq(port.bits, x->bits);
        ck_assert_int_eq(port.frac, x->frac);
        ck_assert_uint_eq(port.count, x->count);
        ck_assert_uint_eq(port.rank, x->rank);
        ck_assert(port.is_signed == x->is_signed && port.storage == x->storage);
        ck_assert(memcmp(port.dims, x->dims, sizeof(port.dims)) == 0);
    }
    ck_assert_int_eq(pare_model_input(&model, r.program.input_count, &port), PARE_ERROR_USAGE);
    ck_assert_int_eq(pare_model_output(&model, r.program.output_count, &port), PARE_ERROR_USAGE);
    ck_assert_str_eq(pare_status_text(PARE_OK), "success");
    ck_assert_str_eq(pare_status_text(PARE_ERROR_INTERNAL), "internal error");
    ck_assert_str_eq(pare_status_text((enum pare_status)1000), "unknown status");
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

/* One to three bytes changed, in any place, or in a record. */
static void mutate(uint8_t *file, size_t size) {
    size_t records = 64 + (size_t)pick(0, 600);
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
            bool ran = run_hostile(copy, file.size);
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
    Suite *suite = suite_create("fixed/file");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 0);
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, reads_what_it_wrote);
    tcase_add_test(tests, runs_in_place_as_each_operator_does_alone);
    tcase_add_test(tests, leaves_out_names_and_unused_values);
    tcase_add_test(tests, names_every_step_that_stays_in_float);
    tcase_add_test(tests, plans_a_chain_into_its_two_largest_neighbours);
    tcase_add_test(tests, plans_around_a_residual);
    tcase_add_test(tests, refuses_a_plan_that_overlaps);
    tcase_add_test(tests, adds_little_to_the_exact_bits);
    tcase_add_test(tests, refuses_a_damaged_header);
    tcase_add_test(tests, says_where_a_file_is_broken);
    tcase_add_test(tests, refuses_text_that_is_no_utf8);
    tcase_add_test(tests, refuses_an_input_code_outside_of_its_format);
    tcase_add_test(tests, runs_the_kernels_that_a_caller_installs);
    tcase_add_test(tests, describes_inputs_and_outputs);
    tcase_add_test(tests, survives_mutated_files);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
