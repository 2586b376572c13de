/* The search: the fewest bits that hold an accuracy bound, measured on the integer program.
 *
 * Three sets of samples: calibration (no labels), search, held-out. Decisions use the first two, which may overlap;
 * what is reported and claimed is about the third. */
#ifndef PARE_SEARCH_SEARCH_H
#define PARE_SEARCH_SEARCH_H

#include "fixed/executor.h"
#include "fixed/repack.h"
#include "graph/graph.h"
#include "quant/dropped.h"
#include "quant/scheme.h"
#include "tensor/dataset.h"

#include <stdint.h>

enum metric { METRIC_TOP1, METRIC_TOP5, METRIC_AGREEMENT, METRIC_SQNR };
enum cost_kind { COST_MEMORY, COST_MULTIPLICATION, COST_BITOPS, COST_BALANCED };

enum search_end { SEARCH_COMPLETE, SEARCH_INTERRUPTED, SEARCH_OUT_OF_TIME };

const char *metric_name(enum metric m);
const char *cost_name(enum cost_kind c);
const char *search_end_name(enum search_end e); /* NULL: complete */

/* The most that a point may cost; 0: no limit. */
struct limits {
    uint64_t memory_bits; /* the paper's */
    uint64_t flash_bytes; /* of the .pare file */
    uint64_t ram_bytes;   /* peak of the activations */
    uint64_t bit_operations;
};

struct search_result;

/* Another point of a search that has ended: by number, or else the cheapest with at most this drop, or else the most
 * accurate; within the limits in either case. */
struct pick {
    size_t point;    /* 1..; 0: by the rest */
    double max_drop; /* as in the options; 0: none */
    bool max_drop_relative;
    struct limits limits;
    enum search_end end; /* of the search */
    size_t points;       /* that it reported */
};

/* Widths of a layer, or of an input as its output; 0: 8 bits. */
struct layer_widths {
    const char *name; /* as struct layer_report has it */
    int weight, bias, output;
};

/* One point instead of a search. Masks as in the options, of all that is used and of 8. */
struct given_widths {
    const char *place; /* for messages */
    const struct layer_widths *layers, *inputs;
    size_t layer_count, input_count;
    uint32_t widths, input_widths;
};

struct search_options {
    enum metric metric;
    double
        max_drop; /* fraction of the float accuracy (relative), or of 1 (absolute points / 100); infinite: no bound */
    bool max_drop_relative;
    uint32_t widths;            /* bit b set: width b is allowed, 2..16 */
    uint32_t weight_widths;     /* 0: as the others */
    uint32_t activation_widths; /* but of the network's inputs and outputs; 0: as the others */
    uint32_t input_widths;      /* of the network's inputs; 0: as the others */
    enum cost_kind cost;
    struct limits limits; /* kept besides the bound; with max_drop infinite, the best accuracy within them is found */
    enum packing packing; /* of the .pare file, whose size it decides */
    uint64_t seed;
    double confidence;        /* of the claim, 0.5 .. 1 */
    const char *journal_path; /* or NULL */
    bool resume;
    bool keep_channels;               /* none is taken out */
    uint32_t without;                 /* mask of enum technique; 0 but in benchmarks: no user can set it */
    const struct given_widths *given; /* or NULL; else `widths` and `input_widths` are its masks */
    const struct pick *pick; /* or NULL; else nothing is measured again: the journal must lead to the same points */
    /* Gives what the .pare file will carry, so that it counts in its size; called once, when graph and scheme are
     * there. May be NULL. */
    enum pare_status (*describe)(void *user, struct context *ctx, const struct search_result *r, const char **metadata);
    void *user;
    double time_limit; /* seconds after which the search ends with the best point so far; 0: none */
};

/* Accuracies are fractions of 1 (SQNR: signal power / noise power, and the float entries are 0). */
struct accuracy {
    enum metric metric;
    double float_search, float_held_out;
    double quantized_search, quantized_held_out;
    double divergence_search, divergence_held_out; /* as in struct measure: nats, or noise over signal */
    double drop_relative, drop_points;             /* on the held-out set; points are percent of the samples */
    double bound_points, error_points; /* what was tested: the largest drop, and its one-sided error at `confidence` */
    double max_drop;                   /* the bound as given, see struct search_options */
    bool max_drop_relative;
    size_t discordant;         /* held-out samples on which exactly one of the two is right */
    double interval_points[2]; /* two-sided interval of the drop at `confidence` */
    double confidence;
    size_t search_samples, held_out_samples;
    bool bound_held;
    const char *reason; /* when the bound is not held: why, and the way out */
};

/* "paper": the definitions of Goyal et al., arXiv:2102.02147, over convolution and dense layers; the others are ours,
 * over all operators. *_8bit: the same network at 8 bits everywhere. */
struct cost {
    uint64_t memory_bits, memory_bits_8bit;       /* paper */
    uint64_t multiplication, multiplication_8bit; /* paper */
    uint64_t parameter_bits, parameter_bits_8bit;
    uint64_t pare_bytes, pare_bytes_8bit; /* 0 when there is no file */
    uint64_t peak_activation_bytes, peak_activation_bytes_8bit;
    uint64_t bit_operations, bit_operations_8bit;
};

struct tensor_report {
    struct format format; /* bits 0 and count 0: the layer has none */
    uint64_t count;
};

struct layer_report {
    const char *name, *op;
    struct tensor_report weight, bias, output;
    uint64_t macs;
    int accumulator_bits;
    bool exact_in_float32;
    bool is_float; /* has no integer rule: stays in float */
};

struct pareto_point {
    double drop_points; /* on the search set */
    double cost;        /* relative to 8 bits, by the options' kind */
    uint64_t memory_bits, multiplication, bit_operations;
    uint64_t pare_bytes, peak_activation_bytes; /* pare_bytes 0: there is no file */
    bool chosen;
};

struct search_result {
    struct arena arena;
    struct graph *graph;         /* a copy of the given one, which `scheme` annotates; owned */
    struct scheme *scheme;       /* the chosen formats and codes: what is exported; owned */
    struct program *program;     /* what was measured; NULL when no point was reached; owned */
    struct dropped_list dropped; /* channels of the float network that `graph` does without */
    struct accuracy accuracy;
    struct cost cost;
    const char *limits_reason;   /* when limits are not kept: which, and the way out */
    struct pareto_point *pareto; /* the cheapest first */
    size_t pareto_count;
    size_t full_evaluations;
    double seconds;
    enum search_end end;
};

struct search_data {
    const struct dataset *calibration; /* may be NULL, or few: see search/calibration.h */
    const struct dataset *validation;  /* split into search and held-out unless `test` is given */
    const struct dataset *test;        /* may be NULL */
};

/* Takes a clean float graph (after passes). PARE_ERROR_BOUND and PARE_ERROR_INTERRUPTED still fill *out with the best
 * point so far (where there is one: out->program != NULL). With a pick, PARE_ERROR_USAGE and PARE_ERROR_BOUND where no
 * point is the one wanted (out->program == NULL), and PARE_ERROR_INPUT where the journal lacks a measurement. Free with
 * search_result_free. */
enum pare_status search_run(struct context *ctx, const struct graph *g, const struct search_data *data,
                            const struct search_options *options, struct search_result *out);
void search_result_free(struct search_result *r);

#endif
