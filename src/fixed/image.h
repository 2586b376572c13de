/* Activations laid out so that a convolution is a matrix product without im2col: for every phase of both axes one
 * padded plane of words, each holding elements that follow each other in the sum: channels of one pixel, or horizontal
 * taps of one channel. Elements are two int16, or four unsigned bytes. The word of output pixel (y, x) and of a tap
 * lies a constant offset after y * row + x, so that a row of outputs is a run of words. */
#ifndef PARE_FIXED_IMAGE_H
#define PARE_FIXED_IMAGE_H

#include "fixed/axis.h"
#include "fixed/codes.h"

#include <stddef.h>

struct image {
    struct axis y, x;
    uint32_t channels, group;
    uint32_t elements;          /* of a word: 2 or 4 */
    uint32_t channels_per_word; /* `elements` where x.taps_per_word is 1, else 1 */
    int32_t flip;               /* xor'ed into every word: signed bytes become unsigned ones, 128 larger */
    const struct pare_op *op;   /* a convolution, whose zero points lie outside of the input; or NULL */
    uint32_t depth;             /* word planes per group and phase */
    size_t row, plane;  /* words; both axes' phases are outside the plane: [group][depth][y.phase][x.phase][plane] */
    size_t group_words; /* of one group */
    size_t row_bytes;   /* scratch of image_fill */
};

/* x.taps_per_word of a convolution: words hold taps where that needs fewer of them than words of channels. */
uint32_t image_taps_per_word(uint32_t channels_per_group, uint32_t kernel_width, uint32_t elements);
/* Plans the strides; `elements`, `flip`, `op` and both axes are given. */
enum pare_status image_plan(struct context *ctx, struct image *image, uint32_t channels, uint32_t group);
/* Terms of the sum, in words, for a lattice pair. */
size_t image_words(const struct image *image, const struct lattice *y, const struct lattice *x);
/* Fills all groups of `words` from one sample; `scratch` holds row_bytes. */
void image_fill(const struct image *image, const void *codes, uint8_t storage, enum code_part part, int32_t *words,
                int16_t *scratch);

#endif
