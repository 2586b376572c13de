/* Rounding of weights: fractions per output channel and codes, chosen by the error they cause at the output. */
#ifndef PARE_QUANT_ROUND_H
#define PARE_QUANT_ROUND_H

#include "quant/moments.h"
#include "quant/parameters.h"

enum rounding {
    ROUND_NEAREST,
    ROUND_SECOND_ORDER /* GPTQ (Frantar et al. 2022, Algorithm 1) on the input's Gram matrix; never worse than nearest
                        * on the layer's output error, row by row (all together where rows share a fraction), checked */
};

/* The weights of linear `index` at `bits` bits, allocated in `a`, finished by weight_choice_finish. Without moments
 * (NULL) nearest. What is minimised, and what out->output_error tells, is the mean squared error of the output or,
 * where the operator has a bias, what is left of it when the bias takes up the mean (out->mean_shift). Fractions of
 * rows that could be finer than that of the largest weights are bounded, so that the aligned bias, and what an Add adds
 * to the sums, stay below 2^22 at the input's finest fraction `input_frac`, and so that none is more than 16 bits
 * finer; rows of a grouped ConvTranspose share one. Techniques of s->without are not used. Thread-safe. */
enum pare_status round_weights(struct context *ctx, struct arena *a, const struct scheme *s, size_t index,
                               const struct moments *moments, int bits, int input_frac, enum rounding rounding,
                               struct weight_choice *out);

#endif
