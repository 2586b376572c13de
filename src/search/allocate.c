#include "search/allocate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum pare_status sensitivity_new(struct context *ctx, struct arena *a, size_t knobs, struct sensitivity *out) {
    out->count = knobs;
    out->harm = arena_array(a, knobs, sizeof(*out->harm));
    if (out->harm == NULL) {
        return fail_memory(ctx);
    }
    for (size_t k = 0; k < knobs; k++) {
        for (int b = 0; b <= KNOB_MAX_BITS; b++) {
            out->harm[k][b] = INFINITY;
        }
    }
    return PARE_OK;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Harm per error: the median of what the measured widths say. */
static double harm_factor(const double *harm, int now, const double *error) {
    double factors[KNOB_MAX_BITS + 1];
    size_t count = 0;
    for (int b = 0; b <= KNOB_MAX_BITS; b++) {
        if (b != now && !isinf(harm[b]) && error[b] != error[now]) {
            factors[count++] = harm[b] / (error[b] - error[now]);
        }
    }
    if (count == 0) {
        return 0;
    }
    qsort(factors, count, sizeof(factors[0]), by_size);
    double median = (factors[(count - 1) / 2] + factors[count / 2]) / 2;
    return median > 0 ? median : 0;
}

void sensitivity_fit(struct sensitivity *s, size_t k, int now, uint32_t considered, const double *error) {
    double *harm = s->harm[k], factor = harm_factor(harm, now, error), limit = INFINITY;
    for (int b = 0; b <= KNOB_MAX_BITS; b++) {
        bool measured = b < now && !isinf(harm[b]);
        double model = factor * error[b];
        double value = measured ? fmax(harm[b], 0) + factor * error[now] : model;
        harm[b] = considered >> b & 1 ? fmin(value, limit) : INFINITY;
        limit = fmin(limit, harm[b]);
    }
}

static int widest(const struct sensitivity *s, size_t k) {
    int b = KNOB_MAX_BITS;
    while (b > 0 && isinf(s->harm[k][b])) {
        b--;
    }
    return b;
}

struct step {
    size_t knob;
    int bits;
    double ratio; /* harm per cost; infinite: nothing left */
};

/* Any narrower width may be the next one: a width that saves little for its harm is jumped over. */
static void consider(const struct cost_model *m, const struct sensitivity *s, uint8_t *bits, double cost, size_t k,
                     struct step *best) {
    int now = bits[k];
    for (int b = now - 1; b > 0; b--) {
        if (isinf(s->harm[k][b])) {
            continue;
        }
        bits[k] = (uint8_t)b;
        struct cost_sums sums;
        cost_sums(m, bits, &sums);
        double saved = cost - cost_relative(m, &sums);
        double ratio = (s->harm[k][b] - s->harm[k][now]) / saved;
        if (saved > 0 && ratio < best->ratio) {
            *best = (struct step){k, b, ratio};
        }
    }
    bits[k] = (uint8_t)now;
}

static struct step best_step(const struct cost_model *m, const struct sensitivity *s, uint8_t *bits) {
    struct step best = {.ratio = INFINITY};
    struct cost_sums sums;
    cost_sums(m, bits, &sums);
    double cost = cost_relative(m, &sums);
    for (size_t k = 0; k < s->count; k++) {
        consider(m, s, bits, cost, k, &best);
    }
    return best;
}

double sensitivity_sum(const struct sensitivity *s, const uint8_t *bits) {
    double sum = 0;
    for (size_t k = 0; k < s->count; k++) {
        sum += s->harm[k][bits[k]];
    }
    return sum;
}

static size_t longest(const struct sensitivity *s) {
    size_t steps = 1;
    for (size_t k = 0; k < s->count; k++) {
        for (int b = 1; b <= KNOB_MAX_BITS; b++) {
            steps += !isinf(s->harm[k][b]);
        }
    }
    return steps;
}

enum pare_status path_build(struct context *ctx, struct arena *a, const struct cost_model *m,
                            const struct sensitivity *s, struct path *out) {
    *out = (struct path){.knobs = s->count};
    out->bits = arena_array(a, longest(s), s->count);
    out->harm = arena_array(a, longest(s), sizeof(double));
    uint8_t *bits = arena_alloc(a, s->count);
    if (out->bits == NULL || out->harm == NULL || bits == NULL) {
        return fail_memory(ctx);
    }
    for (size_t k = 0; k < s->count; k++) {
        bits[k] = (uint8_t)widest(s, k);
    }
    struct step step = {0};
    do {
        memcpy(out->bits + out->count * s->count, bits, s->count);
        out->harm[out->count++] = sensitivity_sum(s, bits);
        step = best_step(m, s, bits);
        if (!isinf(step.ratio)) {
            bits[step.knob] = (uint8_t)step.bits;
        }
    } while (!isinf(step.ratio) && !context_cancelled(ctx));
    return PARE_OK;
}

/* ---- what is left over ---- */

int sensitivity_next(const struct sensitivity *s, size_t k, int now) {
    for (int b = now + 1; b <= KNOB_MAX_BITS; b++) {
        if (!isinf(s->harm[k][b])) {
            return b;
        }
    }
    return 0;
}

/* The tensor whose next wider width promises most for what it costs. */
static size_t best_raise(const struct cost_model *m, const struct sensitivity *s, uint8_t *bits, const bool *blocked) {
    struct cost_sums sums;
    size_t best = SIZE_MAX;
    double most = 0;
    cost_sums(m, bits, &sums);
    double before = cost_relative(m, &sums);
    for (size_t k = 0; k < s->count; k++) {
        int now = bits[k], wider = sensitivity_next(s, k, now);
        double gain = wider == 0 ? 0 : s->harm[k][now] - s->harm[k][wider];
        if (blocked[k] || gain <= 0) {
            continue;
        }
        bits[k] = (uint8_t)wider;
        cost_sums(m, bits, &sums);
        double ratio = gain / fmax(cost_relative(m, &sums) - before, 1e-12);
        bits[k] = (uint8_t)now;
        if (ratio > most) {
            most = ratio;
            best = k;
        }
    }
    return best;
}

enum pare_status allocation_fill(struct context *ctx, struct arena *a, const struct cost_model *m,
                                 const struct sensitivity *s, allocation_fits *fits, void *user, uint8_t *bits) {
    bool *blocked = ARENA_ARRAY(a, s->count, bool);
    if (blocked == NULL) {
        return fail_memory(ctx);
    }
    size_t k;
    while ((k = best_raise(m, s, bits, blocked)) != SIZE_MAX && !context_cancelled(ctx)) {
        uint8_t now = bits[k];
        bool inside;
        bits[k] = (uint8_t)sensitivity_next(s, k, now);
        TRY(fits(user, bits, &inside));
        if (!inside) {
            bits[k] = now;
            blocked[k] = true;
        }
    }
    return PARE_OK;
}
