/* Running lowered programs on random codes. */
#ifndef PARE_TESTS_PROGRAM_RUN_H
#define PARE_TESTS_PROGRAM_RUN_H

#include "fixed/executor.h"
#include "quant/codes.h"
#include "random_scheme.h"

struct run {
    const struct program *p;
    uint64_t seed;
    void **values; /* of the last sample, [value] */
};

static inline size_t bytes_of(const struct pare_value *v) {
    return (size_t)v->count * (v->storage == PARE_F32 ? 4 : v->storage >= PARE_U16 ? 2 : 1);
}

static inline struct format format_of(const struct pare_value *v) {
    return (struct format){.bits = v->bits, .is_signed = v->is_signed, .frac = v->frac};
}

static inline enum pare_status load(void *user, struct context *ctx, size_t sample, void *const *inputs) {
    (void)ctx;
    struct run *r = user;
    struct maker random = {.state = r->seed + sample};
    for (uint32_t k = 0; k < r->p->input_count; k++) {
        const struct pare_value *v = &r->p->values[r->p->inputs[k]];
        struct format f = format_of(v);
        for (uint32_t i = 0; i < v->count; i++) {
            store_code(inputs[k], i, &f, (int32_t)pick(&random, format_min(&f), format_max(&f)));
        }
    }
    return PARE_OK;
}

static inline enum pare_status keep(void *user, struct context *ctx, size_t sample, int worker,
                                    const void *const *values) {
    (void)ctx, (void)sample, (void)worker;
    struct run *r = user;
    for (uint32_t v = 0; v < r->p->value_count; v++) {
        memcpy(r->values[v], values[v], bytes_of(&r->p->values[v]));
    }
    return PARE_OK;
}

/* Every value of one sample; free with values_free. */
static inline void run_sample(struct maker *m, const struct program *p, const char *isa, uint64_t seed, struct run *r) {
    struct executor *e = NULL;
    *r = (struct run){.p = p, .seed = seed, .values = calloc(p->value_count, sizeof(*r->values))};
    for (uint32_t v = 0; v < p->value_count; v++) {
        r->values[v] = malloc(bytes_of(&p->values[v]) + 1);
    }
    m->ctx.threads = 1;
    assert_ok(m, executor_new(&m->ctx, p, &e));
    if (isa != NULL) {
        assert_ok(m, executor_force(&m->ctx, e, isa));
    }
    assert_ok(m, executor_run(&m->ctx, e, NULL, 1, load, keep, r, NULL));
    executor_free(e);
}

static inline void values_free(struct run *r) {
    for (uint32_t v = 0; v < r->p->value_count; v++) {
        free(r->values[v]);
    }
    free(r->values);
}

static inline void assert_same_values(const struct maker *m, const struct run *a, const struct run *b) {
    ck_assert_uint_eq(a->p->value_count, b->p->value_count);
    for (uint32_t v = 0; v < a->p->value_count; v++) {
        ck_assert_msg(memcmp(a->values[v], b->values[v], bytes_of(&a->p->values[v])) == 0, "%s differs\n%s",
                      a->p->value_names[v], m->text);
    }
}

#endif
