/* The operator table: one row per operator in graph/ops.def.
 *
 * A row names its shape function, float kernel and fixed-point rule; the folder that implements each expands
 * ops.def with its own macro, so that a missing function is a link error. */
#ifndef PARE_GRAPH_OP_H
#define PARE_GRAPH_OP_H

#include "graph/graph.h"

#define OP_VARIADIC 1000
#define OP_VARIADIC_OPTIONAL 1001 /* of which each may be omitted */

enum op_id {
#define OP(name, in_min, in_max, out_min, out_max, attrs, infer, kernel, rule) OP_##name,
#include "graph/ops.def"
#undef OP
    OP_COUNT
};

/* Shape inference of one node. Inputs may be NULL (omitted) or only partly known. The same function serves the
 * graph (symbolic) and the interpreter (all inputs known, constants filled in), so there is one
 * definition of every shape. */
struct infer_value {
    enum dtype type;
    int rank; /* -1 unknown */
    struct dim dims[TENSOR_MAX_RANK];
    /* The elements of an integer tensor of rank 0 or 1 where known or symbolic (shape arithmetic); else NULL. */
    const struct dim_value *elements;
    int element_count;
    const struct tensor *constant; /* or NULL */
    bool by_kernel;                /* of an output: its shape depends on data, and the kernel makes the tensor */
};

/* A known integer of any sign, or a symbolic dimension. */
struct dim_value {
    bool known;
    int64_t value;
    const char *symbol; /* NULL and !known: unknown */
};

struct infer_call {
    struct context *ctx;
    struct arena *arena; /* scratch, and where output elements may be put */
    const struct node *node;
    const struct infer_value *const *inputs; /* node->input_count */
    struct infer_value *outputs;             /* node->output_count, preset to unknown */
};

typedef enum pare_status infer_function(struct infer_call *c);

struct op {
    enum op_id id;
    const char *name;
    int in_min, in_max, out_min, out_max;
    /* "name:type=default ..." with type i, f, s, is (ints), fs, ss (names), t (tensor), g (graph); no default: absent
     * or required by the shape function. */
    const char *attrs;
    infer_function *infer;
};

extern const struct op op_table[OP_COUNT];
#define OP_DOMAIN_MICROSOFT "com.microsoft"
#define OP_DOMAIN_QONNX "qonnx.custom_op.general"
/* "" for the default domain. */
const char *op_domain(const struct op *op);
const struct op *op_find(const char *name); /* or NULL */

/* What a row says about one attribute. `text` is its default, `length` characters, or NULL when it has none. */
struct op_attr {
    enum attr_type type;
    const char *text;
    size_t length;
};

/* False when the operator has no such attribute. */
bool op_attr_find(const struct op *op, const char *name, struct op_attr *out);
const char *attr_type_name(enum attr_type type); /* "i", "f", "s", ...: as in ops.def */

#endif
