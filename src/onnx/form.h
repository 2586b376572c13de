/* A node on its way from the IR to a file of some opset: the counterpart of a draft. */
#ifndef PARE_ONNX_FORM_H
#define PARE_ONNX_FORM_H

#include "onnx/encode.h"

struct form {
    struct encoder *e;
    const struct node *node;
    const char *op_type;
    const struct value **inputs; /* with room for FORM_SPARE_INPUTS more; an omitted one is NULL */
    int input_count;
    struct attr *attrs; /* with room for as many more as there are inputs */
    int attr_count;
};

#define FORM_SPARE_INPUTS 4

/* The node as the encoder's opset spells it. What has no spelling there is added to e->missing. */
enum pare_status form_of_node(struct encoder *e, const struct node *n, struct form *out);

/* Says it the way of an older opset, in place. */
typedef enum pare_status reverter(struct form *f);
/* The reverters of the operator for the encoder's opset. */
enum pare_status form_revert(struct form *f);

const struct value *form_input(const struct form *f, int index); /* NULL when omitted */
/* Notes that the node means something that the opset cannot say. */
enum pare_status form_refuse(struct form *f, int since, const char *what, ...) __attribute__((format(printf, 3, 4)));
void form_drop_attr(struct form *f, const char *name);

#endif
