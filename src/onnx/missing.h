/* What a model asks for and pare does not have, collected over the whole graph so that one message lists it all. */
#ifndef PARE_ONNX_MISSING_H
#define PARE_ONNX_MISSING_H

#include "base/bytes.h"
#include "base/findings.h"

#define MISSING_NODES_NAMED 3

/* Notes that `node` needs an operator, an attribute of one, or else a form (of an operator, a value, a tensor) that
 * pare lacks; the texts are copied. */
enum pare_status missing_operator(struct context *ctx, struct findings *f, const char *node, const char *name);
enum pare_status missing_attribute(struct context *ctx, struct findings *f, const char *node, const char *attribute,
                                   const char *op_type);
enum pare_status missing_add(struct context *ctx, struct findings *f, const char *node, const char *what, ...)
    __attribute__((format(printf, 4, 5)));

/* PARE_ERROR_UNSUPPORTED with the list, in the order of the file, ended by a count where it is longer than a message.
 */
/* The list alone: "what (node, node and 3 more); ...". */
void missing_write(const struct findings *f, struct buffer *out);
enum pare_status missing_report(struct context *ctx, const struct findings *f);

#endif
