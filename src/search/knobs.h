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

/* Rounded weights per linear and width. The first edition suits the float network's activations; each other one those
 * of the integer program at certain widths, and has the first one's weights far from them. */
struct edition {
    uint64_t id;
    const uint8_t *fitted_to; /* the widths, one per knob; NULL: the first edition */
    bool ready;               /* its weights have been rounded */
    const struct weight_choice *(*weights)[KNOB_MAX_BITS + 1];
    int (*fracs)[KNOB_MAX_BITS + 1]; /* per point and width, as they were when it was made; the first one's are the
                                      * knobs' own */
};

/* Bit b set: width b is allowed. */
struct allowed_widths {
    uint32_t weights;
    uint32_t activations; /* but the network's inputs and outputs */
    uint32_t inputs;
    uint32_t others; /* biases and the network's outputs */
};

/* Everything a width needs: rounded weights and fractions of every (tensor, width). */
struct knobs {
    struct arena *arena;
    struct scheme *scheme;
    const struct statistics *statistics;
    struct allowed_widths allowed;
    struct knob *items;
    size_t count;
    struct edition *first;
    struct edition *edition;                   /* that knobs_set takes weights from */
    int (*fracs)[KNOB_MAX_BITS + 1];           /* per point and width */
    double (*point_errors)[KNOB_MAX_BITS + 1]; /* mean squared error of rounding, per point and width */
};

/* Rounds the weights at every width, in parallel. */
enum pare_status knobs_new(struct context *ctx, struct arena *a, struct scheme *s, const struct statistics *st,
                           const struct allowed_widths *allowed, struct knobs *out);
/* Whether the bias of a linear operator has a width of its own. */
bool knobs_has_bias(const struct linear *l);
/* Any width of a knob that is not a network input's. */
uint32_t knobs_widths(const struct knobs *k);
/* All knobs at a width, or at the nearest that they may have, the wider one first. */
void knobs_fill(const struct knobs *k, uint8_t *bits, int width);
/* Another fraction for an activation at a width, in the edition in use and in those to come. */
void knobs_set_frac(struct knobs *k, size_t knob, int bits, int frac);
/* Of everything that the codes at some widths depend on: the edition and the fractions. */
uint64_t knobs_id(const struct knobs *k);
/* A new edition for these widths (copied), so far equal to the first one. */
enum pare_status edition_new(struct context *ctx, const struct knobs *k, const uint8_t *bits, struct edition **out);
/* Rounds one linear of an edition again, at the width that it was made for. */
enum pare_status edition_round(struct context *ctx, const struct knobs *k, struct edition *e, size_t linear, int bits,
                               const struct moments *m);
/* Puts a width into the scheme; lower (again) afterwards. */
void knobs_set(struct knobs *k, size_t knob, int bits);
void knobs_set_all(struct knobs *k, const uint8_t *bits);

/* What the harm of knob k at `bits` bits should be in proportion to: the mean squared error that rounding causes, at
 * the layer's output for weights, of the values for activations. */
double knobs_error(const struct knobs *k, size_t knob, int bits);

int widths_next_lower(uint32_t widths, int bits);  /* 0: none */
int widths_next_higher(uint32_t widths, int bits); /* 0: none */
/* The nearest allowed width, the wider one first. */
int widths_nearest(uint32_t widths, int bits);
/* Where the search begins: as near to 8 as is allowed. */
int widths_base(uint32_t widths);

#endif
