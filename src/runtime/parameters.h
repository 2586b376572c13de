/* The block of parameters of an operator, by kind: what runtime/format.h says of them. */
#ifndef PARE_RUNTIME_PARAMETERS_H
#define PARE_RUNTIME_PARAMETERS_H

#include "runtime/cursor.h"
#include "runtime/program.h"

/* Fills `op`, whose kind, inputs and output are set, from the block at the cursor, which then tells of failure. */
typedef void pare_take_parameters(struct pare_cursor *c, const struct pare_model *model, struct pare_op *op);

/* By enum pare_kind; NULL for what is not built. */
extern pare_take_parameters *const pare_parameter_readers[PARE_KIND_COUNT];

#endif
