/* A runtime with few operator kinds runs those, and refuses all others before it looks at them. */
#include "random_op.h"

#include "runtime/kernels.h"

#include "suite_main.h"

#include <check.h>

#define SEEDS 8

static bool is_built(int kind) {
    return kind == PARE_CONV || kind == PARE_MAX_POOL || kind == PARE_TABLE;
}

static bool adds(const struct random_op *r) {
    return r->op.kind == PARE_CONV && r->op.input_count == 2;
}

START_TEST(refuses_what_is_not_built) {
    struct random_op r;
    int kind = _i % PARE_HOST;
    random_seed((uint64_t)_i + 1);
    random_op(&r, (enum pare_kind)kind);
    const char *problem = pare_check_op(&r.op, r.values);
    if (adds(&r)) {
        ck_assert_str_eq(problem, "this runtime is built without convolutions that add a second input");
    } else if (is_built(kind)) {
        ck_assert_msg(problem == NULL, "%s", problem);
    } else {
        ck_assert_str_eq(problem, "this runtime is built without operators of its kind");
        ck_assert_ptr_null(pare_reference_kernels[kind]);
    }
    random_op_free(&r);
}
END_TEST

START_TEST(has_seen_both_kinds_of_convolutions) {
    int with = 0;
    for (int i = 0; i < SEEDS; i++) {
        struct random_op r;
        random_seed((uint64_t)(PARE_CONV + i * PARE_HOST) + 1);
        random_op(&r, PARE_CONV);
        with += adds(&r);
        random_op_free(&r);
    }
    ck_assert(with > 0 && with < SEEDS);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("runtime/few");
    TCase *tests = tcase_create("all");
    tcase_add_loop_test(tests, refuses_what_is_not_built, 0, SEEDS * PARE_HOST);
    tcase_add_test(tests, has_seen_both_kinds_of_convolutions);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
