/* Rewrites of the graph, one per file, and the manager that runs them. */
#ifndef PARE_PASSES_PASSES_H
#define PARE_PASSES_PASSES_H

#include "graph/graph.h"

/* Each pass says in its file what it requires and what it guarantees; it adds the number of its changes to *changes. */
typedef enum pare_status pass_function(struct context *ctx, struct graph *g, int *changes);

struct pass {
    const char *name;
    pass_function *run;
    bool rounds; /* the same numbers but for float rounding, which may fall on another code behind it */
    int since;   /* the opset that has words for what it makes; 0: any */
};

struct pass_options {
    const char *dump_after; /* pass name, or NULL; the text form goes to dump_to */
    struct buffer *dump_to;
    bool check_numerics; /* compare float outputs before and after each pass that changed something, on inputs made
                          * up from `seed`; roll back and warn on a mismatch above 1e-4 relative */
    uint64_t seed;
    const struct tensor *const *samples; /* given inputs to compare on as well: `sample_count` times one tensor per
                                          * graph input */
    size_t sample_count;
    int *changes;        /* per pass of the pipeline, what it changed and was not undone is added; or NULL */
    bool exact;          /* leave out passes that round: for networks with codes */
    int opset;           /* leave out passes that make what it has no words for; 0: none */
    const char *without; /* a pass to leave out, or NULL: for benchmarks */
};

/* Runs the standard pipeline (see passes/pipeline.c) to a fixed point; verifies and re-infers after each pass. *g may
 * be replaced. */
enum pare_status passes_run(struct context *ctx, struct graph **g, const struct pass_options *options);
/* The same for a network that is to take one sample at a time. Where something reads the number of samples, or counts
 * them along another axis than the first, an open batch becomes 1 and *fixed true; elsewhere it stays open. */
enum pare_status passes_run_for_sample(struct context *ctx, struct graph **g, const struct pass_options *options,
                                       bool *fixed);
/* For running a network that others quantised: operators between codes become those on codes. Constant codes are
 * computed once. */
enum pare_status passes_fuse_quantized(struct context *ctx, struct graph **g);
/* The reverse: operators on codes become those on numbers, between DequantizeLinear and QuantizeLinear. */
enum pare_status passes_expand_quantized(struct context *ctx, struct graph **g);
/* In float, to be quantised anew. */
enum pare_status passes_dequantize(struct context *ctx, struct graph **g);
/* Without roundings to float16 and bfloat16, to be quantised. */
enum pare_status passes_widen(struct context *ctx, struct graph **g);
/* In float32 where it computes on float64, or casts its inputs to float; *changes are counted. */
enum pare_status passes_narrow(struct context *ctx, struct graph **g, int *changes);
/* Runs one pass by name: for tests. */
enum pare_status passes_run_one(struct context *ctx, struct graph *g, const char *name, int *changes);
const struct pass *passes_list(size_t *count);

#endif
