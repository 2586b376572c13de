#include "tensor/scores.h"

#include <math.h>

static double score(struct scores s, size_t i) {
    const struct tensor t = {.type = s.type, .data = (void *)(uintptr_t)s.data};
    double v = s.type == DTYPE_FLOAT ? (double)((const float *)s.data)[i] : tensor_get_double(&t, i);
    return isnan(v) ? -INFINITY : v;
}

size_t scores_argmax(struct scores s) {
    size_t best = 0;
    for (size_t i = 1; i < s.count; i++) {
        best = score(s, i) > score(s, best) ? i : best;
    }
    return best;
}

size_t scores_place(struct scores s, size_t label) {
    double own = score(s, label);
    size_t before = 0;
    for (size_t i = 0; i < s.count; i++) {
        double v = score(s, i);
        before += v > own || (v == own && i < label);
    }
    return before;
}
