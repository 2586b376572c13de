/* What a convolution adds to its sums before they are rounded: the codes of its second input. */
#ifndef PARE_RUNTIME_ADDEND_H
#define PARE_RUNTIME_ADDEND_H

#include "runtime/codes.h"

struct addend {
    struct codes codes; /* one per element of the output; data NULL: nothing is added */
    int frac;
};

static inline struct addend addend_of(const struct pare_op *op, const struct pare_value *values, void *const *data) {
    struct addend a = {{NULL, 0, false, false}, 0};
    if (PARE_ADDENDS && op->input_count == 2) {
        a.codes = input_codes(op, values, data, 1);
        a.frac = values[op->inputs[1]].frac;
    }
    return a;
}

/* The output code of a sum of fraction `frac`, where element `index` of the addend, aligned, belongs to it. */
static inline int32_t round_sum(const struct pare_op *op, const struct pare_value *y, const struct addend *a,
                                pare_accumulator sum, int frac, uint32_t index) {
    if (PARE_ADDENDS && a->codes.data != NULL) {
        int finest = frac > a->frac ? frac : a->frac;
        pare_accumulator aligned = sum == 0 ? 0 : align_left(sum, finest - frac);
        sum = accumulate(aligned, align_left(code_at(&a->codes, index), finest - a->frac), op->wide);
        frac = finest;
    }
    return requantize_code(sum, frac - y->frac, op->low, op->high);
}

#endif
