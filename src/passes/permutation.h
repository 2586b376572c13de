/* Permutations of axes: out.dims[i] = in.dims[at[i]], as in Transpose. */
#ifndef PARE_PASSES_PERMUTATION_H
#define PARE_PASSES_PERMUTATION_H

#include "passes/rewrite.h"

struct permutation {
    int rank;
    int at[TENSOR_MAX_RANK];
};

/* Of a Transpose node whose input rank is known; false for anything else. */
bool transpose_permutation(const struct node *n, struct permutation *out);
struct permutation permutation_inverse(const struct permutation *p);
/* What first `first`, then `second` does. */
struct permutation permutation_compose(const struct permutation *first, const struct permutation *second);
bool permutation_equal(const struct permutation *a, const struct permutation *b);
bool permutation_is_identity(const struct permutation *p);
/* Where the axes outside `dropped` (flags) go once these are gone from both sides. */
struct permutation permutation_without(const struct permutation *p, const bool *dropped);
/* The same among `rank` axes, of which those in `added` (flags) are new and stay in place. */
struct permutation permutation_with(const struct permutation *p, const bool *added, int rank);
enum pare_status set_permutation(struct context *ctx, struct node *n, const struct permutation *p);
/* The dimensions of `v` before `p` was applied to it. */
void value_unpermute(struct value *v, const struct permutation *p);
/* A float tensor with its axes permuted, in `a`. */
enum pare_status tensor_permute(struct context *ctx, struct arena *a, const struct tensor *t,
                                const struct permutation *p, struct tensor *out);

#endif
