/* Operators cut off behind the integer program (a final Softmax or ArgMax), finished in float. */
#ifndef PARE_API_TAIL_H
#define PARE_API_TAIL_H

#include "api/network.h"

/* Replaces the program's outputs in `out`, from `first` on, by what the cut operators make of them. */
enum pare_status tails_apply(struct context *ctx, const struct pare_network *n, struct pare_tensors *out, size_t first);

#endif
