/* Graph and scheme to the integer program. */
#ifndef PARE_QUANT_LOWER_H
#define PARE_QUANT_LOWER_H

#include "quant/scheme.h"

/* Lowers every node with the formats of the scheme's points and the packed parameters of its linears. Operators without
 * an integer rule become host steps, except one of lower_cuts that produces a graph output from one integer value: it
 * is cut off and the program ends with that value (see lower_tail). The program refers to the scheme's parameters,
 * which must outlive it. Free with program_free. */
enum pare_status lower(struct context *ctx, const struct scheme *s, struct program **out);
/* Accepts NULL, and what program_read made. */
void program_free(struct program *p);

/* The same structure after formats or parameters changed: lowers again into *p and lists the operators that differ
 * (at most p->op_count entries in `changed`). */
enum pare_status lower_again(struct context *ctx, const struct scheme *s, struct program *p, uint32_t *changed,
                             size_t *changed_count);

enum fate {
    FATE_INTEGER, /* an operator of the integer program */
    FATE_BOUNDS,  /* bounds of the saturation of the operator before */
    FATE_ADDEND,  /* added to the sums of the convolution before, which are rounded with it */
    FATE_CUT,     /* a final operator of lower_cuts, outside the program */
    FATE_FLOAT,
    FATE_UNKNOWN /* what it computes on is not known */
};

/* What becomes of a node of a clean graph, and in *why (text in `a`, NULL unless it stays in float or unknown) the
 * reason. Without a scheme (NULL) by the node alone. NULL in *why also when memory is short. */
enum fate lower_fate(struct arena *a, const struct scheme *s, const struct node *n, const char **why);

/* Why a node that stays in float cannot be a step of the program (text in `a`); NULL in *what: it can. */
enum pare_status lower_obstacle(struct context *ctx, struct arena *a, const struct node *n, const char **what);

/* Softmax, LogSoftmax and ArgMax: whoever wants them computes them in float, from the last integers. */
bool lower_cuts(const struct op *op);
/* What was cut off behind program output k: the operator's node, or NULL. */
const struct node *lower_tail(const struct scheme *s, const struct value *graph_output);

#endif
