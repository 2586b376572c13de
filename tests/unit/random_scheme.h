/* Random networks with random formats: what the tests of lowering and of the rewritten ONNX share. */
#ifndef PARE_TESTS_RANDOM_SCHEME_H
#define PARE_TESTS_RANDOM_SCHEME_H

#include "float/float.h"
#include "quant/codes.h"
#include "quant/lower.h"
#include "quant/parameters.h"
#include "random_network.h"

#include <math.h>

struct quantised {
    struct maker m;
    struct scheme *s;
    struct program *p;
};

static inline void assert_ok(const struct maker *m, enum pare_status status) {
    ck_assert_msg(status == PARE_OK, "%s\n%s", m->ctx.diag.message, m->text);
}

/* Largest magnitudes that a float run on random inputs shows, per value position. */
struct ranges {
    double *largest;
};

static inline enum pare_status observe(void *user, struct context *ctx, const struct value *v, const struct tensor *t) {
    (void)ctx;
    struct ranges *r = user;
    for (size_t i = 0; i < tensor_count(t); i++) {
        r->largest[v->position] = fmax(r->largest[v->position], fabs(tensor_get_double(t, i)));
    }
    return PARE_OK;
}

static inline double *measure(struct maker *m) {
    struct ranges r = {calloc((size_t)m->g->value_count, sizeof(double))};
    struct tensor inputs[2], *outputs = calloc((size_t)m->g->output_count, sizeof(*outputs));
    for (int i = 0; i < 2; i++) {
        struct shape s;
        ck_assert(value_shape(m->g->inputs[i], 1, &s));
        assert_ok(m, tensor_alloc(&m->ctx, DTYPE_FLOAT, &s, &inputs[i]));
        for (size_t k = 0; k < tensor_count(&inputs[i]); k++) {
            tensor_set_double(&inputs[i], k, (double)pick(m, -400, 400) / 100);
        }
    }
    assert_ok(m, float_run(&m->ctx, m->g, inputs, outputs, observe, &r));
    for (int i = 0; i < m->g->output_count; i++) {
        tensor_free(&outputs[i]);
    }
    tensor_free(&inputs[0]);
    tensor_free(&inputs[1]);
    free(outputs);
    return r.largest;
}

static inline void choose_format(struct maker *m, struct point *p, double largest) {
    int bits = (int)(pick(m, 0, 5) == 0 ? pick(m, 9, 16) : pick(m, p->is_signed ? 2 : 1, 8));
    int frac = frac_for_range(largest, bits, p->is_signed) + (int)pick(m, -1, 2);
    p->format = (struct format){.bits = bits, .is_signed = p->is_signed, .frac = frac};
}

/* Rounding to nearest, one fraction per row or one for all. */
static inline void choose_weights(struct quantised *q, struct linear *l) {
    struct arena *a = &q->s->arena;
    struct weight_choice *w = ARENA_NEW(a, struct weight_choice);
    int32_t *codes = ARENA_ARRAY(a, (size_t)l->rows * l->columns, int32_t);
    int *fracs = ARENA_ARRAY(a, l->rows, int);
    bool per_row = pick(&q->m, 0, 2) > 0;
    int bits = (int)pick(&q->m, 2, pick(&q->m, 0, 5) == 0 ? 16 : 8);
    w->format = (struct format){.bits = bits, .is_signed = true, .frac = bits - 1 - (int)pick(&q->m, 0, 1)};
    for (uint32_t r = 0; r < l->rows; r++) {
        double largest = 0;
        for (uint32_t c = 0; c < l->columns; c++) {
            largest = fmax(largest, fabs((double)l->rows_float[r * l->columns + c]));
        }
        fracs[r] = frac_for_range(largest, bits, true);
    }
    if (per_row) {
        w->format.channels = (int)l->rows;
        w->format.channel_frac = fracs;
    }
    for (uint32_t i = 0; i < l->rows * l->columns; i++) {
        codes[i] = quantize((double)l->rows_float[i], &w->format, (int)(i / l->columns));
    }
    w->codes = codes;
    assert_ok(&q->m, weight_choice_finish(&q->m.ctx, a, l, w));
    l->weights = w;
}

static inline void choose_bias(struct quantised *q, struct linear *l) {
    static const int bits[] = {0, 2, 4, 8, 16, 24};
    int bias_bits = bits[pick(&q->m, 0, 5)];
    l->bias_bits = l->bias == NULL ? 0 : bias_bits;
}

static inline void quantise(struct quantised *q, uint64_t seed, network_operator *only) {
    random_network(&q->m, seed, (int)(seed % 9) + 1, only);
    assert_ok(&q->m, scheme_new(&q->m.ctx, q->m.g, &q->s));
    double *largest = measure(&q->m);
    for (size_t i = 0; i < q->s->point_count; i++) {
        choose_format(&q->m, &q->s->points[i], largest[q->s->points[i].value->position]);
    }
    for (size_t i = 0; i < q->s->linear_count; i++) {
        choose_weights(q, &q->s->linears[i]);
        choose_bias(q, &q->s->linears[i]);
    }
    free(largest);
    assert_ok(&q->m, lower(&q->m.ctx, q->s, &q->p));
}

static inline void release(struct quantised *q) {
    program_free(q->p);
    scheme_free(q->s);
    graph_free(q->m.g);
}

#endif
