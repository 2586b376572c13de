/* Fixed-point rules: one per operator row (graph/ops.def), each saying what happens to formats and how a node becomes
 * operators of the integer program. */
#ifndef PARE_QUANT_RULES_H
#define PARE_QUANT_RULES_H

#include "base/map.h"
#include "graph/op.h"
#include "quant/scheme.h"

enum rule_format {
    RULE_FLOAT, /* no integer rule: the node runs in float */
    RULE_KEEPS, /* moves codes; outputs have the first input's format */
    RULE_ROUNDS /* computes, and rounds to a format of its own */
};

struct lowering {
    struct context *ctx;
    const struct scheme *scheme;
    struct program *program;
    uint32_t value_capacity, op_capacity, step_capacity;
    struct map values; /* graph value -> program value index + 1 */
};

struct rule {
    enum rule_format format;
    bool absorbs_bounds;                   /* a Relu or Clip behind it becomes bounds of its saturation */
    bool (*applies)(const struct node *n); /* whether this instance has an integer form; NULL: always */
    enum pare_status (*lower)(struct lowering *l, const struct node *n);
    const struct rule *otherwise; /* tried where this one does not apply; NULL: the node stays in float */
    const char *needs;            /* what it takes to apply, in words; NULL where it always does */
};

/* Indexed by enum op_id. */
extern const struct rule *const rules[OP_COUNT];
/* Of a Sub that only gives convolutions the zero points of their input: they subtract, it does nothing. */
extern const struct rule rule_zero_point;
/* Of a function whose every step is one float32 operation: its table is what float runtimes compute. */
extern const struct rule rule_exact_table;
/* The rule of this very node: RULE_FLOAT's where its own does not apply. */
const struct rule *rule_of(const struct node *n);

/* The value that carries the result of `n` once the Relus and Clips behind it are absorbed; their bounds in real
 * numbers (infinite where there are none). */
struct value *rule_result(const struct node *n, double *low, double *high);
/* Whether `n` is a Relu or Clip that the operator before it absorbs. */
bool rule_is_absorbed(const struct node *n);
/* The convolution whose sums Add `n` takes as they are, so that both are rounded once, together; or NULL. A computed
 * value that has a format already is rounded by itself (quant/import.h). */
struct node *rule_conv_of_sum(const struct node *n);
/* The Add that takes the sums of convolution `n` like that, or NULL. */
struct node *rule_sum_of_conv(const struct node *n);
/* The other operand of such an Add. */
struct value *rule_addend(const struct node *sum);
/* Whether `n` is a Relu, or a Clip whose bounds are known and in order. */
bool rule_is_bounds(const struct node *n);

/* ---- functions for lower_*.c ---- */

/* The program's value for a graph value: made on first use, with the storage of its format, or float32. */
enum pare_status lower_value(struct lowering *l, const struct value *v, uint32_t *index);
/* Appends an operator named after n, with input_count inputs of the node's given ones, bounds from the result's format
 * and absorbed bounds, and its output set; the caller fills the rest. */
enum pare_status lower_op(struct lowering *l, const struct node *n, enum pare_kind kind, struct value *const *inputs,
                          int input_count, struct pare_op **op);
/* The same for an output of the node's that is not its first, or without the bounds that could be absorbed. */
enum pare_status lower_op_to(struct lowering *l, const struct node *n, enum pare_kind kind, struct value *const *inputs,
                             int input_count, const struct value *output, struct pare_op **op);
/* The operator that lower_op would append, without inputs: for lower_append. */
enum pare_status lower_draft(struct lowering *l, const struct node *n, enum pare_kind kind, struct pare_op *op);
/* Appends an operator as it is; *out is valid until the next one is appended. */
enum pare_status lower_append(struct lowering *l, const struct node *n, const struct pare_op *op, struct pare_op **out);
/* A program value of `count` elements that no value of the graph stands for, in the format of program value `like`. */
enum pare_status lower_part(struct lowering *l, uint32_t like, uint32_t count, uint32_t *index);
enum pare_status lower_step(struct lowering *l, const struct host_step *step, uint32_t *index);
/* A PARE_HOST operator per used output of `n`: it runs in float32, between codes or float values. */
enum pare_status lower_host_step(struct lowering *l, const struct node *n);
/* PARE_CONV for an Add and the convolution whose sums it takes. */
enum pare_status lower_conv_and_add(struct lowering *l, const struct node *sum);
/* Whether the operands of Add or Sub `n` can be aligned, whose fractions differ by `distance`. */
enum pare_status lower_alignment(struct lowering *l, const struct node *n, int distance);
/* `alias` stands for `v` from now on. */
enum pare_status lower_alias(struct lowering *l, const struct value *alias, const struct value *v);

#endif
