/* A special case of convolution. */
#ifndef PARE_FIXED_SCALE_H
#define PARE_FIXED_SCALE_H

#include "fixed/plan.h"

/* Whether kernel_scale can run a convolution. */
bool scale_fits(const struct plan *plan);
extern const struct kernel kernel_scale;

#endif
