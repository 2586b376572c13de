/* What makes one code, in words. */
#include "api/verify.h"
#include "fixed/lifetimes.h"
#include "runtime/codes.h"

static int32_t code_of(const struct program *p, void *const *codes, uint32_t value, size_t sample, uint32_t index) {
    const struct pare_value *v = &p->values[value];
    const uint8_t *data = v->constant != NULL ? v->constant : (const uint8_t *)codes[value] + sample * value_size(v);
    struct codes c = codes_of(data, v->storage, v->constant != NULL);
    return code_at(&c, index);
}

/* The sum of a row of weights over its inputs, less the bias; wraps where it would not fit. */
static int64_t sum_of_conv(const struct program *p, const struct pare_op *op, void *const *codes, size_t sample,
                           uint32_t index, uint32_t *row) {
    const struct pare_window *w = &op->u.window;
    uint32_t oy = index / w->out_w % w->out_h, ox = index % w->out_w;
    *row = index / w->out_w / w->out_h;
    struct weight_row weights = weight_row(&op->weights, *row);
    uint32_t first = *row / (w->out_c / w->group) * (w->in_c / w->group);
    int64_t sum = 0;
    for (uint32_t column = 0; column < op->weights.columns; column++) {
        uint32_t kx = column % w->kernel_w, ky = column / w->kernel_w % w->kernel_h;
        uint32_t channel = first + column / w->kernel_w / w->kernel_h;
        uint32_t iy = oy * w->stride_h + ky * w->dilation_h - w->pad_top;
        uint32_t ix = ox * w->stride_w + kx * w->dilation_w - w->pad_left;
        if (iy < w->in_h && ix < w->in_w) {
            int32_t code = code_of(p, codes, op->inputs[0], sample, (channel * w->in_h + iy) * w->in_w + ix);
            sum += (int64_t)weight_at(&weights, column) * (code - zero_at(op, channel));
        }
    }
    return sum;
}

static int64_t sum_of_dense(const struct program *p, const struct pare_op *op, void *const *codes, size_t sample,
                            uint32_t index, uint32_t *row) {
    uint32_t from = index / op->weights.rows * op->weights.columns;
    *row = index % op->weights.rows;
    struct weight_row weights = weight_row(&op->weights, *row);
    int64_t sum = 0;
    for (uint32_t column = 0; column < op->weights.columns; column++) {
        sum += (int64_t)weight_at(&weights, column) * code_of(p, codes, op->inputs[0], sample, from + column);
    }
    return sum;
}

static const char *describe_addend(struct arena *arena, const struct program *p, const struct pare_op *op,
                                   void *const *codes, size_t sample, uint32_t index) {
    return op->input_count < 2
               ? ""
               : arena_format(arena, ", added %d * 2^-%d", (int)code_of(p, codes, op->inputs[1], sample, index),
                              p->values[op->inputs[1]].frac);
}

static const char *describe_sum(struct arena *arena, const struct program *p, const struct pare_op *op,
                                void *const *codes, size_t sample, uint32_t index) {
    uint32_t row;
    int64_t sum = op->kind == PARE_CONV ? sum_of_conv(p, op, codes, sample, index, &row)
                                        : sum_of_dense(p, op, codes, sample, index, &row);
    const char *addend = describe_addend(arena, p, op, codes, sample, index);
    return addend == NULL
               ? NULL
               : arena_format(
                     arena, "%u products that sum to %lld * 2^-%d, bias %d * 2^-%d%s, output * 2^-%d in [%d, %d]",
                     (unsigned)op->weights.columns, (long long)sum,
                     weight_frac(&op->weights, row) + p->values[op->inputs[0]].frac, (int)bias_at(&op->bias, row),
                     bias_frac(&op->bias, row), addend, p->values[op->output].frac, (int)op->low, (int)op->high);
}

/* Codes at the same place of every input; only where there is one. */
static const char *describe_elements(struct arena *arena, const struct program *p, const struct pare_op *op,
                                     void *const *codes, size_t sample, uint32_t index) {
    const char *text = "";
    for (uint32_t k = 0; text != NULL && k < op->input_count; k++) {
        const struct pare_value *x = &p->values[op->inputs[k]];
        if (x->count != p->values[op->output].count) {
            return NULL;
        }
        text = arena_format(arena, "%s%s%d * 2^-%d", text, k > 0 ? ", " : "",
                            (int)code_of(p, codes, op->inputs[k], sample, index), x->frac);
    }
    return text;
}

const char *verify_operands(struct arena *arena, const struct program *p, uint32_t op, void *const *codes,
                            size_t sample, uint32_t index) {
    const struct pare_op *o = &p->ops[op];
    switch (o->kind) {
    case PARE_CONV:
    case PARE_DENSE:
        return describe_sum(arena, p, o, codes, sample, index);
    case PARE_ADD:
    case PARE_MUL:
    case PARE_TABLE:
    case PARE_REQUANTIZE:
    case PARE_PRELU:
        return describe_elements(arena, p, o, codes, sample, index);
    default:
        return NULL;
    }
}
