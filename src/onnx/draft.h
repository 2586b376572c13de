/* A node of the file on its way to the IR. Converters bring it to the IR's meaning, then it is emitted. */
#ifndef PARE_ONNX_DRAFT_H
#define PARE_ONNX_DRAFT_H

#include "onnx/import.h"

struct draft {
    struct import *im;
    const char *op_type;
    const char *name; /* of the node, for messages too; never empty */
    struct value **inputs;
    int input_count, input_capacity;
    struct value **outputs;
    int output_count;
    struct attr *attrs;
    int attr_count;
    const struct op *origin; /* what the user wrote, where an earlier run of pare replaced it; else NULL */
    struct node **emitted;   /* where draft_emit notes the node, or NULL */
};

/* Reads inputs, outputs and attributes; the values must be in the graph. PARE_ERROR_INPUT on an unknown input. */
enum pare_status draft_begin(struct import *im, const Onnx__NodeProto *proto, const char *name, struct draft *out);
/* Adds the node to the end of the graph. Attributes that the operator's row does not have, and outputs beyond it
 * that somebody reads, go to im->missing. */
enum pare_status draft_emit(struct draft *d);
/* A node of its own in front of the draft, named after both; its only output is *out. */
enum pare_status draft_put(struct draft *d, const char *op_type, struct value *const *inputs, int count,
                           const struct attr *attrs, int attr_count, struct value **out);

struct value *draft_input(const struct draft *d, int index); /* NULL when omitted */
enum pare_status draft_set_input(struct draft *d, int index, struct value *v);
/* Input `index` becomes a new constant named after the node and `what`. */
enum pare_status draft_set_ints(struct draft *d, int index, const char *what, const int64_t *values, size_t count);
enum pare_status draft_set_int(struct draft *d, int index, const char *what, int64_t value); /* a scalar */
enum pare_status draft_set_floats(struct draft *d, int index, const char *what, const float *values, int rank,
                                  size_t count);
enum pare_status draft_set_attr(struct draft *d, struct attr a);
enum pare_status draft_set_attr_int(struct draft *d, const char *name, int64_t value);
enum pare_status draft_set_attr_string(struct draft *d, const char *name, const char *value);

/* Removes an attribute, which the caller now answers for; NULL in *out when it is not given. PARE_ERROR_INPUT when it
 * has another type. */
enum pare_status draft_take(struct draft *d, const char *name, enum attr_type type, const struct attr **out);
/* The same for an integer that is optional. */
enum pare_status draft_take_int(struct draft *d, const char *name, int64_t missing, int64_t *out);

enum pare_status draft_fail(const struct draft *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
