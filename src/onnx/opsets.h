/* What the standard says about operators, opset by opset. */
#ifndef PARE_ONNX_OPSETS_H
#define PARE_ONNX_OPSETS_H

#include <stdbool.h>
#include <stdint.h>

/* The types that `types` tells about: those that pare holds as they are. */
#define OPSET_TYPES UINT32_C(0x6603afe)

struct opset_form {
    const char *op_type;
    int since;
    int inputs_min, inputs_max, outputs_max; /* outputs_max 0: the operator is gone */
    uint32_t types;                          /* a bit per TensorProto.DataType; 0: not told */
    const char *attributes;                  /* names, separated by blanks */
};

/* The form that holds in an opset; NULL where there is none. */
const struct opset_form *opset_form_in(const char *op_type, int opset);
/* The first opset from which on the operator exists and, with a name, has this attribute; 0: none. */
int opset_since(const char *op_type, const char *attribute);
bool opset_form_has(const struct opset_form *f, const char *attribute);

/* The IR version that came with an opset (onnx.helper.VERSION_TABLE); at least 4, which initializers beside the inputs
 * need. */
int opset_ir_version(int opset);

#endif
