/* Float execution: one kernel per operator, and an interpreter over the graph. */
#ifndef PARE_FLOAT_FLOAT_H
#define PARE_FLOAT_FLOAT_H

#include "graph/graph.h"
#include "graph/op.h"

/* One call of a kernel. Output shapes are inferred and their data allocated (not zeroed) before, but where the shape
 * depends on data: such an output has its type only, and the kernel makes it with tensor_alloc. */
struct float_call {
    struct context *ctx;
    const struct node *node;
    const struct tensor *const *inputs; /* node->input_count; NULL where omitted */
    struct tensor *outputs;             /* node->output_count; data NULL where omitted */
    struct arena *scratch;              /* freed after the call */
    const struct run *scope;            /* of the graph that the node is in, for its subgraphs (float/scope.h) */
};

typedef enum pare_status float_kernel(struct float_call *c);

/* Indexed by enum op_id; every row has one (operators that never reach it have one that fails with its name). */
extern float_kernel *const float_kernels[OP_COUNT];

/* Runs one node on the given inputs: infers output shapes, allocates outputs on the heap (tensor_free each). */
enum pare_status float_run_node(struct context *ctx, const struct node *n, const struct tensor *const *inputs,
                                struct tensor *outputs);

/* Sees each value once, right after it exists (graph inputs included, constants not). The tensor is valid
 * during the call only. Returning an error stops the run. */
typedef enum pare_status float_observer(void *user, struct context *ctx, const struct value *v, const struct tensor *t);

/* Runs the whole graph. `inputs` in the order of graph->inputs; `outputs` (graph->output_count) are allocated
 * on the heap. Single-threaded and deterministic: callers run samples in parallel. `observe` may be NULL.
 * Thread-safe for the same graph: nothing in the graph is written. */
enum pare_status float_run(struct context *ctx, const struct graph *g, const struct tensor *inputs,
                           struct tensor *outputs, float_observer *observe, void *user);

#endif
