/* A quantisation scheme: which values of a graph are materialised as integers, in which formats, and the codes of
 * every parameter. The formats stand as annotations on the graph's values (value->format); this table owns them. */
#ifndef PARE_QUANT_SCHEME_H
#define PARE_QUANT_SCHEME_H

#include "base/arena.h"
#include "fixed/executor.h"
#include "graph/graph.h"
#include "quant/technique.h"

/* One activation with a format of its own. Values behind operators that only move data (MaxPool, Reshape, ...) share
 * the format of the value they come from. */
struct point {
    struct value *value;
    struct node
        *node; /* whose rounding makes the codes (the linear operator, not the Relu behind it); NULL for graph inputs */
    struct format format;
    bool is_signed; /* false where the value cannot be negative */
    uint64_t count; /* elements per sample */
};

/* Rounded weights of one linear at one format, ready to lower. */
struct weight_choice {
    struct format format;
    const int32_t *codes; /* [rows][columns] */
    struct pare_weights packed;
    const int64_t *row_sums; /* [rows][2]: of the positive codes, and of the negative ones */
    double output_error;     /* mean squared error per output element that the rounding causes on calibration data */
    const float *mean_shift; /* [rows]: mean of the output error, to be added to the bias; NULL: none known */
    bool is_fitted;          /* to what the program computes, with its rounded zero points */
};

/* A rounded bias, and rounded zero points: they belong to one weight choice and one input fraction. */
struct bias_choice {
    struct format format;
    const int32_t *codes; /* [rows] */
    struct pare_bias packed;
    const struct weight_choice *weights;
    int input_frac;
    const uint8_t *zero; /* zero points at input_frac, as struct pare_op has them; NULL where there are none */
    struct bias_choice *next;
};

/* A linear operator with constant weights, seen as [rows][columns]: one row per output channel. */
struct linear {
    struct node *node;
    struct value *weight, *bias; /* bias may be NULL */
    struct value *input, *output;
    const struct node *zero_point; /* the Sub in front (graph/zero_point.h), whose difference `input` is; or NULL */
    const struct node *sum;        /* the Add behind that takes its sums unrounded (quant/rules.h), or NULL */
    uint32_t rows, columns, groups;
    bool rows_first; /* a Gemm with transB: its weight is [rows][columns] */
    uint64_t macs;   /* per sample */
    bool counted;    /* a convolution or dense layer of the paper's metrics (not a rewritten BatchNormalization) */
    const float *rows_float; /* [rows][columns], gathered from the weight in any of ONNX's layouts */
    const float *bias_float; /* [rows], zeros when there is none */
    struct point *in, *out;
    struct point *addend; /* what `sum` adds; NULL without it */
    int finest_sum;       /* at this fraction the addend stays below 2^22: finer sums are not asked for */
    const struct weight_choice *weights; /* the current choice */
    int bias_bits;                       /* the current choice; 0: no bias */
    struct bias_choice *bias_choices;    /* made so far */
};

struct scheme {
    struct arena arena;
    struct graph *graph; /* annotated */
    struct point *points;
    size_t point_count;
    struct linear *linears;
    size_t linear_count;
    uint64_t operand_bits;      /* of constant operands (of Add, Mul, ...) that scheme_new gave formats, all together */
    uint64_t bias_bits;         /* of those, what is added to a counted linear operator, as in MatMul and Add */
    uint32_t without;           /* mask of enum technique, 0 from scheme_new */
    struct value_table *owners; /* value -> point, through operators that keep the format */
};

/* Finds points and linears of a clean graph; no formats yet. The graph must outlive the scheme, which writes its
 * annotations. */
enum pare_status scheme_new(struct context *ctx, struct graph *g, struct scheme **out);
void scheme_free(struct scheme *s);
/* The same, and takes its annotations off the graph, which lives on. */
void scheme_withdraw(struct scheme *s);
/* Of a clone of an annotated graph, before it gets a scheme of its own. */
void scheme_clear_formats(struct graph *g);

struct point *scheme_point_of(const struct scheme *s, const struct value *v);  /* or NULL: float */
struct linear *scheme_linear_of(const struct scheme *s, const struct node *n); /* or NULL */

/* Where element `column` of row `row` stands in the ONNX weight tensor. */
size_t linear_source(const struct linear *l, uint32_t row, uint32_t column);

#endif
