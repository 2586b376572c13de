#include "search/knobs.h"

#include "base/parallel.h"
#include "graph/op.h"

int widths_next_lower(uint32_t widths, int bits) {
    for (int b = bits - 1; b > 0; b--) {
        if (widths >> b & 1) {
            return b;
        }
    }
    return 0;
}

int widths_next_higher(uint32_t widths, int bits) {
    for (int b = bits + 1; b <= KNOB_MAX_BITS; b++) {
        if (widths >> b & 1) {
            return b;
        }
    }
    return 0;
}

int widths_base(uint32_t widths) {
    if (widths >> 8 & 1) {
        return 8;
    }
    int higher = widths_next_higher(widths, 8);
    return higher != 0 ? higher : widths_next_lower(widths, 8);
}

/* ---- rounding everything once ---- */

struct rounding_job {
    struct knobs *knobs;
    struct arena *arenas; /* one per linear */
    uint32_t widths;
};

/* The finest fraction that the input of linear `l` will ever have bounds the fractions of its rows. */
static int finest_input_frac(const struct knobs *k, const struct linear *l, uint32_t widths) {
    size_t point = (size_t)(l->in - k->scheme->points);
    int finest = -1000;
    for (int b = 1; b <= KNOB_MAX_BITS; b++) {
        if ((widths >> b & 1) && k->fracs[point][b] > finest) {
            finest = k->fracs[point][b];
        }
    }
    return finest;
}

static enum pare_status round_linear(void *user, struct context *ctx, size_t i, int worker) {
    (void)worker;
    struct rounding_job *job = user;
    struct knobs *k = job->knobs;
    int input_frac = finest_input_frac(k, &k->scheme->linears[i], job->widths);
    for (int b = 2; b <= KNOB_MAX_BITS; b++) {
        if (job->widths >> b & 1) {
            TRY(round_weights(ctx, &job->arenas[i], k->scheme, i, k->statistics, b, input_frac, ROUND_SECOND_ORDER,
                              &k->weights[i][b]));
        }
    }
    return PARE_OK;
}

static enum pare_status round_all(struct context *ctx, struct knobs *k, uint32_t widths) {
    size_t count = k->scheme->linear_count;
    struct rounding_job job = {.knobs = k, .widths = widths};
    job.arenas = ARENA_ARRAY(k->arena, count, struct arena);
    if (job.arenas == NULL) {
        return fail_memory(ctx);
    }
    enum pare_status status = parallel_for(ctx, count, round_linear, &job);
    for (size_t i = 0; i < count; i++) { /* handed over, so that everything lives as long as the scheme */
        arena_adopt(&k->scheme->arena, &job.arenas[i]);
    }
    return status;
}

/* ---- the list ---- */

static void add(struct knobs *k, enum knob_kind kind, size_t index, uint32_t widths) {
    k->items[k->count++] = (struct knob){kind, index, widths};
}

static bool has_bias(const struct linear *l) {
    return l->node->op->id != OP_MatMul && l->node->op->id != OP_PRelu && l->bias != NULL;
}

static void list_knobs(struct knobs *k, uint32_t widths) {
    const struct scheme *s = k->scheme;
    for (size_t i = 0; i < s->linear_count; i++) {
        add(k, KNOB_WEIGHT, i, widths);
        if (has_bias(&s->linears[i])) {
            add(k, KNOB_BIAS, i, widths);
        }
    }
    for (size_t i = 0; i < s->point_count; i++) {
        add(k, KNOB_ACTIVATION, i, widths);
    }
}

static void find_fracs(struct knobs *k, uint32_t widths) {
    for (size_t i = 0; i < k->scheme->point_count; i++) {
        struct point *p = &k->scheme->points[i];
        p->is_signed = p->is_signed && statistics_min(k->statistics, i) < 0;
        for (int b = 1; b <= KNOB_MAX_BITS; b++) {
            if (widths >> b & 1) {
                k->fracs[i][b] = statistics_frac(k->statistics, i, b, p->is_signed, NULL);
            }
        }
    }
}

enum pare_status knobs_new(struct context *ctx, struct arena *a, struct scheme *s, const struct statistics *st,
                           uint32_t widths, struct knobs *out) {
    *out = (struct knobs){.arena = a, .scheme = s, .statistics = st};
    out->items = ARENA_ARRAY(a, 2 * s->linear_count + s->point_count, struct knob);
    out->weights = arena_array(a, s->linear_count, sizeof(*out->weights));
    out->fracs = arena_array(a, s->point_count, sizeof(*out->fracs));
    if (out->items == NULL || out->weights == NULL || out->fracs == NULL) {
        return fail_memory(ctx);
    }
    find_fracs(out, widths);
    list_knobs(out, widths);
    return round_all(ctx, out, widths);
}

void knobs_set(struct knobs *k, size_t knob, int bits) {
    const struct knob *n = &k->items[knob];
    struct scheme *s = k->scheme;
    if (n->kind == KNOB_WEIGHT) {
        s->linears[n->index].weights = &k->weights[n->index][bits];
    } else if (n->kind == KNOB_BIAS) {
        s->linears[n->index].bias_bits = bits;
    } else {
        struct point *p = &s->points[n->index];
        p->format = (struct format){.bits = bits, .is_signed = p->is_signed, .frac = k->fracs[n->index][bits]};
    }
}

void knobs_set_all(struct knobs *k, const uint8_t *bits) {
    for (size_t i = 0; i < k->count; i++) {
        knobs_set(k, i, bits[i]);
    }
}
