#include "search/cost.h"

#include <math.h>
#include <stdint.h>

#define MODEL_ERROR 0.05 /* of the modelled size of files and memory */

enum pare_status cost_model_new(struct context *ctx, struct arena *a, const struct knobs *k, enum cost_kind kind,
                                const struct cost_sums *at_8, struct cost_model *out) {
    const struct scheme *s = k->scheme;
    *out = (struct cost_model){.knobs = k, .kind = kind, .at_8 = *at_8};
    out->weight_knob = ARENA_ARRAY(a, s->linear_count, size_t);
    out->bias_knob = ARENA_ARRAY(a, s->linear_count, size_t);
    out->point_knob = ARENA_ARRAY(a, s->point_count, size_t);
    if (out->weight_knob == NULL || out->bias_knob == NULL || out->point_knob == NULL) {
        return fail_memory(ctx);
    }
    for (size_t i = 0; i < s->linear_count; i++) {
        out->bias_knob[i] = SIZE_MAX;
    }
    for (size_t i = 0; i < k->count; i++) {
        const struct knob *n = &k->items[i];
        size_t *where = n->kind == KNOB_WEIGHT ? out->weight_knob
                        : n->kind == KNOB_BIAS ? out->bias_knob
                                               : out->point_knob;
        where[n->index] = i;
    }
    return PARE_OK;
}

struct linear_bits {
    uint64_t weight, bias, in, out;
};

static void add_linear(const struct linear *l, const struct linear_bits *bits, struct cost_sums *sums) {
    uint64_t weights = (uint64_t)l->rows * l->columns;
    uint64_t parameters = bits->weight * weights + bits->bias * l->rows;
    uint64_t multiplication = bits->weight * weights * bits->out * (l->out->count / l->rows);
    sums->parameters += parameters;
    sums->memory += parameters;
    sums->multiplication += multiplication;
    sums->bit_operations += l->macs * bits->weight * bits->in;
    if (l->counted) {
        sums->paper_memory += parameters + bits->out * l->out->count;
        sums->paper_multiplication += multiplication;
    }
}

static void add_point(const struct point *p, uint64_t bits, struct cost_sums *sums) {
    sums->activation_bytes += p->count * (bits > 8 ? 2 : 1);
    sums->memory += bits * p->count;
}

/* Of one width always. */
static void add_operands(const struct scheme *s, struct cost_sums *sums) {
    sums->parameters += s->operand_bits;
    sums->memory += s->operand_bits;
    sums->paper_memory += s->bias_bits;
}

void cost_sums(const struct cost_model *m, const uint8_t *bits, struct cost_sums *out) {
    const struct scheme *s = m->knobs->scheme;
    *out = (struct cost_sums){0};
    for (size_t i = 0; i < s->linear_count; i++) {
        const struct linear *l = &s->linears[i];
        struct linear_bits widths = {.weight = bits[m->weight_knob[i]],
                                     .bias = m->bias_knob[i] == SIZE_MAX ? 0 : bits[m->bias_knob[i]],
                                     .in = bits[m->point_knob[l->in - s->points]],
                                     .out = bits[m->point_knob[l->out - s->points]]};
        add_linear(l, &widths, out);
    }
    for (size_t i = 0; i < s->point_count; i++) {
        add_point(&s->points[i], bits[m->point_knob[i]], out);
    }
    add_operands(s, out);
}

void cost_sums_8bit(const struct scheme *s, struct cost_sums *out) {
    *out = (struct cost_sums){0};
    for (size_t i = 0; i < s->linear_count; i++) {
        const struct linear *l = &s->linears[i];
        add_linear(l, &(struct linear_bits){8, knobs_has_bias(l) ? 8 : 0, 8, 8}, out);
    }
    for (size_t i = 0; i < s->point_count; i++) {
        add_point(&s->points[i], 8, out);
    }
    add_operands(s, out);
}

static double ratio(uint64_t a, uint64_t b) {
    return b == 0 ? 1 : (double)a / (double)b;
}

/* A limit that is kept need not be kept by more than what the model may be wrong. */
static double fullness(double cost, uint64_t limit) {
    return limit == 0 ? 0 : fmax(cost / (double)limit, 1 - MODEL_ERROR);
}

static double limits_fullness(const struct cost_model *m, const struct cost_sums *sums) {
    const struct limits *l = m->limits;
    return fullness((double)sums->paper_memory, l->memory_bits) +
           fullness((double)sums->parameters / 8 + m->file_overhead, l->flash_bytes) +
           fullness((double)sums->activation_bytes * m->peak_share, l->ram_bytes) +
           fullness((double)sums->bit_operations, l->bit_operations);
}

double cost_relative(const struct cost_model *m, const struct cost_sums *sums) {
    if (m->limits != NULL) {
        return limits_fullness(m, sums);
    }
    double memory = ratio(sums->memory, m->at_8.memory);
    double multiplication = ratio(sums->multiplication, m->at_8.multiplication);
    switch (m->kind) {
    case COST_MEMORY:
        return memory;
    case COST_MULTIPLICATION:
        return multiplication;
    case COST_BITOPS:
        return ratio(sums->bit_operations, m->at_8.bit_operations);
    default:
        return (memory + multiplication) / 2;
    }
}
