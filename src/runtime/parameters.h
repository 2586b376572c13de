/* The parameters of an operator, by kind: what runtime/format.h says of them. */
#ifndef PARE_RUNTIME_PARAMETERS_H
#define PARE_RUNTIME_PARAMETERS_H

#include "runtime/cursor.h"
#include "runtime/program.h"

/* Fills `op`, whose kind, inputs and sizes of a window are set, from the cursor, which then tells of failure. */
typedef void pare_take_parameters(struct pare_cursor *c, struct pare_op *op);

/* By enum pare_kind; NULL for what is not built. */
extern pare_take_parameters *const pare_parameter_readers[PARE_KIND_COUNT];

#endif
