#include "runtime/check.h"

#include "runtime/codes.h"
#include "runtime/model.h"

static const char bad_bounds[] = "its bounds lie outside of the output's format";
static const char bad_index[] = "it reaches outside of a value";

/* ---- elementwise ---- */

static bool is_volume(uint32_t count, const uint32_t *dims, unsigned rank) {
    uint64_t product = 1;
    for (unsigned i = 0; i < rank; i++) {
        product *= dims[i];
        if (product == 0 || product > count) {
            return false;
        }
    }
    return product == count;
}

static bool strides_inside(const struct pare_op *op, unsigned side, uint32_t count) {
    uint64_t last = 0;
    for (unsigned i = 0; i < op->u.binary.rank; i++) {
        last += (uint64_t)(op->u.binary.dims[i] - 1) * op->u.binary.stride[side][i];
        if (last >= count) {
            return false;
        }
    }
    return true;
}

static const char *check_binary(const struct pare_op *op, const struct pare_value *values) {
    const struct pare_value *a = input_of(op, values, 0), *b = input_of(op, values, 1), *y = output_of(op, values);
    if (op->u.binary.rank > PARE_MAX_RANK || !is_volume(y->count, op->u.binary.dims, op->u.binary.rank)) {
        return PARE_SHAPES_DISAGREE;
    }
    return strides_inside(op, 0, a->count) && strides_inside(op, 1, b->count) ? NULL : bad_index;
}

static const char *check_add(const struct pare_op *op, const struct pare_value *values) {
    const struct pare_value *a = input_of(op, values, 0), *b = input_of(op, values, 1);
    const char *problem = check_binary(op, values);
    if (problem != NULL) {
        return problem;
    }
    int shift_a = b->frac > a->frac ? b->frac - a->frac : 0, shift_b = a->frac > b->frac ? a->frac - b->frac : 0;
    if (shift_a > PARE_ALIGNMENT_MAX || shift_b > PARE_ALIGNMENT_MAX) {
        return PARE_OVERFLOWS;
    }
    struct range ra = code_range(a), rb = code_range(b);
    int64_t scale_a = (int64_t)1 << shift_a, scale_b = (int64_t)1 << shift_b;
    struct range sum = {ra.low * scale_a + rb.low * scale_b, ra.high * scale_a + rb.high * scale_b};
    if (op->u.binary.subtract) {
        sum.low = ra.low * scale_a - rb.high * scale_b;
        sum.high = ra.high * scale_a - rb.low * scale_b;
    }
    return fits(sum, op->wide) ? NULL : PARE_OVERFLOWS;
}

static const char *check_mul(const struct pare_op *op, const struct pare_value *values) {
    const struct pare_value *a = input_of(op, values, 0), *b = input_of(op, values, 1);
    const char *problem = check_binary(op, values);
    bool exact = fits(product_range(code_range(a), code_range(b)), op->wide);
    return problem != NULL || exact ? problem : PARE_OVERFLOWS;
}

static const char *check_table(const struct pare_op *op, const struct pare_value *values) {
    const struct pare_value *x = input_of(op, values, 0), *y = output_of(op, values);
    if (x->count != y->count) {
        return PARE_SHAPES_DISAGREE;
    }
    if (op->u.table.entries == NULL) {
        return bad_index;
    }
    struct codes entries = codes_of(op->u.table.entries, y->storage, true);
    for (uint32_t i = 0; i < (uint32_t)1 << x->bits; i++) {
        int32_t entry = code_at(&entries, i);
        if (entry < op->low || entry > op->high) {
            return bad_bounds;
        }
    }
    return NULL;
}

/* ---- moves ---- */

static const char *check_concat(const struct pare_op *op, const struct pare_value *values) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < op->input_count; i++) {
        uint32_t count = input_of(op, values, i)->count;
        if (!is_product(count, op->u.concat.outer, op->u.concat.size[i], op->u.concat.inner)) {
            return PARE_SHAPES_DISAGREE;
        }
        total += count;
    }
    return total == output_of(op, values)->count ? NULL : PARE_SHAPES_DISAGREE;
}

static const char *check_reduce(const struct pare_op *op, const struct pare_value *values) {
    const struct pare_value *x = input_of(op, values, 0), *y = output_of(op, values);
    uint32_t outer = op->u.reduce.outer, inner = op->u.reduce.inner;
    bool agree = is_product(x->count, outer, op->u.reduce.reduced, inner) && is_product(y->count, outer, inner, 1);
    return agree ? NULL : PARE_SHAPES_DISAGREE;
}

/* Whether base plus every sum of index * stride lies in [0, count). */
static bool walk_inside(uint32_t count, uint32_t base, const uint32_t *dims, const int32_t *stride, unsigned rank) {
    int64_t low = base, high = base;
    for (unsigned i = 0; i < rank; i++) {
        int64_t reach = (int64_t)(dims[i] - 1) * stride[i];
        low += reach < 0 ? reach : 0;
        high += reach > 0 ? reach : 0;
        if (low < 0 || high >= count) {
            return false;
        }
    }
    return high < count;
}

/* Whether the walk visits every element of the output once: sorted by stride, each axis begins where the finer ones
 * are complete. */
static bool walk_complete(uint32_t count, uint32_t base, const uint32_t *dims, const int32_t *stride, unsigned rank) {
    uint32_t covered = 1;
    for (unsigned round = 0; round < rank && covered < count; round++) {
        unsigned axis = 0;
        while (axis < rank && (dims[axis] == 1 || stride[axis] < 0 || (uint32_t)stride[axis] != covered)) {
            axis++;
        }
        if (axis == rank) {
            return false;
        }
        covered *= dims[axis];
    }
    return base == 0 && covered == count;
}

static const char *check_copy(const struct pare_op *op, const struct pare_value *values) {
    const struct pare_value *x = input_of(op, values, 0), *y = output_of(op, values);
    unsigned rank = op->u.copy.rank;
    const uint32_t *dims = op->u.copy.dims;
    uint64_t volume = 1;
    for (unsigned i = 0; i < rank && rank <= PARE_MAX_RANK; i++) {
        volume *= dims[i];
        volume = volume > y->count ? 0 : volume;
    }
    if (rank > PARE_MAX_RANK || volume == 0) {
        return PARE_SHAPES_DISAGREE;
    }
    if (!walk_inside(x->count, op->u.copy.in_base, dims, op->u.copy.in_stride, rank) ||
        !walk_inside(y->count, op->u.copy.out_base, dims, op->u.copy.out_stride, rank)) {
        return bad_index;
    }
    if (op->u.copy.fill) {
        return op->u.copy.fill_code >= op->low && op->u.copy.fill_code <= op->high ? NULL : bad_bounds;
    }
    bool complete =
        volume == y->count && walk_complete(y->count, op->u.copy.out_base, dims, op->u.copy.out_stride, rank);
    return complete ? NULL : "it does not write every element of its output";
}

static const char *check_gather(const struct pare_op *op, const struct pare_value *values) {
    const struct pare_value *x = input_of(op, values, 0), *y = output_of(op, values);
    uint32_t outer = op->u.gather.outer, inner = op->u.gather.inner;
    if (!is_product(x->count, outer, op->u.gather.in_axis, inner) ||
        !is_product(y->count, outer, op->u.gather.out_axis, inner)) {
        return PARE_SHAPES_DISAGREE;
    }
    for (uint32_t i = 0; i < op->u.gather.out_axis; i++) {
        if (op->u.gather.indices == NULL || little_endian32(op->u.gather.indices, i) >= op->u.gather.in_axis) {
            return bad_index;
        }
    }
    return NULL;
}

/* ---- operators ---- */

static const char *check_shape_kept(const struct pare_op *op, const struct pare_value *values) {
    return input_of(op, values, 0)->count == output_of(op, values)->count ? NULL : PARE_SHAPES_DISAGREE;
}

/* By enum pare_kind; NULL for what is not built. */
static pare_check *const checks[PARE_KIND_COUNT] = {
    [PARE_CONV] = PARE_IF_BUILT(CONV, pare_check_conv),
    [PARE_CONV_TRANSPOSE] = PARE_IF_BUILT(CONV_TRANSPOSE, pare_check_conv),
    [PARE_DENSE] = PARE_IF_BUILT(DENSE, pare_check_dense),
    [PARE_MATMUL] = PARE_IF_BUILT(MATMUL, pare_check_matmul),
    [PARE_ADD] = PARE_IF_BUILT(ADD, check_add),
    [PARE_MUL] = PARE_IF_BUILT(MUL, check_mul),
    [PARE_PRELU] = PARE_IF_BUILT(PRELU, pare_check_prelu),
    [PARE_CONCAT] = PARE_IF_BUILT(CONCAT, check_concat),
    [PARE_MAX_POOL] = PARE_IF_BUILT(MAX_POOL, pare_check_pool),
    [PARE_AVERAGE_POOL] = PARE_IF_BUILT(AVERAGE_POOL, pare_check_pool),
    [PARE_REDUCE_MEAN] = PARE_IF_BUILT(REDUCE_MEAN, check_reduce),
    [PARE_TABLE] = PARE_IF_BUILT(TABLE, check_table),
    [PARE_REQUANTIZE] = PARE_IF_BUILT(REQUANTIZE, check_shape_kept),
    [PARE_COPY] = PARE_IF_BUILT(COPY, check_copy),
    [PARE_GATHER] = PARE_IF_BUILT(GATHER, check_gather),
};

static bool input_count_right(const struct pare_op *op) {
    bool two = pare_kind_has_two_inputs(op->kind);
    uint32_t most = op->kind == PARE_CONCAT ? PARE_MAX_INPUTS : two || op->kind == PARE_CONV ? 2 : 1;
    return op->input_count >= (two ? 2 : 1) && op->input_count <= most;
}

/* Whether input `side` of ADD or MUL is read in the order in which the output is written. */
static bool walks_in_order(const struct pare_op *op, unsigned side, uint32_t count) {
    uint32_t expected = 1;
    for (unsigned axis = op->u.binary.rank; axis-- > 0;) {
        uint32_t size = op->u.binary.dims[axis];
        if (size != 1 && op->u.binary.stride[side][axis] != expected) {
            return false;
        }
        expected *= size;
    }
    return expected == count;
}

bool pare_may_overwrite(const struct pare_op *op, const struct pare_value *values, uint32_t input) {
    const struct pare_value *x = input_of(op, values, input), *y = output_of(op, values);
    bool binary = op->kind == PARE_ADD || op->kind == PARE_MUL;
    bool unary = op->kind == PARE_TABLE || op->kind == PARE_REQUANTIZE || op->kind == PARE_PRELU;
    bool alike = x->count == y->count && storage_size(x->storage) == storage_size(y->storage);
    bool addend = op->kind == PARE_CONV && input == 1;
    return alike && (unary || addend || (binary && walks_in_order(op, input, y->count)));
}

/* Of a mean, its sum brought to the fraction of the output, before the division. */
static bool mean_is_wide(const struct pare_op *op, const struct pare_value *values) {
    const struct pare_value *x = input_of(op, values, 0);
    const struct pare_window *w = &op->u.window;
    bool pool = op->kind == PARE_AVERAGE_POOL;
    uint64_t terms = pool ? (uint64_t)w->kernel_h * w->kernel_w : op->u.reduce.reduced;
    int finer = output_of(op, values)->frac - x->frac, bits = x->bits + (finer > 0 ? finer : 0);
    return bits >= 31 || terms > (uint64_t)INT32_MAX >> bits;
}

bool pare_op_is_wide(const struct pare_op *op, const struct pare_value *values) {
    bool mean = op->kind == PARE_AVERAGE_POOL || op->kind == PARE_REDUCE_MEAN;
    return op->wide || (mean && mean_is_wide(op, values));
}

bool pare_op_has_long_factors(const struct pare_op *op, const struct pare_value *values) {
    struct range codes = code_range(input_of(op, values, 0)), factors = codes;
    for (uint32_t channel = 0; op->zero != NULL && channel < op->u.window.in_c; channel++) {
        int32_t zero = zero_at(op, channel);
        factors.low = codes.low - zero < factors.low ? codes.low - zero : factors.low;
        factors.high = codes.high - zero > factors.high ? codes.high - zero : factors.high;
    }
    return (op->kind == PARE_CONV || op->kind == PARE_DENSE) && (factors.low < INT16_MIN || factors.high > INT16_MAX);
}

const char *pare_check_op(const struct pare_op *op, const struct pare_value *values) {
    if (op->kind >= PARE_HOST) {
        return "an operator of an unknown kind";
    }
    if (checks[op->kind] == NULL) {
        return PARE_NOT_BUILT;
    }
    if (!input_count_right(op)) {
        return "it has a wrong number of inputs";
    }
    if (op->zero != NULL && op->kind != PARE_CONV) {
        return "only a convolution has zero points of its input";
    }
    struct range format = code_range(output_of(op, values));
    if (op->low > op->high || op->low < format.low || op->high > format.high) {
        return bad_bounds;
    }
    if (!PARE_WIDE && pare_op_is_wide(op, values)) {
        return "this runtime is built without 64-bit accumulators";
    }
    if (!PARE_ADDENDS && op->kind == PARE_CONV && op->input_count == 2) {
        return "this runtime is built without convolutions that add a second input";
    }
    if (!PARE_LONG_FACTORS && pare_op_has_long_factors(op, values)) {
        return "this runtime is built without factors of more than 16 bits";
    }
    return checks[op->kind](op, values);
}

uint64_t pare_op_work(const struct pare_op *op, const struct pare_value *values) {
    uint64_t count = values[op->output].count, each = 1;
    if (op->kind == PARE_CONV || op->kind == PARE_CONV_TRANSPOSE || op->kind == PARE_DENSE) {
        each = op->weights.columns;
    } else if (op->kind == PARE_MAX_POOL || op->kind == PARE_AVERAGE_POOL) {
        each = (uint64_t)op->u.window.kernel_h * op->u.window.kernel_w;
    } else if (op->kind == PARE_MATMUL) {
        each = op->u.matmul.k;
    } else if (op->kind == PARE_REDUCE_MEAN) {
        each = op->u.reduce.reduced;
    }
    return each > UINT64_MAX / count ? UINT64_MAX : each * count;
}
