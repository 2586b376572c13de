/* What a choice of widths costs. */
#ifndef PARE_SEARCH_COST_H
#define PARE_SEARCH_COST_H

#include "search/knobs.h"
#include "search/search.h"

/* Sums over the layers of a scheme at given widths, one per knob. */
struct cost_sums {
    uint64_t paper_memory, paper_multiplication; /* counted layers only */
    uint64_t memory;                             /* bits of all parameters and of all activations */
    uint64_t parameters;                         /* bits */
    uint64_t multiplication;   /* weight bits * weights * output bits * positions, all linear operators */
    uint64_t activation_bytes; /* of all activations, as the runtime stores them one by one */
    uint64_t bit_operations;   /* macs * weight bits * input bits, all linear operators */
};

struct cost_model {
    const struct knobs *knobs;
    size_t *weight_knob, *bias_knob; /* per linear; SIZE_MAX: none */
    size_t *point_knob;              /* per point */
    enum cost_kind kind;
    struct cost_sums at_8;
    const struct limits *limits; /* or NULL; else the cost is how full they are, not by `kind` */
    double file_overhead;        /* bytes of the .pare file besides parameters, for `limits` */
    double peak_share;           /* peak of the activations over the sum of all, for `limits` */
};

/* Relative costs are of `at_8`. */
enum pare_status cost_model_new(struct context *ctx, struct arena *a, const struct knobs *k, enum cost_kind kind,
                                const struct cost_sums *at_8, struct cost_model *out);
void cost_sums(const struct cost_model *m, const uint8_t *bits, struct cost_sums *out);
/* Of all tensors of a scheme at 8 bits. */
void cost_sums_8bit(const struct scheme *s, struct cost_sums *out);
/* Relative to 8 bits everywhere, by the model's kind (or limits); balanced is the mean of memory and multiplication. */
double cost_relative(const struct cost_model *m, const struct cost_sums *sums);

#endif
