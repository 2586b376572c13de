/* Programs written as .pare files, read back, planned and run in place. */
#include "file_fixture.h"
#include "fixed/exact_bits.h"

#include "suite_main.h"

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
        ck_assert_str_eq(p->value_names[p->outputs[0]], r.program.value_names[r.program.outputs[0]]);
        ck_assert_str_eq(p->value_names[p->ops[0].output], r.program.value_names[r.program.ops[0].output]);
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

/* Runs the file in an arena of exactly its size, which holds garbage before; both at odd addresses. */
static void compare_run(struct random_program *r, const struct buffer *file) {
    struct program *p = &r->program;
    struct pare_model model;
    const void *inputs[MOST_PARTS * MOST_VALUES];
    void *outputs[MOST_PARTS];
    uint8_t *copy = malloc(file->size + 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy + 1, file->data, file->size);
    ck_assert_int_eq(pare_model_open(copy + 1, file->size, &model), PARE_OK);
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
    uint8_t *arena = malloc(pare_model_arena_size(&model) + 1);
    ck_assert_ptr_nonnull(arena);
    memset(arena, 0x5A, pare_model_arena_size(&model) + 1);
    ck_assert_int_eq(pare_model_run(&model, arena + 1, inputs, outputs), PARE_OK);
    for (uint32_t i = 0; i < p->output_count; i++) {
        const struct pare_value *y = &p->values[p->outputs[i]];
        ck_assert(memcmp(outputs[i], r->data[p->outputs[i]], (size_t)y->count * storage_size(y->storage)) == 0);
        free(outputs[i]);
    }
    free(arena);
    free(copy);
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

/* A convolution whose two channels have these fractions. */
static void check_fractions(int8_t low, int8_t high) {
    static const uint32_t sizes[] = {2, 2};
    const int8_t frac[] = {low, high};
    struct random_program r;
    struct buffer file;
    struct program *p = NULL;
    random_seed(1);
    make_chain(&r, sizes, 2);
    struct pare_op *op = &r.program.ops[0];
    op->kind = PARE_CONV;
    op->u.window = (struct pare_window){2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 2, false, 0, 0};
    op->weights = (struct pare_weights){0, 2, 1, 0, NULL, true, frac, 0};
    write_planned(&r, &file);
    ck_assert_int_eq(program_read(&ctx, "file", file.data, file.size, &p), PARE_OK);
    ck_assert_int_eq(weight_frac(&p->ops[0].weights, 0), low);
    ck_assert_int_eq(weight_frac(&p->ops[0].weights, 1), high);
    free_program(p);
    buffer_free(&file);
    random_program_free(&r);
}

/* No width but 7 is left out. */
START_TEST(keeps_fractions_far_apart) {
    static const int spreads[] = {0, 1, 2, 3, 4, 7, 8, 31, 32, 63, 64, 127, 128, 255};
    for (size_t i = 0; i < sizeof(spreads) / sizeof(spreads[0]); i++) {
        check_fractions(INT8_MIN, (int8_t)(INT8_MIN + spreads[i]));
        check_fractions((int8_t)(INT8_MAX - spreads[i]), INT8_MAX);
    }
}
END_TEST

START_TEST(refuses_a_fraction_that_no_record_holds) {
    static const uint32_t sizes[] = {2, 2};
    struct random_program r;
    struct buffer file;
    random_seed(1);
    make_chain(&r, sizes, 2);
    r.program.values[1].frac = INT8_MAX + 1;
    buffer_init(&file);
    ck_assert_int_eq(program_write(&ctx, &r.program, &file), PARE_ERROR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "fractions of -128 to 127, not 128"));
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

/* The last of 299 operators reads the first value, the others a neighbour. */
START_TEST(names_an_input_far_away) {
    enum { VALUES = 300 };
    static const uint32_t one = 2;
    static struct pare_value values[VALUES];
    static struct pare_op ops[VALUES];
    struct random_program r;
    struct buffer file;
    struct program *again = NULL;
    random_seed(1);
    make_chain(&r, &one, 1);
    for (uint32_t i = 0; i < VALUES; i++) {
        values[i] = r.program.values[0];
        ops[i] = (struct pare_op){.kind = PARE_REQUANTIZE, .input_count = 1, .inputs = {i}, .output = i + 1};
    }
    ops[VALUES - 2].inputs[0] = 0;
    struct program p = {.arena = r.program.arena, .values = values, .value_count = VALUES, .ops = ops};
    p.op_count = VALUES - 1;
    p.inputs = (uint32_t[]){0};
    p.outputs = (uint32_t[]){VALUES - 1};
    p.input_count = p.output_count = 1;
    r.program = p;
    write_planned(&r, &file);
    ck_assert_int_eq(program_read(&ctx, "file", file.data, file.size, &again), PARE_OK);
    ck_assert_uint_eq(again->ops[VALUES - 2].inputs[0], 0);
    ck_assert_uint_eq(again->ops[VALUES - 3].inputs[0], VALUES - 3);
    free_program(again);
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
    op->weights = (struct pare_weights){3, 64, 576, 576 * 3, data, true, frac, 0};
    write_planned(&r, &file);
    ck_assert_uint_le(file.size, sizeof(data) + sizeof(data) * 3 / 100 + 1024);
    ck_assert_uint_ge(file.size, sizeof(data));
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

/* Bits of a code that fill its bytes. */
static size_t unused_bits(const struct pare_value *v) {
    return storage_size(v->storage) * 8U - v->bits;
}

static size_t op_overhead(const struct program *p, const struct pare_op *op) {
    const struct pare_value *x = &p->values[op->inputs[0]], *y = &p->values[op->output];
    size_t size = sizeof(struct pare_file_op);
    size += op->kind == PARE_ADD || op->kind == PARE_MUL ? 2 + 6 * (size_t)op->u.binary.rank : 0;
    size += op->kind == PARE_COPY ? 16 + 12 * (size_t)op->u.copy.rank : 0;
    size += op->kind == PARE_GATHER ? 8 + 4 * (size_t)op->u.gather.out_axis : 0;
    size += op->kind == PARE_TABLE ? (unused_bits(y) << x->bits) / 8 : 0;
    size += op->kind == PARE_CONCAT || op->kind == PARE_MATMUL ? 8 + 3 * (size_t)op->input_count : 0;
    size += op->zero != NULL ? 1 + (op->u.window.in_c + 7) / 8 : 0; /* the width, and a bit more than the range has */
    size +=
        op->weights.rows > 0 ? 2 + 2 + 4 : 0; /* widths, fracs, and each of four parts to the end of its last byte */
    return size;
}

/* Records, shapes and windows beside the exact bits, without names and metadata. */
static size_t overhead(const struct program *p) {
    size_t size = sizeof(struct pare_file_header) + 2 * (size_t)p->output_count;
    for (uint32_t v = 0; v < p->value_count; v++) {
        const struct pare_value *value = &p->values[v];
        size += sizeof(struct pare_file_value) + 1 + 2 * (size_t)value->rank;
        size += value->constant != NULL ? unused_bits(value) * value->count / 8 + 1 : 0;
    }
    for (uint32_t i = 0; i < p->op_count; i++) {
        size += op_overhead(p, &p->ops[i]) + 20; /* bounds and a window, or two sizes */
    }
    return size;
}

START_TEST(costs_little_beside_the_exact_bits) {
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct random_program r;
        struct buffer file;
        random_seed(seed);
        random_program(&r);
        r.program.value_names = NULL;
        r.program.metadata = NULL;
        write_planned(&r, &file);
        size_t exact = (size_t)(program_exact_bits(&r.program) + 7) / 8;
        ck_assert_uint_ge(file.size, exact);
        ck_assert_uint_le(file.size, exact + exact * 3 / 100 + overhead(&r.program));
        buffer_free(&file);
        random_program_free(&r);
    }
}
END_TEST

/* ---- running ---- */

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

START_TEST(keeps_values_at_any_byte_of_the_arena) {
    static const uint32_t sizes[] = {4, 4};
    static const int16_t input[4] = {0, 32767, -32768, 2};
    int16_t output[4];
    uint8_t arena[20];
    struct random_program r;
    struct buffer file;
    struct pare_model model;
    random_seed(1);
    make_chain(&r, sizes, 2);
    for (uint32_t v = 0; v < 2; v++) {
        r.program.values[v].storage = PARE_I16;
        r.program.values[v].bits = 16;
        r.program.values[v].offset = 1 + 9 * v;
    }
    r.program.ops[0].low = INT16_MIN;
    r.program.ops[0].high = INT16_MAX;
    buffer_init(&file);
    ck_assert_msg(program_write(&ctx, &r.program, &file) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_int_eq(pare_model_open(file.data, file.size, &model), PARE_OK);
    ck_assert_uint_le(pare_model_arena_size(&model), sizeof(arena));
    ck_assert_int_eq(pare_model_run(&model, arena, (const void *[]){input}, (void *[]){output}), PARE_OK);
    ck_assert(memcmp(input, output, sizeof(input)) == 0);
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
    static pare_kernel *const kernels[PARE_KIND_COUNT] = {[PARE_REQUANTIZE] = counting_requantize};
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
    ck_assert_uint_eq(pare_model_arena_size(&model), 8); /* in place */
    model.kernels = kernels;
    hook_calls = 0;
    ck_assert_int_eq(pare_model_run(&model, arena, (const void *[]){input}, (void *[]){output}), PARE_OK);
    ck_assert_uint_eq(hook_calls, 3);
    ck_assert(memcmp(input, output, sizeof(input)) == 0);
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

static void check_closed(const struct pare_model *model) {
    struct pare_port port;
    uint8_t arena[8], codes[8];
    ck_assert_uint_eq(pare_model_arena_size(model), 0);
    ck_assert_uint_eq(pare_model_input_count(model), 0);
    ck_assert_uint_eq(pare_model_output_count(model), 0);
    ck_assert_int_eq(pare_model_input(model, 0, &port), PARE_ERROR_USAGE);
    ck_assert_int_eq(pare_model_output(model, 0, &port), PARE_ERROR_USAGE);
    ck_assert_int_eq(pare_model_run(model, arena, (const void *[]){codes}, (void *[]){codes}), PARE_ERROR_USAGE);
    ck_assert_int_eq(pare_model_run(model, NULL, NULL, NULL), PARE_ERROR_USAGE);
}

START_TEST(a_model_that_is_not_open_has_nothing_and_does_not_run) {
    struct random_program r;
    struct buffer file;
    struct pare_model model = {0};
    check_closed(&model);
    one_file(9, &r, &file);
    ck_assert_int_eq(pare_model_open(NULL, 0, &model), PARE_ERROR_USAGE);
    check_closed(&model);
    for (size_t size = 0; size < file.size; size += 7) {
        uint8_t *part = malloc(size + 1);
        ck_assert_ptr_nonnull(part);
        memcpy(part, file.data, size);
        ck_assert_int_ne(pare_model_open(part, size, &model), PARE_OK);
        ck_assert_ptr_nonnull(model.problem);
        check_closed(&model);
        free(part);
    }
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

START_TEST(refuses_a_missing_pointer) {
    static const uint32_t sizes[] = {4, 4};
    int8_t input[4] = {0}, output[4];
    uint8_t arena[64];
    const void *given_inputs[] = {input}, *no_inputs[] = {NULL};
    void *given_outputs[] = {output}, *no_outputs[] = {NULL};
    struct random_program r;
    struct buffer file;
    struct pare_model model;
    random_seed(1);
    make_chain(&r, sizes, 2);
    write_planned(&r, &file);
    ck_assert_int_eq(pare_model_open(file.data, file.size, &model), PARE_OK);
    ck_assert_uint_le(pare_model_arena_size(&model), sizeof(arena));
    ck_assert_int_eq(pare_model_run(&model, NULL, given_inputs, given_outputs), PARE_ERROR_USAGE);
    ck_assert_int_eq(pare_model_run(&model, arena, NULL, given_outputs), PARE_ERROR_USAGE);
    ck_assert_int_eq(pare_model_run(&model, arena, no_inputs, given_outputs), PARE_ERROR_USAGE);
    ck_assert_int_eq(pare_model_run(&model, arena, given_inputs, NULL), PARE_ERROR_USAGE);
    ck_assert_int_eq(pare_model_run(&model, arena, given_inputs, no_outputs), PARE_ERROR_USAGE);
    ck_assert_int_eq(pare_model_run(&model, arena, given_inputs, given_outputs), PARE_OK);
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

int main(void) {
    Suite *suite = suite_create("fixed/file");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 0);
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, reads_what_it_wrote);
    tcase_add_test(tests, runs_in_place_as_each_operator_does_alone);
    tcase_add_test(tests, leaves_out_names_and_unused_values);
    tcase_add_test(tests, names_every_step_that_stays_in_float);
    tcase_add_test(tests, keeps_fractions_far_apart);
    tcase_add_test(tests, refuses_a_fraction_that_no_record_holds);
    tcase_add_test(tests, names_an_input_far_away);
    tcase_add_test(tests, adds_little_to_the_exact_bits);
    tcase_add_test(tests, costs_little_beside_the_exact_bits);
    tcase_add_test(tests, refuses_an_input_code_outside_of_its_format);
    tcase_add_test(tests, keeps_values_at_any_byte_of_the_arena);
    tcase_add_test(tests, runs_the_kernels_that_a_caller_installs);
    tcase_add_test(tests, a_model_that_is_not_open_has_nothing_and_does_not_run);
    tcase_add_test(tests, refuses_a_missing_pointer);
    tcase_add_test(tests, describes_inputs_and_outputs);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
