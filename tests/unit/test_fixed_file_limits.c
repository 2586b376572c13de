/* How large a .pare file may be, what it takes to read one, and how long. */
#include "hostile_file.h"

#include "suite_main.h"

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
    ck_assert_int_eq(program_write(&ctx, &p, &file), PARE_ERROR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(ctx.diag.message, "share more data than a file may; split the network"));
    buffer_free(&file);
    random_program_free(&r);
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

int main(void) {
    Suite *suite = suite_create("fixed/file_limits");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 0);
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, takes_no_more_memory_than_the_file);
    tcase_add_test(tests, opens_rows_of_nothing_at_once);
    tcase_add_test(tests, refuses_to_share_a_matrix_without_end);
    tcase_add_test(tests, has_room_for_64_kb_of_numbers);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
