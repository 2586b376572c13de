/* Predictions of a network, and how far two networks' outputs are apart. Scores are stacked: those of sample i are the
 * i-th part of the tensor, ordered as in tensor/scores.h. */
#ifndef PARE_API_COMPARE_H
#define PARE_API_COMPARE_H

#include "tensor/npy.h"

/* The class with the highest score, or the class itself where the network says one integer per sample. */
int64_t predicted_class(const struct tensor *scores, size_t samples, size_t i);
/* How many classes stand before `label`: 0 where it is the predicted one, SIZE_MAX where it is none of them. */
size_t place_of_class(const struct tensor *scores, size_t samples, size_t i, int64_t label);

struct difference {
    double signal, noise; /* sums of squares of what is expected, and of the difference */
    double largest;       /* |difference| over the largest |expected| of the same output */
};

/* Adds one output. PARE_ERROR_INPUT when the shapes differ. */
enum pare_status difference_add(struct context *ctx, struct difference *d, const struct named_tensor *output,
                                const struct tensor *expected);

#endif
