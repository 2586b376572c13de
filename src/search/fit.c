/* Weights rounded for what the integer program at certain widths computes. */
#include "search/state.h"

enum pare_status search_edition(struct search *s, const uint8_t *bits, bool fitted, struct edition **out) {
    if (!fitted || s->options->without & TECHNIQUE_FITTING) {
        *out = s->knobs.first;
        return PARE_OK;
    }
    return edition_new(s->ctx, &s->knobs, bits, out);
}

/* Linear `i`, all before it as the edition has them. */
static enum pare_status fit_linear(struct search *s, struct edition *e, size_t i) {
    struct arena scratch;
    struct moments m;
    arena_init(&scratch);
    enum pare_status status = evaluator_apply(s->ctx, &s->evaluator, e->fitted_to);
    if (status == PARE_OK) {
        status = paired_collect(s->ctx, &scratch, s->paired, s->evaluator.program, s->evaluator.executor,
                                s->calibration_cache, i, &m);
    }
    if (status == PARE_OK) {
        status = edition_round(s->ctx, &s->knobs, e, i, e->fitted_to[s->cost.weight_knob[i]], &m);
    }
    arena_free(&scratch);
    return status;
}

enum pare_status search_fit(void *user, struct context *ctx, struct edition *e) {
    struct search *s = user;
    struct edition *before = s->knobs.edition;
    enum pare_status status = PARE_OK;
    (void)ctx;
    e->ready = true;
    s->knobs.edition = e;
    for (size_t i = 0; status == PARE_OK && i < s->scheme->linear_count; i++) {
        search_report(s, "rounding", i, s->scheme->linear_count);
        status = fit_linear(s, e, i);
    }
    e->ready = status == PARE_OK;
    s->knobs.edition = before;
    return status;
}
