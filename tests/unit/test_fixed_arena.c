/* The arena plan on random graphs: correct always, near the lower bound of the lifetimes on average. */
#include "fixed/lifetimes.h"
#include "random_program.h"

#include "suite_main.h"

#include <check.h>

#define MOST_STEPS 60

static void set_add(struct pare_op *op, const struct pare_value *y) {
    op->kind = PARE_ADD;
    op->u.binary.rank = 1;
    op->u.binary.dims[0] = y->count;
    op->u.binary.stride[0][0] = op->u.binary.stride[1][0] = 1;
}

/* Adds over a chain, which also read values up to six steps back. Some could work in place. */
static void random_chain(struct program *p, struct arena *a, uint32_t *ports) {
    uint32_t count = (uint32_t)pick(5, MOST_STEPS);
    arena_init(a);
    *p = (struct program){.arena = a, .value_count = count, .op_count = count - 1, .input_count = 1, .output_count = 1};
    p->values = ARENA_ARRAY(a, count, struct pare_value);
    p->ops = ARENA_ARRAY(a, count, struct pare_op);
    p->inputs = ports;
    p->outputs = ports + 1;
    ports[0] = 0;
    ports[1] = count - 1;
    for (uint32_t i = 0; i < count; i++) {
        bool alike = i > 0 && chance(30);
        set_flat(&p->values[i], alike        ? p->values[i - 1].count
                                : chance(50) ? (uint32_t)pick(1, 4000)
                                             : (uint32_t)(256 << pick(0, 8)));
    }
    for (uint32_t i = 0; i + 1 < count; i++) {
        uint32_t second = (uint32_t)pick(i > 6 ? (int32_t)i - 6 : 0, (int32_t)i);
        p->ops[i] = (struct pare_op){.kind = PARE_ADD, .input_count = chance(35) ? 2 : 1, .inputs = {i, second}};
        p->ops[i].output = i + 1;
        set_add(&p->ops[i], &p->values[i + 1]);
    }
}

/* Whether value b is written where a lies, by the last operator that reads a, element by element. */
static bool is_overwritten(const struct program *p, const struct lifetime *lives, uint32_t a, uint32_t b) {
    return b > 0 && lives[a].last == b && p->values[a].offset == p->values[b].offset &&
           p->values[a].count == p->values[b].count &&
           (p->ops[b - 1].inputs[0] == a || (p->ops[b - 1].input_count == 2 && p->ops[b - 1].inputs[1] == a));
}

static bool overlap(const struct program *p, const struct lifetime *lives, uint32_t a, uint32_t b) {
    const struct pare_value *x = &p->values[a], *y = &p->values[b];
    bool in_time = lives[a].first <= lives[b].last && lives[b].first <= lives[a].last;
    in_time = in_time && !is_overwritten(p, lives, a, b) && !is_overwritten(p, lives, b, a);
    return in_time && x->offset < y->offset + value_size(y) && y->offset < x->offset + value_size(x);
}

START_TEST(plans_without_overlap_and_near_the_bound) {
    struct context ctx;
    double ratios = 0;
    int shared = 0;
    context_init(&ctx);
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct program p;
        struct arena a;
        uint32_t ports[2];
        size_t peak = 0;
        random_seed(seed);
        random_chain(&p, &a, ports);
        ck_assert_int_eq(program_plan_arena(&ctx, &p, &peak), PARE_OK);
        struct lifetime *lives = program_lifetimes(&p, &a);
        for (uint32_t v = 0; v < p.value_count; v++) {
            ck_assert_uint_le(p.values[v].offset + value_size(&p.values[v]), peak);
            ck_assert_uint_eq(p.values[v].offset % 4, 0);
            for (uint32_t w = 0; w < v; w++) {
                ck_assert(!overlap(&p, lives, v, w));
                shared += is_overwritten(&p, lives, w, v);
            }
        }
        size_t bound = program_lower_bound(&p, lives);
        ck_assert_uint_ge(peak, bound);
        ratios += (double)peak / (double)bound;
        arena_free(&a);
    }
    ck_assert_double_lt(ratios / 500, 1.02);
    ck_assert_int_gt(shared, 500);
}
END_TEST

START_TEST(plans_a_chain_into_its_two_largest_neighbours) {
    static const uint32_t sizes[] = {64, 400, 100, 400, 200, 12};
    struct random_program r;
    struct context ctx;
    size_t peak = 0;
    context_init(&ctx);
    random_seed(1);
    make_chain(&r, sizes, 6);
    ck_assert_int_eq(program_plan_arena(&ctx, &r.program, &peak), PARE_OK);
    ck_assert_uint_eq(peak, 600);
    random_program_free(&r);
}
END_TEST

/* Nothing but neighbours is alive together, so nothing but their sizes is needed. */
START_TEST(plans_every_chain_at_its_bound) {
    struct context ctx;
    context_init(&ctx);
    for (uint64_t seed = 1; seed <= 300; seed++) {
        uint32_t sizes[12], count = 0, bound = 0;
        struct random_program r;
        size_t peak = 0;
        random_seed(seed);
        for (uint32_t wanted = (uint32_t)pick(2, 12); count < wanted; count++) {
            sizes[count] = 4 * (uint32_t)pick(1, 500);
        }
        make_chain(&r, sizes, count);
        for (uint32_t i = 0; i + 1 < count; i++) {
            uint32_t both = sizes[i] == sizes[i + 1] ? sizes[i] : sizes[i] + sizes[i + 1];
            bound = both > bound ? both : bound;
        }
        ck_assert_int_eq(program_plan_arena(&ctx, &r.program, &peak), PARE_OK);
        ck_assert_uint_eq(peak, bound);
        random_program_free(&r);
    }
}
END_TEST

START_TEST(adds_a_residual_in_place) {
    static const uint32_t sizes[] = {100, 400, 400, 400, 400, 12};
    struct random_program r;
    struct context ctx;
    size_t peak = 0;
    context_init(&ctx);
    random_seed(1);
    make_chain(&r, sizes, 6);
    r.program.ops[1].kind = r.program.ops[2].kind = PARE_MAX_POOL; /* 1 -> 2 -> 3, 1 + 3 -> 4 */
    r.program.ops[3].input_count = 2;
    r.program.ops[3].inputs[1] = 1;
    set_add(&r.program.ops[3], &r.program.values[4]);
    ck_assert_int_eq(program_plan_arena(&ctx, &r.program, &peak), PARE_OK);
    ck_assert_uint_eq(peak, 1200); /* 1, 2 and 3 at once; 4 lies where 1 or 3 lay */
    r.program.ops[3].u.binary.stride[0][0] = r.program.ops[3].u.binary.stride[1][0] = 0;
    r.program.ops[2].inputs[0] = 1; /* now 1 and 3, and 4 in a place of its own */
    ck_assert_int_eq(program_plan_arena(&ctx, &r.program, &peak), PARE_OK);
    ck_assert_uint_eq(peak, 1200);
    random_program_free(&r);
}
END_TEST

START_TEST(plans_around_a_residual) {
    static const uint32_t sizes[] = {64, 400, 100, 400, 200, 12};
    struct random_program r;
    struct context ctx;
    size_t peak = 0;
    context_init(&ctx);
    random_seed(1);
    make_chain(&r, sizes, 6);
    r.program.ops[4].input_count = 2; /* value 1 is read by the last operator too */
    r.program.ops[4].inputs[1] = 1;
    ck_assert_int_eq(program_plan_arena(&ctx, &r.program, &peak), PARE_OK);
    ck_assert_uint_eq(peak, 1000);
    random_program_free(&r);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("fixed/arena");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, plans_a_chain_into_its_two_largest_neighbours);
    tcase_add_test(tests, plans_every_chain_at_its_bound);
    tcase_add_test(tests, adds_a_residual_in_place);
    tcase_add_test(tests, plans_around_a_residual);
    tcase_add_test(tests, plans_without_overlap_and_near_the_bound);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
