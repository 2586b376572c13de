/* Widths that are given, not searched for. */
#include "search/state.h"

#include <stdio.h>
#include <string.h>

static bool is_named(const struct program *p, uint32_t op, const char *name) {
    char number[16];
    snprintf(number, sizeof number, "op_%u", (unsigned)op);
    return strcmp(p->op_names != NULL && p->op_names[op] != NULL ? p->op_names[op] : number, name) == 0;
}

static const struct layer_widths *find_layer(const struct search *s, uint32_t op) {
    const struct given_widths *g = s->options->given;
    for (size_t i = 0; i < g->layer_count; i++) {
        if (is_named(s->evaluator.program, op, g->layers[i].name)) {
            return &g->layers[i];
        }
    }
    return NULL;
}

static const struct layer_widths *find_input(const struct search *s, const char *name) {
    const struct given_widths *g = s->options->given;
    for (size_t i = 0; i < g->input_count; i++) {
        if (strcmp(g->inputs[i].name, name) == 0) {
            return &g->inputs[i];
        }
    }
    return NULL;
}

/* 0: nothing is said of it. */
static int width_of(const struct search *s, size_t k) {
    const struct knob *n = &s->knobs.items[k];
    const struct value *v = n->kind == KNOB_ACTIVATION ? s->scheme->points[n->index].value : NULL;
    const struct layer_widths *l =
        v != NULL && v->is_input ? find_input(s, v->name) : find_layer(s, search_knob_op(s, k));
    return l == NULL ? 0 : n->kind == KNOB_WEIGHT ? l->weight : n->kind == KNOB_BIAS ? l->bias : l->output;
}

/* ---- what cannot be followed ---- */

static enum pare_status refuse(const struct search *s, const char *kind, const char *name) {
    return fail(s->ctx, PARE_ERROR_INPUT,
                "%s: the network has no %s '%s'; take the names of a report.json that `quantize` wrote for it",
                s->options->given->place, kind, name);
}

static enum pare_status check_layer(const struct search *s, const struct layer_widths *l) {
    const struct program *p = s->evaluator.program;
    uint32_t op = 0;
    while (op < p->op_count && !is_named(p, op, l->name)) {
        op++;
    }
    return op < p->op_count ? PARE_OK : refuse(s, "layer", l->name);
}

static enum pare_status check(const struct search *s) {
    const struct given_widths *g = s->options->given;
    for (size_t i = 0; i < g->layer_count; i++) {
        TRY(check_layer(s, &g->layers[i]));
    }
    for (size_t i = 0; i < g->input_count; i++) {
        bool found = false;
        for (size_t k = 0; k < s->scheme->point_count; k++) {
            const struct value *v = s->scheme->points[k].value;
            found = found || (v->is_input && strcmp(v->name, g->inputs[i].name) == 0);
        }
        TRY(found ? PARE_OK : refuse(s, "input", g->inputs[i].name));
    }
    return PARE_OK;
}

enum pare_status search_given(struct search *s) {
    uint8_t *bits = ARENA_ARRAY(s->arena, s->knobs.count, uint8_t);
    if (bits == NULL) {
        return fail_memory(s->ctx);
    }
    TRY(check(s));
    knobs_fill(&s->knobs, bits, widths_base(knobs_widths(&s->knobs)));
    for (size_t k = 0; k < s->knobs.count; k++) {
        int width = width_of(s, k);
        bits[k] = (uint8_t)(width != 0 ? widths_nearest(s->knobs.items[k].widths, width) : bits[k]);
    }
    struct candidate *c = NULL;
    TRY(search_evaluate(s, bits, true, &c));
    c->accepted = true;
    s->best = c;
    return PARE_OK;
}
