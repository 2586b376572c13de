/* The grids of the operators with windows, from the resolved windows of graph/window.h. */
#ifndef PARE_FLOAT_GEOMETRY_H
#define PARE_FLOAT_GEOMETRY_H

#include "float/float.h"
#include "float/grid.h"

/* PARE_ERROR_UNSUPPORTED for more than three spatial axes. */
enum pare_status grid_of_conv(const struct float_call *c, struct grid *g);
enum pare_status grid_of_pool(const struct float_call *c, struct grid *g);
/* The grid's image is the operator's output, its window positions are the input. */
enum pare_status grid_of_conv_transpose(const struct float_call *c, struct grid *g);

#endif
