/* What the checks of all operators share. */
#ifndef PARE_RUNTIME_CHECK_H
#define PARE_RUNTIME_CHECK_H

#include "runtime/arith.h"
#include "runtime/program.h"

/* Checks of one kind each, after those that all kinds share; see pare_check_op. */
typedef const char *pare_check(const struct pare_op *op, const struct pare_value *values);
pare_check pare_check_conv, pare_check_pool, pare_check_dense, pare_check_matmul, pare_check_prelu;

#define PARE_SHAPES_DISAGREE "its shapes do not agree with those of its values"
#define PARE_ALIGNMENT_MAX 40 /* bits that an addend can be shifted to the finer fraction */
#define PARE_OVERFLOWS "its accumulators could overflow"

static inline const struct pare_value *input_of(const struct pare_op *op, const struct pare_value *values, unsigned i) {
    return &values[op->inputs[i]];
}

static inline const struct pare_value *output_of(const struct pare_op *op, const struct pare_value *values) {
    return &values[op->output];
}

/* Whether a * b * c == count, all of them positive. */
static inline bool is_product(uint32_t count, uint32_t a, uint32_t b, uint32_t c) {
    uint64_t ab = (uint64_t)a * b;
    return ab != 0 && ab <= count && ab * c == count;
}

/* All values that a code or an accumulator can have. */
struct range {
    int64_t low, high;
};

static inline struct range code_range(const struct pare_value *v) {
    struct range r = {code_min(v->bits, v->is_signed), code_max(v->bits, v->is_signed)};
    return r;
}

static inline struct range product_range(struct range a, struct range b) {
    int64_t corner[4] = {a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high};
    struct range r = {corner[0], corner[0]};
    for (int i = 1; i < 4; i++) {
        r.low = corner[i] < r.low ? corner[i] : r.low;
        r.high = corner[i] > r.high ? corner[i] : r.high;
    }
    return r;
}

/* Whether an accumulator holds every sum of the range. */
static inline bool fits(struct range r, bool wide) {
    int64_t limit = wide ? INT64_MAX / 2 : INT32_MAX;
    return r.high <= limit && r.low >= -limit - !wide;
}

#endif
