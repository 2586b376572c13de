#include "search/allocate.h"

#include <math.h>
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

void sensitivity_smooth(struct sensitivity *s, size_t k, int now) {
    double *harm = s->harm[k];
    int narrowest = 0;
    while (narrowest <= KNOB_MAX_BITS && isinf(harm[narrowest])) {
        narrowest++;
    }
    /* What remains at `now` itself, seen from the width where the measurement stands clearest. */
    double floor = narrowest < now ? fmax(harm[narrowest], 0) / (ldexp(1, 2 * (now - narrowest)) - 1) : 0;
    double limit = INFINITY;
    for (int b = narrowest; b <= KNOB_MAX_BITS; b++) {
        if (!isinf(harm[b])) {
            harm[b] = fmin(fmax(harm[b] + floor, 0), limit);
            limit = harm[b];
        }
        limit /= 3;
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
    uint8_t *bits = arena_alloc(a, s->count);
    if (out->bits == NULL || bits == NULL) {
        return fail_memory(ctx);
    }
    for (size_t k = 0; k < s->count; k++) {
        bits[k] = (uint8_t)widest(s, k);
    }
    struct step step = {0};
    do {
        memcpy(out->bits + out->count * s->count, bits, s->count);
        out->count++;
        step = best_step(m, s, bits);
        if (!isinf(step.ratio)) {
            bits[step.knob] = (uint8_t)step.bits;
        }
    } while (!isinf(step.ratio) && !context_cancelled(ctx));
    return PARE_OK;
}
