/* What the search turns: one knob per tensor that has a width of its own. */
#ifndef PARE_SEARCH_KNOBS_H
#define PARE_SEARCH_KNOBS_H

#include "quant/round.h"
#include "quant/scheme.h"
#include "quant/statistics.h"

#include <stdint.h>

#define KNOB_MAX_BITS 16

enum knob_kind { KNOB_WEIGHT, KNOB_BIAS, KNOB_ACTIVATION };

struct knob {
    enum knob_kind kind;
    size_t index;    /* of scheme->linears, or of scheme->points */
    uint32_t widths; /* bit b: width b may be chosen */
};

/* Everything a width needs is made once: rounded weights and fractions of every (tensor, width). */
struct knobs {
    struct arena *arena;
    struct scheme *scheme;
    const struct statistics *statistics;
    struct knob *items;
    size_t count;
    struct weight_choice (*weights)[KNOB_MAX_BITS + 1]; /* per linear and width */
    int (*fracs)[KNOB_MAX_BITS + 1];                    /* per point and width */
};

/* Rounds the weights at every width, in parallel. `widths` as in struct search_options. */
enum pare_status knobs_new(struct context *ctx, struct arena *a, struct scheme *s, const struct statistics *st,
                           uint32_t widths, struct knobs *out);
/* Puts a width into the scheme; lower (again) afterwards. */
void knobs_set(struct knobs *k, size_t knob, int bits);
void knobs_set_all(struct knobs *k, const uint8_t *bits);

int widths_next_lower(uint32_t widths, int bits);  /* 0: none */
int widths_next_higher(uint32_t widths, int bits); /* 0: none */
/* Where the search begins: 8, or the nearest allowed width, the wider one first. */
int widths_base(uint32_t widths);

#endif
