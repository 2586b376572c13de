/* Budget paths against all combinations: each point of a path is the least harm at its cost. */
#include "search/allocate.h"

#include "suite_main.h"

#include <check.h>
#undef fail
#include <math.h>
#include <string.h>

#define LINEARS 2
#define POINTS 3 /* input, between, output */
#define KNOBS (2 * LINEARS + POINTS)
#define WIDTHS 3 /* 2, 4, 8 */

static const int width_list[WIDTHS] = {2, 4, 8};

struct fixture {
    struct context ctx;
    struct arena arena;
    struct value input, inner;
    struct point points[POINTS];
    struct linear linears[LINEARS];
    struct scheme scheme;
    struct knob items[KNOBS];
    struct knobs knobs;
    struct cost_model cost;
    struct sensitivity sensitivity;
};

static double uniform(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0;
}

/* Two dense layers in a row; memory is additive, so that combinations can be compared by sums. */
static void set_up(struct fixture *f, uint64_t seed) {
    memset(f, 0, sizeof(*f));
    context_init(&f->ctx);
    arena_init(&f->arena);
    f->input.is_input = true;
    for (int i = 0; i < POINTS; i++) {
        f->points[i] =
            (struct point){.value = i == 0 ? &f->input : &f->inner, .count = (uint64_t)(10 + 90 * uniform(&seed))};
    }
    for (int i = 0; i < LINEARS; i++) {
        f->linears[i] = (struct linear){.rows = 3,
                                        .columns = (uint32_t)(5 + 50 * uniform(&seed)),
                                        .in = &f->points[i],
                                        .out = &f->points[i + 1],
                                        .counted = true};
    }
    f->scheme =
        (struct scheme){.points = f->points, .point_count = POINTS, .linears = f->linears, .linear_count = LINEARS};
    uint32_t widths = 1u << 2 | 1u << 4 | 1u << 8;
    f->knobs = (struct knobs){.scheme = &f->scheme, .items = f->items};
    for (size_t i = 0; i < LINEARS; i++) {
        f->items[f->knobs.count++] = (struct knob){KNOB_WEIGHT, i, widths};
        f->items[f->knobs.count++] = (struct knob){KNOB_BIAS, i, widths};
    }
    for (size_t i = 0; i < POINTS; i++) {
        f->items[f->knobs.count++] = (struct knob){KNOB_ACTIVATION, i, widths};
    }
    const struct cost_sums none = {0};
    uint8_t eights[KNOBS];
    memset(eights, 8, sizeof(eights));
    ck_assert_int_eq(cost_model_new(&f->ctx, &f->arena, &f->knobs, COST_MEMORY, &none, &f->cost), PARE_OK);
    cost_sums(&f->cost, eights, &f->cost.at_8);
    ck_assert_int_eq(sensitivity_new(&f->ctx, &f->arena, KNOBS, &f->sensitivity), PARE_OK);
    for (int k = 0; k < KNOBS; k++) {
        double harm = uniform(&seed);
        f->sensitivity.harm[k][8] = 0;
        f->sensitivity.harm[k][4] = harm;
        f->sensitivity.harm[k][2] = harm * (1 + 9 * uniform(&seed));
    }
}

static double cost_of(const struct fixture *f, const uint8_t *bits) {
    struct cost_sums sums;
    cost_sums(&f->cost, bits, &sums);
    return cost_relative(&f->cost, &sums);
}

static double harm_of(const struct fixture *f, const uint8_t *bits) {
    double sum = 0;
    for (int k = 0; k < KNOBS; k++) {
        sum += f->sensitivity.harm[k][bits[k]];
    }
    return sum;
}

static void check_optimal(const struct fixture *f, const uint8_t *bits) {
    double cost = cost_of(f, bits), harm = harm_of(f, bits);
    int combinations = 1;
    for (int k = 0; k < KNOBS; k++) {
        combinations *= WIDTHS;
    }
    for (int c = 0; c < combinations; c++) {
        uint8_t other[KNOBS];
        for (int k = 0, rest = c; k < KNOBS; k++, rest /= WIDTHS) {
            other[k] = (uint8_t)width_list[rest % WIDTHS];
        }
        ck_assert(cost_of(f, other) > cost + 1e-12 || harm_of(f, other) >= harm - 1e-9);
    }
}

START_TEST(paths_are_optimal) {
    struct fixture f;
    set_up(&f, (uint64_t)_i + 1);
    struct path path;
    ck_assert_int_eq(path_build(&f.ctx, &f.arena, &f.cost, &f.sensitivity, &path), PARE_OK);
    ck_assert_uint_gt(path.count, KNOBS - 1);
    for (size_t i = 0; i < path.count; i++) {
        const uint8_t *bits = path.bits + i * path.knobs;
        ck_assert(i == 0 || cost_of(&f, bits) < cost_of(&f, bits - path.knobs));
        check_optimal(&f, bits);
    }
    const uint8_t *last = path.bits + (path.count - 1) * path.knobs;
    for (size_t k = 0; k < KNOBS; k++) {
        ck_assert_int_eq(path.bits[k], 8);
        ck_assert_int_eq(last[k], 2);
    }
    arena_free(&f.arena);
}
END_TEST

struct spending {
    const struct fixture *fixture;
    double most;
};

static enum pare_status is_within(void *user, uint8_t *bits, bool *out) {
    const struct spending *p = user;
    *out = cost_of(p->fixture, bits) <= p->most;
    return PARE_OK;
}

static void check_nothing_more_fits(const struct fixture *f, uint8_t *bits, double most) {
    for (size_t k = 0; k < KNOBS; k++) {
        uint8_t now = bits[k];
        int wider = sensitivity_next(&f->sensitivity, k, now);
        if (wider != 0) {
            bits[k] = (uint8_t)wider;
            ck_assert(cost_of(f, bits) > most);
            bits[k] = now;
        }
    }
}

/* Nearly what the point before on the path costs, from each point. */
START_TEST(what_is_left_over_is_spent) {
    struct fixture f;
    set_up(&f, (uint64_t)_i + 1);
    struct path path;
    int gained = 0;
    ck_assert_int_eq(path_build(&f.ctx, &f.arena, &f.cost, &f.sensitivity, &path), PARE_OK);
    for (size_t i = 1; i < path.count; i++) {
        uint8_t bits[KNOBS];
        memcpy(bits, path.bits + i * path.knobs, sizeof(bits));
        double dearer = cost_of(&f, path.bits + (i - 1) * path.knobs);
        struct spending p = {&f, dearer * (1 - 1e-9)};
        ck_assert_int_eq(allocation_fill(&f.ctx, &f.arena, &f.cost, &f.sensitivity, is_within, &p, bits), PARE_OK);
        ck_assert(cost_of(&f, bits) <= p.most);
        ck_assert_double_le(harm_of(&f, bits), path.harm[i]);
        check_nothing_more_fits(&f, bits, p.most);
        gained += harm_of(&f, bits) < path.harm[i];
    }
    ck_assert_int_gt(gained, 0);
    arena_free(&f.arena);
}
END_TEST

/* Exact noise comes back as it is; of measurements that contradict each other the median counts. */
START_TEST(harm_in_proportion_to_error) {
    struct fixture f;
    set_up(&f, 1);
    double *harm = f.sensitivity.harm[0], error[KNOB_MAX_BITS + 1] = {0};
    uint32_t considered = 0;
    for (int b = 8; b >= 2; b--) {
        error[b] = 5 * ldexp(1, -2 * b);
        harm[b] = b < 6 ? 3 * (error[b] - error[6]) : INFINITY; /* measured against 6 bits */
        considered |= b == 7 ? 0 : 1u << b;
    }
    sensitivity_fit(&f.sensitivity, 0, 6, considered, error);
    for (int b = 2; b <= 8; b++) {
        ck_assert_msg(b == 7 ? isinf(harm[b]) : fabs(harm[b] - 3 * error[b]) < 1e-12, "%d bits: %g of %g", b, harm[b],
                      3 * error[b]);
    }
    harm[2] = 3 * error[2];
    harm[3] = 3 * error[3];
    harm[4] = -1; /* noise: cannot be */
    harm[5] = harm[6] = harm[8] = INFINITY;
    sensitivity_fit(&f.sensitivity, 0, 6, considered, error);
    ck_assert_double_gt(harm[5], 0);
    ck_assert_double_le(harm[4], harm[3]);
    ck_assert_double_le(harm[8], harm[6]);
    arena_free(&f.arena);
}
END_TEST

START_TEST(costs_by_hand) {
    struct fixture f;
    set_up(&f, 99);
    f.linears[0].macs = 1000;
    uint8_t bits[KNOBS];
    memset(bits, 8, sizeof(bits));
    bits[0] = 4; /* weights of the first layer */
    bits[5] = 2; /* the value between */
    struct cost_sums sums;
    cost_sums(&f.cost, bits, &sums);
    uint64_t w0 = 3 * f.linears[0].columns, w1 = 3 * f.linears[1].columns;
    ck_assert_uint_eq(sums.parameters, 4 * w0 + 8 * w1 + 2 * 3 * 8);
    uint64_t inner = sums.parameters + 2 * f.points[1].count + 8 * f.points[2].count;
    ck_assert_uint_eq(sums.memory, inner + 8 * f.points[0].count);
    ck_assert_uint_eq(sums.paper_memory, inner);
    ck_assert_uint_eq(sums.multiplication, 4 * w0 * 2 * (f.points[1].count / 3) + 8 * w1 * 8 * (f.points[2].count / 3));
    ck_assert_uint_eq(sums.bit_operations, 1000 * 4 * 8);
    const struct cost_sums *all = &f.cost.at_8;
    f.cost.kind = COST_BALANCED;
    ck_assert_double_eq_tol(cost_relative(&f.cost, &sums),
                            0.5 * (double)sums.memory / (double)all->memory +
                                0.5 * (double)sums.multiplication / (double)all->multiplication,
                            1e-12);
    arena_free(&f.arena);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("allocate");
    TCase *tests = tcase_create("allocate");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, paths_are_optimal, 0, 20);
    tcase_add_loop_test(tests, what_is_left_over_is_spent, 0, 20);
    tcase_add_test(tests, harm_in_proportion_to_error);
    tcase_add_test(tests, costs_by_hand);
    suite_add_tcase(suite, tests);
    return suite_main(suite);
}
