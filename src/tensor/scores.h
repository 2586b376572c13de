/* Which class the scores of one sample put first. Among equals the lower class comes first; what is not a number is the
 * lowest score. */
#ifndef PARE_TENSOR_SCORES_H
#define PARE_TENSOR_SCORES_H

#include "tensor/tensor.h"

#include <stddef.h>

/* One score per class. */
struct scores {
    enum dtype type;
    const void *data;
    size_t count;
};

static inline struct scores float_scores(const float *x, size_t count) {
    return (struct scores){DTYPE_FLOAT, x, count};
}

size_t scores_argmax(struct scores s);              /* the count is at least 1 */
size_t scores_place(struct scores s, size_t label); /* how many classes stand before `label` < count */

#endif
