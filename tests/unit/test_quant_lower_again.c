/* Lowering again after changes, and the file of a lowered program. */
#include "program_run.h"

#include "suite_main.h"

#define NETWORKS 300

/* ---- files ---- */

static bool has_host_step(const struct program *p) {
    return p->step_count > 0;
}

static void check_file(struct quantised *q, uint64_t seed) {
    struct buffer file;
    struct program *back = NULL;
    struct run first, second;
    size_t peak = 0;
    buffer_init(&file);
    assert_ok(&q->m, program_plan_arena(&q->m.ctx, q->p, &peak));
    assert_ok(&q->m, program_write(&q->m.ctx, q->p, &file));
    assert_ok(&q->m, program_read(&q->m.ctx, "file", file.data, file.size, &back));
    ck_assert_uint_eq(back->op_count, q->p->op_count);
    run_sample(&q->m, q->p, NULL, seed, &first);
    run_sample(&q->m, back, NULL, seed, &second);
    for (uint32_t k = 0; k < q->p->output_count; k++) {
        uint32_t a = q->p->outputs[k], b = back->outputs[k];
        ck_assert_uint_eq(bytes_of(&q->p->values[a]), bytes_of(&back->values[b]));
        ck_assert_int_eq(memcmp(first.values[a], second.values[b], bytes_of(&q->p->values[a])), 0);
    }
    values_free(&first);
    values_free(&second);
    buffer_free(&file);
    program_free(back);
}

START_TEST(files) {
    int written = 0;
    for (uint64_t seed = 1; seed <= NETWORKS; seed++) {
        struct quantised q;
        quantise(&q, seed, NULL);
        if (has_host_step(q.p)) {
            struct buffer file;
            buffer_init(&file);
            ck_assert_int_eq(program_write(&q.m.ctx, q.p, &file), PARE_ERROR_UNSUPPORTED);
            buffer_free(&file);
        } else {
            check_file(&q, seed);
            written++;
        }
        release(&q);
    }
    ck_assert_int_gt(written, NETWORKS / 5);
}
END_TEST

/* ---- lowering again ---- */

static bool same_value(const struct pare_value *a, const struct pare_value *b) {
    bool same = a->storage == b->storage && a->bits == b->bits && a->is_signed == b->is_signed && a->frac == b->frac &&
                a->rank == b->rank && a->count == b->count && memcmp(a->dims, b->dims, sizeof a->dims) == 0 &&
                (a->constant == NULL) == (b->constant == NULL);
    return same && (a->constant == NULL || memcmp(a->constant, b->constant, bytes_of(a)) == 0);
}

static bool same_parameters(const struct pare_op *a, const struct pare_op *b) {
    const struct pare_weights *v = &a->weights, *w = &b->weights;
    bool same = v->bits == w->bits && v->rows == w->rows && v->frac_per_row == w->frac_per_row &&
                a->bias.bits == b->bias.bits && a->bias.frac_per_row == b->bias.frac_per_row;
    size_t fracs = v->frac_per_row ? v->rows : 1;
    return same && (v->frac == NULL || memcmp(v->frac, w->frac, fracs) == 0) &&
           (v->bits == 0 || memcmp(v->data, w->data, ((size_t)v->rows * v->row_bits + 7) / 8) == 0) &&
           (a->bias.bits == 0 || (memcmp(a->bias.frac, b->bias.frac, a->bias.frac_per_row ? v->rows : 1) == 0 &&
                                  memcmp(a->bias.data, b->bias.data, ((size_t)v->rows * a->bias.bits + 7) / 8) == 0));
}

static bool same_op(const struct program *p, const struct program *q, uint32_t i) {
    const struct pare_op *a = &p->ops[i], *b = &q->ops[i];
    bool same = a->kind == b->kind && a->wide == b->wide && a->low == b->low && a->high == b->high &&
                a->input_count == b->input_count && a->output == b->output && same_parameters(a, b) &&
                same_value(&p->values[a->output], &q->values[b->output]);
    for (uint32_t k = 0; same && k < a->input_count; k++) {
        same = a->inputs[k] == b->inputs[k] && same_value(&p->values[a->inputs[k]], &q->values[b->inputs[k]]);
    }
    if (!same || a->kind == PARE_HOST) {
        return same;
    }
    if (a->kind == PARE_TABLE) {
        size_t entries = (size_t)1 << p->values[a->inputs[0]].bits;
        return memcmp(a->u.table.entries, b->u.table.entries, entries * (p->values[a->output].bits > 8 ? 2 : 1)) == 0;
    }
    if (a->kind == PARE_GATHER) {
        return memcmp(a->u.gather.indices, b->u.gather.indices, a->u.gather.out_axis * sizeof(uint32_t)) == 0;
    }
    return memcmp(&a->u, &b->u, sizeof a->u) == 0;
}

static void change_something(struct quantised *q) {
    for (size_t i = 0; i < q->s->point_count; i++) {
        struct format *f = &q->s->points[i].format;
        if (pick(&q->m, 0, 3) == 0) {
            f->frac += (int)pick(&q->m, -1, 1);
            f->bits = f->bits < 8 ? f->bits + (int)pick(&q->m, 0, 1) : f->bits;
        }
    }
    for (size_t i = 0; i < q->s->linear_count; i++) {
        struct linear *l = &q->s->linears[i];
        if (pick(&q->m, 0, 3) == 0) {
            choose_weights(q, l);
        }
        if (pick(&q->m, 0, 3) == 0) {
            choose_bias(q, l);
        }
    }
}

static void check_again(uint64_t seed) {
    struct quantised q;
    struct program *before = NULL, *after = NULL;
    struct run updated, fresh;
    quantise(&q, seed, NULL);
    assert_ok(&q.m, lower(&q.m.ctx, q.s, &before));
    change_something(&q);
    assert_ok(&q.m, lower(&q.m.ctx, q.s, &after));
    uint32_t *changed = calloc(q.p->op_count + 1, sizeof(*changed));
    size_t count = 0, next = 0;
    assert_ok(&q.m, lower_again(&q.m.ctx, q.s, q.p, changed, &count));
    for (uint32_t i = 0; i < q.p->op_count; i++) {
        bool listed = next < count && changed[next] == i;
        next += listed;
        /* New weights may happen to be the old ones: then listing them is right, too. */
        bool equal = same_op(before, after, i) && before->ops[i].weights.data == after->ops[i].weights.data;
        ck_assert_msg(listed != equal, "%s: %s\n%s", q.p->op_names[i], listed ? "unchanged" : "missed", q.m.text);
        ck_assert_msg(same_op(q.p, after, i), "%s differs\n%s", q.p->op_names[i], q.m.text);
    }
    ck_assert_uint_eq(next, count);
    run_sample(&q.m, q.p, NULL, seed, &updated);
    run_sample(&q.m, after, NULL, seed, &fresh);
    assert_same_values(&q.m, &updated, &fresh);
    values_free(&updated);
    values_free(&fresh);
    free(changed);
    program_free(before);
    program_free(after);
    release(&q);
}

START_TEST(again) {
    for (uint64_t seed = 1; seed <= NETWORKS; seed++) {
        check_again(seed);
    }
}
END_TEST

/* ---- lowering very often ---- */

enum { ROUNDS = 40 };

static void widen(struct quantised *q, int round) {
    for (size_t i = 0; i < q->s->point_count; i++) {
        struct format *f = &q->s->points[i].format;
        f->bits = 3 + round % 5;
        f->frac += round % 2 == 0 ? 1 : -1;
    }
}

/* Every width once, then the same ones again and again: the memory of the first time is enough. */
static size_t check_memory(uint64_t seed) {
    struct quantised q;
    size_t count = 0, changed_count = 0, after_all_widths = 0;
    quantise(&q, seed, NULL);
    uint32_t *changed = calloc(q.p->op_count + 1, sizeof(*changed));
    for (int round = 0; round < ROUNDS; round++) {
        widen(&q, round);
        assert_ok(&q.m, lower_again(&q.m.ctx, q.s, q.p, changed, &changed_count));
        for (size_t i = 0; i < changed_count; i++) {
            count += q.p->ops[changed[i]].kind == PARE_TABLE;
        }
        after_all_widths = round == 9 ? q.p->arena->bytes : after_all_widths;
    }
    ck_assert_msg(q.p->arena->bytes == after_all_widths, "grew by %zu bytes\n%s", q.p->arena->bytes - after_all_widths,
                  q.m.text);
    free(changed);
    release(&q);
    return count;
}

START_TEST(memory_stays) {
    size_t tables = 0;
    for (uint64_t seed = 1; seed <= NETWORKS / 3; seed++) {
        tables += check_memory(seed);
    }
    ck_assert_uint_gt(tables, ROUNDS * 10);
}
END_TEST

int main(void) {
    Suite *s = suite_create("quant_lower_again");
    TCase *random = tcase_create("random");
    tcase_set_timeout(random, 0);
    tcase_add_test(random, files);
    tcase_add_test(random, again);
    tcase_add_test(random, memory_stays);
    suite_add_tcase(s, random);
    return suite_main(s);
}
