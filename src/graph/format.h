/* Fixed-point formats: an integer q read as q * 2^-frac. */
#ifndef PARE_GRAPH_FORMAT_H
#define PARE_GRAPH_FORMAT_H

#include "tensor/tensor.h"

#include <stdbool.h>
#include <stdint.h>

/* bits 0 means that the tensor is all zeros and is not stored. `channel_frac` overrides `frac`
 * with one fraction per index of `axis` (weights and biases only). */
struct format {
    int bits;
    bool is_signed;
    int frac;
    int axis, channels; /* meaningful when channel_frac is set */
    int *channel_frac;  /* `channels` entries, or NULL: one fraction for the tensor */
};

int32_t format_min(const struct format *f); /* -2^(bits-1), or 0 when unsigned */
int32_t format_max(const struct format *f); /* 2^(bits-1) - 1, or 2^bits - 1; at bits 32 signed, INT32_MAX */
int format_frac(const struct format *f, int channel);
bool format_equal(const struct format *a, const struct format *b);
/* The narrowest of int8, uint8, int16, uint16, int32 that holds the format. */
enum dtype format_storage(const struct format *f);

#endif
