/* Activations laid out so that a convolution is a matrix product without im2col: for every phase of both axes one
 * padded plane of words, each holding two elements that follow each other in the sum - two channels of one pixel, or
 * two horizontal taps of one channel. The word of output pixel (y, x) and of a tap lies a constant offset after
 * y * row + x, so that a row of outputs is a run of words. */
#ifndef PARE_FIXED_IMAGE_H
#define PARE_FIXED_IMAGE_H

#include "fixed/axis.h"
#include "fixed/codes.h"

#include <stdbool.h>
#include <stddef.h>

struct image {
    struct axis y, x;
    uint32_t channels, group;
    uint32_t depth;     /* word planes per group and phase */
    size_t row, plane;  /* words; both axes' phases are outside the plane: [group][depth][y.phase][x.phase][plane] */
    size_t group_words; /* of one group */
    size_t row_bytes;   /* scratch of image_fill */
};

/* Whether a convolution has fewer words when they hold two taps (x.pairs), not two channels of a tap. */
bool image_pairs_taps(uint32_t channels_per_group, uint32_t kernel_width);
/* Plans the strides; both axes are planned. */
enum pare_status image_plan(struct context *ctx, struct image *image, uint32_t channels, uint32_t group);
/* Terms of the sum, in words, for a lattice pair. */
size_t image_words(const struct image *image, const struct lattice *y, const struct lattice *x);
/* Fills all groups of `words` from one sample; `scratch` holds row_bytes. */
void image_fill(const struct image *image, const void *codes, uint8_t storage, enum code_part part, int32_t *words,
                int16_t *scratch);

#endif
