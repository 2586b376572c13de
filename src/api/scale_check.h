/* A scale that was forgotten: the commonest slip, and a silent one. */
#ifndef PARE_API_SCALE_CHECK_H
#define PARE_API_SCALE_CHECK_H

#include "api/data.h"

/* Runs the network on a few labelled samples, as they are declared and, where they are integers without a scale, also
 * times 1/255. Warns where the latter is clearly better, or where a float network is wrong too often to be itself. A
 * network that wants 0..255 is no better on scaled samples, so it is left in peace. */
enum pare_status warn_of_missing_scale(struct context *ctx, const struct pare_network *n, const struct dataset *data);

#endif
