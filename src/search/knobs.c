#include "search/knobs.h"

#include "base/parallel.h"
#include "graph/op.h"
#include "quant/lower.h"

#include <math.h>
#include <string.h>

#define ADDEND_BITS 22 /* of an addend, aligned to the sums of the convolution before it: float32 adds them exactly */

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

int widths_nearest(uint32_t widths, int bits) {
    if (widths >> bits & 1) {
        return bits;
    }
    int higher = widths_next_higher(widths, bits);
    return higher != 0 ? higher : widths_next_lower(widths, bits);
}

int widths_base(uint32_t widths) {
    return widths_nearest(widths, 8);
}

/* ---- rounding everything once ---- */

static bool is_network_output(const struct scheme *s, const struct point *p) {
    for (int i = 0; i < s->graph->output_count; i++) {
        const struct node *tail = lower_tail(s, s->graph->outputs[i]);
        if (scheme_point_of(s, tail == NULL ? s->graph->outputs[i] : tail->inputs[0]) == p) {
            return true;
        }
    }
    return false;
}

static uint32_t point_widths(const struct knobs *k, const struct point *p) {
    return p->value->is_input                ? k->allowed.inputs
           : is_network_output(k->scheme, p) ? k->allowed.others
                                             : k->allowed.activations;
}

/* The finest fraction that the input of linear `l` will ever have bounds the fractions of its rows. */
static int finest_input_frac(const struct knobs *k, const struct edition *e, const struct linear *l) {
    size_t point = (size_t)(l->in - k->scheme->points);
    int finest = -1000;
    for (int b = 1; b <= KNOB_MAX_BITS; b++) {
        if ((point_widths(k, l->in) >> b & 1) && e->fracs[point][b] > finest) {
            finest = e->fracs[point][b];
        }
    }
    return finest;
}

/* The widths of the mask that are allowed, into the edition. */
struct rounding_job {
    const struct knobs *knobs;
    const struct moments *moments;
    const struct edition *edition;
    struct arena *arenas; /* one per width */
    size_t linear;
    uint32_t mask;
};

static enum pare_status round_width(void *user, struct context *ctx, size_t bits, int worker) {
    (void)worker;
    struct rounding_job *job = user;
    const struct knobs *k = job->knobs;
    if (!((job->mask & k->allowed.weights & ~3u) >> bits & 1)) {
        return PARE_OK;
    }
    int input_frac = finest_input_frac(k, job->edition, &k->scheme->linears[job->linear]);
    struct weight_choice *choice = ARENA_NEW(&job->arenas[bits], struct weight_choice);
    job->edition->weights[job->linear][bits] = choice;
    return choice == NULL ? fail_memory(ctx)
                          : round_weights(ctx, &job->arenas[bits], k->scheme, job->linear, job->moments, (int)bits,
                                          input_frac, ROUND_SECOND_ORDER, choice);
}

static enum pare_status round_linear(struct context *ctx, struct rounding_job *job) {
    struct arena arenas[KNOB_MAX_BITS + 1];
    for (int b = 0; b <= KNOB_MAX_BITS; b++) {
        arena_init(&arenas[b]);
    }
    job->arenas = arenas;
    enum pare_status status = parallel_for(ctx, KNOB_MAX_BITS + 1, round_width, job);
    for (int b = 0; b <= KNOB_MAX_BITS; b++) { /* handed over, so that everything lives as long as the scheme */
        arena_adopt(&job->knobs->scheme->arena, &arenas[b]);
    }
    return status;
}

static enum pare_status edition_make(struct context *ctx, const struct knobs *k, struct edition **out) {
    *out = ARENA_NEW(k->arena, struct edition);
    if (*out != NULL) {
        (*out)->weights = arena_array(k->arena, k->scheme->linear_count, sizeof(*(*out)->weights));
    }
    return *out == NULL || (*out)->weights == NULL ? fail_memory(ctx) : PARE_OK;
}

enum pare_status edition_new(struct context *ctx, const struct knobs *k, const uint8_t *bits, struct edition **out) {
    uint8_t *copy = ARENA_ARRAY(k->arena, k->count, uint8_t);
    size_t points = k->scheme->point_count;
    TRY(copy == NULL ? fail_memory(ctx) : edition_make(ctx, k, out));
    (*out)->fracs = arena_array(k->arena, points, sizeof(*k->fracs));
    if ((*out)->fracs == NULL) {
        return fail_memory(ctx);
    }
    memcpy((*out)->fracs, k->fracs, points * sizeof(*k->fracs));
    memcpy((*out)->weights, k->first->weights, k->scheme->linear_count * sizeof(*k->first->weights));
    (*out)->fitted_to = memcpy(copy, bits, k->count);
    (*out)->id = hash_of(bits, k->count, 1);
    return PARE_OK;
}

static enum pare_status first_edition(struct context *ctx, struct knobs *k) {
    struct edition *edition = NULL;
    TRY(edition_make(ctx, k, &edition));
    edition->fracs = k->fracs;
    for (size_t i = 0; i < k->scheme->linear_count; i++) {
        const struct moments *m = statistics_moments(k->statistics, i);
        struct rounding_job job = {.knobs = k, .moments = m, .edition = edition, .linear = i, .mask = ~0u};
        TRY(round_linear(ctx, &job));
    }
    edition->ready = true;
    k->first = k->edition = edition;
    return PARE_OK;
}

enum pare_status edition_round(struct context *ctx, const struct knobs *k, struct edition *e, size_t linear, int bits,
                               const struct moments *m) {
    struct weight_choice *choice = ARENA_NEW(&k->scheme->arena, struct weight_choice);
    const struct linear *l = &k->scheme->linears[linear];
    if (choice == NULL) {
        return fail_memory(ctx);
    }
    e->weights[linear][bits] = choice;
    return round_weights(ctx, &k->scheme->arena, k->scheme, linear, m, bits, finest_input_frac(k, e, l),
                         ROUND_SECOND_ORDER, choice);
}

/* ---- the list ---- */

static void add(struct knobs *k, enum knob_kind kind, size_t index, uint32_t widths) {
    k->items[k->count++] = (struct knob){kind, index, widths};
}

bool knobs_has_bias(const struct linear *l) {
    return l->node->op->id != OP_MatMul && l->node->op->id != OP_PRelu && l->bias != NULL;
}

static void list_knobs(struct knobs *k) {
    const struct scheme *s = k->scheme;
    for (size_t i = 0; i < s->linear_count; i++) {
        add(k, KNOB_WEIGHT, i, k->allowed.weights);
        if (knobs_has_bias(&s->linears[i])) {
            add(k, KNOB_BIAS, i, k->allowed.others);
        }
    }
    for (size_t i = 0; i < s->point_count; i++) {
        add(k, KNOB_ACTIVATION, i, point_widths(k, &s->points[i]));
    }
}

static void find_fracs(struct knobs *k) {
    for (size_t i = 0; i < k->scheme->point_count; i++) {
        struct point *p = &k->scheme->points[i];
        bool may_be_unsigned = !(k->scheme->without & TECHNIQUE_UNSIGNED);
        p->is_signed = !may_be_unsigned || (p->is_signed && statistics_min(k->statistics, i) < 0);
        for (int b = 1; b <= KNOB_MAX_BITS; b++) {
            if (point_widths(k, p) >> b & 1) {
                k->fracs[i][b] = statistics_frac(k->statistics, i, b, p->is_signed, &k->point_errors[i][b]);
            }
        }
    }
}

static void limit_sums(struct knobs *k) {
    for (size_t i = 0; i < k->scheme->linear_count; i++) {
        struct linear *l = &k->scheme->linears[i];
        if (l->addend != NULL) {
            size_t point = (size_t)(l->addend - k->scheme->points);
            double largest = fmax(-statistics_min(k->statistics, point), statistics_max(k->statistics, point));
            int exponent = 0;
            (void)frexp(largest, &exponent);
            l->finest_sum = largest > 0 ? ADDEND_BITS - exponent : l->finest_sum;
        }
    }
}

enum pare_status knobs_new(struct context *ctx, struct arena *a, struct scheme *s, const struct statistics *st,
                           const struct allowed_widths *allowed, struct knobs *out) {
    *out = (struct knobs){.arena = a, .scheme = s, .statistics = st, .allowed = *allowed};
    out->items = ARENA_ARRAY(a, 2 * s->linear_count + s->point_count, struct knob);
    out->fracs = arena_array(a, s->point_count, sizeof(*out->fracs));
    out->point_errors = arena_array(a, s->point_count, sizeof(*out->point_errors));
    if (out->point_errors == NULL || out->items == NULL || out->fracs == NULL) {
        return fail_memory(ctx);
    }
    find_fracs(out);
    limit_sums(out);
    list_knobs(out);
    return first_edition(ctx, out);
}

void knobs_set(struct knobs *k, size_t knob, int bits) {
    const struct knob *n = &k->items[knob];
    struct scheme *s = k->scheme;
    if (n->kind == KNOB_WEIGHT) {
        s->linears[n->index].weights = k->edition->weights[n->index][bits];
    } else if (n->kind == KNOB_BIAS) {
        s->linears[n->index].bias_bits = bits;
    } else {
        struct point *p = &s->points[n->index];
        p->format = (struct format){.bits = bits, .is_signed = p->is_signed, .frac = k->edition->fracs[n->index][bits]};
    }
}

void knobs_set_all(struct knobs *k, const uint8_t *bits) {
    for (size_t i = 0; i < k->count; i++) {
        knobs_set(k, i, bits[i]);
    }
}

uint32_t knobs_widths(const struct knobs *k) {
    return k->allowed.weights | k->allowed.others | k->allowed.activations;
}

void knobs_fill(const struct knobs *k, uint8_t *bits, int width) {
    for (size_t i = 0; i < k->count; i++) {
        bits[i] = (uint8_t)widths_nearest(k->items[i].widths, width);
    }
}

void knobs_set_frac(struct knobs *k, size_t knob, int bits, int frac) {
    size_t point = k->items[knob].index;
    bool is_signed = k->scheme->points[point].is_signed;
    k->fracs[point][bits] = k->edition->fracs[point][bits] = frac;
    k->point_errors[point][bits] = statistics_error(k->statistics, point, bits, is_signed, frac);
}

uint64_t knobs_id(const struct knobs *k) {
    return hash_of(k->edition->fracs, k->scheme->point_count * sizeof(*k->fracs), k->edition->id);
}

double knobs_error(const struct knobs *k, size_t knob, int bits) {
    const struct knob *n = &k->items[knob];
    switch (n->kind) {
    case KNOB_WEIGHT:
        return k->edition->weights[n->index][bits]->output_error;
    case KNOB_ACTIVATION:
        return k->point_errors[n->index][bits];
    default:
        return ldexp(1, -2 * bits);
    }
}
