/* Plans of the arena that break a promise of runtime/format.h: refused when the file is opened. */
#include "file_fixture.h"

#include "suite_main.h"

enum { SIZE = 16, COUNT = 5 };

/* Rescalings of 16 codes each, every value in a place of its own. */
static void make_spread_chain(struct random_program *r) {
    static const uint32_t sizes[COUNT] = {SIZE, SIZE, SIZE, SIZE, SIZE};
    random_seed(1);
    make_chain(r, sizes, COUNT);
    for (uint32_t v = 0; v < COUNT; v++) {
        r->program.values[v].offset = v * SIZE;
    }
}

/* Writes the program with value `moved` where value `to` begins, and opens it; whether that works. Any other failure
 * than an overlap fails the test. */
static bool opens_with(struct random_program *r, uint32_t moved, uint32_t to) {
    struct buffer file;
    uint32_t before = r->program.values[moved].offset;
    buffer_init(&file);
    ck_assert_msg(program_write(&ctx, &r->program, &file) == PARE_OK, "%s", ctx.diag.message);
    buffer_free(&file);
    buffer_init(&file);
    r->program.values[moved].offset = r->program.values[to].offset;
    context_clear(&ctx);
    enum pare_status status = program_write(&ctx, &r->program, &file);
    ck_assert(status == PARE_OK || strstr(ctx.diag.message, "overlap in the arena") != NULL);
    r->program.values[moved].offset = before;
    context_clear(&ctx);
    buffer_free(&file);
    return status == PARE_OK;
}

START_TEST(keeps_outputs_to_the_end) {
    struct random_program r;
    make_spread_chain(&r);
    ck_assert(opens_with(&r, 4, 1)); /* nobody needs value 1 any more */
    r.program.outputs[r.program.output_count++] = 1;
    ck_assert(!opens_with(&r, 4, 1));
    ck_assert(!opens_with(&r, 3, 1));
    random_program_free(&r);
}
END_TEST

START_TEST(keeps_inputs_that_are_outputs_to_the_end) {
    struct random_program r;
    make_spread_chain(&r);
    ck_assert(opens_with(&r, 1, 0)); /* in place */
    ck_assert(opens_with(&r, 2, 0));
    r.program.outputs[r.program.output_count++] = 0;
    ck_assert(!opens_with(&r, 1, 0));
    ck_assert(!opens_with(&r, 2, 0));
    ck_assert(!opens_with(&r, 4, 0));
    random_program_free(&r);
}
END_TEST

/* Operators that read other elements after they have written one. */
static const struct pare_op movers[] = {
    {.kind = PARE_COPY,
     .input_count = 1,
     .u.copy = {.rank = 1, .dims = {SIZE}, .in_base = SIZE - 1, .in_stride = {-1}, .out_stride = {1}}},
    {.kind = PARE_CONCAT, .input_count = 1, .u.concat = {.outer = 1, .inner = 1, .size = {SIZE}}},
    {.kind = PARE_MATMUL, .input_count = 2, .u.matmul = {.batch = 1, .m = 4, .k = 4, .n = 4}},
    {.kind = PARE_CONV,
     .input_count = 1,
     .weights = {.rows = SIZE, .columns = 1},
     .u.window = {SIZE, 1, 1, SIZE, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, SIZE, false, 0, 0}},
};

START_TEST(writes_only_some_kinds_in_place) {
    struct random_program r;
    make_spread_chain(&r);
    struct pare_op *op = &r.program.ops[1];
    ck_assert(opens_with(&r, 2, 1));
    *op = movers[_i];
    op->output = 2;
    op->inputs[0] = 1; /* MATMUL: and value 0 */
    ck_assert(!opens_with(&r, 2, 1));
    if (op->kind == PARE_MATMUL) {
        ck_assert(!opens_with(&r, 2, 0));
    }
    random_program_free(&r);
}
END_TEST

START_TEST(writes_a_convolution_over_its_addend_only) {
    struct random_program r;
    make_spread_chain(&r);
    struct pare_op *op = &r.program.ops[1];
    *op = movers[3];
    op->output = 2;
    op->inputs[0] = 1;
    op->input_count = 2;
    ck_assert(opens_with(&r, 2, 0));
    ck_assert(!opens_with(&r, 2, 1));
    random_program_free(&r);
}
END_TEST

static const struct pare_op sum = {
    .kind = PARE_ADD, .input_count = 2, .u.binary = {.rank = 1, .dims = {SIZE}, .stride = {{1}, {1}}}};

START_TEST(keeps_values_up_to_their_last_reader) {
    struct random_program r;
    make_spread_chain(&r);
    r.program.ops[3] = sum;
    r.program.ops[3].inputs[0] = 3; /* and value 0 */
    r.program.ops[3].output = 4;
    ck_assert(!opens_with(&r, 1, 0));
    ck_assert(!opens_with(&r, 2, 0));
    ck_assert(!opens_with(&r, 3, 0));
    ck_assert(opens_with(&r, 4, 0));
    random_program_free(&r);
}
END_TEST

/* The second input is as large as the output, but read at its first element only, or backwards in two axes. */
START_TEST(writes_sums_over_inputs_in_order_only) {
    struct random_program r;
    make_spread_chain(&r);
    struct pare_op *op = &r.program.ops[1];
    *op = sum;
    op->inputs[0] = 1;
    op->output = 2;
    ck_assert(opens_with(&r, 2, 0));
    op->u.binary.stride[1][0] = 0;
    ck_assert(!opens_with(&r, 2, 0));
    op->u.binary.rank = 2;
    op->u.binary.dims[0] = op->u.binary.dims[1] = 4;
    op->u.binary.stride[0][0] = op->u.binary.stride[1][1] = 4;
    op->u.binary.stride[0][1] = op->u.binary.stride[1][0] = 1;
    ck_assert(!opens_with(&r, 2, 0));
    ck_assert(opens_with(&r, 2, 1));
    random_program_free(&r);
}
END_TEST

START_TEST(writes_no_sum_over_a_smaller_input) {
    struct random_program r;
    make_spread_chain(&r);
    struct pare_op *op = &r.program.ops[1];
    set_flat(&r.program.values[0], 1);
    r.program.ops[0] = sum;
    r.program.ops[0].output = 1;
    r.program.ops[0].u.binary.stride[0][0] = r.program.ops[0].u.binary.stride[1][0] = 0;
    *op = sum;
    op->inputs[0] = 1;
    op->output = 2;
    op->u.binary.stride[1][0] = 0;
    ck_assert(!opens_with(&r, 2, 0));
    ck_assert(opens_with(&r, 2, 1));
    random_program_free(&r);
}
END_TEST

/* Every operator reads the first value, 16 times. */
START_TEST(opens_the_longest_lives_at_once) {
    enum { VALUES = 4096 };
    static struct pare_value values[VALUES];
    static struct pare_op ops[VALUES];
    static const uint32_t one = 1;
    struct random_program r;
    struct buffer file;
    struct pare_model model;
    random_seed(1);
    make_chain(&r, &one, 1);
    values[0] = r.program.values[0];
    for (uint32_t i = 0; i + 1 < VALUES; i++) {
        struct pare_op *op = &ops[i];
        *op = (struct pare_op){.kind = PARE_CONCAT, .input_count = PARE_MAX_INPUTS, .output = i + 1};
        op->u.concat.outer = op->u.concat.inner = 1;
        for (uint32_t k = 0; k < PARE_MAX_INPUTS; k++) {
            op->u.concat.size[k] = 1;
        }
        values[i + 1] = values[0];
        set_flat(&values[i + 1], PARE_MAX_INPUTS);
        values[i + 1].offset = 1;
    }
    struct program p = {.arena = r.program.arena, .values = values, .value_count = VALUES, .ops = ops};
    p.op_count = VALUES - 1;
    p.inputs = (uint32_t[]){0};
    p.outputs = (uint32_t[]){VALUES - 1};
    p.input_count = p.output_count = 1;
    buffer_init(&file);
    ck_assert_msg(program_write(&ctx, &p, &file) == PARE_OK, "%s", ctx.diag.message);
    ck_assert_uint_lt(file.size, 80000);
    for (int again = 0; again < 10; again++) {
        ck_assert_int_eq(pare_model_open(file.data, file.size, &model), PARE_OK);
    }
    buffer_free(&file);
    random_program_free(&r);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("fixed/arena_promises");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 0);
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, keeps_outputs_to_the_end);
    tcase_add_test(tests, keeps_inputs_that_are_outputs_to_the_end);
    tcase_add_loop_test(tests, writes_only_some_kinds_in_place, 0, sizeof(movers) / sizeof(movers[0]));
    tcase_add_test(tests, writes_a_convolution_over_its_addend_only);
    tcase_add_test(tests, keeps_values_up_to_their_last_reader);
    tcase_add_test(tests, writes_sums_over_inputs_in_order_only);
    tcase_add_test(tests, writes_no_sum_over_a_smaller_input);
    tcase_add_test(tests, opens_the_longest_lives_at_once);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
